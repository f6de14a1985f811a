"""Writes the golden files beside this script, with the reference implementation.

pip install safetensors numpy ml_dtypes && python make.py
"""

import os

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
VALUES = np.array([0.0, -0.0, 1.0, -1.5, 3.14159265, 1e-5, 65504.0, 6.1e-5, -2.0**-24, np.inf, 0.1, 1 / 3], dtype=np.float32)

save_file(
    {
        "f32": VALUES.reshape(3, 4),
        "f16": VALUES.astype(np.float16).reshape(2, 6),
        "bf16": VALUES.astype(ml_dtypes.bfloat16),
        "i64": np.array([-3, 0, 2**40], dtype=np.int64),
        "u8": np.array([1, 2], dtype=np.uint8),
        "scalar": np.array(2.5, dtype=np.float32),
        "empty": np.zeros((0, 4), dtype=np.float32),
        "naïve \"name\"\n": np.array([7.0], dtype=np.float32),
    },
    os.path.join(HERE, "python.safetensors"),
    metadata={"format": "pt", "made by": "safetensors"},
)
