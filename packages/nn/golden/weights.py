"""Writes weights.safetensors and weights.json beside this script: a PyTorch network's state, its input and its output.

pip install torch safetensors && python weights.py
"""

import json
import os

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
net(torch.randn(16, 3))
net.eval()
x = torch.randn(5, 3)
save_file(net.state_dict(), os.path.join(HERE, "weights.safetensors"))
half = {name: value.to(torch.bfloat16) if value.is_floating_point() else value for name, value in net.state_dict().items()}
save_file(half, os.path.join(HERE, "weights-bf16.safetensors"))
with open(os.path.join(HERE, "weights.json"), "w") as file:
    json.dump({"x": x.flatten().tolist(), "y": net(x).flatten().tolist()}, file)
