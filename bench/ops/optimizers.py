"""The PyTorch side of optimizers.mjs: the same weights, gradients and flags, the same line of JSON.

    optimizers.py --optimizer adamw|sgd|muon --threads 2 [--updates n] [--tiny]
"""
import argparse
import json
import os
import statistics
import time

import torch

HERE = os.path.dirname(os.path.abspath(__file__))


def shapes_of(c):
    dim, hidden, kv = c['dim'], c['hidden'], c['dim'] // c['heads'] * c['kvHeads']
    layer = [[dim], [dim, dim], [kv, dim], [kv, dim], [dim, dim], [dim], [hidden, dim], [hidden, dim], [dim, hidden]]
    return [[c['vocab'], dim], *layer * c['layers'], [dim]]


def filled(shape, offset, scale):
    index = torch.arange(torch.Size(shape).numel(), dtype=torch.int64) + offset
    word = (index * 2654435761) & 0xFFFFFFFF
    signed = torch.where(word >= 2**31, word - 2**32, word).double()
    return (signed / 2**31 * scale).float().reshape(shape)


# The fastest form that a version has: fused on a CPU came with 2.4.
FASTEST = {'fused': True} if tuple(map(int, torch.__version__.split('.')[:2])) >= (2, 4) else {'foreach': True}


def optimizers_of(name, parameters):
    if name == 'adamw':
        return [torch.optim.AdamW(parameters, **FASTEST)]
    if name == 'sgd':
        return [torch.optim.SGD(parameters, lr=0.01, momentum=0.9, **FASTEST)]
    matrices = [p for p in parameters[1:] if p.dim() == 2]
    others = [parameters[0], *(p for p in parameters[1:] if p.dim() < 2)]
    return [torch.optim.Muon(matrices), torch.optim.AdamW(others, **FASTEST)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--optimizer', choices=['adamw', 'sgd', 'muon'], required=True)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--updates', type=int, default=10)
    parser.add_argument('--tiny', action='store_true')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with open(os.path.join(HERE, '..', 'train', 'cases.json')) as file:
        shapes = shapes_of(json.load(file)['cases']['train-tiny' if arguments.tiny else 'train-27m']['config'])
    parameters = []
    for index, shape in enumerate(shapes):
        parameters.append(filled(shape, index, 0.1).requires_grad_())
        parameters[-1].grad = filled(shape, index + 7, 0.01)
    optimizers = optimizers_of(arguments.optimizer, parameters)
    walls = []
    for step in range(arguments.updates + 2):
        begun = time.perf_counter()
        for optimizer in optimizers:
            optimizer.step()
        if step >= 2:
            walls.append((time.perf_counter() - begun) * 1000)
    total = sum(p.detach().abs().double().sum().item() for p in parameters)
    size = total / sum(p.numel() for p in parameters)
    times = os.times()
    print(json.dumps(dict(msPerUpdate=statistics.median(walls), size=size, cpuMs=(times.user + times.system) * 1000)))


main()
