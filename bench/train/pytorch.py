"""The PyTorch side of the suite `train`.

    pytorch.py probe --threads 2
    pytorch.py train --case train-5m --threads 2 [--variant gqa|repeat|manual] [--steps n]
    pytorch.py train --case resnet8 --threads 2 [--variant contiguous|channels-last] [--steps n]
    pytorch.py train --case lstm --threads 2 [--steps n]

Either prints one line of JSON. PyTorch 2: scaled_dot_product_attention and fused AdamW; 1.13 has neither: attention
written out and the foreach AdamW. Everything is written the fastest way that eager PyTorch offers on the CPU.
"""
import argparse
import json
import math
import os
import resource
import sys
import time

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, '..', '..', 'packages', 'lm', 'golden'))
from make_golden import SEEDS, parameter_spec, parameter_values, tokens  # noqa: E402

MAJOR = int(torch.__version__.split('.')[0])


def blas():
    """Which library multiplies: built in, or the one that the loader found."""
    if torch.backends.mkl.is_available():
        return 'mkl'
    if 'BLAS_INFO=accelerate' in torch.__config__.show():
        return 'accelerate'
    if not os.path.exists('/proc/self/maps'):
        return 'unknown'
    torch.ones(64, 64) @ torch.ones(64, 64)
    with open('/proc/self/maps') as maps:
        # NumPy brings an OpenBLAS of its own, with a name of its own.
        return 'openblas' if any('openblas' in line and 'numpy' not in line for line in maps) else 'reference'


def gemm_gflops(n=1024, repeats=30):
    """Best of several n³ products: what the processor gives to matrix code."""
    a, b, best = torch.randn(n, n), torch.randn(n, n), float('inf')
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best / 1e9


def probe():
    variants = ['manual'] if MAJOR < 2 else ['repeat']
    if MAJOR >= 2 and 'enable_gqa' in (F.scaled_dot_product_attention.__doc__ or ''):
        variants.append('gqa')
    variants = dict(llama=variants, resnet8=['contiguous', 'channels-last'], lstm=['contiguous'])
    return dict(version=torch.__version__, major=MAJOR, blas=blas(), variants=variants, gemmGflops=gemm_gflops())


class Llama:
    def __init__(self, c, length, attention):
        self.c, self.attention = c, attention
        self.parameters = {
            name: torch.tensor(parameter_values(i, shape)).requires_grad_() for i, (name, shape) in enumerate(parameter_spec(c))
        }
        self.layers = [
            [self.parameters[f'model.layers.{layer}.{name}.weight'] for name in (
                'input_layernorm', 'self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj',
                'post_attention_layernorm', 'mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj')]
            for layer in range(c['layers'])
        ]
        head = c['dim'] // c['heads']
        inverse = c['ropeTheta'] ** (-torch.arange(0, head, 2, dtype=torch.float64) / head)
        angle = torch.arange(length, dtype=torch.float64)[:, None] * inverse
        self.cos, self.sin = angle.cos().float(), angle.sin().float()
        self.mask = torch.full((length, length), float('-inf')).triu(1)

    def norm(self, x, weight):
        if hasattr(F, 'rms_norm'):
            return F.rms_norm(x, weight.shape, weight, self.c['normEps'])
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.c['normEps']) * weight

    def rotate(self, x):
        a, b = x.chunk(2, -1)
        return torch.cat([a * self.cos - b * self.sin, b * self.cos + a * self.sin], -1)

    def attend(self, q, k, v):
        groups = q.shape[1] // k.shape[1]
        if self.attention == 'gqa':
            return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        if groups > 1:
            k, v = (y.repeat_interleave(groups, 1) for y in (k, v))
        if self.attention == 'repeat':
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return (q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1])) + self.mask).softmax(-1) @ v

    def loss(self, inputs, targets):
        c = self.c
        (B, T), H, K = inputs.shape, c['heads'], c['kvHeads']
        hd = c['dim'] // H
        embedding = self.parameters['model.embed_tokens.weight']
        x = F.embedding(inputs, embedding)
        for n1, wq, wk, wv, wo, n2, gate, up, down in self.layers:
            h = self.norm(x, n1)
            q = self.rotate(F.linear(h, wq).view(B, T, H, hd).transpose(1, 2))
            k = self.rotate(F.linear(h, wk).view(B, T, K, hd).transpose(1, 2))
            v = F.linear(h, wv).view(B, T, K, hd).transpose(1, 2)
            x = x + F.linear(self.attend(q, k, v).transpose(1, 2).reshape(B, T, -1), wo)
            h = self.norm(x, n2)
            x = x + F.linear(F.silu(F.linear(h, gate)) * F.linear(h, up), down)
        logits = F.linear(self.norm(x, self.parameters['model.norm.weight']), embedding)
        return F.cross_entropy(logits.view(-1, c['vocab']), targets.view(-1))


def unit(inputs, outputs, kernel, stride):
    convolution = torch.nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return torch.nn.Sequential(convolution, torch.nn.BatchNorm2d(outputs))


