"""Golden trajectories of optimizers: 20 steps of a small network in PyTorch's float64, weights after every fifth.

Run: python golden/optimizers.py  (PyTorch >= 2.9, for Muon); writes optimizers.json beside this file.
"""

import json
import math
from pathlib import Path

import torch
from torch.optim import _muon

torch.set_default_dtype(torch.float64)


def newton_schulz(gradient, coefficients, steps, eps):
    """PyTorch's own iteration without its rounding to bfloat16."""
    a, b, c = coefficients
    x = gradient.T if gradient.size(0) > gradient.size(1) else gradient.clone()
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if gradient.size(0) > gradient.size(1) else x


_muon._zeropower_via_newtonschulz = newton_schulz


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                direction = (beta1 * m + (1 - beta1) * p.grad).sign()
                p.sub_(group["lr"] * (direction + group["weight_decay"] * p))
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


def wave(count, phase, amplitude):
    return [round(amplitude * math.sin(1.7 * i + phase) * (1 + i % 3) / 2, 4) for i in range(count)]


SHAPES = {"0.weight": [7, 5], "0.bias": [7], "2.weight": [3, 7], "2.bias": [3]}
WEIGHTS = {name: wave(math.prod(shape), index + 0.3, 0.5) for index, (name, shape) in enumerate(SHAPES.items())}
BATCHES = [{"x": wave(8 * 5, 0.9 * index, 1.0), "y": wave(8 * 3, 2.1 * index + 1, 1.5)} for index in range(4)]

O = torch.optim
# name -> (ours, its options, PyTorch's, its options, clipping); ours and PyTorch's options differ in spelling only
CASES = {
    "sgd": ("sgd", {"lr": 0.05}, O.SGD, dict(lr=0.05), {}),
    "sgd with momentum and decay": (
        "sgd",
        {"lr": 0.02, "momentum": 0.9, "dampening": 0.3, "weightDecay": 0.01},
        O.SGD,
        dict(lr=0.02, momentum=0.9, dampening=0.3, weight_decay=0.01),
        {},
    ),
    "sgd with Nesterov momentum": (
        "sgd",
        {"lr": 0.02, "momentum": 0.9, "nesterov": True},
        O.SGD,
        dict(lr=0.02, momentum=0.9, nesterov=True),
        {},
    ),
    "sgd clipped by norm": ("sgd", {"lr": 0.1}, O.SGD, dict(lr=0.1), {"clipNorm": 0.4}),
    "sgd clipped by value": ("sgd", {"lr": 0.1}, O.SGD, dict(lr=0.1), {"clipValue": 0.05}),
    "sgd clipped by value and norm": ("sgd", {"lr": 0.1}, O.SGD, dict(lr=0.1), {"clipValue": 0.05, "clipNorm": 0.2}),
    "adam": ("adam", {"lr": 0.01}, O.Adam, dict(lr=0.01), {}),
    "adam with decay and amsgrad": (
        "adam",
        {"lr": 0.01, "weightDecay": 0.05, "betas": [0.8, 0.9], "amsgrad": True},
        O.Adam,
        dict(lr=0.01, weight_decay=0.05, betas=(0.8, 0.9), amsgrad=True),
        {},
    ),
    "adamw": (
        "adamw",
        {"lr": 0.01, "weightDecay": 0.1, "decayVectors": True},
        O.AdamW,
        dict(lr=0.01, weight_decay=0.1),
        {},
    ),
    "adamw with amsgrad, clipped": (
        "adamw",
        {"lr": 0.02, "decayVectors": True, "amsgrad": True, "eps": 1e-6},
        O.AdamW,
        dict(lr=0.02, amsgrad=True, eps=1e-6),
        {"clipNorm": 0.3},
    ),
    "lion": ("lion", {"lr": 0.003}, Lion, dict(lr=0.003), {}),
    "lion with decay": (
        "lion",
        {"lr": 0.003, "betas": [0.95, 0.98], "weightDecay": 0.3},
        Lion,
        dict(lr=0.003, betas=(0.95, 0.98), weight_decay=0.3),
        {},
    ),
    "adafactor": ("adafactor", {}, O.Adafactor, dict(eps=(2**-23, 1e-3)), {}),
    "adafactor with decay": (
        "adafactor",
        {"lr": 0.05, "weightDecay": 0.1, "beta2Decay": -0.5, "d": 2, "eps": [1e-4, 1e-2]},
        O.Adafactor,
        dict(lr=0.05, weight_decay=0.1, beta2_decay=-0.5, d=2.0, eps=(1e-4, 1e-2)),
        {},
    ),
    "rmsprop": ("rmsprop", {"lr": 0.005}, O.RMSprop, dict(lr=0.005), {}),
    "rmsprop centered, with momentum and decay": (
        "rmsprop",
        {"lr": 0.002, "alpha": 0.9, "centered": True, "momentum": 0.8, "weightDecay": 0.05, "eps": 1e-3},
        O.RMSprop,
        dict(lr=0.002, alpha=0.9, centered=True, momentum=0.8, weight_decay=0.05, eps=1e-3),
        {},
    ),
    "adagrad": ("adagrad", {"lr": 0.05}, O.Adagrad, dict(lr=0.05), {}),
    "adagrad with decays": (
        "adagrad",
        {"lr": 0.05, "lrDecay": 0.1, "weightDecay": 0.05, "initialAccumulatorValue": 0.2},
        O.Adagrad,
        dict(lr=0.05, lr_decay=0.1, weight_decay=0.05, initial_accumulator_value=0.2),
        {},
    ),
    # Matrices with Muon, the rest with AdamW.
    "muon": ("muon", {"lr": 0.02}, O.Muon, dict(lr=0.02), {}),
    "muon as large as AdamW, without Nesterov": (
        "muon",
        {"lr": 0.02, "adjustLrFn": "match_rms_adamw", "nesterov": False, "momentum": 0.8, "weightDecay": 0},
        O.Muon,
        dict(lr=0.02, adjust_lr_fn="match_rms_adamw", nesterov=False, momentum=0.8, weight_decay=0),
        {},
    ),
}


