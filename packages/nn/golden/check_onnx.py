"""The reference checker on .onnx files: python check_onnx.py FILE…

pip install onnx. With full_check it also infers every shape, strictly.
"""

import sys

import onnx

for path in sys.argv[1:]:
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    domains = sorted({node.domain for node in model.graph.node})
    print(f"{path}: {len(model.graph.node)} nodes, opset {model.opset_import[0].version}, domains {domains}: accepted")
