"""A LoRA adapter as Hugging Face PEFT saves it, on the model `llama` of families.py, and the logits with it (written with PEFT 0.21.2).

    python peft_adapter.py            writes peft/adapter_config.json, adapter_model.safetensors and logits.json
    python peft_adapter.py check DIR  loads the adapter in DIR, which our saveAdapter wrote from the same numbers, and compares
"""

import json
import os
import shutil
import sys

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from families import SHOWN, build, logits_of, uniform

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'peft')
TARGETS = ['q_proj', 'v_proj', 'down_proj']


def write():
    model, _ = build('llama')
    before = logits_of(model)
    adapted = get_peft_model(model, LoraConfig(
        r=2, lora_alpha=6, target_modules=TARGETS, task_type='CAUSAL_LM', base_model_name_or_path='llama'))
    adapted.peft_config['default'].base_model_name_or_path = 'llama'
    with torch.no_grad():
        named = [(name, p) for name, p in adapted.named_parameters() if 'lora_' in name]
        for ordinal, (_, p) in enumerate(named):
            p.copy_(torch.tensor((uniform(1000 + ordinal, np.arange(p.numel())) - 0.5).astype(np.float32).reshape(p.shape)))
    shutil.rmtree(HERE, ignore_errors=True)
    adapted.save_pretrained(HERE)
    for name in os.listdir(HERE):
        if name == 'README.md':
            os.remove(os.path.join(HERE, name))
    logits = logits_of(adapted)
    print('moved by', np.abs(logits - before).max(), 'at most', np.abs(logits).max())
    with open(os.path.join(HERE, 'logits.json'), 'w') as file:
        json.dump([[round(float(v), 6) for v in logits[p]] for p in SHOWN], file)


def check(folder):
    model, _ = build('llama')
    adapted = PeftModel.from_pretrained(model, folder)
    with open(os.path.join(HERE, 'logits.json')) as file:
        error = np.abs(logits_of(adapted)[SHOWN] - np.array(json.load(file))).max()
    print('largest difference', error)
    assert error < 1e-4, error


if __name__ == '__main__':
    torch.set_num_threads(1)
    check(sys.argv[2]) if sys.argv[1:2] == ['check'] else write()
