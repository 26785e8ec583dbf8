"""Input gates, stacks, estimators and gate networks against PyTorch, to 1e-10 in float64.

The twins are written from the formulas and let autograd find every derivative. A hard mask is
``mask + (s - stop(s))`` with the documented stand-in ``s``; the hard Top-k takes its cut by
bisection without a tape and one Newton step on it, which carries the implicit derivative.
"""

from __future__ import annotations

import math
from itertools import product as all_pairs
from typing import Any

import numpy as np
import pytest

from minimidl.layers import MIDL, DynamicGate, GatedStack, InputGate

torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
pytestmark = pytest.mark.oracle

BATCH, WIDTH, TOLERANCE = 6, 8, 1e-10
DOUBLE: dict[str, Any] = {"dtype": np.float64, "gate_rank": 3, "open_probability": 0.6}


def product(*choices: Any) -> list[tuple[Any, ...]]:
    return list(all_pairs(*choices))


def scores_of(x: Any, p: dict[str, Any]) -> Any:
    """The four gate networks, told apart by the names of their parameters."""
    if "gate.hidden" in p:
        return torch.tanh(x @ p["gate.down"] + p["gate.hidden"]) @ p["gate.up"] + p["gate.bias"]
    if "gate.down" in p:
        return x @ p["gate.down"] @ p["gate.up"] + p["gate.bias"]
    if "gate.weight" in p:
        return x @ p["gate.weight"] + p["gate.bias"]
    return p["gate.bias"].expand(len(x), -1)


def straight_through(mask: Any, s: Any) -> Any:
    return mask + (s - s.detach())


def hard_topk(z: Any, k: int, temperature: float) -> Any:
    """``k`` ones; the gradient of a sigmoid Top-k whose cut lies midway and holds its budget."""
    mask = torch.zeros_like(z).scatter(1, z.topk(k, dim=1).indices, 1.0)
    ranked = z.detach().sort(dim=1, descending=True).values
    cut = (ranked[:, k - 1:k] + ranked[:, k:k + 1]) / 2
    p = torch.sigmoid((z - cut) / temperature)
    slope = (p * (1 - p)).sum(1, keepdim=True).detach() / temperature
    total = p.sum(1, keepdim=True)
    moved = cut + (total - total.detach()) / slope
    return straight_through(mask, torch.sigmoid((z - moved) / temperature))


STAND_INS = {
    "identity-probability": lambda z, cut, t: torch.sigmoid(z / t),
    "identity-score": lambda z, cut, t: z,
    "clipped": lambda z, cut, t: torch.clamp(z, cut - 1, cut + 1),
    "threshold-surrogate": lambda z, cut, t: torch.sigmoid((z - cut) / t),
}


def threshold(z: Any, estimator: str, theta: float, temperature: float) -> Any:
    cut = temperature * math.log(theta / (1 - theta))
    return straight_through((z > cut).double(), STAND_INS[estimator](z, cut, temperature))


def multiplied(mask: Any, probability: Any, layer: Any) -> Any:
    """Gate value, one per unit."""
    gate = mask if layer.gate_value == "binary" else mask * probability
    return gate.repeat_interleave(layer.block, dim=1)


def compare(layer: Any, twin: Any, seed: int) -> None:
    """Output, probability and every gradient, with a budget pulling as well."""
    rng = np.random.default_rng(seed)
    for value in layer.params.values():
        value += rng.normal(0, 0.3, value.shape)
    x = rng.normal(size=(BATCH, layer.n_in))
    output, memory = layer.forward(x)
    g, budget = rng.normal(size=output.shape), rng.normal(size=memory["probability"].shape)
    grad_x, grads = layer.backward(g, memory, budget)

    p = {name: torch.tensor(np.ascontiguousarray(value), requires_grad=True)
         for name, value in layer.params.items()}
    x_twin = torch.tensor(x, requires_grad=True)
    output_twin, probability = twin(x_twin, p)
    ((output_twin * torch.tensor(g)).sum() + (probability * torch.tensor(budget)).sum()).backward()
    assert 0 < memory["decision"].active.mean() < 1, "nothing is decided here"
    agree(output, output_twin, "output")
    agree(memory["probability"], probability, "probability")
    agree(grad_x, x_twin.grad, "x")
    assert grads.keys() == p.keys()
    for name, value in grads.items():
        agree(value, p[name].grad, name)


def agree(ours: np.ndarray, theirs: Any, what: str) -> None:
    theirs = theirs.detach().numpy()
    assert np.abs(ours - theirs).max() <= TOLERANCE * max(1, np.abs(theirs).max()), what


VALUES, NETS = ("binary", "probability"), ("static", "linear", "low-rank", "mlp")


