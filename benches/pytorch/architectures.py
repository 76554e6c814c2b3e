"""The networks of `benches/architectures` in PyTorch: python architectures.py. Prints milliseconds of a training step.

Two threads. Not in one process with damper: compare with care.
"""
import statistics
import time

import torch
from torch import nn

torch.set_num_threads(2)

BATCH, STEPS, FEATURES, HIDDEN, CLASSES = 64, 50, 32, 128, 10


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layer, self.head = kind(FEATURES, HIDDEN, batch_first=True), nn.Linear(HIDDEN, CLASSES)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(64, 4, 256, 0.1, "gelu", batch_first=True, norm_first=True)
        self.embed, self.norm, self.head = nn.Linear(FEATURES, 64), nn.LayerNorm(64), nn.Linear(64, CLASSES)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x):
        return self.head(self.norm(self.encoder(self.embed(x))).mean(1))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, CLASSES),
    )


def measure(model, shape, times=60):
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    x = torch.randn(BATCH, *shape)
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        optimiser.zero_grad()
        model(x).square().mean().backward()
        optimiser.step()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[5:])


print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
for name, model, shape in (
    ("cnn", cnn(), (1, 28, 28)),
    ("transformer", Encoder(), (STEPS, FEATURES)),
    ("lstm", Recurrent(nn.LSTM), (STEPS, FEATURES)),
    ("gru", Recurrent(nn.GRU), (STEPS, FEATURES)),
):
    print(f"  {name}: {1e3 * measure(model, shape):.3f} ms a step")
