"""The PyTorch figures that `examples/sine` prints beside its own: the article's first experiment, over ten seeds.

Run by hand: python sine.py (PyTorch 2.15.0, CPU). Each seed draws its own noise and its own weights.
"""
import statistics

import torch
from torch import nn

ARMS = {"none": (0.0, 0.0), "penalty(l2 = 1e-3)": (0.0, 1e-3), "penalty(l1 = 1e-4)": (1e-4, 0.0)}


def weights(model):
    return [p for name, p in model.named_parameters() if "weight" in name]


def train(inputs, targets, l1, l2):
    model = nn.Sequential(nn.Linear(1, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(500):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs), targets)
        penalty = sum(l1 * w.abs().sum() + l2 * (w**2).sum() for w in weights(model)) if l1 or l2 else 0.0
        (loss + penalty).backward()
        optimizer.step()
    flat = torch.cat([w.detach().flatten() for w in weights(model)])
    near = 100 * (flat.abs() < 1e-3).float().mean().item()
    zero = 100 * (flat == 0).float().mean().item()
    return near, zero, loss.item()


def main():
    torch.set_num_threads(1)
    rows = {name: [] for name in ARMS}
    for seed in range(10):
        torch.manual_seed(seed)
        inputs = torch.linspace(0, 2 * torch.pi, 80).unsqueeze(1)
        targets = torch.sin(inputs) + torch.randn_like(inputs) * 0.3
        for name, (l1, l2) in ARMS.items():
            rows[name].append(train(inputs, targets, l1, l2))
    print(f"PyTorch {torch.__version__}, ten seeds: near-zero weights %, exact zeros %, last MSE (mean, deviation)")
    for name, row in rows.items():
        columns = (f"{statistics.mean(c):8.4f} {statistics.stdev(c):7.4f}" for c in zip(*row))
        print(f"{name:20}", *columns, sep="  ")


main()
