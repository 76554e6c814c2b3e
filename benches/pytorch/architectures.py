"""The networks of `benches/architectures` in PyTorch: python architectures.py. Prints milliseconds of a training step.

Not in one process with damper: compare with care.
"""
import statistics
import time

import torch
from torch import nn

BATCH, STEPS, FEATURES, HIDDEN, CLASSES = 64, 50, 32, 128, 10


def measure(kind, times=60):
    layer, head = kind(FEATURES, HIDDEN, batch_first=True), nn.Linear(HIDDEN, CLASSES)
    optimiser = torch.optim.AdamW([*layer.parameters(), *head.parameters()], lr=1e-3)
    x = torch.randn(BATCH, STEPS, FEATURES)
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        optimiser.zero_grad()
        head(layer(x)[0][:, -1]).square().mean().backward()
        optimiser.step()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[5:])


print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
for kind in (nn.LSTM, nn.GRU):
    print(f"  {kind.__name__.lower()}: {1e3 * measure(kind):.3f} ms a step")
