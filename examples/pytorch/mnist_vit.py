"""The PyTorch figures that `examples/mnist_vit` prints beside its own, over three seeds.

Run by hand: python mnist_vit.py (PyTorch 2.15.0, CPU).
"""
import torch
from torch import nn

from mnist import decayed, run

DIM, HEADS, DEPTH, DEPTH_RATE = 64, 4, 4, 0.1


class Branch(nn.Module):
    """`value + branch(value)`, the branch left out for a share `rate` of the samples while training."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def add(self, value, branch):
        if not self.training or self.rate == 0.0:
            return value + branch
        kept = (torch.rand(value.shape[0], 1, 1) >= self.rate) / (1 - self.rate)
        return value + kept * branch


class Attend(Branch):
    def __init__(self, rate):
        super().__init__(rate)
        self.norm = nn.LayerNorm(DIM)
        self.attention = nn.MultiheadAttention(DIM, HEADS, batch_first=True)

    def forward(self, value):
        x = self.norm(value)
        return self.add(value, self.attention(x, x, x, need_weights=False)[0])


class Feed(Branch):
    def __init__(self, rate):
        super().__init__(rate)
        self.net = nn.Sequential(nn.LayerNorm(DIM), nn.Linear(DIM, 2 * DIM), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * DIM, DIM))

    def forward(self, value):
        return self.add(value, self.net(value))


class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(1, DIM, 7, stride=7)
        self.token = nn.Parameter(torch.randn(1, 1, DIM) * 0.02)
        self.position = nn.Parameter(torch.randn(1, 17, DIM) * 0.02)
        rates = [DEPTH_RATE * block / (DEPTH - 1) for block in range(DEPTH)]
        self.blocks = nn.Sequential(*(branch(rate) for rate in rates for branch in (Attend, Feed)))
        self.norm, self.head = nn.LayerNorm(DIM), nn.Linear(DIM, 10)

    def forward(self, image):
        value = self.patches(image).flatten(2).transpose(1, 2)
        value = torch.cat([self.token.expand(len(image), -1, -1), value], dim=1) + self.position
        return self.head(self.norm(self.blocks(value))[:, 0])


if __name__ == "__main__":
    run(Vit, lambda pixels: pixels.unsqueeze(1), decayed(2e-3, 0.05), epochs=20, most=2, seeds=3)
