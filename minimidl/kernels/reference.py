"""The truth in plain loops: what every fast kernel must equal.

One gated layer and the linear layer after it, executed on the open neurons only:

    open    = the k best scores, or all scores above a cut
    value_j = gate_j * (activation(x . w_j + b_j) - light_j)      for every open neuron j
    out     = base + sum over open j of value_j * next_weight[j]

``base`` is what the next layer answers when every gate is closed: its bias, plus the whole light
path sent through its weight. Sums run in float64 and are rounded once, so this file is also more
exact than what it judges.
"""

from __future__ import annotations

import math

from minimidl.arrays import Array

ACTIVATION_CODES = {
    "linear": 0, "relu": 1, "tanh": 2, "sigmoid": 3, "gelu": 4, "gelu-tanh": 5,
}
"""Compiled code compares numbers, not names."""

NOT_FINITE, DONE = 1, 0


def select_topk(scores: Array, k: int) -> list[int]:
    """Ascending indices of the ``k`` largest of ``(n,)`` scores; ties go to the lowest index."""
    best_first = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    return sorted(best_first[:k])


def select_above(scores: Array, cut: float) -> list[int]:
    """Ascending indices of the scores strictly above ``cut`` (rounded to their dtype)."""
    limit = scores.dtype.type(cut)
    return [i for i in range(len(scores)) if scores[i] > limit]


def sigmoid(u: float) -> float:
    """``1 / (1 + exp(-u))``; exponentiates ``-|u|`` only, so it cannot overflow."""
    small = math.exp(-abs(u))
    return (1.0 if u >= 0 else small) / (1.0 + small)


def activate(u: float, code: int) -> float:
    """One activation, by its code."""
    if code == ACTIVATION_CODES["relu"]:
        return max(u, 0.0)
    if code == ACTIVATION_CODES["tanh"]:
        return math.tanh(u)
    if code == ACTIVATION_CODES["sigmoid"]:
        return sigmoid(u)
    if code == ACTIVATION_CODES["gelu"]:
        return 0.5 * u * (1.0 + math.erf(u * math.sqrt(0.5)))
    if code == ACTIVATION_CODES["gelu-tanh"]:
        return 0.5 * u * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * (u + 0.044715 * u**3)))
    return u


def neuron_value(
    x: Array, neuron: int, gate: float, weight_t: Array, bias: Array, light: Array, code: int
) -> float:
    """``gate * (activation(x . w + b) - light)`` of one neuron for one sample ``x (n_in,)``."""
    u = float(bias[neuron])
    for i in range(len(x)):
        u += float(x[i]) * float(weight_t[neuron, i])
    return gate * (activate(u, code) - (float(light[neuron]) if len(light) else 0.0))


def neuron_segment(
    x: Array, scores: Array, k: int, cut: float, temperature: float, binary: bool, block: int,
    weight_t: Array, bias: Array, light: Array, code: int, next_weight: Array, base: Array,
    offsets: Array, indices: Array, values: Array, out: Array,
) -> int:
    """Run a gated layer and the linear layer after it on the open neurons.

    Args:
        x: ``(batch, n_in)``.
        scores: ``(batch, n_gates)``, as the layer's ``decide`` computes them.
        k: number of open gates per sample; 0 means "all above ``cut``".
        cut: used when ``k`` is 0.
        temperature: the gate value is ``sigmoid(score / temperature)``.
        binary: the gate value is 1 instead.
        block: neurons per gate.
        weight_t: ``(n_units, n_in)``, the transposed weight: one row per neuron.
        bias: ``(n_units,)``.
        light: ``(batch, n_units)``, or ``(0, 0)`` for the zero path.
        code: of the activation, :data:`ACTIVATION_CODES`.
        next_weight: ``(n_units, n_out)``.
        base: ``(batch, n_out)``, or ``(1, n_out)`` for all samples.
        offsets: ``(batch + 1,)`` int64, filled.
        indices: at least ``block`` longer than the number of open neurons, int64, filled.
        values: as long as ``indices``, filled.
        out: ``(batch, n_out)``, filled.

    Returns:
        0, or 1 when a score is NaN or infinite; then nothing else was done.

    """
    if not all(math.isfinite(z) for row in scores for z in row):
        return NOT_FINITE
    offsets[0] = position = 0
    for s in range(len(x)):
        light_row = light[s] if len(light) else light[:0]
        total = [float(b) for b in base[s if len(base) == len(x) else 0]]
        for chosen in select_topk(scores[s], k) if k else select_above(scores[s], cut):
            gate = 1.0 if binary else sigmoid(float(scores[s, chosen]) / temperature)
            for neuron in range(chosen * block, (chosen + 1) * block):
                value = neuron_value(x[s], neuron, gate, weight_t, bias, light_row, code)
                indices[position], values[position] = neuron, value
                total = [t + value * float(w)
                         for t, w in zip(total, next_weight[neuron], strict=True)]
                position += 1
        offsets[s + 1] = position
        out[s] = total
    return DONE
