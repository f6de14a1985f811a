"""Golden values of linear and RMS-normalisation layers, from PyTorch (any release from 2.4): python basic.py"""
from layers import write

CASES = [
    dict(layer='Linear', arguments=[3, 5], input=[4, 3]),
    dict(layer='Linear', arguments=[4, 2], options=dict(bias=False), input=[2, 3, 4]),
    dict(layer='Linear', arguments=[1, 1], input=[1, 1]),
    dict(layer='RMSNorm', arguments=[6], options=dict(eps=1e-6), input=[3, 6]),
    dict(layer='RMSNorm', arguments=[4], options=dict(eps=0.1), input=[2, 3, 4]),
]

write(__file__, CASES)
