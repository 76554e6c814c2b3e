"""The PyTorch figures that `examples/mnist_cnn` prints beside its own, over five seeds.

Run by hand: python mnist_cnn.py (PyTorch 2.15.0, CPU). First the plain network, 8 epochs; then the same network as the example
regularizes it, 16 epochs.
"""
from torch import nn

from mnist import decayed, run


def network(channels=0.0, rate=0.0):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout2d(channels),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Dropout(rate), nn.Linear(128, 10),
    )


if __name__ == "__main__":
    image = lambda pixels: pixels.unsqueeze(1)
    run(network, image, decayed(1e-3, 0.0), epochs=8, schedule=False)
    run(lambda: network(0.1, 0.3), image, decayed(2e-3, 0.01), epochs=16, smoothing=0.05, most=2)
