"""The networks and kernels of `benches/networks.rs` in PyTorch, eager, on the CPU: python pytorch.py [--threads N].

Prints one measurement a line in JSON: the median seconds of a step. The samples of a step are in a new order in each
epoch; validation and figures are left out. `python compare.py` runs this beside damper.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn

# Seconds and steps of the warm-up at least, and of what is measured.
WARM_UP, MEASURED = (0.3, 5), (1.0, 10)
BATCHES = 20
SEQUENCES = (50, 32)


def network(model, shape, classes=10, batch=64, decay=0.0):
    """A step of training: cross-entropy, and AdamW with decay on the matrices alone."""
    inputs = torch.rand(BATCHES * batch, *shape) - 0.5
    labels = torch.arange(BATCHES * batch) % classes
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)

    def batches():
        while True:
            yield from torch.randperm(len(inputs)).split(batch)

    order = batches()

    def step():
        index = next(order)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs[index]), labels[index]).backward()
        optimizer.step()

    return step


def mlp(features, first, second, classes, batch):
    model = nn.Sequential(
        nn.Linear(features, first), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(first, second), nn.ReLU(), nn.Dropout(0.25),
        nn.Linear(second, classes),
    )
    return network(model, (features,), classes, batch, decay=1e-3)


def cnn():
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10),
    )
    return network(model, (1, 28, 28))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn, self.head = kind(32, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(64, 4, 256, 0.1, "gelu", batch_first=True, norm_first=True)
        self.embed, self.norm, self.head = nn.Linear(32, 64), nn.LayerNorm(64), nn.Linear(64, 10)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x):
        return self.head(self.norm(self.encoder(self.embed(x))).mean(1))


def kernel(module, shape=(1 << 20,), *others):
    """Forward and backward of one module, with a gradient of ones."""
    x = torch.randn(shape, requires_grad=True)

    def step():
        x.grad = None
        module.zero_grad()
        y = module(x, *others)
        y.backward(torch.ones_like(y))

    return step


def adamw():
    """The optimizer's step of one matrix."""
    weight = nn.Parameter(torch.randn(1024, 1024))
    weight.grad = torch.randn(1024, 1024)
    return torch.optim.AdamW([weight], lr=1e-3, weight_decay=1e-3).step


ROWS = (2048, 512)
STEPS = {
    "mlp-50": lambda: mlp(50, 128, 64, 4, 64),
    "mlp-784": lambda: mlp(784, 512, 256, 10, 128),
    "mlp-1024": lambda: mlp(1024, 1024, 1024, 10, 256),
    "cnn": cnn,
    "lstm": lambda: network(Recurrent(nn.LSTM), SEQUENCES),
    "gru": lambda: network(Recurrent(nn.GRU), SEQUENCES),
    "transformer": lambda: network(Transformer(), SEQUENCES),
    "dropout": lambda: kernel(nn.Dropout(0.5)),
    "tanh": lambda: kernel(nn.Tanh()),
    "sigmoid": lambda: kernel(nn.Sigmoid()),
    "gelu": lambda: kernel(nn.GELU()),
    "gelu_approximate": lambda: kernel(nn.GELU("tanh")),
    "silu": lambda: kernel(nn.SiLU()),
    "mish": lambda: kernel(nn.Mish()),
    "softmax": lambda: kernel(nn.Softmax(1), ROWS),
    "log_softmax": lambda: kernel(nn.LogSoftmax(1), ROWS),
    "layer_norm": lambda: kernel(nn.LayerNorm(ROWS[1]), ROWS),
    "batch_norm": lambda: kernel(nn.BatchNorm2d(64), (64, 64, 16, 16)),
    "cross_entropy": lambda: kernel(nn.CrossEntropyLoss(), ROWS, torch.arange(ROWS[0]) % ROWS[1]),
    "adamw": adamw,
}


def repeated(step, seconds, least):
    """The seconds of each step."""
    times = []
    while len(times) < least or sum(times) < seconds:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--threads", type=int, default=torch.get_num_threads())
parser.add_argument("--only", type=lambda names: names.split(","), default=list(STEPS), metavar="NAME,NAME")
arguments = parser.parse_args()
if unknown := [name for name in arguments.only if name not in STEPS]:
    parser.error(f"no {', '.join(unknown)} among {', '.join(STEPS)}")
torch.set_num_threads(arguments.threads)
for name in arguments.only:
    step = STEPS[name]()
    repeated(step, *WARM_UP)
    print(json.dumps({"name": name, "seconds": statistics.median(repeated(step, *MEASURED))}), flush=True)
