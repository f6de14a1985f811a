"""Writes onnx-schemas.json beside this script: name, inputs, outputs and attributes of each operator of ONNX's own set, version 18.

pip install onnx && python onnx_schemas.py
"""

import json
import os

import onnx

HERE = os.path.dirname(os.path.abspath(__file__))
schemas = {}
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain or schema.since_version > 18 or schema.deprecated:
        continue
    if schemas.get(schema.name, (0,))[0] < schema.since_version:
        unlimited = lambda count: -1 if count > 1_000_000 else count
        schemas[schema.name] = (
            schema.since_version,
            schema.min_input,
            unlimited(schema.max_input),
            unlimited(schema.max_output),
            " ".join(sorted(schema.attributes)),
        )
with open(os.path.join(HERE, "onnx-schemas.json"), "w") as file:
    lines = [f"{json.dumps(name)}: {json.dumps(schemas[name])}" for name in sorted(schemas)]
    file.write("{\n" + ",\n".join(lines) + "\n}\n")
