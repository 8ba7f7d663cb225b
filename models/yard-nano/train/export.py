#!/usr/bin/env python3
"""Write the ONNX file and its manifest: export.py model.pt FOLDER"""

import hashlib
import pathlib
import sys

import onnx
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

import data
from network import STRIDES, LABELS, YardNano

MANIFEST = """id = "yard-nano"
version = "1"
file = "model.onnx"
sha256 = "{sha256}"
licence = "Apache-2.0"
source = "trained by models/yard-nano/train on scenes rendered by tools/scene"
labels = ["person", "car"]

[input]
name = "images"
size = [{height}, {width}]            # height, width
colour = "bgr"
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
resize = "letterbox"         # at the top left
fill = 114

[head]
kind = "yolox"
strides = [8, 16, 32]
outputs = ["output"]
nms_iou = 0.45
score_threshold = 0.3
"""


class Exported(nn.Module):
    """The network with probabilities instead of logits."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        raw = self.network(images)
        return torch.cat([raw[..., :4], raw[..., 4:].sigmoid()], -1)


def fold(module):
    """Batch norm into the convolution before it, everywhere."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential) and len(child) > 1 and isinstance(child[1], nn.BatchNorm2d):
            setattr(module, name, nn.Sequential(fuse_conv_bn_eval(child[0], child[1]), *child[2:]))
        else:
            fold(child)


def main():
    weights, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    network = YardNano().eval()
    network.load_state_dict(torch.load(weights))
    example = torch.rand(1, 3, data.HEIGHT, data.WIDTH)
    before = network(example)
    whole = nn.ModuleList([network])
    fold(whole)
    network = whole[0]
    first = network.stem[0][0]
    # The network was trained on 0..1, cameras give 0..255. Padding is zero in both, so the fold is exact.
    first.weight.data /= 255.0
    difference = float((network(example * 255.0) - before).abs().max())
    assert difference < 1e-3, f"folding changed the output by {difference}"
    path = folder / "model.onnx"
    images = example * 255.0
    torch.onnx.export(
        Exported(network), (images,), str(path), input_names=["images"], output_names=["output"], opset_version=17, dynamo=False
    )
    model = onnx.load(path)
    model.ir_version = 8
    model.producer_name, model.producer_version, model.doc_string = "karaul yard-nano", "1", ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    onnx.save(model, path)
    cells = sum((data.HEIGHT // s) * (data.WIDTH // s) for s in STRIDES)
    shape = [d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim]
    assert shape == [1, cells, 5 + len(LABELS)], shape
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "model.toml").write_text(MANIFEST.format(sha256=sha256, height=data.HEIGHT, width=data.WIDTH))
    print(f"{path}: {path.stat().st_size} bytes, sha256 {sha256}")


if __name__ == "__main__":
    main()
