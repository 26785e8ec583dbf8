"""How compressed rows are laid out for each kernel; NumPy, made once per set of weights."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array


def whole_rows(weight_t: Array, live: Array, lanes: int) -> tuple[Array, Array, Array]:
    """Neuron after neuron, every list filled up to whole registers.

    Args:
        weight_t: ``(n_units, n_in)``.
        live: ``(n_units, n_in)`` boolean.
        lanes: numbers per register.

    Returns:
        ``starts (n_units + 1,)`` int64, ``columns`` int32 and ``weights``. What fills a list up is
        input 0 with weight 0.

    """
    counts = live.sum(axis=1)
    starts = np.zeros(len(live) + 1, np.int64)
    np.cumsum(-(-counts // lanes) * lanes, out=starts[1:])
    rows, found = np.nonzero(live)
    before = np.cumsum(counts) - counts  # live places of all neurons above
    places = np.arange(len(found)) + (starts[:-1] - before)[rows]
    columns, weights = np.zeros(starts[-1], np.int32), np.zeros(starts[-1], weight_t.dtype)
    columns[places], weights[places] = found, weight_t[rows, found]
    return starts, columns, weights


def panel_rows(
    weight_t: Array, live: Array, inputs: int
) -> tuple[Array, Array, Array, Array]:
    """Panel after panel of ``inputs``; in each, neurons by how many connections they have there.

    Returns:
        ``order (n_panels, n_units)`` int32, ``starts (n_panels, n_units + 1)`` int64, ``columns``
        int32, counted from the first input of the panel, and ``weights``.

    """
    edges = range(0, live.shape[1], inputs)
    order, starts = np.empty((len(edges), len(live)), np.int32), []
    columns, weights, total = [], [], 0
    for p, first in enumerate(edges):
        counts = live[:, first:first + inputs].sum(axis=1)
        order[p] = np.argsort(counts, kind="stable")
        rows, found = np.nonzero(live[order[p], first:first + inputs])
        starts.append(np.concatenate([[total], total + np.cumsum(counts[order[p]])]))
        columns.append(found.astype(np.int32))
        weights.append(weight_t[order[p][rows], first + found])
        total += len(found)
    return (order, np.array(starts, np.int64), np.concatenate(columns), np.concatenate(weights))
