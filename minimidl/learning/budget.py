"""Budgets at work: from what the gates of a model did to ``grad_gate``, the pull on them.

The mathematics of each kind is a function pair of :mod:`minimidl.losses`; here it meets a model, a
strength and a warm-up. Budgets that steer themselves are in ``controllers.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minimidl import losses
from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.gates import Pull
from minimidl.layers import Gated, memory_at
from minimidl.losses import Pair

GradGate = dict[str, Pull]
"""By layer path: ``dL/d(gate probability)``, or a :class:`minimidl.gates.GateGradient`."""

FREE = {
    "mean": Pair(losses.mean_usage, losses.mean_usage_backward),
    "polarise": Pair(losses.polarise, losses.polarise_backward),
}
"""Pairs that need no target, one layer at a time."""

WITH_TARGET = {
    "hinge": Pair(losses.hinge_usage, losses.hinge_usage_backward),
    "quadratic": Pair(losses.quadratic_usage, losses.quadratic_usage_backward),
    "keep-alive": Pair(losses.keep_alive, losses.keep_alive_backward),
}
"""Pairs that take a target, one layer at a time."""

KINDS = (*FREE, "cost-weighted", *WITH_TARGET)


@dataclass(frozen=True)
class Budget:
    """A penalty on how many gates are open.

    ``strength * mean over the gated layers of f(usage)``, where f is the
    usage itself (``"mean"``), ``max(usage - target, 0)`` (``"hinge"``), ``(usage - target)^2``
    (``"quadratic"``), ``max(target - usage, 0)^2`` (``"keep-alive"``) or the mean of ``p (1 - p)``
    (``"polarise"``, which makes gates decide); ``"cost-weighted"`` weighs each layer's usage by
    its multiply-accumulates instead of averaging.

    Args:
        kind: one of the six above.
        strength: factor on the value, at least 0.
        target: share of open gates in [0, 1]; for hinge, quadratic and keep-alive.
        warm_up: share of the training over which the strength grows linearly from 0.
        of: ``"probability"``, or ``"mask"``: what is opened, with the gradient straight through
            (``"quadratic"`` is then :func:`minimidl.losses.hard_quadratic_usage`). The mean
            probability does not control the executed share when probabilities crowd around the
            threshold; the mask does.

    Raises:
        InputError: an unknown kind, a negative strength, a missing or useless target.

    """

    kind: str
    strength: float
    target: float | None = None
    warm_up: float = 0.0
    of: str = "probability"

    def __post_init__(self) -> None:
        require(self.kind in KINDS, "budget kind", repr(self.kind), f"one of {', '.join(KINDS)}")
        require(self.strength >= 0, "strength", self.strength, "a number of at least 0")
        if self.kind in WITH_TARGET:
            require(self.target is not None and 0 <= self.target <= 1, "target", self.target,
                    f"a share in [0, 1] for the {self.kind} budget")
        else:
            require(self.target is None, "target", self.target, f"None for the {self.kind} budget",
                    "kind='quadratic' holds a target")
        require(0 <= self.warm_up <= 1, "warm_up", self.warm_up, "a share in [0, 1]")
        require(self.of in ("probability", "mask"), "of", repr(self.of), "'probability' or 'mask'")
        require(self.kind != "polarise" or self.of == "probability", "of", repr(self.of),
                "'probability' for the polarise budget", "a mask has nothing left to decide")

    def __call__(
        self, layers: Mapping[str, Gated], memory: Memory, progress: float = 1.0
    ) -> tuple[float, GradGate]:
        """Value, and its gradient for every gated layer.

        Args:
            layers: from :func:`minimidl.layers.gated_layers`.
            memory: of the model's forward pass.
            progress: share of the training that is done, for the warm-up.

        """
        usages = {path: self.usage(memory_at(memory, path)) for path in layers}
        now = self.strength * min(1.0, progress / self.warm_up if self.warm_up else 1.0)
        if self.kind == "cost-weighted":
            costs = {path: float(layer.params["weight"].size) for path, layer in layers.items()}
            value, memo = losses.cost_weighted_usage(usages, costs)
            return now * value, _scaled(losses.cost_weighted_usage_backward(memo), now)
        share = now / len(usages)
        answers = {path: self._pair(usage) for path, usage in usages.items()}
        return (share * sum(value for value, _ in answers.values()),
                _scaled({path: grad for path, (_, grad) in answers.items()}, share))

    def usage(self, memory: Memory) -> Array:
        """What is counted in one layer, ``(batch, n_gates)``."""
        probability: Array = memory["probability"]
        if self.of == "probability":
            return probability
        opened: Array = memory["decision"].mask > 0  # before dropout on open neurons
        return opened.astype(probability.dtype)

    def _pair(self, usage: Array) -> tuple[float, Array]:
        """Value and gradient for one layer, before strength and averaging."""
        pair = FREE.get(self.kind) or WITH_TARGET[self.kind]
        value, memo = pair.forward(usage, *(() if self.target is None else (self.target,)))
        return value, pair.backward(memo)


BudgetRule = Callable[[Mapping[str, Gated], Memory, float], tuple[float, GradGate]]
"""Anything that is called like a :class:`Budget`: your own penalty works as well."""


def total_budget(
    budgets: Sequence[BudgetRule], layers: Mapping[str, Gated], memory: Memory, progress: float
) -> tuple[float, Any]:
    """Sum of all budgets, with ``grad_gate`` as ``backward`` of the model wants it.

    That is None where none of them pulls, an array (or a
    :class:`minimidl.gates.GateGradient`) for a model that is one gated layer (its path is the empty
    string), else a dict by path.
    """
    total, grad_gate = 0.0, GradGate()
    for budget in budgets:
        value, grads = budget(layers, memory, progress)
        total += value
        for path, grad in grads.items():
            grad_gate[path] = grad_gate[path] + grad if path in grad_gate else grad
    return total, grad_gate.get("", grad_gate) if grad_gate else None


def _scaled(grads: Mapping[str, Array], factor: float) -> GradGate:
    """Every gradient times one number, without changing the dtype."""
    return {path: grad * grad.dtype.type(factor) for path, grad in grads.items()}
