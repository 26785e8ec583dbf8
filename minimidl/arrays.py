"""The few types that every room shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""Any NumPy array; shapes and dtypes are in the docstrings, where a reader needs them."""

Memory = dict[str, Any]
"""What a forward pass keeps for its backward pass. Read it, never change it."""

Grads = dict[str, Array]
"""Gradients by parameter name: the keys and shapes of ``layer.params``."""

Rng = np.random.Generator
"""Randomness is an argument; there is no global state."""
