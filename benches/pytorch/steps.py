"""The networks of `benches/steps` in PyTorch: python steps.py (2.15.0, CPU). Prints milliseconds of a training step.

Same sizes, dropout, AdamW with decay on the matrices. Not in one process with damper: compare with care.
"""
import statistics
import time

import torch
from torch import nn

SIZES = [(50, 128, 64, 4, 64, 40), (784, 512, 256, 10, 128, 20), (1024, 1024, 1024, 10, 256, 6)]


def measure(features, first, second, classes, batch, batches, rounds=9):
    inputs = torch.rand(batch * batches, features) - 0.5
    labels = torch.arange(batch * batches) % classes
    model = nn.Sequential(
        nn.Linear(features, first), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(first, second), nn.ReLU(), nn.Dropout(0.25),
        nn.Linear(second, classes),
    )
    matrices = [p for p in model.parameters() if p.ndim > 1]
    biases = [p for p in model.parameters() if p.ndim == 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 1e-3}, {"params": biases, "weight_decay": 0.0}], lr=1e-3
    )
    seconds = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        for index in torch.randperm(len(inputs)).split(batch):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(inputs[index]), labels[index]).backward()
            optimiser.step()
        seconds.append((time.perf_counter() - start) / batches)
    return statistics.median(seconds[1:])


print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
for size in SIZES:
    name = "-".join(map(str, size[:4]))
    print(f"{name}, batch {size[4]}: {1e3 * measure(*size):.4f} ms a step")
