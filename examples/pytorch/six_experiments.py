"""The PyTorch figures that `examples/six_experiments` prints beside its own: the article's third experiment.

Run by hand: python six_experiments.py (PyTorch 2.15.0, CPU). Each of ten seeds draws its own data and weights.
With the argument `ours`, weight decay reaches weight matrices only, as damper's does; without it, it reaches
biases and normalization gains too, as in the article.
"""
import statistics
import sys

import torch
from torch import nn

ARMS = {
    "baseline": (False, False, 0.0),
    "decay 1e-3": (False, False, 1e-3),
    "dropout 0.4": (True, False, 0.0),
    "dropout + decay": (True, False, 1e-3),
    "batch norm": (False, True, 0.0),
    "batch norm + light decay": (False, True, 5e-4),
}
MATRICES_ONLY = "ours" in sys.argv[1:]


def build(dropout, norm):
    layers = []
    for width, wide in ((50, 128), (128, 64)):
        layers.append(nn.Linear(width, wide))
        if norm:
            layers.append(nn.BatchNorm1d(wide))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(nn.Dropout(0.4))
    return nn.Sequential(*layers, nn.Linear(64, 4))


def accuracy(model, inputs, labels):
    model.eval()
    with torch.no_grad():
        return (model(inputs).argmax(dim=1) == labels).float().mean().item()


def experiment(inputs, labels, dropout, norm, decay):
    model = build(dropout, norm)
    groups = model.parameters()
    if MATRICES_ONLY:
        groups = [
            {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},
        ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, weight_decay=decay)
    for _ in range(60):
        model.train()
        for batch in torch.randperm(1400).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[batch]), labels[batch]).backward()
            optimizer.step()
    return accuracy(model, inputs[:1400], labels[:1400]), accuracy(model, inputs[1400:], labels[1400:])


def main():
    torch.set_num_threads(1)
    rows = {name: [] for name in ARMS}
    for seed in range(10):
        torch.manual_seed(seed)
        inputs = torch.randn(2000, 50)
        truth = torch.zeros(50, 4)
        truth[:10] = torch.randn(10, 4)
        labels = (inputs @ truth).argmax(dim=1)
        for name, arm in ARMS.items():
            rows[name].append(experiment(inputs, labels, *arm))
    print(f"PyTorch {torch.__version__}, ten seeds: training, validation (mean, deviation)")
    for name, row in rows.items():
        columns = (f"{statistics.mean(c):6.3f} {statistics.stdev(c):6.3f}" for c in zip(*row))
        print(f"{name:26}", *columns, sep="  ")


main()
