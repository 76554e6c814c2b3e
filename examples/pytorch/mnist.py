"""What the three MNIST scripts share: the images, the split, the training.

The images are those of the examples (`examples/data/mnist_5k.csv.gz`): 5000, of which 4000 are learnt from and 1000 are the
test, 400 and 100 of each digit.
"""
import gzip
import math
import statistics
import time
from pathlib import Path

import numpy
import torch
from torch import nn

FILE = Path(__file__).parent.parent / "data" / "mnist_5k.csv.gz"


def images():
    with gzip.open(FILE, "rt") as file:
        table = numpy.loadtxt(file, delimiter=",", dtype=numpy.float32)
    return torch.from_numpy(table[:, :784] / 255.0).reshape(-1, 28, 28), torch.from_numpy(table[:, 784]).long()


def split(labels, generator):
    train, test = [], []
    for digit in range(10):
        rows = (labels == digit).nonzero().flatten()
        rows = rows[torch.randperm(len(rows), generator=generator)]
        train.append(rows[:400])
        test.append(rows[400:])
    return torch.cat(train), torch.cat(test)


def shift(batch, most):
    """Moves each image by up to `most` pixels, zeros coming in."""
    padded = nn.functional.pad(batch, (most,) * 4)
    size, moved = batch.shape[-1], torch.empty_like(batch)
    for i, (y, x) in enumerate(torch.randint(0, 2 * most + 1, (len(batch), 2)).tolist()):
        moved[i] = padded[i, ..., y : y + size, x : x + size]
    return moved


def run(build, prepare, groups, epochs, schedule=True, batch=64, smoothing=0.0, most=0, seeds=5, threads=1):
    """Trains `build()` with several seeds, and prints the accuracies on the 1000 images of the test."""
    torch.set_num_threads(threads)
    pixels, labels = images()
    pixels = prepare(pixels)
    accuracies, start = [], time.time()
    for seed in range(seeds):
        torch.manual_seed(seed)
        train, test = split(labels, torch.Generator().manual_seed(seed))
        model = build()
        optimizer = torch.optim.AdamW(groups(model))
        steps = epochs * math.ceil(len(train) / batch)
        warm = max(1, round(0.1 * steps))
        rate = lambda t: (t + 1) / warm if t < warm else 0.5 * (1 + math.cos(math.pi * (t - warm) / (steps - warm)))
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate if schedule else lambda t: 1.0)
        for _ in range(epochs):
            model.train()
            for rows in train[torch.randperm(len(train))].split(batch):
                inputs = shift(pixels[rows], most) if most else pixels[rows]
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs), labels[rows], label_smoothing=smoothing).backward()
                optimizer.step()
                scheduler.step()
        model.eval()
        with torch.no_grad():
            accuracies.append((model(pixels[test]).argmax(dim=1) == labels[test]).float().mean().item())
    seconds = (time.time() - start) / seeds
    print(
        f"PyTorch {torch.__version__}:", *(f"{a:.3f}" for a in accuracies),
        f"mean {statistics.mean(accuracies):.4f}; {seconds:.1f} s each with {threads} thread(s)", flush=True,
    )


def decayed(lr, weight_decay):
    """Weight matrices and kernels decay; biases, gains and learned positions do not."""

    def groups(model):
        named = list(model.named_parameters())
        matrix = lambda name, p: p.ndim >= 2 and "token" not in name and "position" not in name
        return [
            {"params": [p for n, p in named if matrix(n, p)], "lr": lr, "weight_decay": weight_decay},
            {"params": [p for n, p in named if not matrix(n, p)], "lr": lr, "weight_decay": 0.0},
        ]

    return groups
