"""Bias and variance of gradient estimators, exactly: a sum over all outcomes, no Monte Carlo.

``m`` independent gates, ``b_i ~ Bernoulli(p_i)`` with ``p = sigmoid(z)``, meet a loss ``f(b)``.
What is estimated is the derivative of the mean loss,

    d E f / dz_i = p_i (1 - p_i) (E f(b with b_i = 1) - E f(b with b_i = 0)).

Every estimator here is a function of uniform numbers ``u`` with ``b = 1[u > 1 - p]``. Its answer
for gate i depends on ``u_i`` itself and, of the other gates, only on which *piece* of (0, 1) their
``u`` lies in: two pieces where only ``b`` matters, three where also the twin ``1[u < p]`` does. So
the mean is a sum over ``2^m`` or ``3^m`` pieces and, in each, a Gauss-Legendre rule along ``u_i``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.proof.exact import Scripted
from minimidl.proof.gate_losses import Loss
from minimidl.proof.surrogates import sigmoid

MOST_GATES = 10
NODES = 32
"""Points along ``u`` per piece; smooth slopes are then integrated to about 1e-10."""

Estimate = Callable[[Loss, Array, Array], Array]
"""Loss, logits ``(rows, m)`` and uniform numbers ``(rows, m)`` to a gradient per row."""


class Moments(NamedTuple):
    """Mean and variance of an estimator, per gate, ``(m,)``."""

    mean: Array
    variance: Array


def masks(m: int) -> Array:
    """All ``2^m`` masks, ``(2^m, m)`` zeros and ones in float64."""
    return (np.arange(2**m)[:, None] >> np.arange(m) & 1).astype(np.float64)


def true_gradient(loss: Loss, logits: Array) -> Array:
    """``d E f(b) / dz``, ``(m,)``, by the sum over all masks."""
    p, all_masks = sigmoid(logits), masks(check_logits(logits))
    value, _ = loss(all_masks)
    chance = np.where(all_masks == 1, p, 1 - p)  # (2^m, m)
    gradient = np.empty_like(logits)
    for i in range(len(logits)):
        others = np.delete(chance, i, axis=1).prod(axis=1)
        gradient[i] = np.sum(others * value * np.where(all_masks[:, i] == 1, 1.0, -1.0))
    return p * (1 - p) * gradient


def mean_loss(loss: Loss, logits: Array) -> float:
    """``E f(b)``, by the sum over all masks."""
    p, all_masks = sigmoid(logits), masks(check_logits(logits))
    chance = np.where(all_masks == 1, p, 1 - p).prod(axis=1)
    return float(np.sum(chance * loss(all_masks)[0]))


def check_logits(logits: Array) -> int:
    """The number of gates; raises InputError unless it is from 1 to :data:`MOST_GATES`."""
    require(logits.ndim == 1 and 1 <= len(logits) <= MOST_GATES, "logits",
            f"shape {logits.shape}", f"from 1 to {MOST_GATES} gates in one row",
            "the number of outcomes doubles with every gate")
    return len(logits)


def moments(estimate: Estimate, loss: Loss, logits: Array, *, twins: bool = False) -> Moments:
    """Mean and variance of ``estimate``.

    Args:
        estimate: see :data:`Estimate`.
        loss: see :data:`Loss`.
        logits: ``z``, ``(m,)`` float64, at most ten gates.
        twins: three pieces per gate instead of two, for estimators that use ``1[u < p]`` too.

    """
    m, p = check_logits(logits), sigmoid(logits)
    low, high = (np.minimum(p, 1 - p), np.maximum(p, 1 - p)) if twins else (1 - p, 1 - p)
    edges = np.stack([np.zeros(m), low, *([high] if twins else []), np.ones(m)])  # (pieces + 1, m)
    pieces = len(edges) - 1
    which = np.indices((pieces,) * m).reshape(m, -1).T  # (pieces^m, m)
    columns = np.arange(m)
    start, length = edges[which, columns], np.diff(edges, axis=0)[which, columns]
    chance = length.prod(axis=1, keepdims=True)
    rows = np.broadcast_to(logits, which.shape)
    mean, square = np.zeros(m), np.zeros(m)
    for node, weight in zip(*(rule(2) if twins else eased(rule(NODES))), strict=True):
        g = estimate(loss, rows, start + node * length)
        mean += weight * (chance * g).sum(axis=0)
        square += weight * (chance * g * g).sum(axis=0)
    return Moments(mean, np.maximum(square - mean**2, 0.0))


def rule(count: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on (0, 1): exact for polynomials below ``2 count``."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return 0.5 * (nodes + 1), 0.5 * weights


def eased(plain: tuple[Array, Array]) -> tuple[Array, Array]:
    """The same rule by way of ``t^2 (3 - 2 t)``: roots of ``u`` at the ends become smooth."""
    t, weights = plain
    return t * t * (3 - 2 * t), weights * 6 * t * (1 - t)


def pathwise(estimator: Any, temperature: float = 1.0) -> Estimate:
    """An estimator of the layers, met by gates that are drawn.

    A stochastic estimator draws its own mask, by the script; one that does not draw meets the
    drawn mask with the slope of its forward pass, as straight-through gates do in training.
    """
    def estimate(loss: Loss, logits: Array, uniform: Array) -> Array:
        mask, memory = estimator.forward(logits, 0.0, temperature, Scripted(uniform))
        drawn = (uniform > sigmoid(-logits)).astype(logits.dtype)
        if estimator.stochastic:
            require(np.array_equal(mask, drawn), "temperature", temperature,
                    "one at which the gate opens with probability sigmoid(logit)")
        return np.asarray(estimator.backward(loss(drawn)[1], memory))

    return estimate


def score_function(function: Callable[..., Array]) -> Estimate:
    """A score-function estimator: it is shown the values of the loss only."""
    def estimate(loss: Loss, logits: Array, uniform: Array) -> Array:
        return function(lambda mask: loss(mask)[0], logits, uniform)

    return estimate


def bias_variance(
    loss: Loss, logits: Array, estimators: Mapping[str, Any],
    score_functions: Mapping[str, Callable[..., Array]] | None = None, temperature: float = 1.0,
) -> list[dict[str, Any]]:
    """Bias and variance of every estimator for one loss and one set of logits.

    Args:
        loss: see :data:`Loss`; ``gate_losses.py`` makes some.
        logits: ``z``, ``(m,)`` float64, at most ten gates.
        estimators: by name, such as ``minimidl.gates.ESTIMATORS``.
        score_functions: by name, such as ``minimidl.gates.SCORE_FUNCTIONS``.
        temperature: of the estimators' slopes; 1 where it would change the probability.

    Returns:
        One row per estimator: ``estimator``, ``gates``; ``true_gradient``, ``expectation`` and
        ``variance`` (lists, one number per gate); and relative to the length of the true gradient
        ``bias`` (length of expectation minus truth), ``spread`` (root of the summed variance) and
        ``error`` (root of the mean squared distance, ``sqrt(bias^2 + spread^2)``).

    """
    true = true_gradient(loss, logits)
    rows = [row_of(name, true, moments(pathwise(one, temperature), loss, logits))
            for name, one in estimators.items()]
    return rows + [row_of(name, true, moments(score_function(one), loss, logits, twins=True))
                   for name, one in (score_functions or {}).items()]


def row_of(name: str, true: Array, found: Moments) -> dict[str, Any]:
    """One row of :func:`bias_variance`."""
    size = max(float(np.linalg.norm(true)), np.finfo(np.float64).tiny)
    bias = float(np.linalg.norm(found.mean - true)) / size
    spread = float(np.sqrt(found.variance.sum())) / size
    return {
        "estimator": name, "gates": len(true), "true_gradient": true.tolist(),
        "expectation": found.mean.tolist(), "variance": found.variance.tolist(),
        "bias": bias, "spread": spread, "error": float(np.hypot(bias, spread)),
    }
