"""MID-L and DynamicGate against PyTorch: the same formulas, derived by autograd instead of by hand.

The twins are written from the formulas, not from our code, and let autograd find every derivative:

* soft Top-k: the threshold by bisection without a tape, then one Newton step on the tape, which
  carries exactly the implicit derivative;
* hard Top-k: ``mask + (soft - stop(soft))`` with the documented stand-in as ``soft``;
* DynamicGate: ``b + (p - stop(p))``.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from minimidl.layers import (
    GELU,
    MIDL,
    DynamicGate,
    Gated,
    LayerNorm,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
    memory_at,
)
from minimidl.losses import cross_entropy, cross_entropy_backward, mean_usage, mean_usage_backward

torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
pytestmark = pytest.mark.oracle
functional = torch.nn.functional

BATCH, WIDTH = 6, 8  # identity light paths need equal widths
TOLERANCE = 1e-10
ACTIVATIONS = {
    "relu": torch.relu, "gelu": functional.gelu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "gelu-tanh": lambda u: functional.gelu(u, approximate="tanh"), "linear": lambda u: u,
}


def net(x: Any, params: dict[str, Any], prefix: str) -> Any:
    """A linear or a low-rank map, by the names of its parameters."""
    bias = params[f"{prefix}.bias"]
    if f"{prefix}.weight" in params:
        return x @ params[f"{prefix}.weight"] + bias
    return x @ params[f"{prefix}.down"] @ params[f"{prefix}.up"] + bias


def newton_on_tape(z: Any, tau: Any, budget: Any, temperature: float) -> Any:
    """``sigmoid((z - tau(z)) / T)``: one step from a root moves nothing but carries d(tau)/dz."""
    p = torch.sigmoid((z - tau) / temperature)
    total_slope = (p * (1 - p)).sum(1, keepdim=True).detach() / temperature
    tau_of_z = tau + (p.sum(1, keepdim=True) - budget) / total_slope
    return torch.sigmoid((z - tau_of_z) / temperature)


def soft_topk(z: Any, k: int, temperature: float) -> Any:
    with torch.no_grad():
        low = z.min(1, keepdim=True).values - 50 * temperature
        high = z.max(1, keepdim=True).values + 50 * temperature
        for _ in range(80):
            middle = (low + high) / 2
            too_many = torch.sigmoid((z - middle) / temperature).sum(1, keepdim=True) > k
            low, high = torch.where(too_many, middle, low), torch.where(too_many, high, middle)
    return newton_on_tape(z, (low + high) / 2, k, temperature)


def hard_topk(z: Any, k: int, temperature: float) -> Any:
    n = z.shape[1]
    mask = torch.zeros_like(z).scatter(1, z.topk(k, dim=1).indices, 1.0)
    if k == n:
        return mask
    ranked = z.detach().sort(dim=1, descending=True).values
    cut = (ranked[:, k - 1:k] + ranked[:, k:k + 1]) / 2
    budget = torch.sigmoid((z.detach() - cut) / temperature).sum(1, keepdim=True)
    soft = newton_on_tape(z, cut, budget, temperature)
    return mask + (soft - soft.detach())


def twin_decision(layer: Gated, z: Any, training: bool) -> tuple[Any, Any]:
    """``(mask, probability)`` of the twin."""
    if isinstance(layer, DynamicGate):
        p = torch.sigmoid(z / layer.temperature)
        return (p > float(layer.state["threshold"])).double() + (p - p.detach()), p
    assert isinstance(layer, MIDL)
    soft = layer.topk == "sigmoid" and training
    choose = soft_topk if soft else hard_topk
    return choose(z, layer.k, layer.temperature), torch.sigmoid(z)


def twin_forward(layer: Gated, x: Any, params: dict[str, Any], light: str, training: bool) -> Any:
    """``(output, probability)`` of the twin of a gated layer."""
    mask, probability = twin_decision(layer, net(x, params, "gate"), training)
    gate = mask if layer.gate_value == "binary" else mask * probability
    gate = gate.repeat_interleave(layer.block, dim=1)
    full = ACTIVATIONS[layer.activation](x @ params["weight"] + params["bias"])
    low = {"zero": lambda: torch.zeros_like(full), "identity": lambda: x,
           "low-rank": lambda: net(x, params, "light"),
           "linear": lambda: net(x, params, "light")}[light]()
    return low + gate * (full - low), probability


def tensors(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: torch.tensor(np.ascontiguousarray(value), requires_grad=True)
            for name, value in arrays.items()}


def agree(ours: np.ndarray, theirs: Any, what: str) -> None:
    theirs = np.zeros_like(ours) if theirs is None else theirs.detach().numpy()
    assert np.abs(ours - theirs).max() <= TOLERANCE * max(1, np.abs(theirs).max()), what


def compare(layer: Gated, light: str, training: bool, with_budget: bool, seed: int) -> None:
    """Forward and every gradient, ours against the twin's."""
    rng = np.random.default_rng(seed)
    for value in layer.params.values():  # biases start at 0: nothing may hide there
        value += rng.normal(0, 0.3, value.shape)
    x = rng.normal(size=(BATCH, WIDTH))
    output, memory = layer.forward(x, training)
    grad_output = rng.normal(size=output.shape)
    grad_gate = rng.normal(size=memory["probability"].shape) if with_budget else None
    grad_x, grads = layer.backward(grad_output, memory, grad_gate)

    params, x_twin = tensors(layer.params), torch.tensor(x, requires_grad=True)
    output_twin, probability = twin_forward(layer, x_twin, params, light, training)
    loss = (output_twin * torch.tensor(grad_output)).sum()
    if grad_gate is not None:
        loss = loss + (probability * torch.tensor(grad_gate)).sum()
    loss.backward()

    agree(output, output_twin, "output")
    agree(memory["probability"], probability, "probability")
    agree(grad_x, x_twin.grad, "x")
    assert grads.keys() == params.keys()
    for name, value in grads.items():
        agree(value, params[name].grad, name)