@pytest.mark.parametrize(("gate", "value", "block"), product(NETS, VALUES, (1, 2)))
def test_input_gate_by_topk(gate: str, value: str, block: int) -> None:
    layer = InputGate(WIDTH, keep=3, gate=gate, gate_value=value, block=block, temperature=0.7,
                      seed=1, **DOUBLE)

    def twin(x: Any, p: dict[str, Any]) -> tuple[Any, Any]:
        z = scores_of(x, p)
        a = torch.sigmoid(z)
        return x * multiplied(hard_topk(z, 3, 0.7), a, layer), a

    compare(layer, twin, seed=block)


@pytest.mark.parametrize(("estimator", "value"), product(STAND_INS, VALUES))
def test_input_gate_by_threshold(estimator: str, value: str) -> None:
    layer = InputGate(WIDTH, choose="threshold", estimator=estimator, threshold=0.6,
                      gate_value=value, block=2, temperature=1.4, seed=2, **DOUBLE)

    def twin(x: Any, p: dict[str, Any]) -> tuple[Any, Any]:
        z = scores_of(x, p)
        probability = torch.sigmoid(z / 1.4)
        return x * multiplied(threshold(z, estimator, 0.6, 1.4), probability, layer), probability

    compare(layer, twin, seed=3)


@pytest.mark.parametrize(("estimator", "value", "gate"),
                         product(STAND_INS, VALUES, NETS))
def test_dynamic_gate_with_every_estimator_and_network(
    estimator: str, value: str, gate: str
) -> None:
    layer = DynamicGate(WIDTH, 10, estimator=estimator, gate=gate, gate_value=value, threshold=0.65,
                        temperature=0.8, activation="tanh", seed=4, **DOUBLE)

    def twin(x: Any, p: dict[str, Any]) -> tuple[Any, Any]:
        z = scores_of(x, p)
        probability = torch.sigmoid(z / 0.8)
        gates = multiplied(threshold(z, estimator, 0.65, 0.8), probability, layer)
        return gates * torch.tanh(x @ p["weight"] + p["bias"]), probability

    compare(layer, twin, seed=5)


@pytest.mark.parametrize("gate", NETS)
def test_midl_with_every_network(gate: str) -> None:
    layer = MIDL(WIDTH, 10, keep=4, gate=gate, temperature=0.6, seed=6, **DOUBLE)

    def twin(x: Any, p: dict[str, Any]) -> tuple[Any, Any]:
        z = scores_of(x, p)
        a = torch.sigmoid(z)
        gates = multiplied(hard_topk(z, 4, 0.6), a, layer)
        return gates * torch.relu(x @ p["weight"] + p["bias"]), a

    compare(layer, twin, seed=7)


def run_stack(x: Any, p: dict[str, Any], gates: Any, widths: tuple[int, ...]) -> Any:
    for number, gate in enumerate(gates.split(list(widths), dim=1)):
        x = gate * torch.tanh(x @ p[f"{number}.weight"] + p[f"{number}.bias"])
    return x


@pytest.mark.parametrize(("budget", "value", "block"),
                         product(("model", "layer"), VALUES, (1, 2)))
def test_stack_by_topk(budget: str, value: str, block: int) -> None:
    widths = (8, 4, 6)
    layer = GatedStack(5, widths, budget=budget, keep=0.5, block=block, gate_value=value,
                       activation="tanh", temperature=0.9, seed=8, **DOUBLE)
    sizes = [width // block for width in widths]

    def twin(x: Any, p: dict[str, Any]) -> tuple[Any, Any]:
        z = scores_of(x, p)
        parts = [z] if budget == "model" else z.split(sizes, dim=1)
        mask = torch.cat([hard_topk(part, part.shape[1] // 2, 0.9) for part in parts], dim=1)
        a = torch.sigmoid(z)
        return run_stack(x, p, multiplied(mask, a, layer), widths), a

    compare(layer, twin, seed=block)


@pytest.mark.parametrize(("budget", "estimator", "gate"), product(
    ("model", "layer"), ("identity-probability", "threshold-surrogate"), ("mlp", "linear")))
def test_stack_by_threshold(budget: str, estimator: str, gate: str) -> None:
    layer = GatedStack(5, (8, 6), budget=budget, choose="threshold", estimator=estimator, gate=gate,
                       threshold=0.55, temperature=1.3, activation="tanh", seed=9, **DOUBLE)

    def twin(x: Any, p: dict[str, Any]) -> tuple[Any, Any]:
        z = scores_of(x, p)
        probability = torch.sigmoid(z / 1.3)
        gates = multiplied(threshold(z, estimator, 0.55, 1.3), probability, layer)
        return run_stack(x, p, gates, (8, 6)), probability

    compare(layer, twin, seed=10)