def trajectory(optimizer, options, clip):
    weights = {n: torch.tensor(WEIGHTS[n]).reshape(SHAPES[n]).requires_grad_() for n in SHAPES}
    matrices = [p for p in weights.values() if p.dim() == 2]
    vectors = [p for p in weights.values() if p.dim() < 2]
    if optimizer is O.Muon:
        optimizers = [optimizer(matrices, **options), O.AdamW(vectors, lr=0.01, weight_decay=0)]
    else:
        optimizers = [optimizer(weights.values(), **options)]
    snapshots = []
    for step in range(20):
        batch = BATCHES[step % len(BATCHES)]
        x = torch.tensor(batch["x"]).reshape(8, 5)
        y = torch.tensor(batch["y"]).reshape(8, 3)
        hidden = torch.tanh(x @ weights["0.weight"].T + weights["0.bias"])
        loss = ((hidden @ weights["2.weight"].T + weights["2.bias"] - y) ** 2).mean()
        for p in weights.values():
            p.grad = None
        loss.backward()
        if "clipValue" in clip:
            torch.nn.utils.clip_grad_value_(weights.values(), clip["clipValue"])
        if "clipNorm" in clip:
            torch.nn.utils.clip_grad_norm_(weights.values(), clip["clipNorm"])
        for o in optimizers:
            o.step()
        if step % 5 == 4:
            snapshots.append({n: [float(f"{v:.7g}") for v in p.detach().flatten().tolist()] for n, p in weights.items()})
    return snapshots


cases = [
    {"name": name, "optimizer": ours, "options": options, "clip": clip, "weights": trajectory(theirs, their_options, clip)}
    for name, (ours, options, theirs, their_options, clip) in CASES.items()
]


L = torch.optim.lr_scheduler
PEAK, STEPS = 0.5, 24


def rates(make, count=STEPS + 4):
    """The rate of each step, 4 after the end included."""
    optimizer = O.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    scheduler = make(optimizer)
    values = []
    for _ in range(count):
        values.append(round(optimizer.param_groups[0]["lr"], 10))
        optimizer.step()
        scheduler.step()
    return values


def warmed(make):
    return lambda o: L.SequentialLR(o, [L.LinearLR(o, 1 / 6, 1, total_iters=5), make(o)], milestones=[6])