LIGHTS, NETS = ("zero", "identity", "low-rank", "linear"), ("linear", "low-rank")
VALUES, BLOCKS = ("probability", "binary"), (1, 2)
MIDL_CASES = list(itertools.product(LIGHTS, NETS, BLOCKS, VALUES, ("hard", "sigmoid")))
DYNAMIC_CASES = list(itertools.product(LIGHTS, NETS, BLOCKS, VALUES))


def rotating(number: int, *choices: Any) -> Any:
    """The axes that are not multiplied out take turns, with steps that share no factor."""
    return choices[number % len(choices)]


@pytest.mark.parametrize("with_budget", [False, True])
@pytest.mark.parametrize("number", range(len(MIDL_CASES)),
                         ids=["-".join(map(str, case)) for case in MIDL_CASES])
def test_midl(number: int, with_budget: bool) -> None:
    light, gate, block, gate_value, topk = MIDL_CASES[number]
    layer = MIDL(
        WIDTH, WIDTH, keep=rotating(number // 2, 0.45, 1, 0.8), light=light, light_rank=3,
        gate=gate, gate_rank=2, block=block, gate_value=gate_value, topk=topk,
        activation=rotating(number // 3, *ACTIVATIONS),
        temperature=rotating(number // 5, 0.5, 1.0, 3.0), open_probability=0.6,
        dtype=np.float64, seed=number)
    compare(layer, light, rotating(number // 7, True, False) or topk == "sigmoid", with_budget,
            seed=number)


@pytest.mark.parametrize("topk", ["hard", "sigmoid"])
def test_midl_in_evaluation_is_hard_whatever_the_operator(topk: str) -> None:
    layer = MIDL(WIDTH, WIDTH, keep=3, topk=topk, activation="gelu", dtype=np.float64)
    compare(layer, "zero", training=False, with_budget=True, seed=0)


@pytest.mark.parametrize("topk", ["hard", "sigmoid"])
def test_midl_with_every_gate_open(topk: str) -> None:
    layer = MIDL(WIDTH, WIDTH, keep=1.0, topk=topk, light="linear", dtype=np.float64)
    if topk == "hard":
        compare(layer, "linear", training=True, with_budget=True, seed=1)
    else:  # bisection has no root at k = n; the mask is 1 and flat, as the hard one's
        soft = layer.decide(np.random.default_rng(2).normal(size=(BATCH, WIDTH)), training=True)
        assert (soft.mask == 1).all()


@pytest.mark.parametrize("with_budget", [False, True])
@pytest.mark.parametrize("number", range(len(DYNAMIC_CASES)),
                         ids=["-".join(map(str, case)) for case in DYNAMIC_CASES])
def test_dynamic_gate(number: int, with_budget: bool) -> None:
    light, gate, block, gate_value = DYNAMIC_CASES[number]
    layer = DynamicGate(
        WIDTH, WIDTH, threshold=rotating(number // 2, 0.5, 0.3, 0.7), light=light, light_rank=3,
        gate=gate, gate_rank=2, block=block, gate_value=gate_value,
        activation=rotating(number // 3, *ACTIVATIONS),
        temperature=rotating(number // 5, 0.5, 1.0, 3.0), open_probability=0.6,
        dtype=np.float64, seed=number)
    compare(layer, light, rotating(number // 7, True, False), with_budget, seed=number)


def test_a_whole_network_with_a_weighted_loss_and_two_budgets() -> None:
    rng = np.random.default_rng(5)
    model = Sequential(
        MIDL(WIDTH, 6, topk="sigmoid", gate_rank=2, temperature=0.7, dtype=np.float64, seed=1),
        Sequential(LayerNorm(6, dtype=np.float64),
                   DynamicGate(6, 10, block=2, gate="linear", dtype=np.float64, seed=2)),
        Linear(10, 4, dtype=np.float64, seed=3))
    x, labels = rng.normal(size=(BATCH, WIDTH)), rng.integers(0, 4, BATCH)
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    logits, memory = model.forward(x, training=True)
    value, loss_memory = cross_entropy(logits, labels, weights)
    budget = {}
    for path, strength in (("0", 0.5), ("1.1", 2.0)):
        usage, usage_memory = mean_usage(memory_at(memory, path)["probability"])
        value += strength * usage
        budget[path] = strength * mean_usage_backward(usage_memory)
    grad_x, grads = model.backward(cross_entropy_backward(loss_memory), memory, budget)

    p, x_twin = tensors(model.params), torch.tensor(x, requires_grad=True)
    midl, dynamic = model.layers[0], model.layers[1].layers[1]  # type: ignore[attr-defined]
    h, usage_0 = twin_forward(midl, x_twin, inside(p, "0."), "zero", training=True)
    h = functional.layer_norm(h, (6,), p["1.0.scale"], p["1.0.bias"])
    h, usage_1 = twin_forward(dynamic, h, inside(p, "1.1."), "zero", training=True)
    loss = functional.cross_entropy(h @ p["2.weight"] + p["2.bias"], torch.tensor(labels),
                                    torch.tensor(weights))
    loss = loss + 0.5 * usage_0.mean() + 2.0 * usage_1.mean()
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-12)
    agree(grad_x, x_twin.grad, "x")
    for name, gradient in grads.items():
        agree(gradient, p[name].grad, name)


def inside(params: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in params.items()
            if name.startswith(prefix)}


PLAIN = {
    "linear": (Linear(5, 3, dtype=np.float64), lambda x, p: x @ p["weight"] + p["bias"]),
    "layer-norm": (LayerNorm(5, dtype=np.float64), lambda x, p: functional.layer_norm(
        x, (5,), p["scale"], p["bias"], eps=1e-5)),
    "relu": (ReLU(), lambda x, p: torch.relu(x)),
    "gelu": (GELU(), lambda x, p: functional.gelu(x)),
    "gelu-tanh": (GELU("tanh"), lambda x, p: functional.gelu(x, approximate="tanh")),
    "tanh": (Tanh(), lambda x, p: torch.tanh(x)),
    "sigmoid": (Sigmoid(), lambda x, p: torch.sigmoid(x)),
}


@pytest.mark.parametrize("name", list(PLAIN))
def test_plain_layers(name: str) -> None:
    layer, twin = PLAIN[name]
    rng = np.random.default_rng(8)
    for value in layer.params.values():
        value += rng.normal(size=value.shape)
    x = 2 * rng.normal(size=(BATCH, 5))
    output, memory = layer.forward(x)
    grad_x, grads = layer.backward(g := rng.normal(size=output.shape), memory)
    params, x_twin = tensors(layer.params), torch.tensor(x, requires_grad=True)
    output_twin = twin(x_twin, params)
    output_twin.backward(torch.tensor(g))
    agree(output, output_twin, "output")
    agree(grad_x, x_twin.grad, "x")
    for key, value in grads.items():
        agree(value, params[key].grad, key)


def test_the_comparison_notices_a_gradient_that_is_off_by_a_part_in_a_million() -> None:
    right = torch.tensor([1.0, 2.0], dtype=torch.float64)
    with pytest.raises(AssertionError, match="weight"):
        agree(np.array([1.0, 2.0 + 2e-6]), right, "weight")
