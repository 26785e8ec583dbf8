"""Score-function estimators: unbiased for every loss, at the price of variance.

They never look at the derivative of the loss, only at its value for each sample, so the loss must
be known *per sample* and, for ARM and DisARM, at two masks. That is why they serve proofs and
tutorials, and are no option of the layers.

All take gates ``b ~ Bernoulli(p)``, ``p = sigmoid(z)``, drawn as ``b = 1[u > 1 - p]`` from uniform
``u``; the twin with ``1 - u`` in place of ``u`` is ``b' = 1[u < p]``.

    REINFORCE   (f(b) - c) (b - p)                              Williams 1992
    ARM         (f(b) - f(b')) (u - 1/2)                        Yin and Zhou 2019
    DisARM      (f(b) - f(b')) (b - b') max(p, 1 - p) / 2       Dong, Mnih and Tucker 2020

DisARM is the mean of ARM over everything in ``u`` that the two masks do not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.gates.logistic import logistic
from minimidl.gates.rows import require_shape

LossValues = Callable[[Array], Array]
"""Masks ``(rows, n)`` to losses ``(rows,)``, one per sample."""

ScoreFunction = Callable[[LossValues, Array, Array], Array]
"""Losses, scores ``(rows, n)`` and uniform numbers ``(rows, n)`` to a gradient per sample."""


def antithetic_masks(scores: Array, uniform: Array) -> tuple[Array, Array]:
    """The masks of ``u`` and of ``1 - u``: zeros and ones, ``(rows, n)``, dtype of the scores."""
    require_shape(uniform, scores, "uniform", "one number per score")
    p, closed = logistic(scores), logistic(-scores)
    return (uniform > closed).astype(scores.dtype), (uniform < p).astype(scores.dtype)


def reinforce(
    losses: Array, mask: Array, scores: Array, baseline: Array | float = 0.0
) -> Array:
    """``(f(b) - c) (b - p)`` per sample, ``(rows, n)``.

    Args:
        losses: ``f(b)``, ``(rows,)``.
        mask: ``b``, ``(rows, n)``.
        scores: logits, ``(rows, n)``.
        baseline: ``c``, a number or ``(rows,)``; unbiased for every ``c`` that does not depend on
            the row's own mask.

    Card:
        formula: dL/dz = (f(b) - c) (b - p)
        cost: O(n) beside one loss per sample
        exactly k: no, every gate on its own
        exact zeros: yes
        use when: the loss has no derivative at all, or its value is all that is known
        source: Williams 1992; baseline ibid., section 4

    """
    check_losses(losses, scores)
    require_shape(mask, scores, "mask", "one entry per score")
    if np.ndim(baseline):
        check_losses(np.asarray(baseline), scores, "baseline")
    return (losses - baseline)[:, None] * (mask - logistic(scores))


def leave_one_out(losses: Array) -> Array:
    """Baseline ``(rows,)`` for samples of one input: the mean loss of the other samples.

    Raises InputError for fewer than two samples.
    """
    require(losses.ndim == 1 and len(losses) >= 2, "losses", f"shape {losses.shape}",
            "at least two samples of one input")
    return (losses.sum() - losses) / (len(losses) - 1)


def arm(losses: Array, twin_losses: Array, uniform: Array) -> Array:
    """``(f(b) - f(b')) (u - 1/2)`` per sample, ``(rows, n)``; see the head of this file.

    Args:
        losses: ``f(b)``, ``(rows,)``.
        twin_losses: ``f(b')``, ``(rows,)``.
        uniform: ``u``, ``(rows, n)``.

    Card:
        formula: dL/dz = (f(b) - f(b')) (u - 1/2)
        cost: O(n) beside two losses per sample
        exactly k: no, every gate on its own
        exact zeros: yes
        use when: no bias is allowed and no baseline is at hand
        source: Yin and Zhou 2019, arXiv 1807.11143, theorem 1

    """
    check_losses(losses, uniform)
    check_losses(twin_losses, uniform, "twin_losses")
    return (losses - twin_losses)[:, None] * (uniform - 0.5)


def disarm(
    losses: Array, twin_losses: Array, mask: Array, twin_mask: Array, scores: Array
) -> Array:
    """``(f(b) - f(b')) (b - b') sigmoid(|z|) / 2`` per sample, ``(rows, n)``.

    Args:
        losses: ``f(b)``, ``(rows,)``.
        twin_losses: ``f(b')``, ``(rows,)``.
        mask: ``b``, ``(rows, n)``.
        twin_mask: ``b'``, ``(rows, n)``.
        scores: logits, ``(rows, n)``.

    Card:
        formula: dL/dz = (f(b) - f(b')) (b - b') sigmoid(|z|) / 2
        cost: O(n) beside two losses per sample
        exactly k: no, every gate on its own
        exact zeros: yes
        use when: no bias is allowed; its variance is never above that of ARM
        source: Dong, Mnih and Tucker 2020, arXiv 2006.10680, equation 7

    """
    check_losses(losses, scores)
    check_losses(twin_losses, scores, "twin_losses")
    for argument, value in (("mask", mask), ("twin_mask", twin_mask)):
        require_shape(value, scores, argument, "one entry per score")
    return (losses - twin_losses)[:, None] * (mask - twin_mask) * logistic(np.abs(scores)) / 2


def check_losses(losses: Array, scores: Array, argument: str = "losses") -> None:
    """Raise InputError unless scores are rows and there is one loss per row."""
    require(np.ndim(scores) == 2, "scores", f"shape {np.shape(scores)}", "(rows, n)")
    require(np.shape(losses) == scores.shape[:1], argument, f"shape {np.shape(losses)}",
            f"{scores.shape[:1]}, one loss per sample",
            "a mean over the batch cannot tell which mask was good")


def reinforce_plain(loss: LossValues, scores: Array, uniform: Array) -> Array:
    """REINFORCE without a baseline."""
    mask, _ = antithetic_masks(scores, uniform)
    return reinforce(loss(mask), mask, scores)


def reinforce_baseline(loss: LossValues, scores: Array, uniform: Array) -> Array:
    """REINFORCE with the loss at the mean mask, ``f(p)``, as baseline."""
    mask, _ = antithetic_masks(scores, uniform)
    return reinforce(loss(mask), mask, scores, loss(logistic(scores)))


def arm_estimate(loss: LossValues, scores: Array, uniform: Array) -> Array:
    """ARM from its uniform numbers."""
    mask, twin = antithetic_masks(scores, uniform)
    return arm(loss(mask), loss(twin), uniform)


def disarm_estimate(loss: LossValues, scores: Array, uniform: Array) -> Array:
    """DisARM from its uniform numbers."""
    mask, twin = antithetic_masks(scores, uniform)
    return disarm(loss(mask), loss(twin), mask, twin, scores)


SCORE_FUNCTIONS: Mapping[str, ScoreFunction] = {
    "reinforce": reinforce_plain, "reinforce-baseline": reinforce_baseline,
    "arm": arm_estimate, "disarm": disarm_estimate,
}
"""Every score-function estimator as a function of the losses, the scores and uniform numbers."""
