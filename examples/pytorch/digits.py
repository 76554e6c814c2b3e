"""The PyTorch figures that `examples/digits` prints beside its own, over five seeds.

Run by hand: python digits.py digits.xy (PyTorch 2.15.0, CPU), with the file of that name in the sources of the crate
smartcore 0.7 (src/dataset). The pixels as they are (0 to 16), stratified 80/20 split, 30 epochs, batches of 64, no early stopping.
"""
import math
import random
import statistics
import struct
import sys

import torch
from torch import nn


def split(labels, seed):
    rng, train, test = random.Random(seed), [], []
    for digit in range(10):
        rows = [i for i, label in enumerate(labels.tolist()) if label == digit]
        rng.shuffle(rows)
        cut = round(0.8 * len(rows))
        train += rows[:cut]
        test += rows[cut:]
    return torch.tensor(train), torch.tensor(test)


def run(inputs, labels, seed):
    torch.manual_seed(seed)
    train, test = split(labels, seed)
    model = nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.25), nn.Linear(64, 10)
    )
    decayed = [model[0].weight]
    others = [p for p in model.parameters() if p is not model[0].weight]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 1e-3}, {"params": others, "weight_decay": 0.0}], lr=1e-3
    )
    steps = 30 * math.ceil(len(train) / 64)
    warm = max(1, round(0.05 * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda t: (t + 1) / warm if t < warm else 0.5 * (1 + math.cos(math.pi * (t - warm) / (steps - warm))),
    )
    for _ in range(30):
        model.train()
        for batch in train[torch.randperm(len(train))].split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[batch]), labels[batch], label_smoothing=0.05).backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        return (model(inputs[test]).argmax(dim=1) == labels[test]).float().mean().item()


def main():
    torch.set_num_threads(1)
    with open(sys.argv[1], "rb") as file:
        width, rows = struct.unpack("<QQ", file.read(16))
        values = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)
    inputs, labels = values[: rows * width].reshape(rows, width), values[rows * width :].long()
    accuracies = [run(inputs, labels, seed) for seed in range(5)]
    print(f"PyTorch {torch.__version__}:", *(f"{a:.4f}" for a in accuracies), f"mean {statistics.mean(accuracies):.4f}")


main()
