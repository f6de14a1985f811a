"""Golden values of convolution layers, from PyTorch (any release from 2.0): python convolution.py"""
from layers import write

CASES = [
    dict(layer='Conv2d', arguments=[3, 4, 3], options=dict(padding=1), input=[2, 3, 5, 4]),
    dict(layer='Conv2d', arguments=[4, 6, [3, 2]], options=dict(stride=[2, 1], padding=[1, 0], groups=2), input=[2, 4, 6, 5]),
    dict(layer='Conv2d', arguments=[2, 4, 3], options=dict(stride=2, padding=2, dilation=2, bias=False), input=[1, 2, 7, 8]),
    dict(layer='Conv2d', arguments=[3, 6, 4], options=dict(padding='same', groups=3, dilation=[1, 2]), input=[1, 3, 6, 7]),
    dict(layer='Conv2d', arguments=[2, 3, 1], options=dict(padding='valid'), input=[2, 2, 3, 3]),
    dict(layer='Conv1d', arguments=[3, 4, 3], options=dict(stride=2, padding=1), input=[2, 3, 7]),
    dict(layer='Conv1d', arguments=[4, 4, 2], options=dict(padding='same', dilation=3, groups=4), input=[1, 4, 6]),
    dict(layer='ConvTranspose1d', arguments=[3, 4, 3], options=dict(stride=2, padding=1, outputPadding=1), input=[2, 3, 4]),
    dict(layer='ConvTranspose2d', arguments=[3, 2, 3], input=[2, 3, 3, 4]),
    dict(layer='ConvTranspose2d', arguments=[4, 6, [2, 3]], options=dict(stride=[2, 3], padding=[0, 1], outputPadding=[1, 2], groups=2), input=[2, 4, 3, 2]),
    dict(layer='ConvTranspose2d', arguments=[2, 3, 3], options=dict(dilation=2, padding=2, bias=False), input=[1, 2, 4, 3]),
]

write(__file__, CASES)
