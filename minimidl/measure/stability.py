"""Do gates hold still when the input trembles?

Always the *same samples*, clean and noisy. Comparing one batch with the next measures how much
samples differ, not how steady the gates are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require
from minimidl.layers import Layer
from minimidl.measure.activity import decisions_by_sample
from minimidl.measure.chance import own_rng

Change = Callable[[Array, Rng], Array]
"""Inputs ``(n, n_in)`` and a generator to changed inputs, such as those of ``minimidl.data``."""


@dataclass(frozen=True)
class Stability:
    """How alike two answers of the same gates are, sample by sample; arrays are ``(n,)``.

    Attributes:
        flips: share of the gates that changed their answer: 0 none, 1 all.
        jaccard: gates open both times over gates open at least once: 1 the same set, 0 nothing in
            common. Two empty sets are the same set.

    """

    flips: Array
    jaccard: Array

    @property
    def flip_rate(self) -> float:
        """Mean of :attr:`flips`."""
        return float(self.flips.mean())

    @property
    def overlap(self) -> float:
        """Mean of :attr:`jaccard`."""
        return float(self.jaccard.mean())


def compare_gates(before: Array, after: Array) -> Stability:
    """Compare who was open, ``(n, n_gates)`` boolean each, row by row.

    Raises:
        InputError: other shapes, or arrays that are not boolean: soft gates always differ a little,
            and counting that as flips says nothing.

    """
    before, after = np.asarray(before), np.asarray(after)
    require(before.dtype == bool and after.dtype == bool, "before and after",
            f"{before.dtype} and {after.dtype}", "booleans", "compare decision.active")
    require(before.ndim == 2 and before.size > 0 and before.shape == after.shape,
            "before and after", f"shapes {before.shape} and {after.shape}",
            "(samples, gates) of the same samples")
    either = np.count_nonzero(before | after, axis=1)
    jaccard = np.ones(len(before))
    np.divide(np.count_nonzero(before & after, axis=1), either, out=jaccard, where=either > 0)
    return Stability((before != after).mean(axis=1), jaccard)


def gate_stability(
    model: Layer, x: Array, noise: float | Change, seed: int | Rng = 0, n_draws: int = 1
) -> dict[str, Stability]:
    """Stability of every gated layer by path, in evaluation mode.

    With the same seed, other models and other sizes of normal noise see the same draws: a fair
    pair, and smooth in ``noise``.

    Args:
        model: anything with the protocol.
        x: ``(n, n_in)`` clean inputs.
        noise: standard deviation of normal noise, or any change of the inputs.
        seed: of the noise.
        n_draws: noisy copies of every sample; the answer is their mean, sample by sample.

    Raises:
        InputError: a standard deviation that is negative or not finite, or no draws.

    """
    require(callable(noise) or 0 <= noise < np.inf, "noise", noise,
            "a standard deviation of at least 0, or a function (x, rng) -> x")
    require(n_draws >= 1, "n_draws", n_draws, "1 or more")
    rng, clean = own_rng(seed), _open_gates(model, x)
    draws: dict[str, list[Stability]] = {path: [] for path in clean}
    for _ in range(n_draws):
        for path, active in _open_gates(model, _changed(x, noise, rng)).items():
            draws[path].append(compare_gates(clean[path], active))
    return {path: Stability(np.mean([one.flips for one in found], axis=0),
                            np.mean([one.jaccard for one in found], axis=0))
            for path, found in draws.items()}


def _changed(x: Array, noise: float | Change, rng: Rng) -> Array:
    if callable(noise):
        return noise(x, rng)
    return x + (noise * rng.standard_normal(x.shape)).astype(x.dtype)


def _open_gates(model: Layer, x: Array) -> dict[str, Array]:
    _, memory = model.forward(x)
    return {path: decision.active
            for path, decision in decisions_by_sample(model, memory, len(x)).items()}
