"""The PyTorch side of the suite `ops`: the same numbers as enigma.mjs, the same line of JSON.

    pytorch.py --case gemm --threads 2 [--runs n] [--channels-last]
"""
import argparse
import json
import os
import statistics
import time

import torch
import torch.nn.functional as F

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'cases.json')) as file:
    CASES = json.load(file)


def filled(shape, offset):
    index = torch.arange(torch.Size(shape).numel(), dtype=torch.int64) + offset
    word = (index * 2654435761) & 0xFFFFFFFF
    signed = torch.where(word >= 2**31, word - 2**32, word).double()
    return (signed / 2**31).float().reshape(shape)


def attention(q, k, v):
    if hasattr(F, 'scaled_dot_product_attention'):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    mask = torch.full((q.shape[2], k.shape[2]), float('-inf')).triu(1)
    return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + mask).softmax(-1) @ v


def embedding(table):
    ids = torch.arange(CASES['embedding']['output'][0], dtype=torch.int64) * 2654435761 % table.shape[0]
    return F.embedding(ids, table)


OPS = {
    'gemm': lambda a, b: a @ b,
    'attention': attention,
    'conv': lambda x, weight: F.conv2d(x, weight, padding=1),
    'layer-norm': lambda x, weight, bias: F.layer_norm(x, (512,), weight, bias),
    'softmax': lambda x: x.softmax(-1),
    'embedding': embedding,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--case', choices=list(OPS), required=True)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--runs', type=int, default=30)
    parser.add_argument('--channels-last', action='store_true')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    case = CASES[arguments.case]
    layout = dict(memory_format=torch.channels_last) if arguments.channels_last else {}
    inputs = [filled(shape, index).contiguous(**layout).requires_grad_() for index, shape in enumerate(case['inputs'].values())]
    seed = filled(case['output'], 11).contiguous(**layout)
    op = OPS[arguments.case]
    walls = []
    for step in range(arguments.runs + 3):
        for x in inputs:
            x.grad = None
        begun = time.perf_counter()
        y = op(*inputs)
        y.backward(seed)
        if step >= 3:
            walls.append((time.perf_counter() - begun) * 1000)
    sums = [value.detach().abs().double().sum().item() for value in [y, *(x.grad for x in inputs)]]
    times = os.times()
    print(json.dumps(dict(ms=statistics.median(walls), sums=sums, cpuMs=(times.user + times.system) * 1000)))


main()
