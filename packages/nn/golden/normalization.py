"""Golden values of normalisation layers, from PyTorch (any release from 2.1): python normalization.py"""
from layers import write

CASES = [
    dict(layer='LayerNorm', arguments=[6], input=[3, 6]),
    dict(layer='LayerNorm', arguments=[[3, 4]], options=dict(eps=0.01), input=[2, 2, 3, 4]),
    dict(layer='LayerNorm', arguments=[4], options=dict(bias=False), input=[2, 3, 4]),
    dict(layer='LayerNorm', arguments=[5], options=dict(elementwiseAffine=False), input=[3, 1, 5]),
    dict(layer='GroupNorm', arguments=[2, 6], input=[2, 6, 3]),
    dict(layer='GroupNorm', arguments=[3, 3], options=dict(eps=0.1), input=[2, 3, 2, 3]),
    dict(layer='GroupNorm', arguments=[1, 4], options=dict(affine=False), input=[3, 4]),
    dict(layer='InstanceNorm1d', arguments=[3], input=[2, 3, 5]),
    dict(layer='InstanceNorm2d', arguments=[3], options=dict(affine=True), input=[2, 3, 3, 2]),
    dict(layer='BatchNorm1d', arguments=[4], input=[5, 4]),
    dict(layer='BatchNorm1d', arguments=[3], options=dict(momentum=0.3, eps=0.01), input=[2, 3, 4]),
    dict(layer='BatchNorm1d', arguments=[3], options=dict(affine=False), input=[4, 3, 1]),
    dict(layer='BatchNorm2d', arguments=[3], input=[2, 3, 3, 2]),
    dict(layer='BatchNorm2d', arguments=[2], options=dict(momentum=None), input=[1, 2, 2, 3]),
    dict(layer='BatchNorm2d', arguments=[2], options=dict(trackRunningStats=False), input=[2, 2, 2, 2]),
]

write(__file__, CASES)
