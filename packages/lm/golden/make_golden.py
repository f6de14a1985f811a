"""Golden values for the trainer and the decoder, from PyTorch (any release from 2.0), in float64.

    python make_golden.py            writes llama-5m.{json,bin}, llama-5m-steps.json,
                                     llama-nano.{json,bin}, llama-nano-steps.json beside this file

The model is the Llama that @enigma/lm trains: pre-norm, RMSNorm, rotary positions (half-split), SwiGLU, grouped-query
attention, tied embeddings, no biases; Hugging Face names and [out, in] weights. Weights and tokens come from a hash that
generate.ts repeats bit for bit, so that no weights need to be stored.

The .json describes the .bin (little-endian float32): every entry `{offset, count}` counts float32 values.
"""
import json
import math
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))

NANO = dict(vocab=256, dim=64, layers=2, heads=4, kvHeads=2, hidden=192, normEps=1e-6, ropeTheta=10000)
M5 = dict(vocab=2048, dim=256, layers=6, heads=8, kvHeads=4, hidden=704, normEps=1e-6, ropeTheta=10000)

SEEDS = dict(batch=1_000_000, sample=2_000_000, projection=3_000_000, logits=4_000_000, prompt=5_000_000, steps=6_000_000)
MATRIX_SCALE, NORM_SCALE = 0.07, 0.1

GENERATOR = {
    'fmix32': 'murmur3 finaliser: h^=h>>16; h*=0x85ebca6b; h^=h>>13; h*=0xc2b2ae35; h^=h>>16 (mod 2^32)',
    'uniform(seed, index)': 'fmix32((index + seed*0x9E3779B9) mod 2^32) / 2^32, a float64 in [0, 1)',
    'matrix': f'float32((uniform(ordinal, i) - 0.5) * {MATRIX_SCALE}), i the row-major index, ordinal the place in `parameters`',
    'norm': f'float32(1 + (uniform(ordinal, i) - 0.5) * {NORM_SCALE})',
    'tokens(seed, batch, length)': 'floor(uniform(seed, b*length + t) * vocab)',
    'sample(ordinal)': f'sampleCount entries: floor(uniform({SEEDS["sample"]} + ordinal, j) * size), j = 0…; all entries in order if size <= sampleCount',
    'projection(ordinal, k)': f'sum over i of gradient[i] * (uniform({SEEDS["projection"]} + 16*ordinal + k, i) - 0.5) * sqrt(12): covers every entry; '
    'the expected square of a difference of projections is the squared L2 norm of the difference',
    'seeds': SEEDS,
}


def uniform(seed, indices):
    """float64 in [0, 1) for each index; generate.ts hashUniform."""
    h = (np.asarray(indices, np.uint64) + np.uint64(seed * 0x9E3779B9 % 2**32)) & np.uint64(0xFFFFFFFF)
    h = h.astype(np.uint32)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h.astype(np.float64) / 2.0**32


def parameter_spec(c):
    head = c['dim'] // c['heads']
    kv = c['kvHeads'] * head
    spec = [('model.embed_tokens.weight', [c['vocab'], c['dim']])]
    for layer in range(c['layers']):
        at = f'model.layers.{layer}.'
        spec += [
            (at + 'input_layernorm.weight', [c['dim']]),
            (at + 'self_attn.q_proj.weight', [c['dim'], c['dim']]),
            (at + 'self_attn.k_proj.weight', [kv, c['dim']]),
            (at + 'self_attn.v_proj.weight', [kv, c['dim']]),
            (at + 'self_attn.o_proj.weight', [c['dim'], c['dim']]),
            (at + 'post_attention_layernorm.weight', [c['dim']]),
            (at + 'mlp.gate_proj.weight', [c['hidden'], c['dim']]),
            (at + 'mlp.up_proj.weight', [c['hidden'], c['dim']]),
            (at + 'mlp.down_proj.weight', [c['dim'], c['hidden']]),
        ]
    return spec + [('model.norm.weight', [c['dim']])]


def parameter_values(ordinal, shape):
    u = uniform(ordinal, np.arange(math.prod(shape))) - 0.5
    values = 1 + u * NORM_SCALE if len(shape) == 1 else u * MATRIX_SCALE
    return values.astype(np.float32).reshape(shape)