# ours -> (options, PyTorch's scheduler, steps of which the two agree)
SCHEDULES = [
    ("linear", {"final": 0.2}, lambda o: L.LinearLR(o, 1, 0.2, total_iters=STEPS), None),
    ("cosine", {"final": 0.05}, lambda o: L.CosineAnnealingLR(o, STEPS, eta_min=0.05 * PEAK), STEPS),
    ("cosine", {"final": 0, "warmup": 6}, warmed(lambda o: L.CosineAnnealingLR(o, STEPS - 6)), STEPS),
    (
        "cosineWarmRestarts",
        {"final": 0.1, "period": 4, "periodFactor": 2},
        lambda o: L.CosineAnnealingWarmRestarts(o, 4, 2, eta_min=0.1 * PEAK),
        None,
    ),
    ("step", {"stepSize": 7, "gamma": 0.3}, lambda o: L.StepLR(o, 7, 0.3), None),
    ("multiStep", {"milestones": [3, 11, 12], "gamma": 0.5}, lambda o: L.MultiStepLR(o, [3, 11, 12], 0.5), None),
    ("multiStep", {"milestones": [3, 11], "gamma": 0.5, "warmup": 6}, warmed(lambda o: L.MultiStepLR(o, [3, 11], 0.5)), None),
    ("exponential", {"gamma": 0.9}, lambda o: L.ExponentialLR(o, 0.9), None),
    ("polynomial", {"power": 2, "final": 0}, lambda o: L.PolynomialLR(o, STEPS, 2), None),
    ("oneCycle", {}, lambda o: L.OneCycleLR(o, PEAK, total_steps=STEPS), STEPS),
    (
        "oneCycle",
        {"pctStart": 0.5, "annealStrategy": "linear", "divFactor": 10, "finalDivFactor": 100},
        lambda o: L.OneCycleLR(
            o, PEAK, total_steps=STEPS, pct_start=0.5, anneal_strategy="linear", div_factor=10, final_div_factor=100
        ),
        STEPS,
    ),
]
schedules = [
    {"name": name, "options": {"learningRate": PEAK, "steps": STEPS, **options}, "rates": rates(make, count or STEPS + 4)}
    for name, options, make, count in SCHEDULES
]

METRICS = [1.0, 0.9, 0.9, 0.9, 0.9, 0.8, 0.85, 0.79999, 0.81, 0.82, 0.83, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]


def plateau(metrics, **options):
    optimizer = O.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    scheduler = L.ReduceLROnPlateau(optimizer, **options)
    values = []
    for metric in metrics:
        scheduler.step(metric)
        values.append(round(optimizer.param_groups[0]["lr"], 10))
    return values


plateaus = [
    {
        "options": {"factor": 0.5, "patience": 2},
        "metrics": METRICS,
        "rates": plateau(METRICS, factor=0.5, patience=2),
    },
    {
        "options": {"mode": "max", "factor": 0.1, "patience": 1, "cooldown": 2, "minLr": 0.01, "threshold": 0.05, "thresholdMode": "abs"},
        "metrics": METRICS,
        "rates": plateau(
            METRICS, mode="max", factor=0.1, patience=1, cooldown=2, min_lr=0.01, threshold=0.05, threshold_mode="abs"
        ),
    },
    {
        "options": {"factor": 0.1, "patience": 0, "eps": 0.02},
        "metrics": METRICS,
        "rates": plateau(METRICS, factor=0.1, patience=0, eps=0.02),
    },
]


def averages():
    """Exponential average of the weights along the trajectory of plain SGD, as AveragedModel keeps it."""
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    net = torch.nn.Linear(3, 2)
    with torch.no_grad():
        net.weight.copy_(torch.tensor(wave(6, 0.2, 1)).reshape(2, 3))
        net.bias.copy_(torch.tensor(wave(2, 0.4, 1)))
    averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.8))
    seen = []
    for step in range(5):
        with torch.no_grad():
            net.weight.mul_(0.9).add_(0.01 * step)
            net.bias.add_(0.1 * step)
        averaged.update_parameters(net)
        seen.append({n: [round(v, 8) for v in p.flatten().tolist()] for n, p in averaged.module.named_parameters()})
    return {"decay": 0.8, "weight": wave(6, 0.2, 1), "bias": wave(2, 0.4, 1), "averages": seen}


golden = {
    "shapes": SHAPES,
    "weights": WEIGHTS,
    "batches": BATCHES,
    "cases": cases,
    "schedules": schedules,
    "plateaus": plateaus,
    "ema": averages(),
}
Path(__file__).with_name("optimizers.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
