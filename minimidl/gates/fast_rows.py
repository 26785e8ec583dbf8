"""The one door from the gates to compiled kernels: large arrays only, and only when asked.

Both sides of the door give the same answers: to 1e-5 in float32 and 1e-12 in float64, which the
tests of ``kernels/`` hold them to. Which side is taken depends on the size of the array and on
whether Numba is installed, so that a run repeats itself bit by bit; see ``kernels/choose.py``.
"""

from __future__ import annotations

from typing import Any

from minimidl.arrays import Array


def row_kernels(like: Array) -> Any:
    """The module ``minimidl.kernels.rows`` if it pays for an array such as ``like``, else None."""
    from minimidl.kernels.choose import row_kernels as compiled

    return compiled(like.size, like.dtype)
