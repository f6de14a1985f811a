"""Writes generation.json: what Hugging Face transformers' logits processors and beam search give.

python generation.py   (needs torch and transformers; made with transformers 5.23, torch 2.15)
"""
import json
import pathlib

import torch
from transformers import (
    GenerationConfig,
    GenerationMixin,
    MinPLogitsWarper,
    PretrainedConfig,
    PreTrainedModel,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)
from transformers.modeling_outputs import CausalLMOutput

torch.manual_seed(5)
VOCAB = 24


def sampling():
    """Probabilities after the chain, in the order that `generate` builds it."""
    cases = []
    for number in range(24):
        logits = torch.round(torch.randn(1, VOCAB) * 3, decimals=3)
        history = torch.randint(0, VOCAB, (1, 6))
        pick = lambda *values: values[int(torch.randint(0, len(values), ()))]
        options = {
            "repetitionPenalty": pick(1, 1.1, 1.7),
            "temperature": pick(0.5, 1, 1.4),
            "topK": pick(0, 5, 12),
            "topP": pick(1, 0.9, 0.6),
            "minP": pick(0, 0.05, 0.2),
            "typicalP": pick(1, 0.9, 0.4),
        }
        scores = RepetitionPenaltyLogitsProcessor(float(options["repetitionPenalty"]))(history, logits.clone())
        chain = [TemperatureLogitsWarper(float(options["temperature"]))]
        if options["topK"]:
            chain.append(TopKLogitsWarper(options["topK"]))
        if options["topP"] < 1:
            chain.append(TopPLogitsWarper(options["topP"]))
        if options["minP"]:
            chain.append(MinPLogitsWarper(options["minP"]))
        if options["typicalP"] < 1:
            chain.append(TypicalLogitsWarper(options["typicalP"]))
        for step in chain:
            scores = step(history, scores)
        cases.append(
            {
                "options": options,
                "history": history[0].tolist(),
                "logits": [round(value, 3) for value in logits[0].tolist()],
                "probabilities": [round(value, 6) for value in scores.softmax(-1)[0].tolist()],
            }
        )
    return cases


class TableConfig(PretrainedConfig):
    model_type = "table"

    def __init__(self, vocab_size=VOCAB, **rest):
        super().__init__(vocab_size=vocab_size, **rest)
        self.num_hidden_layers = 1
        self.hidden_size = 1
        self.num_attention_heads = 1


class Table(PreTrainedModel, GenerationMixin):
    """The logits after a token are a row of a table."""

    config_class = TableConfig
    _supports_cache_class = False

    def __init__(self, config, table):
        super().__init__(config)
        self.table = torch.nn.Parameter(table)

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, **_):
        return {"input_ids": input_ids}

    def forward(self, input_ids, attention_mask=None, **_):
        return CausalLMOutput(logits=self.table[input_ids])


def beams():
    table = torch.round(torch.randn(VOCAB, VOCAB) * 2, decimals=3)
    table[:, 0] += 1.5  # the end token comes often
    model = Table(TableConfig(), table).eval()
    cases = []
    for beam_count in (1, 2, 4):
        for length_penalty in (-1.0, 0.0, 1.0, 2.0):
            for early_stopping in (False, True, "never"):
                for limit in (4, 12):
                    for penalty in (1.0, 1.3):
                        prompt = [7, 3]
                        if beam_count == 1 or (penalty != 1.0 and length_penalty != 1.0):
                            continue
                        out = model.generate(
                            torch.tensor([prompt]),
                            attention_mask=torch.ones(1, 2, dtype=torch.long),
                            generation_config=GenerationConfig(
                                num_beams=beam_count,
                                num_return_sequences=beam_count,
                                length_penalty=length_penalty,
                                early_stopping=early_stopping,
                                repetition_penalty=penalty,
                                max_new_tokens=limit,
                                do_sample=False,
                                eos_token_id=0,
                                pad_token_id=1,
                                use_cache=False,
                                return_dict_in_generate=True,
                                output_scores=True,
                            ),
                        )
                        found = []
                        for row, score in zip(out.sequences.tolist(), out.sequences_scores.tolist()):
                            tokens = row[len(prompt) :]
                            ended = 0 in tokens
                            found.append(
                                {
                                    "tokens": tokens[: tokens.index(0)] if ended else tokens,
                                    "ended": ended,
                                    "score": round(score, 5),
                                }
                            )
                        cases.append(
                            {
                                "prompt": prompt,
                                "beams": beam_count,
                                "lengthPenalty": length_penalty,
                                "earlyStopping": early_stopping,
                                "limit": limit,
                                "repetitionPenalty": penalty,
                                "found": found,
                            }
                        )
    return {"table": [[round(v, 3) for v in row] for row in table.tolist()], "cases": cases}


target = pathlib.Path(__file__).with_name("generation.json")
target.write_text(json.dumps({"sampling": sampling(), "beams": beams()}, separators=(",", ":")) + "\n")
print(target.stat().st_size)
