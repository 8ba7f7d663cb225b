"""Pictures and labels that `karaul-scene dataset` wrote, and how they are varied."""

import io
import json
import math
import pathlib

import numpy as np
import torch
from PIL import Image

from network import LABELS

HEIGHT, WIDTH = 192, 320
FILL = 114.0
# Less visible than this, or lower than this many pixels, is neither taught nor held against the detector.
LEAST_VISIBLE, LEAST_HEIGHT = 0.3, 9.0
# And so is what is wider than this share of the picture: in random scenes one car of four is, before a guard's camera none, and
# who expects such cars finds them in fog.
MOST_WIDE = 0.45


def load(folders, spoil, seed):
    """All pictures [n, 180, 320, 3] BGR and per picture an array of x1, y1, x2, y2, class, counted.

    With `spoil`, half of the pictures go through JPEG, because a camera's picture has been compressed.
    """
    random = np.random.default_rng(seed)
    pictures, truths = [], []
    for folder in map(pathlib.Path, folders):
        for label in json.loads((folder / "labels.json").read_text()):
            picture = Image.open(folder / label["file"]).convert("RGB")
            if spoil and random.random() < 0.5:
                packed = io.BytesIO()
                picture.save(packed, "JPEG", quality=int(random.integers(25, 85)))
                picture = Image.open(packed)
            pictures.append(np.asarray(picture)[:, :, ::-1])
            rows = []
            for thing in label["objects"]:
                # Dogs and bags are there to be told from what the model knows.
                if thing["class"] not in LABELS:
                    continue
                x, y, w, h = thing["bbox"]
                box = np.array([x, y, x + w, y + h]) * ([picture.width, picture.height] * 2)
                rows.append([*box, LABELS.index(thing["class"]), thing["visible"] >= LEAST_VISIBLE])
            truth = torch.tensor(np.array(rows, np.float32).reshape(-1, 6))
            truth[:, 5] *= is_of_use(truth)
            truths.append(truth)
    return torch.from_numpy(np.stack(pictures)), truths


def is_of_use(truth):
    """Whether each box is neither too low nor too wide."""
    wide, high = truth[:, 2] - truth[:, 0], truth[:, 3] - truth[:, 1]
    return (high >= LEAST_HEIGHT) & (wide <= MOST_WIDE * WIDTH)


def plain(pictures):
    """The letterbox of inference: at the top left, the rest filled. [n, 3, 192, 320], 0..255."""
    batch = torch.full((len(pictures), 3, HEIGHT, WIDTH), FILL)
    batch[:, :, : pictures.shape[1], : pictures.shape[2]] = pictures.permute(0, 3, 1, 2).float()
    return batch


def vary(pictures, truths, random):
    """Flips, zooms and shifts, colour, light, blur and noise."""
    batch, truths = plain(pictures), [t.clone() for t in truths]
    count = len(batch)
    theta = torch.zeros(count, 2, 3)
    for i in range(count):
        zoom, dx, dy = 1.0, 0.0, 0.0
        if torch.rand((), generator=random) < 0.6:
            zoom = math.exp(float(torch.empty(()).uniform_(-0.4, 0.5, generator=random)))
            room = max(abs(zoom - 1.0), 0.1)
            dx, dy = (float(torch.empty(()).uniform_(-room, room, generator=random)) for _ in range(2))
        flip = -1.0 if torch.rand((), generator=random) < 0.5 else 1.0
        # Output (x, y) in -1..1 shows input ((x - dx) / zoom * flip, (y - dy) / zoom).
        theta[i] = torch.tensor([[flip / zoom, 0, -flip * dx / zoom], [0, 1 / zoom, -dy / zoom]])
        t = truths[i]
        x = (t[:, [0, 2]] / WIDTH * 2 - 1) * flip * zoom + dx
        y = (t[:, [1, 3]] / HEIGHT * 2 - 1) * zoom + dy
        x, y = (x.sort(1).values + 1) / 2 * WIDTH, (y + 1) / 2 * HEIGHT
        area = (x[:, 1] - x[:, 0]) * (y[:, 1] - y[:, 0])
        x, y = x.clamp(0, WIDTH), y.clamp(0, HEIGHT)
        left = (x[:, 1] - x[:, 0]) * (y[:, 1] - y[:, 0])
        t[:, 0], t[:, 2], t[:, 1], t[:, 3] = x[:, 0], x[:, 1], y[:, 0], y[:, 1]
        # What the shift has pushed mostly out of the picture no longer counts.
        t[:, 5] *= (left > 0.4 * area) & is_of_use(t)
        truths[i] = t[left > 4.0]
    sampling = torch.nn.functional.affine_grid(theta, list(batch.shape), align_corners=False)
    batch = torch.nn.functional.grid_sample(batch - FILL, sampling, align_corners=False) + FILL

    def uniform(low, high, *shape):
        return torch.empty(count, *shape).uniform_(low, high, generator=random)

    grey = batch.mean(1, keepdim=True)
    colour = uniform(0.0, 1.4, 1, 1, 1) * (uniform(0.0, 1.0, 1, 1, 1) < 0.9)
    batch = grey + (batch - grey) * colour
    batch = (batch - 110) * uniform(0.7, 1.3, 1, 1, 1) + 110 + uniform(-25, 25, 1, 1, 1)
    batch = batch * uniform(0.92, 1.08, 3, 1, 1)
    soft = torch.nn.functional.avg_pool2d(batch, 3, 1, 1, count_include_pad=False)
    batch = torch.lerp(batch, soft, uniform(-0.5, 1.0, 1, 1, 1))
    noise = torch.randn(batch.shape, generator=random)
    batch = batch + noise * uniform(0, 6, 1, 1, 1) * (uniform(0, 1, 1, 1, 1) < 0.5)
    return batch.clamp(0, 255), truths
