"""Golden values of recurrent and attention layers, from PyTorch (any release from 2.0) in float64: python sequence.py

Writes sequence.json beside this file: for each case the layer's settings, its state, its inputs, its outputs, and the gradients
of sum(output * seed) over all outputs by every input and parameter.
"""
import json
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
T, B, I, H = 3, 2, 2, 3
E, HEADS, L, S = 4, 2, 3, 4


def inputs(**shapes):
    return {name: torch.randn(shape, dtype=torch.float64).requires_grad_() for name, shape in shapes.items()}


def recurrent(kind, settings, batch_first=False):
    options = dict(batch_first=batch_first, **settings)
    layer = getattr(torch.nn, kind)(I, H, **options).double()
    places = settings.get('num_layers', 1) * (2 if settings.get('bidirectional') else 1)
    x = (B, T, I) if batch_first else (T, B, I)
    given = inputs(x=x, h=(places, B, H), **(dict(c=(places, B, H)) if kind == 'LSTM' else {}))
    if kind == 'LSTM':
        output, (h, c) = layer(given['x'], (given['h'], given['c']))
        return layer, given, dict(output=output, h=h, c=c)
    output, h = layer(given['x'], given['h'])
    return layer, given, dict(output=output, h=h)


def attention(settings, call):
    layer = torch.nn.MultiheadAttention(E, HEADS, **settings).double()
    for bias in (layer.out_proj.bias, layer.in_proj_bias):
        if bias is not None:
            torch.nn.init.normal_(bias)
    given = inputs(query=(L, B, E), key=(S, B, settings.get('kdim', E)), value=(S, B, settings.get('vdim', E)))
    if settings.get('batch_first'):
        given = inputs(query=(B, L, E), key=(B, S, E), value=(B, S, E))
    extra = {}
    if call.get('mask') == 'float':
        extra['attn_mask'] = torch.arange(L * S, dtype=torch.float64).reshape(L, S) / 10
    if call.get('mask') == 'bool':
        extra['attn_mask'] = torch.tensor([[False, True, False, False], [True, False, False, True], [False, False, True, False]])
    if call.get('padding'):
        extra['key_padding_mask'] = torch.tensor([[False, False, False, True], [False, False, True, True]])
    output, weights = layer(given['query'], given['key'], given['value'], **extra)
    return layer, given, dict(output=output, weights=weights)


def encoder(settings):
    layer = torch.nn.TransformerEncoderLayer(E, HEADS, dim_feedforward=6, dropout=0.0, **settings).double()
    given = inputs(x=(L, B, E))
    return layer, given, dict(output=layer(given['x']))


def decoder(settings):
    layer = torch.nn.TransformerDecoderLayer(E, HEADS, dim_feedforward=6, dropout=0.0, **settings).double()
    given = inputs(x=(L, B, E), memory=(S, B, E))
    mask = torch.triu(torch.ones(L, L, dtype=torch.bool), diagonal=1)
    return layer, given, dict(output=layer(given['x'], given['memory'], tgt_mask=mask, tgt_is_causal=True))


CASES = {
    'LSTM': [dict(), dict(num_layers=2, bias=False), dict(num_layers=2, bidirectional=True), dict(batch_first=True)],
    'GRU': [dict(), dict(num_layers=2, bias=False), dict(num_layers=2, bidirectional=True), dict(batch_first=True)],
    'MultiheadAttention': [
        (dict(), dict()),
        (dict(bias=False), dict(mask='float')),
        (dict(), dict(mask='bool', padding=True)),
        (dict(kdim=5, vdim=6), dict()),
        (dict(batch_first=True), dict(padding=True)),
    ],
    'TransformerEncoderLayer': [dict(), dict(norm_first=True, activation='gelu'), dict(bias=False)],
    'TransformerDecoderLayer': [dict(), dict(norm_first=True, activation='gelu')],
}


def numbers(tensor):
    return dict(shape=list(tensor.shape), data=[float(f'{value:.7g}') for value in tensor.detach().flatten().tolist()])


def record(kind, settings):
    call = {}
    if kind in ('LSTM', 'GRU'):
        layer, given, outputs = recurrent(kind, **dict(batch_first=settings.get('batch_first', False),
                                                       settings={k: v for k, v in settings.items() if k != 'batch_first'}))
    elif kind == 'MultiheadAttention':
        settings, call = settings
        layer, given, outputs = attention(settings, call)
    else:
        layer, given, outputs = (encoder if 'Encoder' in kind else decoder)(settings)
    seeds = {name: torch.randn_like(value) for name, value in outputs.items()}
    sum((value * seeds[name]).sum() for name, value in outputs.items()).backward()
    return dict(
        layer=kind,
        settings=settings,
        call=call,
        state={name: numbers(p) for name, p in layer.named_parameters()},
        inputs={name: numbers(value) for name, value in given.items()},
        outputs={name: numbers(value) for name, value in outputs.items()},
        seeds={name: numbers(value) for name, value in seeds.items()},
        gradients={name: numbers(p.grad) for name, p in [*given.items(), *layer.named_parameters()]},
    )


torch.manual_seed(1)
with open(os.path.join(HERE, 'sequence.json'), 'w') as file:
    cases = [record(kind, settings) for kind, list_ in CASES.items() for settings in list_]
    json.dump(dict(torch=torch.__version__.split('+')[0], cases=cases), file)
    file.write('\n')
