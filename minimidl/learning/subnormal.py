"""Moments that fade into subnormal numbers are set to 0.

A neuron that never opens again has gradients of exactly 0, and its first moment halves every 7
steps (with a beta of 0.9), until after some 800 steps of float32 it is a subnormal number, below
1.2e-38. There it stays for good, because 0.9 times 6e-45 rounds to 6e-45, and
arithmetic on such numbers is slow: an Adam step took half as long again where it was measured, on a
processor that is good at them. Next to an ``eps`` of 1e-8 such a moment moves nothing.

They are swept out in every 16th step, which is often enough for a state that takes hundreds of
steps to reach, and costs NumPy little.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minimidl.arrays import Array

STEPS_BETWEEN = 16


def is_sweep(step: int) -> bool:
    """Whether subnormal moments are set to 0 in this step, counted from 1."""
    return step % STEPS_BETWEEN == 0


@cache
def least_moment(dtype: np.dtype[Any]) -> float:
    """Moments nearer to 0 than this become 0: the smallest normal number of the dtype.

    For float16, whose smallest normal number, 6e-5, is not small, that is 0: they all stay.
    """
    return 0.0 if dtype.itemsize < 4 else float(np.finfo(dtype).smallest_normal)


def drop_subnormal(moment: Array, scratch: Array) -> None:
    """Set entries of ``moment`` below :func:`least_moment` to 0, in place."""
    np.abs(moment, out=scratch)
    np.copyto(moment, 0, where=scratch < least_moment(moment.dtype))
