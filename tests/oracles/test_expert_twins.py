"""Experts, routers and routing losses against PyTorch: the same formulas, derived by autograd.

The twins are written from the formulas. The choice is made without a tape; with it held, autograd
differentiates softmax, renormalisation, the noise's scale, the load and all losses by itself.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from minimidl.gates import GateGradient
from minimidl.layers import Experts, Linear, Sequential, gated_layers
from minimidl.learning import Importance, Load, LoadBalance, RouterZ
from minimidl.learning.budget import total_budget
from minimidl.losses import cross_entropy, cross_entropy_backward

torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
pytestmark = pytest.mark.oracle
functional = torch.nn.functional

BATCH, WIDTH, EXPERTS = 7, 8, 4
TOLERANCE = 1e-10
ACTIVATIONS = {"relu": torch.relu, "gelu": functional.gelu, "tanh": torch.tanh,
               "sigmoid": torch.sigmoid}
ROUTERS = ("switch", "topk", "noisy-topk", "expert-choice", "soft")
LIGHTS = ("zero", "identity", "low-rank", "linear")


def tensors(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: torch.tensor(np.ascontiguousarray(value), requires_grad=True)
            for name, value in arrays.items()}


def agree(ours: np.ndarray, theirs: Any, what: str) -> None:
    theirs = np.zeros_like(ours) if theirs is None else theirs.detach().numpy()
    assert np.abs(ours - theirs).max() <= TOLERANCE * max(1, np.abs(theirs).max()), what


def net(x: Any, params: dict[str, Any], prefix: str) -> Any:
    bias = params[f"{prefix}.bias"]
    if f"{prefix}.weight" in params:
        return x @ params[f"{prefix}.weight"] + bias
    return x @ params[f"{prefix}.down"] @ params[f"{prefix}.up"] + bias


class Routed:
    """What a twin of a router decides: logits, probabilities, who, and with what weight."""

    def __init__(self, layer: Experts, answers: Any, training: bool, seed: int) -> None:
        self.layer, self.answers = layer, answers
        self.logits = self.noisy(training, seed) if layer.router == "noisy-topk" else answers
        self.p = torch.softmax(self.logits / layer.temperature, dim=1)
        with torch.no_grad():
            self.chosen = self.choose(training)
            self.kept = self.chosen & self.room(training)
        self.gate = self.weights() * self.kept

    def noisy(self, training: bool, seed: int) -> Any:
        self.clean, raw = self.answers.chunk(2, dim=1)
        self.scale = functional.softplus(raw) + 0.01
        if not training:
            return self.clean
        e = np.random.default_rng(seed).standard_normal((BATCH, EXPERTS), dtype=np.float32)
        return self.clean + torch.tensor(e).double() * self.scale

    def choose(self, training: bool) -> Any:
        layer, p = self.layer, self.p
        if layer.router == "soft":
            return torch.ones_like(p, dtype=torch.bool)
        if layer.router == "expert-choice" and not training:
            return p > torch.tensor(layer.state["cuts"])
        if layer.router == "expert-choice":
            places = math.ceil(BATCH * layer.choice.k / EXPERTS)
            best, along = p.topk(places, dim=0).indices, 0
        else:
            biased = p + torch.tensor(layer.state["bias"])
            best, along = biased.topk(layer.choice.k, dim=1).indices, 1
        return torch.zeros_like(p, dtype=torch.bool).scatter(along, best, True)

    def room(self, training: bool) -> Any:
        factor = getattr(self.layer.choice, "capacity", 0)
        if self.layer.router in ("soft", "expert-choice") or not factor or not training:
            return torch.ones_like(self.chosen)
        places = math.ceil(factor * BATCH * self.layer.choice.k / EXPERTS)
        room = torch.zeros_like(self.chosen)
        for e in range(EXPERTS):  # one queue per expert
            queue = [n for n in range(BATCH) if self.chosen[n, e]]
            if self.layer.choice.priority == "probability":
                queue.sort(key=lambda n: -float(self.p[n, e]))
            room[queue[:places], e] = True
        return room

    def weights(self) -> Any:
        if self.layer.router in ("topk", "noisy-topk") and self.layer.choice.renormalise:
            v = self.p * self.chosen
            return v / v.sum(dim=1, keepdim=True)
        return self.p

    def load(self) -> Any:
        """Shazeer et al. 2017, eq. 8 and 9, expert by expert."""
        columns = []
        for e in range(EXPERTS):
            others = torch.cat([self.logits[:, :e], self.logits[:, e + 1:]], dim=1)
            cut = others.topk(self.layer.choice.k, dim=1).values[:, -1]
            columns.append(torch.distributions.Normal(0, 1).cdf(
                (self.clean[:, e] - cut) / self.scale[:, e]))
        return torch.stack(columns, dim=1)


def twin_forward(
    layer: Experts, x: Any, params: dict[str, Any], light: str, training: bool, seed: int
) -> tuple[Any, Routed]:
    routed = Routed(layer, net(x, params, "gate"), training, seed)
    gate = routed.gate.repeat_interleave(layer.block, dim=1)
    full = ACTIVATIONS[layer.activation](x @ params["weight"] + params["bias"])
    if light == "zero":
        return gate * full, routed
    low = x if light == "identity" else net(x, params, "light")
    return low + gate * (full - low), routed


def built(number: int, router: str, light: str, **options: Any) -> tuple[Experts, np.ndarray]:
    """A layer whose biases, cuts and choices are not where they start."""
    rng = np.random.default_rng(number)
    layer = Experts(
        WIDTH, WIDTH, n_experts=EXPERTS, router=router, light=light, light_rank=3, gate_rank=3,
        gate=("linear", "low-rank")[number % 2], temperature=(0.3, 1.0, 2.0)[number % 3],
        activation=list(ACTIVATIONS)[number % 4], dtype=np.float64, seed=number, **options)
    for value in layer.params.values():
        value += rng.normal(0, 0.3, value.shape)
    if "bias" in layer.state:
        layer.state["bias"][...] = rng.uniform(-0.1, 0.1, EXPERTS) * (number % 2)
    return layer, rng.normal(size=(BATCH, WIDTH))


def compare(layer: Experts, x: np.ndarray, light: str, training: bool, seed: int) -> None:
    """Forward and every gradient, with a pull on everything."""
    rng = np.random.default_rng(seed)
    output, memory = layer.forward(x, training, np.random.default_rng(seed))
    decision = memory["decision"]
    g, pulls = rng.normal(size=output.shape), rng.normal(size=(4, BATCH, EXPERTS))
    loaded = "noise" in decision.memory and layer.choice.k < EXPERTS
    grad_x, grads = layer.backward(g, memory, GateGradient(*pulls[:3],
                                                           pulls[3] if loaded else None))
    params, x_twin = tensors(layer.params), torch.tensor(x, requires_grad=True)
    output_twin, routed = twin_forward(layer, x_twin, params, light, training, seed)
    parts = [routed.p, routed.logits, routed.gate, *([routed.load()] if loaded else [])]
    loss = (output_twin * torch.tensor(g)).sum() + sum(
        (part * torch.tensor(pull)).sum() for part, pull in zip(parts, pulls, strict=False))
    loss.backward()
    agree(output, output_twin, "output")
    agree(decision.gate, routed.gate, "gate")
    agree(decision.probability, routed.p, "probability")
    dropped = (routed.chosen & ~routed.kept).sum(dim=0).tolist()
    assert decision.memory["dropped"].tolist() == dropped
    if loaded:
        agree(layer.choice.load(decision), parts[3], "load")
    agree(grad_x, x_twin.grad, "x")
    assert grads.keys() == params.keys()
    for name, value in grads.items():
        agree(value, params[name].grad, name)


CASES = list(itertools.product(ROUTERS, LIGHTS, (True, False)))


@pytest.mark.parametrize("number", range(len(CASES)),
                         ids=["-".join(map(str, case)) for case in CASES])
def test_every_router_with_every_light_path(number: int) -> None:
    router, light, training = CASES[number]
    layer, x = built(number, router, light)
    compare(layer, x, light, training, number)


@pytest.mark.parametrize("priority", ["order", "probability"])
@pytest.mark.parametrize(("router", "options"), [
    ("switch", {}), ("topk", {"k": 2}), ("topk", {"k": 3}), ("noisy-topk", {"k": 2}),
    ("topk", {"k": 1, "renormalise": False})])
@pytest.mark.parametrize("number", [0, 1])
def test_capacity(router: str, options: dict[str, Any], priority: str, number: int) -> None:
    layer, x = built(number, router, "linear", capacity=0.7, priority=priority, **options)
    compare(layer, x, "linear", training=True, seed=number)


@pytest.mark.parametrize(("router", "k"), [("topk", 4), ("noisy-topk", 4), ("expert-choice", 4),
                                           ("expert-choice", 3)])
def test_all_experts(router: str, k: int) -> None:
    layer, x = built(3, router, "zero", k=k)
    compare(layer, x, "zero", training=True, seed=3)


def squared_variation(amounts: Any) -> Any:
    total = amounts.sum(dim=0)
    return total.var(unbiased=False) / total.mean() ** 2


@pytest.mark.parametrize("router", ["switch", "topk", "noisy-topk"])
def test_a_network_with_all_routing_losses(router: str) -> None:
    layer, x = built(4, router, "identity", capacity=0.9)
    linear = Linear(WIDTH, 3, dtype=np.float64, seed=5)
    model = Sequential(layer, linear)
    labels = np.random.default_rng(6).integers(0, 3, BATCH)
    rules = [LoadBalance(0.7), RouterZ(0.3), Importance(0.5)]
    rules += [Load(0.4)] if router == "noisy-topk" else []
    logits, memory = model.forward(x, True, np.random.default_rng(4))
    value, loss_memory = cross_entropy(logits, labels)
    penalty, grad_gate = total_budget(rules, gated_layers(model), memory, 1.0)
    grad_x, grads = model.backward(cross_entropy_backward(loss_memory), memory, grad_gate)

    params, x_twin = tensors(model.params), torch.tensor(x, requires_grad=True)
    own = {name[2:]: value for name, value in params.items() if name.startswith("0.")}
    hidden, routed = twin_forward(layer, x_twin, own, "identity", True, 4)
    loss = functional.cross_entropy(hidden @ params["1.weight"] + params["1.bias"],
                                    torch.tensor(labels))
    share = routed.chosen.double().mean(dim=0) / routed.chosen.double().sum(dim=1).mean()
    loss = loss + 0.7 * EXPERTS * (share * routed.p.mean(dim=0)).sum()
    loss = loss + 0.3 * (torch.logsumexp(routed.logits, dim=1) ** 2).mean()
    loss = loss + 0.5 * squared_variation(routed.gate)
    if router == "noisy-topk":
        loss = loss + 0.4 * squared_variation(routed.load())
    loss.backward()
    assert value + penalty == pytest.approx(loss.item(), rel=1e-12)
    agree(grad_x, x_twin.grad, "x")
    for name, gradient in grads.items():
        agree(gradient, params[name].grad, name)
