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
# The reference reads these and does not write them: random bytes, with scales that are finite.
for name in ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K']:
    size = {'Q2_K': 84, 'Q3_K': 110, 'Q4_K': 144, 'Q5_K': 176, 'Q6_K': 210}[name]
    halves = {'Q2_K': [80, 82], 'Q3_K': [108], 'Q4_K': [0, 2], 'Q5_K': [0, 2], 'Q6_K': [208]}[name]
    blocks = rng.integers(0, 256, (2, size), dtype=np.uint8)
    for at in halves:
        blocks[:, at:at + 2] = (rng.standard_normal((2, 1)) / 16).astype(np.float16).view(np.uint8)
    types[name] = dict(
        bytes=base64.b64encode(blocks.tobytes()).decode(), decoded=[float(v) for v in quants.dequantize(blocks.ravel(), T[name])],
    )

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'gguf-blocks.json'), 'w') as file:
    json.dump(dict(values=[float(v) for v in values], types=types), file)
