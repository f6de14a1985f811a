"""Golden values of pooling layers, from PyTorch (any release from 2.0): python pooling.py"""
from layers import write

CASES = [
    dict(layer='MaxPool1d', arguments=[2], input=[2, 2, 5]),
    dict(layer='MaxPool1d', arguments=[3], options=dict(stride=2, padding=1, dilation=2, ceilMode=True), input=[1, 2, 8]),
    dict(layer='MaxPool2d', arguments=[2], input=[2, 2, 4, 5]),
    dict(layer='MaxPool2d', arguments=[3], options=dict(stride=2, padding=1), input=[1, 2, 6, 5]),
    dict(layer='MaxPool2d', arguments=[[2, 3]], options=dict(stride=[2, 1], dilation=[1, 2], ceilMode=True), input=[2, 1, 5, 7]),
    dict(layer='MaxPool2d', arguments=[2], options=dict(stride=3, ceilMode=True), input=[1, 2, 5, 6]),
    dict(layer='AvgPool1d', arguments=[3], options=dict(stride=2, padding=1, countIncludePad=False), input=[2, 2, 6]),
    dict(layer='AvgPool2d', arguments=[2], input=[2, 2, 4, 6]),
    dict(layer='AvgPool2d', arguments=[3], options=dict(stride=2, padding=1, ceilMode=True), input=[1, 2, 6, 7]),
    dict(layer='AvgPool2d', arguments=[[3, 2]], options=dict(padding=[1, 0], countIncludePad=False, ceilMode=True, stride=2), input=[1, 2, 5, 5]),
    dict(layer='AvgPool2d', arguments=[2], options=dict(divisorOverride=3), input=[1, 1, 5, 4]),
    dict(layer='AdaptiveAvgPool1d', arguments=[3], input=[2, 2, 7]),
    dict(layer='AdaptiveAvgPool2d', arguments=[1], input=[2, 3, 3, 4]),
    dict(layer='AdaptiveAvgPool2d', arguments=[[2, 3]], input=[1, 2, 4, 6]),
    dict(layer='AdaptiveAvgPool2d', arguments=[[3, 5]], input=[1, 2, 5, 3]),
    dict(layer='AdaptiveMaxPool1d', arguments=[3], input=[2, 2, 7]),
    dict(layer='AdaptiveMaxPool2d', arguments=[[2, 3]], input=[2, 1, 5, 6]),
]

write(__file__, CASES)
