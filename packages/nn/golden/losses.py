"""Golden values and gradients of losses, from PyTorch in float64.

Run: python golden/losses.py; writes losses.json beside this file. With `none` as reduction, the gradient is that of the sum of
the losses times 1, 1.25, 1.5, ...
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def wave(shape, phase, amplitude=2.0):
    count = math.prod(shape)
    values = [round(amplitude * math.sin(1.9 * i + phase) * (1 + i % 4) / 3, 4) for i in range(count)]
    return torch.tensor(values).reshape(shape)


def probabilities(shape, phase):
    return (wave(shape, phase).sigmoid() * 0.98 + 0.01).mul(1e4).round().div(1e4)


def ids(shape, classes, stride=3):
    return (torch.arange(math.prod(shape)) * stride % classes).reshape(shape)


def signs(shape):
    return torch.tensor([1.0 if i % 3 else -1.0 for i in range(math.prod(shape))]).reshape(shape)


def log_probabilities(shape, phase):
    return wave(shape, phase).log_softmax(-1).mul(1e4).round().div(1e4)


def classes_last(function):
    """PyTorch has the classes second."""

    def call(output, target, **options):
        if output.dim() > 2:
            output = output.movedim(-1, 1)
            if target.is_floating_point():
                target = target.movedim(-1, 1)
        if "weight" in options:
            options["weight"] = torch.tensor(options["weight"])
        return function(output, target, **options)

    return call


def info_nce(queries, keys, temperature=0.07, symmetric=False):
    similarities = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    own = torch.arange(len(queries))
    forth = F.cross_entropy(similarities, own)
    return (forth + F.cross_entropy(similarities.T, own)) / 2 if symmetric else forth


def with_weights(function):
    def call(*inputs, **options):
        for name in ("weight", "pos_weight"):
            if name in options:
                options[name] = torch.tensor(options[name])
        return function(*inputs, **options)

    return call


def cosine_similarity(a, b):
    return F.cosine_similarity(a, b, dim=-1).mean()


cross_entropy, nll = classes_last(F.cross_entropy), classes_last(F.nll_loss)
bce, bce_with_logits = with_weights(F.binary_cross_entropy), with_weights(F.binary_cross_entropy_with_logits)
IGNORED = torch.tensor([2, -100, 0, 4, -100])
SOFT = wave((4, 5), 0.7).softmax(-1).mul(1e4).round().div(1e4)
WITH_ZERO = torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])
W5 = [0.5, 2.0, 1.0, 0.25, 3.0]

# our name, our options, PyTorch's function, inputs; the options are spelt alike but for the case
CASES = [
    ("crossEntropy", {}, cross_entropy, [wave((4, 5), 0.1), ids((4,), 5)]),
    ("crossEntropy", {}, cross_entropy, [wave((5, 5), 0.2), IGNORED]),
    ("crossEntropy", {"label_smoothing": 0.1}, cross_entropy, [wave((5, 5), 0.3), IGNORED]),
    ("crossEntropy", {"label_smoothing": 0.3, "ignore_index": 3}, cross_entropy, [wave((2, 3, 4), 0.4), ids((2, 3), 4)]),
    ("crossEntropy", {"weight": W5}, cross_entropy, [wave((5, 5), 0.5), IGNORED]),
    ("crossEntropy", {"weight": W5, "label_smoothing": 0.2}, cross_entropy, [wave((5, 5), 0.6), IGNORED]),
    ("crossEntropy", {"reduction": "sum"}, cross_entropy, [wave((5, 5), 0.7), IGNORED]),
    (
        "crossEntropy",
        {"reduction": "none", "weight": W5, "label_smoothing": 0.1},
        cross_entropy,
        [wave((2, 3, 5), 0.8), ids((2, 3), 5)],
    ),
    ("crossEntropy", {}, cross_entropy, [wave((4, 5), 0.9), SOFT]),
    ("crossEntropy", {"label_smoothing": 0.2, "weight": W5, "reduction": "sum"}, cross_entropy, [wave((4, 5), 1.0), SOFT]),
    ("crossEntropy", {"reduction": "none"}, cross_entropy, [wave((2, 2, 5), 1.1), SOFT.reshape(2, 2, 5)]),
    ("nll", {}, nll, [log_probabilities((4, 5), 0.1), ids((4,), 5)]),
    ("nll", {"weight": W5}, nll, [log_probabilities((5, 5), 0.2), IGNORED]),
    ("nll", {"reduction": "none", "ignore_index": 1}, nll, [log_probabilities((2, 3, 4), 0.3), ids((2, 3), 4)]),
    ("bce", {}, bce, [probabilities((3, 4), 0.1), probabilities((3, 4), 0.5)]),
    ("bce", {"weight": [0.5, 1, 2, 3], "reduction": "sum"}, bce, [probabilities((3, 4), 0.2), ids((3, 4), 2).double()]),
    ("bce", {"reduction": "none"}, bce, [torch.tensor([0.0, 1.0, 1.0, 0.0, 0.5]), torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0])]),
    ("bceWithLogits", {}, bce_with_logits, [wave((3, 4), 0.1), probabilities((3, 4), 0.5)]),
    ("bceWithLogits", {"pos_weight": [0.5, 1, 2, 3]}, bce_with_logits, [wave((3, 4), 0.2), ids((3, 4), 2).double()]),
    (
        "bceWithLogits",
        {"reduction": "none", "weight": [2, 1, 1, 0.5, 3]},
        bce_with_logits,
        [torch.tensor([-60.0, 60, 90, -90, 0]), torch.tensor([0.0, 1, 0, 1, 1])],
    ),
    ("mse", {}, F.mse_loss, [wave((3, 4), 0.1), wave((3, 4), 0.9)]),
    ("mse", {"reduction": "sum"}, F.mse_loss, [wave((5,), 0.1), wave((5,), 0.9)]),
    ("mse", {"reduction": "none"}, F.mse_loss, [wave((2, 1, 3), 0.1), wave((2, 1, 3), 0.9)]),
    ("l1", {}, F.l1_loss, [wave((3, 4), 0.2), wave((3, 4), 0.9)]),
    ("l1", {"reduction": "none"}, F.l1_loss, [torch.tensor([1.0, 2, 3]), torch.tensor([1.0, 3, 2])]),
    ("smoothL1", {}, F.smooth_l1_loss, [wave((3, 4), 0.3), wave((3, 4), 0.9)]),
    ("smoothL1", {"beta": 0.3, "reduction": "sum"}, F.smooth_l1_loss, [wave((3, 4), 0.3), wave((3, 4), 0.9)]),
    ("smoothL1", {"beta": 0}, F.smooth_l1_loss, [wave((3, 4), 0.3), wave((3, 4), 0.9)]),
    ("huber", {}, F.huber_loss, [wave((3, 4), 0.4), wave((3, 4), 0.9)]),
    ("huber", {"delta": 0.4, "reduction": "none"}, F.huber_loss, [wave((3, 4), 0.4), wave((3, 4), 0.9)]),
    ("klDiv", {}, F.kl_div, [log_probabilities((2, 3), 0.1), WITH_ZERO]),
    ("klDiv", {"reduction": "batchmean"}, F.kl_div, [log_probabilities((4, 5), 0.2), SOFT]),
    (
        "klDiv",
        {"reduction": "sum", "log_target": True},
        F.kl_div,
        [log_probabilities((4, 5), 0.3), log_probabilities((4, 5), 0.8)],
    ),
    ("poissonNll", {}, F.poisson_nll_loss, [wave((3, 4), 0.1), ids((3, 4), 5).double()]),
    ("poissonNll", {"full": True, "reduction": "sum"}, F.poisson_nll_loss, [wave((3, 4), 0.2), ids((3, 4), 5).double()]),
    (
        "poissonNll",
        {"log_input": False, "reduction": "none"},
        F.poisson_nll_loss,
        [probabilities((3, 4), 0.3), ids((3, 4), 5).double()],
    ),
    ("cosineSimilarity", {}, cosine_similarity, [wave((4, 6), 0.1), wave((4, 6), 1.3)]),
    ("cosineEmbedding", {}, F.cosine_embedding_loss, [wave((6, 4), 0.1), wave((6, 4), 1.3), signs((6,))]),
    (
        "cosineEmbedding",
        {"margin": 0.2, "reduction": "sum"},
        F.cosine_embedding_loss,
        [wave((6, 4), 0.4), wave((6, 4), 0.9), signs((6,))],
    ),
    ("tripletMargin", {}, F.triplet_margin_loss, [wave((4, 3), 0.1), wave((4, 3), 0.9), wave((4, 3), 2.2)]),
    (
        "tripletMargin",
        {"margin": 2, "p": 1, "swap": True, "reduction": "sum"},
        F.triplet_margin_loss,
        [wave((4, 3), 0.1), wave((4, 3), 0.9), wave((4, 3), 2.2)],
    ),
    (
        "tripletMargin",
        {"p": 3, "reduction": "none"},
        F.triplet_margin_loss,
        [wave((4, 3), 0.3), wave((4, 3), 0.5), wave((4, 3), 2.5)],
    ),
    ("marginRanking", {"margin": 0.3}, F.margin_ranking_loss, [wave((7,), 0.1), wave((7,), 1.2), signs((7,))]),
    ("marginRanking", {"reduction": "none"}, F.margin_ranking_loss, [wave((7,), 0.3), wave((7,), 1.5), signs((7,))]),
    ("hingeEmbedding", {}, F.hinge_embedding_loss, [wave((7,), 0.1), signs((7,))]),
    ("hingeEmbedding", {"margin": 0.5, "reduction": "sum"}, F.hinge_embedding_loss, [wave((7,), 0.4), signs((7,))]),
    ("infoNce", {}, info_nce, [wave((5, 4), 0.1), wave((5, 4), 0.4)]),
    ("infoNce", {"temperature": 0.5, "symmetric": True}, info_nce, [wave((5, 4), 0.2), wave((5, 4), 1.4)]),
]
# Inputs that PyTorch takes no derivative by, and those whose derivative at the edge of the domain is not finite.
FIXED = {"cosineEmbedding": [2], "marginRanking": [2], "hingeEmbedding": [1]}


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def numbers(values):
    return [float(f"{v:.8g}") for v in values.detach().flatten().tolist()]


def golden(name, options, function, inputs):
    fixed = FIXED.get(name, [])
    inputs = [x.clone() for x in inputs]
    real = [i for i, x in enumerate(inputs) if x.is_floating_point() and i not in fixed]
    if name in ("bce", "klDiv", "poissonNll"):
        real = real[:1]
    for i in real:
        inputs[i].requires_grad_()
    value = function(*inputs, **options)
    if value.dim() > 0:
        (value * (1 + 0.25 * torch.arange(value.numel())).reshape(value.shape)).sum().backward()
    else:
        value.backward()
    return {
        "loss": name,
        "options": {camel(key): option for key, option in options.items()},
        "inputs": [
            {"shape": list(x.shape), "dtype": "f32" if x.is_floating_point() else "i64", "values": numbers(x)} for x in inputs
        ],
        "value": {"shape": list(value.shape), "values": numbers(value)},
        "gradients": {str(i): numbers(inputs[i].grad) for i in real},
    }


Path(__file__).with_name("losses.json").write_text(
    json.dumps([golden(*case) for case in CASES], separators=(",", ":")) + "\n"
)