class Block(torch.nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.a, self.b = unit(inputs, outputs, 3, stride), unit(outputs, outputs, 3, 1)
        self.shortcut = unit(inputs, outputs, 1, stride) if stride != 1 or inputs != outputs else torch.nn.Identity()

    def forward(self, x):
        return F.relu(self.b(F.relu(self.a(x))) + self.shortcut(x))


class ResNet8(torch.nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.stem = unit(3, channels[0], 3, 1)
        self.blocks = torch.nn.Sequential(
            *(Block(channels[max(0, i - 1)], c, 1 if i == 0 else 2) for i, c in enumerate(channels))
        )
        self.head = torch.nn.Linear(channels[-1], classes)

    def forward(self, x):
        return self.head(self.blocks(F.relu(self.stem(x))).mean((2, 3)))


def resnet8(case, variant):
    """Parameters, loss and number of images; the weights are those of resnet8.mjs."""
    model = ResNet8(case['channels'], case['classes'])
    with torch.no_grad():
        for ordinal, (name, parameter) in enumerate(sorted(model.named_parameters())):
            values = torch.tensor(parameter_values(ordinal, list(parameter.shape)))
            if parameter.dim() > 1:
                values = values * (math.sqrt(6 / (parameter.numel() / parameter.shape[0])) / 0.035)
            parameter.copy_(values - 1 if name.endswith('bias') else values)
    batch, size = case['batch'], case['size']
    x = torch.tensor(parameter_values(SEEDS['batch'], [batch * 3 * size, size])).view(batch, 3, size, size)
    y = torch.tensor(tokens(SEEDS['prompt'], batch, 1, case['classes'])[:, 0])
    if variant == 'channels-last':
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    return list(model.parameters()), lambda: F.cross_entropy(model(x), y), batch


class Classifier(torch.nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.lstm = torch.nn.LSTM(features, hidden)
        self.head = torch.nn.Linear(hidden, classes)

    def forward(self, x):
        return self.head(self.lstm(x)[1][0][0])


def lstm(case, variant):
    """Parameters, loss and number of time steps; the weights are those of lstm.mjs."""
    batch, length, features, hidden = (case[name] for name in ('batch', 'length', 'features', 'hidden'))
    model = Classifier(features, hidden, case['classes'])
    with torch.no_grad():
        for ordinal, (_, parameter) in enumerate(sorted(model.named_parameters())):
            values = torch.tensor(parameter_values(ordinal, list(parameter.shape)))
            parameter.copy_(values / math.sqrt(hidden) / 0.035 if parameter.dim() > 1 else values - 1)
    x = torch.tensor(parameter_values(SEEDS['batch'], [length * batch, features])).view(length, batch, features) / 0.035
    y = torch.tensor(tokens(SEEDS['prompt'], batch, 1, case['classes'])[:, 0])
    return list(model.parameters()), lambda: F.cross_entropy(model(x), y), batch * length


def llama(case, variant):
    """Parameters, loss and number of tokens."""
    batch, length = case['batch'], case['length']
    model = Llama(case['config'], length, variant)
    sequence = torch.tensor(tokens(SEEDS['batch'], batch, length + 1, case['config']['vocab']))
    inputs, targets = sequence[:, :-1].contiguous(), sequence[:, 1:].contiguous()
    return list(model.parameters.values()), lambda: model.loss(inputs, targets), batch * length


def train(arguments):
    with open(os.path.join(HERE, 'cases.json')) as file:
        settings = json.load(file)
    case, o = settings['cases'][arguments.case], settings['optimizer']
    parameters, loss_of, items = dict(llama=llama, resnet8=resnet8, lstm=lstm)[case['model']](case, arguments.variant)
    groups = [
        dict(params=[p for p in parameters if p.dim() > 1], weight_decay=o['weightDecay']),
        dict(params=[p for p in parameters if p.dim() == 1], weight_decay=0.0),
    ]
    fast = dict(fused=True) if MAJOR >= 2 else dict(foreach=True)
    adamw = torch.optim.AdamW(groups, lr=o['learningRate'], betas=(o['beta1'], o['beta2']), eps=o['epsilon'], **fast)

    def step():
        adamw.zero_grad(set_to_none=True)
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, o['clipNorm'])
        adamw.step()
        return loss.item()

    losses = [step() for _ in range(settings['updatesBeforeTiming'] + 1)]
    walls, cpu = [], time.process_time()
    for _ in range(arguments.steps or case['steps']):
        wall = time.perf_counter()
        step()
        walls.append((time.perf_counter() - wall) * 1e3)
    # The mean: the kernel counts the time of other threads in ticks of milliseconds.
    cpu = (time.process_time() - cpu) * 1e3 / len(walls)
    ms = median(walls)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return dict(
        perSecond=items / ms * 1e3,
        msPerStep=ms,
        cpuMsPerStep=cpu,
        loss=losses[0],
        trainedLoss=losses[-1],
        cpuMs=(usage.ru_utime + usage.ru_stime) * 1e3,
        rssMb=usage.ru_maxrss / 1024,
    )


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('mode', choices=['probe', 'train'])
    parser.add_argument('--case')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--steps', type=int)
    parser.add_argument('--variant', default='manual')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(json.dumps(probe() if arguments.mode == 'probe' else train(arguments)))


main()
