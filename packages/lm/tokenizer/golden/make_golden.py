"""Writes the golden files beside this script with the reference implementation, from corpus.txt.

reference.json  the tokenizer.json that Hugging Face `tokenizers` learns from the corpus (vocabulary 700)
ids.json        texts with the ids it gives them

pip install tokenizers==0.23.3 && python make_golden.py
"""

import json
import os
import random

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
SEPARATOR = "<|endoftext|>\n"

with open(os.path.join(HERE, "corpus.txt"), encoding="utf-8", newline="") as file:
    corpus = file.read()

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=700,
    min_frequency=2,
    special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    show_progress=False,
)
tokenizer.train_from_iterator(corpus.split(SEPARATOR), trainer)
tokenizer.save(os.path.join(HERE, "reference.json"), pretty=False)

random.seed(7)
BLOCKS = [
    (0x20, 0x7F), (0x20, 0x7F), (0x20, 0x7F), (0x09, 0x0E), (0x80, 0x250), (0x300, 0x370), (0x370, 0x400), (0x400, 0x530),
    (0x590, 0x700), (0x900, 0x980), (0xE00, 0xE80), (0x1100, 0x1200), (0x2000, 0x2070), (0x2150, 0x2190), (0x3000, 0x3100),
    (0x4E00, 0x5000), (0xAC00, 0xAD00), (0xFE00, 0xFE10), (0xFEF0, 0xFFF0), (0x1D400, 0x1D800), (0x1F300, 0x1F700), (0x20000, 0x20100),
]


def random_text():
    pieces = []
    while len(pieces) < random.randint(0, 12):
        low, high = random.choice(BLOCKS)
        pieces.append("".join(chr(random.randrange(low, high)) for _ in range(random.randint(1, 6))))
        if random.random() < 0.3:
            pieces.append(random.choice([" ", "  ", "\n", "\n\n", "\t", "\r\n", " \n ", "\u0085", "\u00a0", "\ufeff", "'s", "'ll", " 're"]))
    return "".join(pieces)


texts = [
    "",
    " ",
    "Hello, world!",
    "First Citizen:\nBefore we proceed any further, hear me speak.\n",
    "don't we'll THEY'LL 's'st'll 've've",
    "a" * 300,
    "ab" * 200 + "\n" * 70,
    "trailing spaces   \n\n\n   leading",
    "\u0085\u0085x\ufeff\ufeffy\u3000\u3000z",
    *(corpus[at : at + 200] for at in range(0, len(corpus) - 200, 2500)),
    *(random_text() for _ in range(1000)),
]
with open(os.path.join(HERE, "ids.json"), "w", encoding="ascii", newline="\n") as file:
    rows = [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in texts]
    file.write("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
for row in rows:
    assert tokenizer.decode(row["ids"], skip_special_tokens=False) == row["text"], row["text"]
