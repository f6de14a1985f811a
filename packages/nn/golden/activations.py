"""Golden values of activation layers, from PyTorch (any release from 2.1): python activations.py"""
from layers import write

plain = [
    'Identity', 'ReLU', 'ReLU6', 'SELU', 'SiLU', 'Mish', 'Tanh', 'Tanhshrink', 'Sigmoid', 'LogSigmoid', 'Softsign', 'Hardswish',
    'Hardsigmoid', 'LeakyReLU', 'ELU', 'CELU', 'GELU', 'Softplus', 'Hardtanh', 'PReLU', 'GLU',
]

CASES = [dict(layer=name, arguments=[], input=[3, 1, 8]) for name in plain] + [
    dict(layer='LeakyReLU', arguments=[0.3], input=[7]),
    dict(layer='ELU', arguments=[0.5], input=[2, 5]),
    dict(layer='CELU', arguments=[2.5], input=[2, 5]),
    dict(layer='GELU', arguments=[], options=dict(approximate='tanh'), input=[2, 3, 4]),
    dict(layer='Softplus', arguments=[], options=dict(beta=3.0), input=[4, 4]),
    dict(layer='Softplus', arguments=[], options=dict(beta=2.0, threshold=1.0), input=[4, 4]),
    dict(layer='Hardtanh', arguments=[-0.5, 1.25], input=[3, 5]),
    dict(layer='PReLU', arguments=[3, 0.1], input=[2, 3, 4, 2]),
    dict(layer='PReLU', arguments=[4], input=[3, 4]),
    dict(layer='GLU', arguments=[1], input=[2, 4, 3]),
    dict(layer='Softmax', arguments=[-1], input=[3, 5]),
    dict(layer='Softmax', arguments=[1], input=[2, 3, 4]),
    dict(layer='Softmin', arguments=[0], input=[4, 3]),
    dict(layer='LogSoftmax', arguments=[-1], input=[3, 5]),
]

write(__file__, CASES)
