"""The same execution in NumPy: gather what is open, multiply, add the rows.

Two forms. :func:`neurons` goes sample by sample and serves where Numba is missing. :func:`blocks`
goes block by block: all samples that opened a block are gathered and multiplied by the block's
weights in one call to BLAS, which pays as soon as a block has enough neurons and enough samples.

Both add to ``out``, which the caller has filled with what the next layer answers when every gate is
closed. Shapes: ``x (batch, n_in)``, ``active`` and ``gate`` ``(batch, n_gates)``, ``weight_t
(n_units, n_in)``, ``light (batch, n_units)`` or None, ``next_weight (n_units, n_out)``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minimidl.arrays import Array

Activation = Callable[[Array], Array]


def neurons(
    x: Array, active: Array, gate: Array, block: int, weight_t: Array, bias: Array,
    light: Array | None, activation: Activation, next_weight: Array, out: Array,
) -> None:
    """Sample by sample: copy the open rows of the weight, multiply, add to ``out`` in place."""
    for s in range(len(x)):
        gates = np.flatnonzero(active[s])
        units = (gates[:, None] * block + np.arange(block)).ravel()  # (n_open * block,)
        value = activation(weight_t[units] @ x[s] + bias[units])
        if light is not None:
            value = value - light[s, units]
        out[s] += (value * np.repeat(gate[s, gates], block)) @ next_weight[units]


def blocks(
    x: Array, active: Array, gate: Array, block: int, weight_t: Array, bias: Array,
    light: Array | None, activation: Activation, next_weight: Array, out: Array,
) -> None:
    """Block by block: gather the samples that opened it, multiply, add to ``out`` in place."""
    room = np.empty_like(x)
    for g, samples in enumerate(samples_by_gate(active)):
        if not len(samples):
            continue
        units = slice(g * block, (g + 1) * block)
        # "clip" promises that indices need no check, which lets NumPy write into the room directly
        chosen = np.take(x, samples, axis=0, out=room[:len(samples)], mode="clip")
        value = activation(chosen @ weight_t[units].T + bias[units])  # (samples, block)
        if light is not None:
            value = value - light[samples, units]
        value *= gate[samples, g, None]
        out[samples] += value @ next_weight[units]  # no sample occurs twice, so += adds them all


def samples_by_gate(active: Array) -> list[Array]:
    """Ascending sample numbers for every gate, from a ``(batch, n_gates)`` mask."""
    gates, samples = np.nonzero(active.T)
    ends = np.searchsorted(gates, np.arange(1, active.shape[1]))
    return np.split(samples, ends)


def layer(
    x: Array, columns: Array | None, active: Array, gate: Array, weight_t: Array, bias: Array,
    activation: Activation, hidden: Array,
) -> None:
    """One gated layer of a chain, sample by sample: open rows, and of those the open columns.

    Args:
        x: ``(batch, n_in)``.
        columns: ``(batch, n_in)`` boolean, which inputs may differ from 0; None: all.
        active: ``(batch, n_units)`` boolean.
        gate: ``(batch, n_units)``.
        weight_t: ``(n_units, n_in)``.
        bias: ``(n_units,)``.
        activation: of the layer.
        hidden: ``(batch, n_units)`` of zeros; the open places are filled.

    """
    for s in range(len(x)):
        units = np.flatnonzero(active[s])
        inputs = np.arange(x.shape[1]) if columns is None else np.flatnonzero(columns[s])
        value = activation(weight_t[np.ix_(units, inputs)] @ x[s, inputs] + bias[units])
        hidden[s, units] = gate[s, units] * value
