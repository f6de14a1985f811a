"""Golden values of elementwise methods, reductions and scans, from PyTorch (any release from 2.1): python methods.py

Each case names the method as the TypeScript side does; numbers that JSON lacks are strings. `d` are gradients of the sum of the
result times 1, 2, 3, ... in float64.
"""
import json
import os

import torch

special = [-float('inf'), -7.5, -2.5, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.5, 3.0, 7.5, float('inf'), float('nan')]
F = dict(f32=torch.float32, i32=torch.int32, i64=torch.int64, u8=torch.uint8, bool=torch.bool)
names = {v: k for k, v in F.items()}
renamed = dict(floorDivide='floor_divide', logicalAnd='logical_and', logicalOr='logical_or', logicalXor='logical_xor',
               logicalNot='logical_not', notEqual='ne', equal='eq', less='lt', lessEqual='le', greater='gt', greaterEqual='ge',
               isNaN='isnan', isInf='isinf', isFinite='isfinite', logSumExp='logsumexp', countNonzero='count_nonzero',
               max='amax', min='amin', variance='var', norm='norm')


def number(value):
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    return float(f'{value:.7g}') if abs(value) < float('inf') else str(value).replace('inf', 'Infinity').replace('nan', 'NaN')


def plain(tensor):
    return dict(dtype=names[torch.float32 if tensor.dtype == torch.float64 else tensor.dtype], shape=list(tensor.shape),
                data=[number(value) for value in tensor.detach().flatten().tolist()])


def case(method, tensors, settings=(), torch_settings=None, **keywords):
    f = getattr(torch, renamed.get(method, method))
    arguments = list(settings if torch_settings is None else torch_settings)
    return dict(method=method, inputs=[plain(t) for t in tensors], settings=list(settings), output=plain(f(*tensors, *arguments, **keywords)))


def with_gradient(result, tensors, f):
    inputs = [t.double().requires_grad_() for t in tensors]
    y = f(*inputs)
    (y * torch.arange(1, y.numel() + 1).reshape(y.shape)).sum().backward()
    return dict(result, d=[plain(t.grad) for t in inputs])


cases = []
x = torch.tensor(special)
for method in ['neg', 'abs', 'floor', 'ceil', 'round', 'trunc', 'square', 'sqrt', 'rsqrt', 'reciprocal', 'exp', 'exp2', 'expm1',
               'log', 'log2', 'log10', 'log1p', 'erf', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'asinh',
               'acosh', 'atanh', 'isNaN', 'isInf', 'isFinite', 'logicalNot']:
    cases.append(case(method, [x]))
a, b = x[:, None], x[None, :]
for method in ['floorDivide', 'remainder', 'fmod', 'maximum', 'minimum', 'equal', 'notEqual', 'less', 'lessEqual', 'greater',
               'greaterEqual', 'logicalAnd', 'logicalXor', 'pow']:
    cases.append(case(method, [a, b]))
finite = x[1:-2]
cases.append(case('atan2', [finite[:, None], finite[None, :]]))
tiny = torch.tensor([1e-7, -1e-7, 3e-4, -3e-4, 0.02])
cases += [case('expm1', [tiny]), case('log1p', [tiny])]
for dtype in ['i32', 'i64', 'u8']:
    low = 0 if dtype == 'u8' else -9
    p = torch.arange(low, 10, 3).to(F[dtype])[:, None]
    q = torch.tensor([1, 2, 3, 7] if dtype == 'u8' else [-7, -3, -1, 2, 5]).to(F[dtype])
    for method in ['add', 'mul', 'sub', 'div', 'floorDivide', 'remainder', 'fmod', 'maximum', 'minimum', 'equal', 'notEqual', 'less',
                   'lessEqual', 'greater', 'greaterEqual', 'logicalOr']:
        cases.append(case(method, [p, q]))
    for method in ['abs', 'square', 'sign'] + ([] if dtype == 'u8' else ['neg']):
        cases.append(case(method, [p]))
    cases.append(case('clamp', [p], [1, 5]))
    cases.append(case('sum', [p], [], []))
    cases.append(case('prod', [p[1:]], [], []))
    cases.append(case('max', [p], [0], [0]))
    cases.append(case('argmin', [p], [0], [0]))
    cases.append(case('cumsum', [p], [0], [0]))
