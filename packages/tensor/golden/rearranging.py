"""PyTorch's values and gradients of what moves elements around: python golden/rearranging.py > golden/rearranging.json"""
import json
import torch
import torch.nn.functional as F


def fill(shape):
    """Distinct numbers without order."""
    count = torch.Size(shape).numel()
    return torch.sin(torch.arange(1, count + 1, dtype=torch.float64) * 1.7).float().reshape(shape)


def index(shape, bound):
    count = torch.Size(shape).numel()
    return (torch.arange(count) * 7 % bound).reshape(shape)


cases = []


def case(call, shape, run, *arguments):
    """`run(x)`: the tensors that `call(x, *arguments)` should give."""
    x = fill(shape).requires_grad_()
    results = run(x)
    results = list(results) if isinstance(results, (tuple, list)) else [results]
    loss = sum((r * fill(r.shape)).sum() for r in results if r.is_floating_point() and r.requires_grad)
    gradient = torch.autograd.grad(loss, x)[0] if isinstance(loss, torch.Tensor) and loss.requires_grad else None
    flat = lambda t: [round(v, 6) for v in t.detach().flatten().tolist()]
    cases.append({
        'call': call, 'arguments': list(arguments), 'shape': list(shape),
        'outputs': [{'shape': list(r.shape), 'data': flat(r)} for r in results],
        **({'gradient': flat(gradient)} if gradient is not None else {}),
    })


case('slice', (5, 3), lambda x: x[1:4], 0, 1, 4)
case('slice', (2, 7), lambda x: x[:, 1:7:2], 1, 1, 7, 2)
case('slice', (2, 7), lambda x: x[:, -3:-1], -1, -3, -1)
case('slice', (6,), lambda x: x.flip(0)[::2], 0, None, None, -2)
case('slice', (6,), lambda x: x[[4, 3, 2]], 0, 4, 1, -1)
case('narrow', (4, 3), lambda x: x.narrow(0, -3, 2), 0, -3, 2)
case('narrow', (1, 3), lambda x: x.narrow(1, 0, 0), 1, 0, 0)
case('select', (4, 3), lambda x: x.select(1, -1), 1, -1)
case('select', (1, 3, 2), lambda x: x.select(0, 0), 0, 0)
case('flip', (2, 3, 2), lambda x: x.flip([0, -1]), [0, -1])
for shifts, axes in [([1], [0]), ([-2], [1]), ([3, -1], [0, 1]), ([0], [0]), ([7], [1])]:
    case('roll', (3, 4), lambda x: torch.roll(x, shifts, axes), shifts, axes)
case('roll', (0, 2), lambda x: torch.roll(x, [1], [0]), [1], [0])
case('squeeze', (1, 3, 1), lambda x: x.squeeze())
case('squeeze', (1, 3, 1), lambda x: x.squeeze(-1), -1)
case('squeeze', (2, 3), lambda x: x.squeeze(0), 0)
case('unsqueeze', (2, 3), lambda x: x.unsqueeze(-1), -1)
case('unsqueeze', (2, 3), lambda x: x.unsqueeze(1), 1)
case('flatten', (2, 3, 2), lambda x: x.flatten())
case('flatten', (2, 3, 2), lambda x: x.flatten(1), 1)
case('flatten', (2, 0, 2), lambda x: x.flatten(0, 1), 0, 1)
case('unflatten', (2, 6), lambda x: x.unflatten(-1, (2, -1)), -1, [2, -1])
case('permute', (2, 3, 4), lambda x: x.permute(-1, 0, 1), [-1, 0, 1])
case('expand', (2, 1), lambda x: x.expand(3, -1, 4), [3, -1, 4])
case('repeat', (2, 3), lambda x: x.repeat(2, 1, 2), [2, 1, 2])
case('repeat', (2,), lambda x: x.repeat(0), [0])
case('tile', (2, 3), lambda x: x.tile(2), [2])
case('tile', (2,), lambda x: x.tile(2, 2), [2, 2])
case('repeatInterleave', (2, 3), lambda x: x.repeat_interleave(2, 1), 2, 1)
case('repeatInterleave', (2, 2), lambda x: x.repeat_interleave(3), 3)
for offset, shape in [(0, (3, 3)), (1, (3, 4)), (-1, (4, 2)), (5, (3, 3)), (0, (1, 1)), (0, (0, 3))]:
    case('diagonal', shape, lambda x: torch.diagonal(x, offset), offset)
