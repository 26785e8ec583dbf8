"""What the tiles of compressed rows compute, as plain loops; see ``wire_tiles.py``."""

from __future__ import annotations

from collections.abc import Callable

from minimidl.arrays import Array
from minimidl.kernels.tile_code import VECTOR_BYTES


def gather_dot(
    x: Array, x_start: int, columns: Array, weights: Array, first: int, count: int, out: Array,
    place: int,
) -> None:
    """``out[place] = sum_i x[columns[i]] weights[i]`` over a list of whole registers.

    Args:
        x: holds one sample, from ``x_start`` on.
        x_start: see there.
        columns: int32; numbers of inputs.
        weights: one per column.
        first: where the list begins, in both.
        count: its length: a positive multiple of a register's lanes.
        out: where the answer goes.
        place: see there.

    """
    total = out.dtype.type(0)
    for i in range(first, first + count):
        total += x[x_start + columns[i]] * weights[i]
    out[place] = total


def sum_wires(wide: int) -> Callable[..., None]:
    """The tile for ``wide`` registers of samples."""
    def tile(
        panel: Array, columns: Array, weights: Array, first: int, count: int, totals: Array,
        place: int,
    ) -> None:
        """``totals[place:] += sum_i weights[i] panel[columns[i]]``, one number per sample.

        Args:
            panel: one row per input, which holds that input of every sample.
            columns: int32; numbers of rows.
            weights: one per column.
            first: where the list begins, in both.
            count: its length; may be 0.
            totals: sums, changed in place.
            place: where those of this neuron begin.

        """
        width = wide * VECTOR_BYTES // totals.itemsize
        for i in range(first, first + count):
            row = int(columns[i]) * width
            totals[place:place + width] += weights[i] * panel[row:row + width]

    return tile


def turn(
    rows: Array, start: int, stride: int, out: Array, out_start: int, out_stride: int
) -> None:
    """``out[j, i] = rows[i, j]`` for a square as wide as a register; rows ``stride`` apart."""
    size = VECTOR_BYTES // rows.itemsize
    for i in range(size):
        for j in range(size):
            out[out_start + j * out_stride + i] = rows[start + i * stride + j]
