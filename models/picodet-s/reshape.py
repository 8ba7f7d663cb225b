"""Fuses the HardSwish of a PP-PicoDet-S v1 and changes its input size: reshape.py IN.onnx OUT.onnx HEIGHT WIDTH (multiples of 64).

The export spells HardSwish as x * clip(x + 3, 0, 6) / 6, four nodes that ONNX has one for since opset 14; the result is
the same but for rounding. It also fixes the sizes of its levels in constants. Needs the package onnx; release 1.23 writes
the very bytes whose SHA-256 stands in model.toml.
"""

import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper, version_converter

HEAD_STRIDES = (8, 16, 32, 64)
STRIDES = (4, *HEAD_STRIDES)


def fuse_hard_swish(model: onnx.ModelProto) -> onnx.ModelProto:
    model = version_converter.convert_version(model, 14)
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    constants |= {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in graph.node if n.op_type == "Constant"}
    producer = {name: node for node in graph.node for name in node.output}
    consumers = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)

    def is_number(name: str, wanted: float) -> bool:
        return name in constants and constants[name].size == 1 and abs(float(constants[name].ravel()[0]) - wanted) < 1e-6

    dropped, fused = set(), {}
    for clip in (node for node in graph.node if node.op_type == "Clip"):
        add = producer.get(clip.input[0])
        if add is None or add.op_type != "Add" or not any(is_number(name, 3) for name in add.input):
            continue
        x = next(name for name in add.input if not is_number(name, 3))
        after = consumers[clip.output[0]]
        multiply, divide = after[0], (consumers.get(after[0].output[0]) or [None])[0]
        if len(after) != 1 or divide is None or (multiply.op_type, divide.op_type) != ("Mul", "Div"):
            continue
        if x in multiply.input and is_number(divide.input[1], 6):
            dropped |= {id(node) for node in (add, clip, multiply)}
            fused[id(divide)] = helper.make_node("HardSwish", [x], [divide.output[0]])
    nodes = [fused.get(id(node), node) for node in graph.node if id(node) not in dropped]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def reshape(model: onnx.ModelProto, height: int, width: int) -> None:
    graph = model.graph
    _, _, rows, columns = graph.input[0].type.tensor_type.shape.dim
    old, new = (rows.dim_value, columns.dim_value), (height, width)
    rows.dim_value, columns.dim_value = new
    level = lambda size, stride: tuple(-(-side // stride) for side in size)
    sizes = {level(old, stride): level(new, stride) for stride in STRIDES}
    cells = {a * b: c * d for (a, b), (c, d) in ((level(old, s), level(new, s)) for s in HEAD_STRIDES)}
    shapes = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    targets = {node.input[3] for node in graph.node if node.op_type == "Resize" and len(node.input) > 3}

    def changed(name: str, values: np.ndarray) -> np.ndarray:
        if name not in shapes | targets or values.ndim == 0:
            return values
        flat = values.copy().ravel()
        pair = tuple(int(value) for value in flat[-2:])
        if flat.size >= 4 and pair in sizes:
            flat[-2:] = sizes[pair]
        elif name in shapes:
            flat[:] = [cells.get(int(value), int(value)) for value in flat]
        return flat.reshape(values.shape)

    for tensor in graph.initializer:
        before = numpy_helper.to_array(tensor)
        after = changed(tensor.name, before)
        if not np.array_equal(before, after):
            tensor.CopyFrom(numpy_helper.from_array(after, tensor.name))
    for node in (node for node in graph.node if node.op_type == "Constant"):
        before = numpy_helper.to_array(node.attribute[0].t)
        after = changed(node.output[0], before)
        if not np.array_equal(before, after):
            node.attribute[0].t.CopyFrom(numpy_helper.from_array(after))
    for output in graph.output:
        count = output.type.tensor_type.shape.dim[1]
        count.dim_value = cells.get(count.dim_value, count.dim_value)
    # Shapes of what lies between are stale now.
    del graph.value_info[:]


def main() -> None:
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    source, target, height, width = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if height % STRIDES[-1] or width % STRIDES[-1]:
        sys.exit(f"{height}x{width}: both must be multiples of {STRIDES[-1]}")
    model = fuse_hard_swish(onnx.load(source))
    reshape(model, height, width)
    onnx.checker.check_model(model)
    onnx.save(model, target)


if __name__ == "__main__":
    main()
