"""Derivatives where functions have corners, poles or ends, from PyTorch (2.x): python special_points.py

Each case names the function as the TypeScript side does; `d` are the gradients of the sum of the result, in float32. Numbers that
JSON lacks are strings. Left out is what has no derivative to agree on: x = NaN, products with infinities, and their norms of an order below 1.
"""
import json
import os

import torch
import torch.nn.functional as F

inf = float('inf')


def number(value):
    if value == 0:
        return '-0' if str(value) == '-0.0' else 0
    return float(f'{value:.7g}') if abs(value) < inf else str(value).replace('inf', 'Infinity').replace('nan', 'NaN')


def plain(tensor):
    return dict(shape=list(tensor.shape), data=[number(value) for value in tensor.detach().flatten().tolist()])


def case(method, f, tensors, settings=()):
    inputs = [t.clone().requires_grad_() for t in tensors]
    gradients = torch.autograd.grad(f(*inputs).sum(), inputs)
    return dict(method=method, inputs=[plain(t) for t in tensors], settings=list(settings), d=[plain(g) for g in gradients])


cases = []
x = torch.tensor([-inf, -100.0, -3.0, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0, 100.0, inf])
for method in ['abs', 'sign', 'floor', 'ceil', 'round', 'trunc', 'square', 'sqrt', 'rsqrt', 'reciprocal', 'exp', 'exp2', 'expm1', 'log',
               'log2', 'log10', 'log1p', 'erf', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh',
               'atanh', 'sigmoid', 'relu']:
    cases.append(case(method, getattr(torch, method), [x]))
for method in ['silu', 'elu', 'celu', 'selu', 'softsign', 'mish', 'hardswish', 'hardsigmoid', 'hardtanh', 'relu6', 'softplus', 'gelu',
               'tanhshrink']:
    # The limit of softsign's derivative is 0, where PyTorch divides infinities.
    cases.append(case(method, getattr(F, method), [x[1:-1] if method == 'softsign' else x]))
cases.append(case('leakyRelu', F.leaky_relu, [x]))
cases.append(case('logSigmoid', F.logsigmoid, [x]))
cases.append(case('gelu', lambda t: F.gelu(t, approximate='tanh'), [x], [dict(approximate='tanh')]))
cases.append(case('prelu', F.prelu, [x[1:-1, None], torch.tensor([0.25])]))
for low, high in [(-1, 1), (0, 2), (0, 6)]:
    cases.append(case('clamp', lambda t: t.clamp(low, high), [x], [low, high]))

p = torch.tensor([-inf, -2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, inf])
for method in ['add', 'sub', 'mul', 'div', 'pow', 'atan2', 'maximum', 'minimum', 'remainder', 'fmod']:
    grid = torch.cartesian_prod(p, p)
    cases.append(case(method, getattr(torch, method), [grid[:, 0], grid[:, 1]]))
for exponent in [0, 0.5, 1, 1.5, 2, 3, -1, -0.5]:
    # A tensor of exponents: for some numbers PyTorch takes other ways, on which (-inf)^0.5 is no number.
    cases.append(case('pow', lambda t: t.pow(torch.full_like(t, exponent)), [x], [exponent]))

rows = torch.tensor([[0.0, 0.0, 0.0], [-0.0, 0.0, 2.0], [1.0, 1.0, -1.0], [3.0, -4.0, 0.0], [inf, 1.0, 0.0], [-inf, -inf, -inf], [inf, inf, 0.0]])
finite = rows[:4]
for method in ['amax', 'amin', 'logsumexp', 'prod', 'softmax', 'log_softmax', 'cumsum', 'cumprod', 'mean', 'sum']:
    name = dict(amax='max', amin='min', logsumexp='logSumExp', log_softmax='logSoftmax').get(method, method)
    weights = torch.tensor([1.0, 2.0, 3.0])
    f = getattr(torch, method)
    scaled = method in ['softmax', 'log_softmax']
    cases.append(case(name + ('Weighted' if scaled else ''), (lambda t: f(t, 1) * weights) if scaled else (lambda t: f(t, 1)), [finite if method == 'cumprod' else rows], [1]))
for order in [0.5, 1, 1.5, 2, 3, -1, -2, inf, -inf]:
    cases.append(case('norm', lambda t: torch.linalg.vector_norm(t, ord=order, dim=1), [finite if order < 1 else rows], [1, dict(p=number(order))]))
cases.append(case('std', lambda t: torch.std(t, 1), [finite], [1]))
cases.append(case('variance', lambda t: torch.var(t, 1), [finite], [1]))

with open(os.path.splitext(os.path.abspath(__file__))[0] + '.json', 'w') as file:
    json.dump(dict(torch=torch.__version__.split('+')[0], cases=cases), file)
    file.write('\n')
print(len(cases), 'cases')