case('diagonal', (2, 3, 4), lambda x: torch.diagonal(x, -1, 2, 1), -1, 2, 1)
case('tril', (3, 4), lambda x: x.tril(1), 1)
case('triu', (2, 3, 3), lambda x: x.triu(-1), -1)
case('pad', (2, 3), lambda x: F.pad(x, (1, 2)), [1, 2])
case('pad', (2, 3), lambda x: F.pad(x, (1, 0, 0, 2), value=1.5), [1, 0, 0, 2], {'value': 1.5})
case('pad', (3, 4), lambda x: F.pad(x, (-1, 2, -1, 0)), [-1, 2, -1, 0])
for mode in ['reflect', 'replicate', 'circular']:
    case('pad', (1, 2, 4), lambda x: F.pad(x, (2, 3), mode=mode), [2, 3], {'mode': mode})
    case('pad', (1, 1, 3, 3), lambda x: F.pad(x, (1, 2, 0, 1), mode=mode), [1, 2, 0, 1], {'mode': mode})
case('split', (5, 2), lambda x: x.split(2), 2)
case('split', (2, 6), lambda x: x.split([1, 2, 3], -1), [1, 2, 3], -1)
case('chunk', (7, 2), lambda x: x.chunk(3), 3)
case('chunk', (2, 5), lambda x: x.chunk(4, 1), 4, 1)
case('chunk', (0, 2), lambda x: x.chunk(2), 2)
case('unbind', (3, 2), lambda x: x.unbind())
case('unbind', (1, 2), lambda x: x.unbind(-1), -1)
case('topK', (3, 5), lambda x: x.topk(2), 2)
case('topK', (3, 5), lambda x: x.topk(3, 0, largest=False), 3, 0, {'largest': False})
case('sort', (2, 5), lambda x: x.sort())
case('sort', (4, 2), lambda x: x.sort(0, descending=True), 0, {'descending': True})
case('sort', (2, 0), lambda x: x.sort())
case('argsort', (2, 4), lambda x: x.argsort(), -1)
case('stackWithNegative', (2, 3), lambda x: torch.stack([x, -x], -1), -1)
case('stackWithNegative', (0, 3), lambda x: torch.stack([x, -x]), 0)
case('meshgridWithNegative', (3,), lambda x: torch.meshgrid(x, -x[:2], indexing='ij'), 'ij')
case('meshgridWithNegative', (3,), lambda x: torch.meshgrid(x, -x[:2], indexing='xy'), 'xy')
case('outerWithSquare', (3,), lambda x: torch.outer(x, x * x))
for a, b in [((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((4, 2, 3), (3,)), ((2,), (4, 2, 3)), ((0,), (0,)), ((2, 0), (0, 3))]:
    case('matmulWithFill', a, lambda x: torch.matmul(x, fill(b)), list(b))
case('bmmWithFill', (2, 3, 4), lambda x: torch.bmm(x, fill((2, 4, 2))), [2, 4, 2])
for axis, shape, picks in [(0, (4, 3), (2, 3)), (-1, (4, 3), (3, 5)), (1, (2, 3, 2), (2, 1, 2)), (0, (3, 2), (0, 2))]:
    case('gather', shape, lambda x: x.gather(axis, index(picks, shape[axis])), axis, list(picks))
    case('scatterAdd', shape, lambda x: x.scatter_add(axis, index(picks, shape[axis]), x.new_full(picks, 2.0)), axis, list(picks))
case('scatter', (2, 5), lambda x: x.scatter(1, index((2, 3), 5), fill((2, 4))), 1, [2, 3], [2, 4])
case('scatter', (5,), lambda x: x.scatter(0, index((3,), 5), 2.5), 0, [3], 2.5)
case('takeAlongDim', (3, 4), lambda x: torch.take_along_dim(x, index((1, 2), 4), 1), [1, 2], 1)
case('takeAlongDim', (1, 4), lambda x: torch.take_along_dim(x, index((3, 2), 4), 1), [3, 2], 1)
case('maskedFill', (2, 3), lambda x: x.masked_fill(x > 0, -1.0), -1)
case('oneHot', (1,), lambda x: F.one_hot(index((2, 3), 4), 5), [2, 3], 5)
print(json.dumps(cases, separators=(',', ':')))
