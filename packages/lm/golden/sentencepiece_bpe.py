"""A small BPE as SentencePiece trains it with Llama 2's settings, and what it makes of texts: writes sentencepiece-bpe.json."""

import json
import os
import tempfile

import sentencepiece as spm

HERE = os.path.dirname(os.path.abspath(__file__))
TEXTS = [
    'The hare said to the tortoise: hello!', ' leading and  double  spaces ', 'naïve café – 12,345.67 €', '日本語のテキスト', 'a\nb\tc\r\n',
    '🐢🐇 👩‍👩‍👧', '<s> no command </s>', '▁ itself', 'x', 'HELLO world' * 3, 'ﬁ ﬂ Å e\u0301',
]

with tempfile.TemporaryDirectory() as folder:
    spm.SentencePieceTrainer.train(
        input=os.path.join(HERE, '..', 'tokenizer', 'golden', 'corpus.txt'), model_prefix=os.path.join(folder, 'm'), vocab_size=420,
        model_type='bpe', byte_fallback=True, character_coverage=0.98, normalization_rule_name='identity', remove_extra_whitespaces=False,
        split_digits=True, allow_whitespace_only_pieces=True, num_threads=1, minloglevel=2,
    )
    model = spm.SentencePieceProcessor(model_file=os.path.join(folder, 'm.model'))


def kind(i):
    return 2 if model.is_unknown(i) else 3 if model.is_control(i) else 6 if model.is_byte(i) else 5 if model.is_unused(i) else 1


size = model.get_piece_size()
golden = dict(
    tokens=[model.id_to_piece(i) for i in range(size)], scores=[model.get_score(i) for i in range(size)], kinds=[kind(i) for i in range(size)],
    texts=TEXTS, ids=[model.encode(text) for text in TEXTS],
)
with open(os.path.join(HERE, 'sentencepiece-bpe.json'), 'w') as file:
    json.dump(golden, file, ensure_ascii=False)
print(size, sum(map(len, golden['ids'])), golden['ids'][0])
