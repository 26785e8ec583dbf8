"""What is proved: anything with live arrays, a forward and a backward, brought into one shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.proof.fingerprint import pieces

Values = dict[str, Array]
"""Arrays by name: tensors that are differentiated, outputs, cotangents."""

Forward = Callable[[], tuple[Values, Any]]
Backward = Callable[[Values, Any], Values]
Statement = Callable[[], str]


class JumpError(Exception):
    """A mask changed while one entry moved a little: the test point is too near to a jump."""


@dataclass(frozen=True)
class Subject:
    """One differentiable thing.

    Attributes:
        tensors: the float64 arrays that ``forward`` reads; differences change them in place.
        forward: answers outputs by name, and a memory.
        backward: takes cotangents by output name and the memory; answers gradients by tensor name.
        surrogate: disturbed in place of ``forward`` where the forward is a hard decision.
        cotangents: given where they cannot be chosen (the 1 in front of a loss).
        watched: anything else that neither pass may change, such as a layer's state.
        statements: further checks; each answers what is wrong, or an empty string.
        zero: tensors whose gradient is 0 by nature; all others must have one.

    """

    tensors: Values
    forward: Forward
    backward: Backward
    surrogate: Forward | None = None
    cotangents: Values | None = None
    watched: Any = None
    statements: tuple[Statement, ...] = ()
    zero: frozenset[str] = field(default_factory=frozenset)

    def draw_cotangents(self, outputs: Values, rng: np.random.Generator) -> Values:
        """One random fixed cotangent per output: every entry of it, with its own weight."""
        if self.cotangents is not None:
            return self.cotangents
        return {name: rng.normal(size=value.shape) for name, value in outputs.items()}

    def objective(self, cotangents: Values) -> Callable[[], float]:
        """The scalar ``sum of <cotangent, output>`` as a function of the live arrays.

        Raises:
            JumpError: (when called) a boolean in the memory differs from the undisturbed one.

        """
        run = self.surrogate or self.forward
        home = pieces(run()[1])

        def value() -> float:
            outputs, memory = run()
            if pieces(memory) != home:
                raise JumpError
            return float(sum(np.vdot(cotangents[name], out) for name, out in outputs.items()))

        return value
