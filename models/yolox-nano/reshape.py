"""Changes the input size of a YOLOX model: reshape.py IN.onnx OUT.onnx HEIGHT WIDTH (multiples of 32).

YOLOX is fully convolutional, so only the declared sizes change, no weight. Needs the package
onnx; release 1.23 writes the very bytes whose SHA-256 stands in model.toml.
"""

import sys

import onnx

STRIDES = (8, 16, 32)


def main() -> None:
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    source, target, height, width = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if height % STRIDES[-1] or width % STRIDES[-1]:
        sys.exit(f"{height}x{width}: both must be multiples of {STRIDES[-1]}")
    model = onnx.load(source)
    _, _, rows, columns = model.graph.input[0].type.tensor_type.shape.dim
    rows.dim_value, columns.dim_value = height, width
    cells = sum((height // s) * (width // s) for s in STRIDES)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = cells
    # Shapes of what lies between are stale now and are inferred anew.
    del model.graph.value_info[:]
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model)
    onnx.save(model, target)


if __name__ == "__main__":
    main()