def parameters(c, dtype):
    return {
        name: torch.tensor(parameter_values(i, shape)).to(dtype).requires_grad_()
        for i, (name, shape) in enumerate(parameter_spec(c))
    }


def tokens(seed, batch, length, vocab):
    return np.floor(uniform(seed, np.arange(batch * length)) * vocab).astype(np.int64).reshape(batch, length)


def step_tokens(step, batch, length, rule):
    """The learnable batch of training step `step`: [batch, length]; generate.ts goldenStepTokens."""
    u = uniform(SEEDS['steps'] + step, np.arange(batch * length)).reshape(batch, length)
    out = np.zeros((batch, length), np.int64)
    out[:, 0] = np.floor(u[:, 0] * rule['modulus'])
    for t in range(1, length):
        out[:, t] = (rule['a'] * out[:, t - 1] + rule['c'] + np.floor(u[:, t] * rule['noise'])) % rule['modulus']
    return out


def rms_norm(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def forward(c, P, ids):
    """ids [B, T] to logits [B, T, vocab]."""
    B, T = ids.shape
    H, K, hd = c['heads'], c['kvHeads'], c['dim'] // c['heads']
    dtype = P['model.norm.weight'].dtype
    inverse = c['ropeTheta'] ** (-torch.arange(0, hd, 2, dtype=torch.float64) / hd)
    angle = torch.arange(T, dtype=torch.float64)[:, None] * inverse
    cos, sin = angle.cos().to(dtype), angle.sin().to(dtype)
    future = torch.ones(T, T, dtype=torch.bool).triu(1)
    x = F.embedding(ids, P['model.embed_tokens.weight'])
    for layer in range(c['layers']):
        w = lambda name: P[f'model.layers.{layer}.{name}.weight']
        h = rms_norm(x, w('input_layernorm'), c['normEps'])
        q = rotate(F.linear(h, w('self_attn.q_proj')).view(B, T, H, hd).transpose(1, 2), cos, sin)
        k = rotate(F.linear(h, w('self_attn.k_proj')).view(B, T, K, hd).transpose(1, 2), cos, sin)
        v = F.linear(h, w('self_attn.v_proj')).view(B, T, K, hd).transpose(1, 2)
        k, v = (y.repeat_interleave(H // K, 1) for y in (k, v))
        scores = (q @ k.transpose(-1, -2) / math.sqrt(hd)).masked_fill(future, float('-inf'))
        o = (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, T, -1)
        x = x + F.linear(o, w('self_attn.o_proj'))
        h = rms_norm(x, w('post_attention_layernorm'), c['normEps'])
        x = x + F.linear(F.silu(F.linear(h, w('mlp.gate_proj'))) * F.linear(h, w('mlp.up_proj')), w('mlp.down_proj'))
    return F.linear(rms_norm(x, P['model.norm.weight'], c['normEps']), P['model.embed_tokens.weight'])


def loss_of(c, P, sequence):
    """Mean cross-entropy in nats of predicting sequence[:, 1:] from sequence[:, :-1]."""
    logits = forward(c, P, torch.tensor(sequence[:, :-1]))
    return logits, F.cross_entropy(logits.reshape(-1, c['vocab']), torch.tensor(sequence[:, 1:]).reshape(-1))


class Store:
    """float32 values one after the other."""

    def __init__(self):
        self.parts, self.length = [], 0

    def add(self, values):
        values = np.asarray(values, '<f4').ravel()
        at = dict(offset=self.length, count=len(values))
        self.parts.append(values)
        self.length += len(values)
        return at

    def write(self, path):
        np.concatenate(self.parts).tofile(path)


def relative(a, b):
    return float((a.double() - b.double()).norm() / b.double().norm())


def values_and_gradients(name, title, c, batch, length, sample_count):
    store = Store()
    sequence = tokens(SEEDS['batch'], batch, length + 1, c['vocab'])
    runs = {}
    for dtype in (torch.float64, torch.float32):
        P = parameters(c, dtype)
        logits, loss = loss_of(c, P, sequence)
        loss.backward()
        runs[dtype] = (P, logits.detach(), loss.item())
    P, logits, loss = runs[torch.float64]
    P32, logits32, loss32 = runs[torch.float32]

    gradients = []
    for i, (key, shape) in enumerate(parameter_spec(c)):
        g, size = P[key].grad, math.prod(shape)
        flat = g.flatten().numpy()
        full = sample_count is None or size <= sample_count
        picked = np.arange(size) if full else np.floor(uniform(SEEDS['sample'] + i, np.arange(sample_count)) * size).astype(np.int64)
        everywhere = np.arange(size)
        projections = [
            float(np.sum(flat * (uniform(SEEDS['projection'] + 16 * i + k, everywhere) - 0.5)) * math.sqrt(12)) for k in range(4)
        ]
        gradients.append(
            dict(
                name=key,
                shape=shape,
                norm=float(g.norm()),
                projections=projections,
                full=full,
                values=store.add(flat[picked]),
                float32Error=relative(P32[key].grad, g),
            )
        )

    flat = logits.flatten().numpy()
    picked = np.floor(uniform(SEEDS['logits'], np.arange(512)) * flat.size).astype(np.int64)
    prompt = tokens(SEEDS['prompt'], 1, 16, c['vocab'])
    with torch.no_grad():
        last = forward(c, P, torch.tensor(prompt))[0, -1]
        ids, margins = prompt[0].tolist(), []
        for _ in range(32):
            best = forward(c, P, torch.tensor([ids]))[0, -1].topk(2)
            margins.append(float(best.values[0] - best.values[1]))
            ids.append(int(best.indices[0]))

    golden = dict(
        description=title,
        madeBy=f'make_golden.py, PyTorch {torch.__version__}, float64',
        generator=GENERATOR,
        config=c,
        parameterCount=sum(math.prod(s) for _, s in parameter_spec(c)),
        parameters=[dict(name=k, shape=s, first=[float(v) for v in parameter_values(i, s).ravel()[:4]])
                    for i, (k, s) in enumerate(parameter_spec(c))],
        batch=dict(batch=batch, length=length, rule=f'sequence = tokens({SEEDS["batch"]}, batch, length + 1); input = sequence[:, :-1], target = sequence[:, 1:]',
                   firstTokens=sequence[0, :8].tolist(), lastToken=int(sequence[-1, -1])),
        loss=loss,
        float32Loss=loss32,
        logits=dict(rule=f'logits [batch, length, vocab] flat, entries floor(uniform({SEEDS["logits"]}, j) * size), j < 512',
                    values=store.add(flat[picked]), norm=float(logits.norm()), float32Error=relative(logits32, logits),
                    float32MaxError=float((logits32.double() - logits).abs().max())),
        sampleCount=sample_count,
        gradientNorm=math.sqrt(sum(g['norm'] ** 2 for g in gradients)),
        gradients=gradients,
        decode=dict(rule=f'prompt = tokens({SEEDS["prompt"]}, 1, 16); lastLogits [vocab] after the prompt; greedy: the next 32 tokens, each computed from scratch',
                    prompt=prompt[0].tolist(), lastLogits=store.add(last.numpy()), greedy=ids[16:], smallestMargin=min(margins)),
        hash=[dict(seed=s, index=i, uniform=float(uniform(s, [i])[0])) for s, i in
              [(0, 0), (0, 1), (1, 0), (7, 12345), (55, 524287), (1_000_000, 3), (6_000_099, 4_000_000)]],
    )
    with open(os.path.join(HERE, name + '.json'), 'w') as file:
        file.write(compact(golden))
    store.write(os.path.join(HERE, name + '.bin'))
    worst = max(gradients, key=lambda g: g['float32Error'])
    print(name, 'loss', loss, 'float32', loss32, 'worst float32 gradient', worst['name'], worst['float32Error'],
          'margin', min(margins), 'floats', store.length)


def training_steps(name, title, c, batch, length, rule, steps):
    """AdamW as torch.optim.AdamW, clipping as torch.nn.utils.clip_grad_norm_."""
    optimizer = dict(name='AdamW', learningRate=1e-3, beta1=0.9, beta2=0.95, epsilon=1e-8, weightDecay=0.1,
                     weightDecayOn='matrices and the embedding; norms 0', clipNorm=1.0, schedule='constant')
    runs = {}
    for dtype in (torch.float32, torch.float64):
        P = parameters(c, dtype)
        groups = [dict(params=[p for p in P.values() if p.dim() > 1], weight_decay=0.1),
                  dict(params=[p for p in P.values() if p.dim() == 1], weight_decay=0.0)]
        adamw = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
        losses, norms = [], []
        for step in range(steps):
            _, loss = loss_of(c, P, step_tokens(step, batch, length + 1, rule))
            adamw.zero_grad(set_to_none=True)
            loss.backward()
            norms.append(float(torch.nn.utils.clip_grad_norm_(list(P.values()), 1.0)))
            adamw.step()
            losses.append(loss.item())
        runs[dtype] = (losses, norms, {k: float(p.detach().double().norm()) for k, p in P.items()})
    single, double = runs[torch.float32], runs[torch.float64]
    golden = dict(
        description=title,
        madeBy=f'make_golden.py, PyTorch {torch.__version__}',
        generator=GENERATOR,
        config=c,
        batch=batch,
        length=length,
        steps=steps,
        optimizer=optimizer,
        data=dict(**rule, rule='step s: sequence [batch, length + 1]; u(b, t) = uniform(' + str(SEEDS['steps']) + ' + s, b*(length + 1) + t); '
                  'token(b, 0) = floor(u * modulus); token(b, t) = (a*token(b, t-1) + c + floor(u(b, t) * noise)) mod modulus; '
                  'input = sequence[:, :-1], target = sequence[:, 1:]',
                  firstTokens=step_tokens(0, batch, length + 1, rule)[0, :8].tolist(),
                  lastToken=int(step_tokens(steps - 1, batch, length + 1, rule)[-1, -1])),
        lossMeaning='losses[s]: mean cross-entropy in nats of the batch of step s before its update; gradientNorms[s]: before clipping',
        losses=single[0],
        float64Losses=double[0],
        gradientNorms=single[1],
        finalParameterNorms=double[2],
        float32MaxError=max(abs(a - b) for a, b in zip(single[0], double[0])),
    )
    with open(os.path.join(HERE, name + '.json'), 'w') as file:
        file.write(compact(golden))
    print(name, 'losses', single[0][0], single[0][steps // 2], single[0][-1], 'float32 against float64', golden['float32MaxError'],
          'norms', min(single[1]), max(single[1]))


def compact(value):
    """JSON with one line for each entry of the top level and of its lists of objects."""
    lines = []
    for key, entry in value.items():
        if isinstance(entry, list) and entry and isinstance(entry[0], dict):
            text = '[\n' + ',\n'.join('    ' + json.dumps(e) for e in entry) + '\n  ]'
        else:
            text = json.dumps(entry)
        lines.append(f'  {json.dumps(key)}: {text}')
    return '{\n' + ',\n'.join(lines) + '\n}\n'


if __name__ == '__main__':
    torch.set_num_threads(int(os.environ.get('THREADS', '2')))
    which = sys.argv[1:] or ['nano', '5m']
    if 'nano' in which:
        values_and_gradients('llama-nano', 'A tiny Llama, every gradient in full', NANO, 2, 32, None)
        training_steps('llama-nano-steps', '100 AdamW steps of the tiny Llama', NANO, 2, 32, dict(modulus=64, a=5, c=17, noise=2), 100)
    if '5m' in which:
        values_and_gradients('llama-5m', 'The 5 M-parameter Llama (preset tiny at vocabulary 2048)', M5, 4, 128, 512)
        # Modulus 384: learned visibly within 100 steps, yet rounding alone (float32 against float64) moves no loss by 1e-4.
        # With 64 it does by 7e-3, because the loss then plunges within a few steps and any difference is stretched.
        training_steps('llama-5m-steps', '100 AdamW steps of the 5 M-parameter Llama', M5, 4, 64, dict(modulus=384, a=5, c=17, noise=2), 100)
