#!/usr/bin/env python3
"""Measure how well a YOLOX detector finds the persons and cars of the rendered yard.

    measure.py MODEL.onnx [--coco] [--size 640x360] [--light day] [--fps 2]

Renders the demonstration script with `karaul-scene`, runs the detector on every picture and prints, for persons and for
cars, which share of those that are fully visible (at least 95 % unhidden, not cut by the border) it finds, and how many
boxes match nothing. A box finds an object when their IoU reaches --iou and its score --score. `--coco` maps the 80 COCO
labels (person 0; car 2, bus 5, truck 7); otherwise labels are person 0, car 1. Needs numpy, pillow and onnxruntime.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import onnxruntime
from PIL import Image

COCO = {0: "person", 2: "car", 5: "car", 7: "car"}
OWN = {0: "person", 1: "car"}


class YoloX:
    """YOLOX as exported without its grid decoding: BGR 0..255, letterbox at the top left, filled with 114."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        tensor = self.session.get_inputs()[0]
        self.name, (_, _, self.height, self.width) = tensor.name, tensor.shape
        grids = []
        for stride in (8, 16, 32):
            y, x = np.mgrid[0 : self.height // stride, 0 : self.width // stride]
            grids.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, stride)], 1))
        self.grid = np.concatenate(grids).astype(np.float32)

    def __call__(self, picture, score, iou=0.45):
        """Rows of x1, y1, x2, y2, score, class in pixels of the picture."""
        scale = min(self.width / picture.width, self.height / picture.height)
        size = (int(picture.width * scale), int(picture.height * scale))
        canvas = np.full((self.height, self.width, 3), 114, np.float32)
        # Pillow's reducing bilinear filter widens with the scale, as a good resize does.
        canvas[: size[1], : size[0]] = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))[:, :, ::-1]
        out = self.session.run(None, {self.name: canvas.transpose(2, 0, 1)[None]})[0][0]
        stride = self.grid[:, 2:]
        centre, size = (out[:, :2] + self.grid[:, :2]) * stride, np.exp(out[:, 2:4]) * stride
        scores = out[:, 5:] * out[:, 4:5]
        rows = np.column_stack([centre - size / 2, centre + size / 2, scores.max(1), scores.argmax(1)])
        rows[:, :4] /= scale
        rows = rows[rows[:, 4] >= score]
        rows = rows[np.argsort(-rows[:, 4], kind="stable")]
        kept = []
        for row in rows:
            if all(k[5] != row[5] or overlap(k, row) <= iou for k in kept):
                kept.append(row)
        return kept


def overlap(a, b):
    """Intersection over union of two boxes x1, y1, x2, y2."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def measure(model, folder, names, score, iou):
    """Counts over the pictures of a folder that `karaul-scene render` wrote."""
    count = collections.Counter()
    missed = collections.Counter()
    for label in json.loads((folder / "labels.json").read_text()):
        picture = Image.open(folder / label["file"]).convert("RGB")
        found = [(names[int(r[5])], r) for r in model(picture, score) if int(r[5]) in names]
        count["pictures"] += 1
        used = set()
        for thing in label["objects"]:
            x, y, w, h = thing["bbox"]
            box = np.array([x, y, x + w, y + h]) * ([picture.width, picture.height] * 2)
            kind = thing["class"]
            near = [
                (overlap(box, row), i)
                for i, (name, row) in enumerate(found)
                if name == kind and i not in used and overlap(box, row) >= iou
            ]
            if near:
                used.add(max(near)[1])
            if thing["visible"] >= 0.95 and not thing["cut_by_border"]:
                count[kind] += 1
                count[kind + " found"] += bool(near)
                if not near:
                    missed[thing["id"]] += 1
        # A loose box on a real object is not a box on nothing.
        for i, (name, row) in enumerate(found):
            if i in used:
                continue
            near = 0.0
            for thing in label["objects"]:
                x, y, w, h = thing["bbox"]
                box = np.array([x, y, x + w, y + h]) * ([picture.width, picture.height] * 2)
                near = max(near, overlap(box, row))
            count[name + (" loose" if near > 0.1 else " false")] += 1
    return count, missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--coco", action="store_true")
    parser.add_argument("--scene", default="target/release/karaul-scene", help="the karaul-scene program")
    parser.add_argument("--size", nargs="+", default=["640x360", "1280x720"])
    parser.add_argument("--light", nargs="+", default=["day", "night"])
    parser.add_argument("--fps", default="2")
    parser.add_argument("--score", type=float, default=0.25)
    parser.add_argument("--iou", type=float, default=0.4)
    options = parser.parse_args()
    model = YoloX(options.model)
    for size in options.size:
        for light in options.light:
            with tempfile.TemporaryDirectory() as folder:
                command = [options.scene, "render", "--light", light, "--size", size, "--fps", options.fps, "--out", folder]
                subprocess.run(command, check=True)
                names = COCO if options.coco else OWN
                count, missed = measure(model, pathlib.Path(folder), names, options.score, options.iou)
            share = {k: f"{count[k + ' found']}/{count[k]}" for k in ("person", "car")}
            percent = 100 * count["person found"] / max(count["person"], 1)
            print(
                f"{size} {light}: persons found {share['person']} = {percent:.1f} %, cars {share['car']}, "
                f"false persons {count['person false']}, false cars {count['car false']}, "
                f"loose {count['person loose'] + count['car loose']}, in {count['pictures']} pictures; "
                f"missed by id {dict(missed)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
