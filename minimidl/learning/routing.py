"""Routing losses at work: entries of ``fit(budgets=[...])`` for models with experts.

The mathematics is in :mod:`minimidl.losses.routing`; here it meets a model and a strength. Each is
added for every routed layer, as in the papers (no mean over the layers), and leaves other gated
layers alone. Balancing without a loss is in ``balancing.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from minimidl import losses
from minimidl.arrays import Memory
from minimidl.errors import require
from minimidl.gates import Decision, GateGradient, NoisyTopKRouter, Router
from minimidl.layers import Gated, memory_at
from minimidl.learning.budget import GradGate


def routed_layers(layers: Mapping[str, Gated]) -> dict[str, Gated]:
    """Those of the gated layers that a router decides for; InputError where there are none."""
    found = {path: layer for path, layer in layers.items() if isinstance(layer.chooser, Router)}
    require(len(found) > 0, "model", "no layer with a router", "a model with Experts")
    return found


@dataclass(frozen=True)
class RoutingRule(ABC):
    """``strength * f(decision)``, summed over the routed layers.

    Args:
        strength: factor on the loss, at least 0.

    Raises:
        InputError: a negative strength; when called, a model without a routed layer.

    """

    strength: float

    def __post_init__(self) -> None:
        require(self.strength >= 0, "strength", self.strength, "a number of at least 0")

    def __call__(
        self, layers: Mapping[str, Gated], memory: Memory, progress: float = 1.0
    ) -> tuple[float, GradGate]:
        """Value, and its pull on every routed layer; see :class:`minimidl.learning.Budget`."""
        total, pulls = 0.0, GradGate()
        for path, layer in routed_layers(layers).items():
            value, pull = self.of_layer(layer, memory_at(memory, path)["decision"])
            total += self.strength * value
            pulls[path] = pull * self.strength
        return total, pulls

    @abstractmethod
    def of_layer(self, layer: Gated, decision: Decision) -> tuple[float, GateGradient]:
        """Value and pull for one layer, before the strength."""


@dataclass(frozen=True)
class LoadBalance(RoutingRule):
    """Switch's balance loss on what was chosen before capacity; even load costs ``strength``.

    Of no use with expert-choice, which is even by construction, and with the soft router.
    """

    strength: float = 1e-2

    def of_layer(self, layer: Gated, decision: Decision) -> tuple[float, GateGradient]:
        """:func:`minimidl.losses.load_balance`, a pull on the probabilities."""
        value, memo = losses.load_balance(decision.probability, decision.memory["chosen"])
        return value, GateGradient(probability=losses.load_balance_backward(memo))


@dataclass(frozen=True)
class RouterZ(RoutingRule):
    """ST-MoE's z-loss: keeps the logits small."""

    strength: float = 1e-3

    def of_layer(self, layer: Gated, decision: Decision) -> tuple[float, GateGradient]:
        """:func:`minimidl.losses.z_loss`, a pull on the scores."""
        value, memo = losses.z_loss(decision.scores)
        return value, GateGradient(scores=losses.z_loss_backward(memo))


@dataclass(frozen=True)
class Importance(RoutingRule):
    """Shazeer's importance loss: squared coefficient of variation of the summed gate values."""

    strength: float = 1e-2

    def of_layer(self, layer: Gated, decision: Decision) -> tuple[float, GateGradient]:
        """:func:`minimidl.losses.importance_cv`, a pull on the gate values."""
        value, memo = losses.importance_cv(decision.gate)
        return value, GateGradient(gate=losses.importance_cv_backward(memo))


@dataclass(frozen=True)
class Load(RoutingRule):
    """Shazeer's load loss, for the noisy Top-k router: the same of the chances to be chosen."""

    strength: float = 1e-2

    def of_layer(self, layer: Gated, decision: Decision) -> tuple[float, GateGradient]:
        """:func:`minimidl.losses.importance_cv` of the load, a pull on the load."""
        router = layer.chooser
        require(isinstance(router, NoisyTopKRouter), "router", type(router).__name__,
                "a noisy Top-k router", "only noise makes the load smooth")
        assert isinstance(router, NoisyTopKRouter)  # for the type checker
        value, memo = losses.importance_cv(router.load(decision))
        return value, GateGradient(load=losses.importance_cv_backward(memo))
