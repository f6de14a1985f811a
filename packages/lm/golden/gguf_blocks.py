"""Blocks as ggml's Python reference (gguf 0.19) writes and reads them: python gguf_blocks.py writes gguf-blocks.json."""

import base64
import json
import os

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import quants

rng = np.random.default_rng(7)
values = (rng.standard_normal(96) * np.repeat([1.0, 1e-3, 50.0], 32)).astype(np.float32)
values[5], values[64:96:5] = 0, 0
values = np.concatenate([values, np.zeros(32, np.float32)])

types = {}
for name in ['F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1']:
    blocks = np.ascontiguousarray(quants.quantize(values, T[name]))
    types[name] = dict(
        bytes=base64.b64encode(blocks.view(np.uint8).tobytes()).decode(),
        decoded=[float(v) for v in quants.dequantize(blocks, T[name])],
    )
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'gguf-blocks.json'), 'w') as file:
    json.dump(dict(values=[float(v) for v in values], types=types), file)
