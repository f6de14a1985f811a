"""Golden values of layers that resize or reshape, from PyTorch (any release from 2.0): python resampling.py"""
from layers import write

CASES = [
    dict(layer='Upsample', arguments=[], options=dict(scaleFactor=2), input=[2, 2, 2, 3]),
    dict(layer='Upsample', arguments=[], options=dict(scaleFactor=[1.5, 2.3]), input=[1, 2, 4, 3]),
    dict(layer='Upsample', arguments=[], options=dict(size=[3, 7], mode='nearest-exact'), input=[1, 2, 4, 5]),
    dict(layer='Upsample', arguments=[], options=dict(scaleFactor=2.6), input=[2, 1, 5]),
    dict(layer='Upsample', arguments=[], options=dict(size=7, mode='linear'), input=[2, 2, 4]),
    dict(layer='Upsample', arguments=[], options=dict(scaleFactor=2, mode='bilinear'), input=[1, 2, 3, 4]),
    dict(layer='Upsample', arguments=[], options=dict(scaleFactor=[1.7, 0.6], mode='bilinear'), input=[1, 2, 4, 5]),
    dict(layer='Upsample', arguments=[], options=dict(size=[5, 2], mode='bilinear', alignCorners=True), input=[2, 1, 3, 4]),
    dict(layer='Upsample', arguments=[], options=dict(size=[7, 3], mode='bicubic'), input=[1, 2, 4, 5]),
    dict(layer='Upsample', arguments=[], options=dict(size=[5, 1], mode='bicubic', alignCorners=True), input=[1, 1, 3, 3]),
    dict(layer='PixelShuffle', arguments=[2], input=[2, 8, 2, 3]),
    dict(layer='PixelUnshuffle', arguments=[3], input=[1, 2, 3, 6]),
    dict(layer='Flatten', arguments=[], input=[2, 3, 1, 2]),
    dict(layer='Flatten', arguments=[], options=dict(startDim=0, endDim=-2), input=[2, 3, 2]),
    dict(layer='Unflatten', arguments=[1, [2, 3]], input=[2, 6, 2]),
]

write(__file__, CASES)
