"""Proofs of the three things there are: layers, function pairs, Top-k operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.proof.engine import prove_subject
from minimidl.proof.linearised_gates import linearised
from minimidl.proof.statements import gate_statements, router_statements, runs_alike, topk_is_hard
from minimidl.proof.subject import Forward, Statement, Subject, Values
from minimidl.proof.surrogates import topk_surrogate
from minimidl.proof.verdict import TOLERANCE, Report
from minimidl.proof.walk import leaves, memory_at

LINEARISED_TOLERANCE = 1e-8
"""Math of straight-through gates is exact up to rounding and ``h^2``."""


def prove_layer(
    layer: Any, x: Array, *, training: bool = False, rng_seed: int = 0, budgets: bool = True,
    name: str = "", projection: bool = False, tolerance: float | None = None, seed: int = 0,
    mutate: bool = True, run_by: Any = None, as_executed: bool = False,
) -> Report:
    """Prove ``layer.backward`` against differences of ``layer.forward`` at ``x``.

    A layer with a hard gate is proved against its linearised surrogate (see
    ``minimidl/proof/surrogates.py``), since its true derivative is 0 where it decides.

    Args:
        layer: anything with ``forward(x, training, rng)``, ``backward(grad_output, memory,
            grad_gate)`` and ``params``, in float64; one layer or a nested sequential.
        x: ``(batch, n_in)`` float64; bitwise the same afterwards.
        training: passed to ``forward``.
        rng_seed: every forward gets a fresh generator of this seed, so random masks repeat.
        budgets: whether a random ``grad_gate`` reaches every gated layer as well.
        name: for the report; the class name unless given.
        projection: one random direction instead of every entry, for large shapes.
        tolerance: 1e-7, or 1e-8 for a linearised surrogate, unless given.
        seed: of cotangents and direction.
        mutate: whether the checker is tested with mutants.
        run_by: an executor of the layer; its forward and backward are proved then.
        as_executed: nothing is linearised; a mask counts as the constant that it is nearly always.

    Raises:
        InputError: x or a parameter that is not float64.

    """
    subject = layer_subject(layer, x, training=training, rng_seed=rng_seed, budgets=budgets,
                            run_by=run_by, as_executed=as_executed)
    kind = "finite-difference" if subject.surrogate is None else "linearised"
    usual = TOLERANCE if subject.surrogate is None or projection else LINEARISED_TOLERANCE
    return prove_subject(
        subject, name=name or type(layer).__name__, kind="projection" if projection else kind,
        tolerance=usual if tolerance is None else tolerance, seed=seed, mutate=mutate)


def layer_subject(
    layer: Any, x: Array, *, training: bool = False, rng_seed: int = 0, budgets: bool = True,
    run_by: Any = None, as_executed: bool = False,
) -> Subject:
    """A layer as a :class:`Subject`: ``x`` and parameters in, output and probabilities out."""
    runner = layer if run_by is None else run_by
    gated = [path for path, leaf in leaves(layer) if hasattr(leaf, "decide")] if budgets else []

    def outputs_of(output: Array, memory: Memory) -> Values:
        probabilities = {path: memory_at(memory, path)["probability"] for path in gated}
        return {"output": output} | {f"probability {p}": a for p, a in probabilities.items()}

    def forward() -> tuple[Values, Memory]:
        output, memory = runner.forward(x, training, np.random.default_rng(rng_seed))
        return outputs_of(output, memory), memory

    def backward(cotangents: Values, memory: Memory) -> Values:
        by_path: Any = {path: cotangents[f"probability {path}"] for path in gated}
        grad_gate = by_path.get("", by_path)  # a lone layer takes the array itself
        more = (grad_gate,) if gated else ()
        grad_x, grads = runner.backward(cotangents["output"], memory, *more)
        return {"x": grad_x, **grads}

    surrogate: Forward | None = None
    statements: tuple[Statement, ...] = ()
    replaced = None if as_executed else linearised(layer, x, training, rng_seed)
    if replaced is not None:
        def surrogate() -> tuple[Values, Memory]:
            output, memory = replaced()
            return outputs_of(output, memory), memory

        statements = gate_statements(layer, x, training, rng_seed)
    elif not as_executed:
        statements = router_statements(layer, x, training, rng_seed)
    if run_by is not None:
        statements += (partial(runs_alike, layer, run_by, x, training, rng_seed),)
    return Subject(
        {"x": x, **layer.params}, forward, backward, surrogate, statements=statements,
        watched=getattr(layer, "state", {}))


def prove_pair(
    forward: Callable[..., tuple[float, Any]], backward: Callable[[Any], Any],
    x: Array | dict[str, Array] | list[Array], *args: Any, name: str = "", seed: int = 0,
    tolerance: float = TOLERANCE, mutate: bool = True, projection: bool = False, **options: Any,
) -> Report:
    """Prove a loss or a budget: ``value, memory = forward(x, *args)``, ``grad = backward(memory)``.

    Args:
        forward: answers one number and a memory.
        backward: answers the gradient, in the same container as ``x``.
        x: float64 array, or a dict or a list of them.
        *args: further arguments of ``forward``; not differentiated.
        name: for the report; the name of ``forward`` unless given.
        seed: of the direction.
        tolerance: largest accepted error.
        mutate: whether the checker is tested with mutants as well.
        projection: one random direction instead of every entry.
        **options: keyword arguments of ``forward``.

    """
    def run() -> tuple[Values, Any]:
        value, memory = forward(x, *args, **options)
        return {"value": np.array(float(value))}, memory

    subject = Subject(
        named(x), run, lambda _, memory: named(backward(memory)),
        cotangents={"value": np.array(1.0)}, watched=[args, options])
    title = name or getattr(forward, "__name__", "pair")
    kind = "projection" if projection else "finite-difference"
    return prove_subject(
        subject, name=title, kind=kind, seed=seed, tolerance=tolerance, mutate=mutate)


def named(x: Any) -> Values:
    """Arrays by name, out of one array, a list or a dict."""
    return dict(_named(x))


def _named(x: Any) -> Iterator[tuple[str, Array]]:
    if isinstance(x, dict):
        yield from ((str(key), value) for key, value in x.items())
    elif isinstance(x, list | tuple):
        yield from ((str(position), value) for position, value in enumerate(x))
    else:
        yield "x", x


def prove_topk(
    operator: Any, scores: Array, k: float, temperature: float = 1.0, *, name: str = "",
    hard: bool | None = None, rng_seed: int = 0, tolerance: float | None = None, seed: int = 0,
    mutate: bool = True, projection: bool = False, stand_in: str = "sigmoid",
    wrt: tuple[str, ...] = ("scores", "k", "temperature"),
) -> Report:
    """Prove a Top-k operator: gradients of the scores, of ``k`` and of the temperature.

    An operator whose answer holds nothing but zeros and ones is proved against its surrogate, a
    threshold operator with a held budget.

    Args:
        operator: answers ``forward(scores, k, temperature, rng)`` and ``backward(grad_p, memory)``.
        scores: ``(rows, n)`` float64.
        k: budget, strictly inside (0, n).
        temperature: above 0.
        name: for the report; the class name unless given.
        hard: whether to prove the surrogate; decided by the operator's answer unless given.
        rng_seed: every forward gets a fresh generator of this seed.
        tolerance: 1e-7, or 1e-8 for the surrogate, unless given.
        seed: of cotangents and direction.
        mutate: whether the checker is tested with mutants as well.
        projection: one random direction instead of every entry.
        stand_in: the surrogate, a key of :data:`minimidl.proof.stand_ins.STAND_INS`.
        wrt: what the operator has gradients of; it must answer these keys and no others.

    """
    budget, width = np.array(float(k)), np.array(float(temperature))

    def forward() -> tuple[Values, Memory]:
        rng = np.random.default_rng(rng_seed)
        p, memory = operator.forward(scores, float(budget), float(width), rng)
        return {"p": p}, memory

    p = forward()[0]["p"]
    is_hard = bool(np.all((p == 0) | (p == 1))) if hard is None else hard
    live = {"scores": scores, "k": budget, "temperature": width}
    tensors = {name: live[name] for name in wrt}
    surrogate = topk_surrogate(scores, budget, width, stand_in) if is_hard else None

    def backward(cotangents: Values, memory: Memory) -> Values:
        grads: Values = operator.backward(cotangents["p"], memory)
        return grads

    def hardness() -> str:
        return topk_is_hard(lambda: forward()[0]["p"], scores, int(k))

    statements = (hardness,) if is_hard and not projection else ()
    kind = "linearised" if is_hard else "finite-difference"
    usual = LINEARISED_TOLERANCE if is_hard and not projection else TOLERANCE
    return prove_subject(
        Subject(tensors, forward, backward, surrogate, statements=statements),
        name=name or type(operator).__name__, kind="projection" if projection else kind, seed=seed,
        mutate=mutate, tolerance=usual if tolerance is None else tolerance)
