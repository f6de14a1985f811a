"""Golden logits of one tiny model of each Llama family, by Hugging Face transformers (written with 5.23, PyTorch 2.15, float32).

    python families.py           writes families/<name>.json, and families/sharded/ as save_pretrained leaves it (bfloat16, an index)
    node write_families.mjs DIR  writes a folder for each with the same weights, by our saveModel
    python families.py check DIR reads these folders with transformers, and compares

Weights are not stored but computed: parameter p, element i is u = hash(p, i) - 0.5 times a scale by kind (`scale_of`); norms are 1 + that.
The ordinal p is the place in `parameters`, the hash is that of make_golden.py.
"""

import json
import math
import os
import shutil
import sys

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'families')
LENGTH = 24
SHOWN = [0, 3, 11, 23]

BASE = dict(
    vocab_size=80, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
    max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=None,
)
LLAMA3 = dict(rope_type='llama3', rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
YARN = dict(rope_type='yarn', rope_theta=100.0, factor=4.0, original_max_position_embeddings=16)
MODELS = {
    'llama': dict(model_type='llama', rope_parameters=dict(rope_type='default', rope_theta=500.0)),
    'llama-biases': dict(model_type='llama', attention_bias=True, mlp_bias=True, rope_parameters=LLAMA3, tie_word_embeddings=True),
    'llama-linear': dict(model_type='llama', rope_parameters=dict(rope_type='linear', rope_theta=10000.0, factor=4.0), num_key_value_heads=4),
    'mistral': dict(model_type='mistral', sliding_window=7, hidden_size=36, rope_parameters=dict(rope_type='default', rope_theta=10000.0)),
    'qwen2': dict(model_type='qwen2', tie_word_embeddings=True, rope_parameters=YARN),
    'qwen3': dict(model_type='qwen3', use_sliding_window=False, rope_parameters=dict(rope_type='default', rope_theta=1e6)),
    'smollm3': dict(model_type='smollm3', num_hidden_layers=4, tie_word_embeddings=True, rope_parameters=dict(rope_type='default', rope_theta=5e6)),
}


def uniform(seed, index):
    h = (np.asarray(index, dtype=np.uint64) + np.uint64((seed * 0x9E3779B9) & 0xFFFFFFFF)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ((h ^ (h >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return (h ^ (h >> np.uint64(16))).astype(np.float64) / 2**32


def scale_of(name, shape):
    return 2.0 if 'embed' in name else 0.5


def values(ordinal, name, shape):
    u = (uniform(ordinal, np.arange(math.prod(shape))) - 0.5) * scale_of(name, shape)
    return ((1 + u) if name.endswith('norm.weight') else u).astype(np.float32).reshape(shape)


def tokens():
    return np.floor(uniform(5_000_000, np.arange(LENGTH)) * BASE['vocab_size']).astype(np.int64)


def logits_of(model):
    with torch.no_grad():
        return model.eval()(torch.tensor(tokens())[None]).logits[0].float().numpy()


def build(name):
    settings = {**BASE, **MODELS[name]}
    config = AutoConfig.for_model(**settings)
    config._attn_implementation = 'eager'
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    names = [(key, list(p.shape)) for key, p in model.named_parameters()]
    with torch.no_grad():
        for ordinal, (key, p) in enumerate(model.named_parameters()):
            p.copy_(torch.tensor(values(ordinal, key, list(p.shape))))
    return model, names


def write():
    os.makedirs(HERE, exist_ok=True)
    for name in MODELS:
        model, names = build(name)
        logits = logits_of(model)
        golden = dict(
            config=json.loads(model.config.to_json_string(use_diff=False)) | dict(dtype='float32'),
            parameters=names, tokens=tokens().tolist(), positions=SHOWN,
            logits=[[round(float(v), 6) for v in logits[p]] for p in SHOWN],
        )
        with open(os.path.join(HERE, name + '.json'), 'w') as file:
            file.write('{\n' + ',\n'.join(f'  {json.dumps(k)}: {json.dumps(v)}' for k, v in golden.items()) + '\n}\n')
        print(name, 'logits', logits.std(), np.abs(logits).max())
    model, names = build('qwen3')
    model = model.to(torch.bfloat16)
    folder = os.path.join(HERE, 'sharded')
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, max_shard_size='24KB')
    print(os.listdir(folder))
    logits = logits_of(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation='eager'))
    with open(os.path.join(HERE, 'sharded-logits.json'), 'w') as file:
        json.dump([round(float(v), 6) for v in logits[-1]], file)


def check(root):
    worst = 0
    for name in MODELS:
        model, info = AutoModelForCausalLM.from_pretrained(
            os.path.join(root, name), dtype=torch.float32, attn_implementation='eager', output_loading_info=True)
        missing = [k for k in info['missing_keys'] if k != 'lm_head.weight' or not model.config.tie_word_embeddings]
        assert not missing and not info['unexpected_keys'] and not info['mismatched_keys'], info
        with open(os.path.join(HERE, name + '.json')) as file:
            golden = json.load(file)
        error = np.abs(logits_of(model)[golden['positions']] - np.array(golden['logits'])).max()
        worst = max(worst, error)
        print(name, type(model).__name__, error)
    assert worst < 1e-4, worst


if __name__ == '__main__':
    torch.set_num_threads(1)
    check(sys.argv[2]) if sys.argv[1:2] == ['check'] else write()
