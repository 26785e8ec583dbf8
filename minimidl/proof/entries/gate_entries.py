"""Proofs of the gates: Top-k operators, straight-through functions, gate nets, light paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory, Rng
from minimidl.proof.engine import prove_subject
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import EVERY_OPERATOR, HARD_OPERATOR, Mistake
from minimidl.proof.prove import LINEARISED_TOLERANCE, prove_topk
from minimidl.proof.subject import Subject, Values
from minimidl.proof.verdict import Report


def topk_proof(
    name: str, operator: Any, k: float, temperature: float, shape: tuple[int, int] = (3, 6), *,
    hard: bool = False, projection: bool = False, covers: tuple[object, ...] = (),
    stand_in: str = "sigmoid",
) -> Proof:
    """An entry for one operator at one budget and temperature."""
    def prove_operator(rng: Rng, mistake: Mistake | None) -> Report:
        scores = rng.normal(size=shape)
        return prove_topk(
            mistake(operator) if mistake else operator, scores, k, temperature, hard=hard,
            projection=projection, stand_in=stand_in, seed=int(rng.integers(2**31)),
            mutate=mistake is None)

    mistakes = EVERY_OPERATOR | (HARD_OPERATOR if hard else {})
    if temperature == 1.0:  # a missing factor of 1 is no mistake
        mistakes = {name: m for name, m in mistakes.items() if name != "missing temperature"}
    return Proof(name, (type(operator), *covers), prove_operator, mistakes)


def net_proof(
    name: str, kind: type, build: Callable[[Rng], Any], shape: tuple[int, int] = (4, 5), *,
    zero: frozenset[str] = frozenset(), mistakes: Mapping[str, Mistake] | None = None,
) -> Proof:
    """An entry for a small network: ``forward(x)``, ``backward(grad, memory)``.

    ``zero`` names the tensors that it does not depend on.
    """
    def prove_net(rng: Rng, mistake: Mistake | None) -> Report:
        net, x = build(rng), rng.normal(size=shape)
        for parameter in net.params.values():  # biases start at 0, where mistakes hide
            parameter += 0.1 * rng.normal(size=parameter.shape)
        net = mistake(net) if mistake else net

        def forward() -> tuple[Values, Memory]:
            output, memory = net.forward(x)
            return {"output": output}, memory

        def backward(cotangents: Values, memory: Memory) -> Values:
            grad_x, grads = net.backward(cotangents["output"], memory)
            return {"x": grad_x, **grads}

        return prove_subject(Subject({"x": x, **net.params}, forward, backward, zero=zero),
                     name=name, seed=int(rng.integers(2**31)), mutate=mistake is None)

    return Proof(name, (kind,), prove_net, mistakes or {})


def reversed_threshold(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    """The reversed line: the value is the soft probability, the gradient is 0."""
    def forward(scores: Array, cut: float) -> tuple[Array, Memory]:
        return 1 / (1 + np.exp(-scores)), {}

    def backward(grad_mask: Array, memory: Memory) -> Array:
        return np.zeros_like(grad_mask)

    return forward, backward


def threshold_proof(gates: Any) -> Proof:
    """Straight through: ``b = 1[p > 1/2]`` forward, ``dL/dp = dL/db`` backward."""
    def prove_threshold(rng: Rng, mistake: Mistake | None) -> Report:
        pair = (gates.threshold_mask, gates.threshold_mask_backward)
        ahead, back = mistake(pair) if mistake else pair
        p = rng.uniform(0.05, 0.95, size=(3, 4))
        start = p.copy()

        def forward() -> tuple[Values, Memory]:
            mask, memory = ahead(np.log(p) - np.log1p(-p), 0.0)
            return {"mask": mask}, memory

        def surrogate() -> tuple[Values, Memory]:
            return {"mask": (start > 0.5) + (p - start)}, {"open": p > 0.5}

        def forward_is_hard() -> str:
            same = np.array_equal(forward()[0]["mask"], p > 0.5)
            return "" if same else "forward is not 1[p > 1/2]"

        subject = Subject({"probability": p}, forward, lambda g, memory: {
            "probability": back(g["mask"], memory)}, surrogate, statements=(forward_is_hard,))
        return prove_subject(subject, name="threshold", kind="linearised", mutate=mistake is None,
                     tolerance=LINEARISED_TOLERANCE, seed=int(rng.integers(2**31)))

    return Proof("threshold, straight-through", (gates.threshold_mask_backward,), prove_threshold,
                 {"reversed straight-through": reversed_threshold})


def proofs(gates: Any, layers: Any) -> list[Proof]:
    """Every gate of ``minimidl.gates``, and the light path that is no gate net, handed in."""
    soft, hard = gates.SigmoidTopK(), gates.HardTopK()
    family: dict[str, Any] = {"covers": (
        gates.threshold.base.implicit_backward, gates.threshold.base.family_backward)}
    nets, identity = gates.nets, layers.light.IdentityPath
    double: dict[str, Any] = {"dtype": np.float64}
    large: dict[str, Any] = {"shape": (16, 200), "projection": True}
    return [
        *(topk_proof(f"sigmoid Top-k, k={k:g}, T={t:g}", soft, k, t, **family)
          for k, t in ((1, 1.0), (2.5, 0.3), (2, 0.5), (0.2, 2.0), (5.9, 0.5))),
        topk_proof("sigmoid Top-k, 16 x 200", soft, 60.5, 0.5, **large),
        *(topk_proof(f"hard Top-k, k={k}, T={t:g}", hard, k, t, hard=True)
          for k, t in ((1, 1.0), (3, 0.3), (5, 2.0))),
        topk_proof("hard Top-k, 16 x 200", hard, 60, 0.5, hard=True, **large),
        threshold_proof(gates),
        net_proof("gate net, linear", nets.AffineNet,
                  lambda rng: nets.AffineNet(5, 3, seed=rng, **double)),
        net_proof("gate net, low-rank", nets.LowRankNet,
                  lambda rng: nets.LowRankNet(5, 4, rank=2, seed=rng, **double)),
        net_proof("light path, identity", identity, lambda rng: identity(5, 5)),
    ]
