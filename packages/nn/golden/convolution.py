"""Golden values of convolution layers, from PyTorch (any release from 2.0) in float64: python convolution.py

Writes convolution.json beside this file: for each case the layer's settings, its state, an input, the output, and the
gradients of sum(output * seed) by the input and by each parameter.
"""
import json
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = [
    dict(layer='Conv2d', arguments=[3, 4, 3], options=dict(padding=1), input=[2, 3, 5, 4]),
    dict(layer='Conv2d', arguments=[4, 6, [3, 2]], options=dict(stride=[2, 1], padding=[1, 0], groups=2), input=[2, 4, 6, 5]),
    dict(layer='Conv2d', arguments=[2, 4, 3], options=dict(stride=2, padding=2, dilation=2, bias=False), input=[1, 2, 7, 8]),
    dict(layer='Conv2d', arguments=[3, 6, 4], options=dict(padding='same', groups=3, dilation=[1, 2]), input=[1, 3, 6, 7]),
    dict(layer='Conv2d', arguments=[2, 3, 1], options=dict(padding='valid'), input=[2, 2, 3, 3]),
]


def numbers(tensor):
    return dict(shape=list(tensor.shape), data=[float(f'{value:.7g}') for value in tensor.detach().flatten().tolist()])


def run(case):
    arguments = [tuple(a) if isinstance(a, list) else a for a in case['arguments']]
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in case['options'].items()}
    names = dict(outputPadding='output_padding')
    layer = getattr(torch.nn, case['layer'])(*arguments, **{names.get(k, k): v for k, v in options.items()}).double()
    x = torch.randn(case['input'], dtype=torch.float64).requires_grad_()
    y = layer(x)
    seed = torch.randn_like(y)
    (y * seed).sum().backward()
    return dict(
        layer=case['layer'],
        arguments=case['arguments'],
        options=case['options'],
        state={name: numbers(p) for name, p in layer.named_parameters()},
        input=numbers(x),
        output=numbers(y),
        seed=numbers(seed),
        gradients=dict(x=numbers(x.grad), **{name: numbers(p.grad) for name, p in layer.named_parameters()}),
    )


torch.manual_seed(1)
with open(os.path.join(HERE, 'convolution.json'), 'w') as file:
    json.dump(dict(torch=torch.__version__.split('+')[0], cases=[run(case) for case in CASES]), file)
    file.write('\n')
