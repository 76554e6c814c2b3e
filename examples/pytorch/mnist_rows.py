"""The PyTorch figures that `examples/mnist_rows` prints beside its own, over three seeds.

Run by hand: python mnist_rows.py (PyTorch 2.15.0, CPU). `nn.LSTM(dropout = ..)` has no variational dropout: the masks are drawn here,
one for all steps of a layer's input, and one for each number between the layers.
"""
import torch
from torch import nn

from mnist import decayed, run


class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LSTM(28, 128, batch_first=True), nn.LSTM(128, 128, batch_first=True)
        self.between, self.head = nn.Dropout(0.1), nn.Linear(128, 10)

    def locked(self, value, rate=0.1):
        if not self.training:
            return value
        return value * (torch.rand(value.shape[0], 1, value.shape[2]) >= rate) / (1 - rate)

    def forward(self, image):
        value, _ = self.first(self.locked(image))
        value, _ = self.second(self.locked(self.between(value)))
        return self.head(value[:, -1])


if __name__ == "__main__":
    run(Rows, lambda pixels: pixels, decayed(2e-3, 0.0), epochs=15, seeds=3)