ties = torch.tensor([[1.0, 3, 3, 2], [0, 0, 0, 0], [5, -1, 5, -1]])
for method in ['argmax', 'argmin', 'max', 'min', 'any', 'all', 'countNonzero', 'logSumExp', 'sum', 'mean', 'prod']:
    cases.append(case(method, [ties], [1], [1]))
cases += [case('argmax', [ties]), case('any', [ties]), case('all', [ties]), case('sum', [ties > 1]), case('countNonzero', [ties])]
huge = torch.tensor([[1000.0, 1001], [-1000, -1000], [-float('inf'), -float('inf')]])
cases.append(case('logSumExp', [huge], [1], [1]))
nothing = torch.zeros(2, 0)
for method in ['sum', 'mean', 'prod', 'any', 'all', 'countNonzero', 'logSumExp', 'variance', 'std']:
    cases.append(case(method, [nothing], [1], [1]))
values = torch.tensor([[0.5, -1.5, 2.0], [0.0, 3.0, -0.5], [0.0, 0.0, 4.0], [0, 0, 0]])
for method in ['max', 'min', 'prod', 'logSumExp', 'sum', 'mean', 'variance', 'cumprod', 'cumsum', 'norm']:
    f = getattr(torch, renamed.get(method, method))
    g = (lambda t: torch.linalg.vector_norm(t, dim=1)) if method == 'norm' else (lambda t, f=f: f(t, 1))
    result = dict(method=method, inputs=[plain(values)], settings=[1], output=plain(g(values)))
    cases.append(with_gradient(result, [values], g))
for p in [0.0, 1.0, 3.0, float('inf'), -float('inf')]:
    g = lambda t: torch.linalg.vector_norm(t, ord=p, dim=1)
    result = dict(method='norm', inputs=[plain(values)], settings=[1, dict(p=number(p))], output=plain(g(values)))
    cases.append(with_gradient(result, [values], g) if p > 0 else result)
for settings in [dict(correction=0), dict(correction=3)]:
    result = dict(method='variance', inputs=[plain(values)], settings=[1, settings], output=plain(torch.var(values, 1, **settings)))
    cases.append(result)
deviation = lambda t: torch.std(t, 1)
cases.append(with_gradient(dict(method='std', inputs=[plain(values[:3])], settings=[1], output=plain(deviation(values[:3]))), [values[:3]], deviation))
whole = lambda t: torch.prod(t)
for t in [values[:2], values[:1], values[2:3]]:
    cases.append(with_gradient(dict(method='prod', inputs=[plain(t)], settings=[], output=plain(whole(t))), [t], whole))
inside = torch.tensor([-2.0, -1, -0.5, 0, 1, 3])
cases.append(with_gradient(dict(method='clamp', inputs=[plain(inside)], settings=[-1, 1], output=plain(inside.clamp(-1, 1))), [inside], lambda t: t.clamp(-1, 1)))
s, e = torch.tensor([[1.0, 2], [3, 4]]), torch.tensor([5.0, -6])
cases.append(with_gradient(dict(method='lerp', inputs=[plain(s), plain(e)], settings=[0.25], output=plain(torch.lerp(s, e, 0.25))), [s, e], lambda u, v: torch.lerp(u, v, 0.25)))
m, n = torch.tensor([[5.5], [-5.5]]), torch.tensor([2.0, -2, 0.75])
for method in ['remainder', 'fmod', 'atan2', 'maximum', 'minimum', 'div', 'pow']:
    f = getattr(torch, method)
    u, v = (m.abs(), n) if method == 'pow' else (m, n)
    cases.append(with_gradient(dict(method=method, inputs=[plain(u), plain(v)], settings=[], output=plain(f(u, v))), [u, v], f))

with open(os.path.splitext(os.path.abspath(__file__))[0] + '.json', 'w') as file:
    json.dump(dict(torch=torch.__version__.split('+')[0], cases=cases), file)
    file.write('\n')
print(len(cases), 'cases')
