"""The detector: a small convolutional backbone, a top-down neck, and YOLOX's decoupled head."""

import torch
from torch import nn

LABELS = ["person", "car"]
STRIDES = (8, 16, 32)


def conv(inputs, outputs, kernel=3, stride=1, groups=1, relu=True):
    """Convolution, batch norm (folded at export) and ReLU (which ONNX Runtime fuses)."""
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


def separable(inputs, outputs):
    """A depthwise and a pointwise convolution."""
    return nn.Sequential(conv(inputs, inputs, groups=inputs), conv(inputs, outputs, 1))


class Residual(nn.Module):
    """x + pointwise(depthwise(x))."""

    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(conv(width, width, groups=width), conv(width, width, 1, relu=False))

    def forward(self, x):
        return torch.relu(x + self.body(x))


class Head(nn.Module):
    """One scale: box, objectness and class logits, in YOLOX's order of columns."""

    def __init__(self, width):
        super().__init__()
        self.classify = nn.Sequential(separable(width, width), separable(width, width))
        self.locate = nn.Sequential(separable(width, width), separable(width, width))
        self.classes = nn.Conv2d(width, len(LABELS), 1)
        self.box = nn.Conv2d(width, 4, 1)
        self.objectness = nn.Conv2d(width, 1, 1)
        for layer in (self.classes, self.objectness):
            # A prior of 1 % keeps the many empty cells from swamping the first steps (RetinaNet).
            nn.init.constant_(layer.bias, -4.6)

    def forward(self, x):
        located = self.locate(x)
        return torch.cat([self.box(located), self.objectness(located), self.classes(self.classify(x))], 1)


class YardNano(nn.Module):
    """Input [batch, 3, 192, 320], BGR 0..1. Output [batch, cells, 7]: x, y, w, h raw, then logits."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv(3, 16, stride=2), conv(16, 24, stride=2), Residual(24))
        self.to8 = nn.Sequential(conv(24, 48, stride=2), Residual(48), Residual(48))
        self.to16 = nn.Sequential(conv(48, 80, stride=2), Residual(80), Residual(80))
        self.to32 = nn.Sequential(conv(80, 112, stride=2), Residual(112), Residual(112))
        width = 48
        self.side8, self.side16, self.side32 = conv(48, width, 1), conv(80, width, 1), conv(112, width, 1)
        self.mix8, self.mix16 = separable(width, width), separable(width, width)
        self.heads = nn.ModuleList(Head(width) for _ in STRIDES)

    def forward(self, x):
        c8 = self.to8(self.stem(x))
        c16 = self.to16(c8)
        c32 = self.to32(c16)
        double = nn.functional.interpolate
        p32 = self.side32(c32)
        p16 = self.mix16(self.side16(c16) + double(p32, scale_factor=2.0, mode="nearest"))
        p8 = self.mix8(self.side8(c8) + double(p16, scale_factor=2.0, mode="nearest"))
        outputs = [head(p) for head, p in zip(self.heads, (p8, p16, p32))]
        return torch.cat([o.flatten(2) for o in outputs], 2).permute(0, 2, 1)


def grid(height, width):
    """Per cell, in the order of the output: column, row, stride."""
    rows = []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        rows.append(torch.stack([x.flatten(), y.flatten(), torch.full((x.numel(),), stride)], 1))
    return torch.cat(rows).float()


def decode(raw, cells):
    """Corner boxes in input pixels from the raw box columns: centre (x + column) * stride, size exp(w) * stride."""
    stride = cells[:, 2:]
    centre = (raw[..., :2] + cells[:, :2]) * stride
    half = torch.exp(raw[..., 2:4].clamp(max=6.0)) * stride / 2
    return torch.cat([centre - half, centre + half], -1)
