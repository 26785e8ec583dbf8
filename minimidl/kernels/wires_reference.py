"""The truth about compressed rows and given decisions in plain loops; sums in float64.

*Compressed rows* hold, neuron by neuron, the live connections alone: neuron ``j`` reads the inputs
``columns[starts[j]:starts[j + 1]]``, and ``weights`` holds its weights in the same places.

    y_j = activation(sum over live i of x_i w_ij + b_j)
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.kernels.reference import activate


def compress(weight_t: Array, live: Array) -> tuple[Array, Array, Array]:
    """Starts, columns and weights of the live places of ``(n_units, n_in)``."""
    starts, columns, weights = [0], [], []
    for row, own in zip(weight_t, live, strict=True):
        for i in range(len(row)):
            if own[i]:
                columns.append(i)
                weights.append(row[i])
        starts.append(len(columns))
    return (np.array(starts, np.int64), np.array(columns, np.int32),
            np.array(weights, weight_t.dtype))


def wires(
    x: Array, starts: Array, columns: Array, weights: Array, bias: Array, code: int, out: Array
) -> None:
    """``out = activation(x (W * M) + b)``, over the live connections only.

    Args:
        x: ``(batch, n_in)``.
        starts: ``(n_units + 1,)`` int64.
        columns: ``(n_live,)`` int32.
        weights: ``(n_live,)``.
        bias: ``(n_units,)``.
        code: of the activation, ``reference.ACTIVATION_CODES``.
        out: ``(batch, n_units)``, filled.

    """
    for s in range(len(x)):
        for j in range(len(bias)):
            u = float(bias[j])
            for i in range(starts[j], starts[j + 1]):
                u += float(x[s, columns[i]]) * float(weights[i])
            out[s, j] = activate(u, code)


def given_segment(
    x: Array, offsets: Array, chosen: Array, gates: Array, block: int,
    rows: tuple[Array, Array, Array], bias: Array, light: Array, code: int, next_weight: Array,
    base: Array, out: Array,
) -> None:
    """A gated layer and the linear layer after it, on gates that somebody else has chosen.

    Args:
        x: ``(batch, n_in)``.
        offsets: ``(batch + 1,)`` int64: sample ``s`` opens
            ``chosen[offsets[s]:offsets[s + 1]]``.
        chosen: numbers of gates, int64.
        gates: what multiplies, in the same places.
        block: neurons per gate.
        rows: compressed rows: starts, columns and weights.
        bias: ``(n_units,)``.
        light: ``(batch, n_units)``, or ``(0, 0)`` for the zero path.
        code: of the activation.
        next_weight: ``(n_units, n_out)``.
        base: ``(batch, n_out)``, or ``(1, n_out)`` for all samples.
        out: ``(batch, n_out)``, filled.

    """
    full = np.empty((len(x), len(bias)))
    wires(x, *rows, bias, code, full)
    for s in range(len(x)):
        total = base[s if len(base) > 1 else 0].astype(np.float64)
        for p in range(offsets[s], offsets[s + 1]):
            for neuron in range(chosen[p] * block, (chosen[p] + 1) * block):
                value = full[s, neuron] - (float(light[s, neuron]) if len(light) else 0.0)
                total += float(gates[p]) * value * next_weight[neuron].astype(np.float64)
        out[s] = total
