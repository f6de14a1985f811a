"""What the scripts of golden values of layers share: for each case the layer's settings, its state, an input, the output,
and the gradients of sum(output * seed) by the input and by each parameter, in float64. Of a layer with buffers also these
after that run (a training one), and the output in evaluation that follows.
"""
import json
import os
import re

import torch


def numbers(tensor):
    data = [float(f'{value:.7g}') for value in tensor.detach().flatten().tolist()]
    return dict(shape=list(tensor.shape), data=data)


def snake(name):
    return re.sub('([A-Z])', lambda match: '_' + match.group(1).lower(), name)


def plain(value):
    return tuple(value) if isinstance(value, list) else value


def run(case):
    options = case.get('options', {})
    layer = getattr(torch.nn, case['layer'])(
        *[plain(argument) for argument in case['arguments']], **{snake(k): plain(v) for k, v in options.items()}
    ).double()
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if parameter.eq(parameter.flatten()[0]).all():  # Ones and zeros would hide mistakes.
                parameter.add_(torch.randn_like(parameter) / 2)
    state = {name: numbers(value) for name, value in layer.state_dict().items()}
    # Distinct numbers, no two closer than rounding: a maximum must not depend on it.
    count = torch.Size(case['input']).numel()
    x = ((torch.randperm(count).double() + torch.rand(count, dtype=torch.float64) / 2) / count * 4 - 2).reshape(case['input'])
    x = x.float().double().requires_grad_()
    y = layer(x)
    seed = torch.randn_like(y)
    (y * seed).sum().backward()
    gradients = dict(x=numbers(x.grad), **{name: numbers(p.grad) for name, p in layer.named_parameters()})
    result = dict(
        layer=case['layer'], arguments=[*case['arguments'], options], state=state,
        input=numbers(x), output=numbers(y), seed=numbers(seed), gradients=gradients,
    )
    if list(layer.buffers()):
        result['buffers'] = {name: numbers(value) for name, value in layer.named_buffers()}
        result['evaluated'] = numbers(layer.eval()(x))
    return result


def write(script, cases):
    torch.manual_seed(1)
    with open(os.path.splitext(os.path.abspath(script))[0] + '.json', 'w') as file:
        json.dump(dict(torch=torch.__version__.split('+')[0], cases=[run(case) for case in cases]), file)
        file.write('\n')
