"""Parameter groups: which parameters learn at another pace, and which ones decay.

A group is a name, a predicate over parameter names and two settings. The first group that matches
a parameter wins; a parameter that no group matches keeps the optimiser's own settings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minimidl.arrays import Array
from minimidl.errors import require


@dataclass(frozen=True)
class Group:
    """Settings for the parameters whose name ``matches``.

    Args:
        name: shown in error messages.
        matches: predicate over a full parameter name such as ``"0.gate.weight"``.
        learning_rate_scale: factor on the learning rate of the step; 0 freezes the group.
        weight_decay: decay of the group; None keeps the optimiser's rule (its ``weight_decay``,
            and none for gates, biases and norms). A number is taken literally, even for those.

    Raises:
        InputError: a negative scale or decay.

    """

    name: str
    matches: Callable[[str], bool]
    learning_rate_scale: float = 1.0
    weight_decay: float | None = None

    def __post_init__(self) -> None:
        require(self.learning_rate_scale >= 0, f"learning_rate_scale of group {self.name!r}",
                self.learning_rate_scale, "a number of at least 0")
        require(self.weight_decay is None or self.weight_decay >= 0,
                f"weight_decay of group {self.name!r}", self.weight_decay, "at least 0, or None")


def is_gate(name: str) -> bool:
    """Whether a parameter belongs to a gate: one part of its dotted name is ``gate``."""
    return "gate" in name.split(".")


def is_bias_or_norm(name: str, array: Array) -> bool:
    """Whether a parameter is a bias or a norm's gain: named ``bias``, or of one dimension or none.

    Decay on these saves no capacity and only moves the point of work (as in most public recipes).
    """
    return name.rsplit(".", 1)[-1] == "bias" or array.ndim <= 1


def may_decay(name: str, array: Array) -> bool:
    """Whether weight decay applies where no group says otherwise.

    Decay on gate scores pulls every gate probability to 1/2, so gates are left out as well.
    """
    return not (is_gate(name) or is_bias_or_norm(name, array))


def gate_group(scale: float) -> Group:
    """Give the gates their own learning rate: ``scale`` times the one of the weights."""
    return Group("gates", is_gate, learning_rate_scale=scale, weight_decay=0.0)


def find_group(groups: Sequence[Group], name: str) -> Group | None:
    """Return the first group that matches, or None."""
    return next((group for group in groups if group.matches(name)), None)
