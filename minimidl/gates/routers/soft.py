"""The soft mixture: every expert runs, weighted with its probability (Jacobs et al. 1991).

It saves nothing and is what the sparse routers are compared with. The "soft mixture of experts" of
Puigcerver et al. 2023 is something else: its slots are mixtures of the tokens of one sequence, and
independent samples have no companions that they may be mixed with.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array
from minimidl.gates.routers.base import Router


class SoftRouter(Router):
    """``gate = P``, all experts active; differentiable everywhere."""

    def choose(self, scores: Array, probability: Array, training: bool) -> Array:
        """Everyone."""
        return np.ones(probability.shape, bool)
