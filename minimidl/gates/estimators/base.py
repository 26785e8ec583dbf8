"""What every estimator for a hard gate answers, and the check of its input.

A hard gate ``b`` has no useful derivative. An estimator says what to return instead. All of those
in this room that layers may use are *pathwise*: the gradient of a score is the gradient of its own
mask entry times a slope that the forward pass already knows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from minimidl.arrays import Array, Memory, Rng
from minimidl.errors import require, require_like
from minimidl.gates.rows import check_temperature, is_number
from minimidl.gates.threshold.base import check_topk


class Estimator(ABC):
    """A gate that is exactly 0 or 1, and a stand-in for its derivative.

    ``stochastic`` says whether training draws the mask: a layer in training must then hand over a
    generator. Without one the mask is ``1[z > cut]``, as in evaluation.
    """

    stochastic = False

    @abstractmethod
    def forward(
        self, scores: Array, cut: float = 0.0, temperature: float = 1.0, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """Decide.

        Args:
            scores: ``z``, ``(rows, n)``, finite.
            cut: the score at which a gate opens, ``T * logit(threshold)``.
            temperature: width of the stand-in, above 0.
            rng: draws the mask of a stochastic estimator; others ignore it.

        Returns:
            Mask of zeros and ones ``(rows, n)`` in the dtype of the scores, and the memory, which
            holds ``slope`` (what :meth:`backward` multiplies by) and ``open`` (boolean).

        Raises:
            InputError: scores not finite rows, cut not finite, temperature not positive.

        """

    def backward(self, grad_mask: Array, memory: Memory) -> Array:
        """``dL/dz = dL/db * slope``, ``(rows, n)``.

        Raises InputError where ``grad_mask`` has not the shape and dtype of the scores.
        """
        require_like(grad_mask, memory["slope"], "grad_mask")
        return grad_mask * memory["slope"]


def check_gate(scores: Array, cut: float, temperature: float) -> None:
    """Raise InputError unless the scores are finite rows, the cut finite, the temperature > 0."""
    check_topk(scores, 0, temperature)
    check_temperature(temperature, scores)
    require(is_number(cut), "cut", repr(cut), "a finite number")
