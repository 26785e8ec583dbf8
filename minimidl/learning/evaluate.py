"""Evaluation: what a model answers, and what it opened to find the answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.layers import Gated, Layer, gated_layers, memory_at
from minimidl.losses import LOSSES, Pair, binary_cross_entropy, cross_entropy


def find_loss(loss: str | Pair) -> Pair:
    """Look a loss up by name, or take a pair as it is; raises InputError with the known names."""
    if isinstance(loss, Pair):
        return loss
    require(loss in LOSSES, "loss", repr(loss), f"one of {', '.join(LOSSES)}")
    return LOSSES[loss]


def right_class(output: Array, labels: Array) -> Array:
    """Whether the largest logit is the label's, ``(batch,)``."""
    right: Array = output.argmax(axis=1) == labels
    return right


def right_side(output: Array, targets: Array) -> Array:
    """Whether each logit is on its target's side of 0, the shape of ``output``."""
    right: Array = (output > 0) == (np.asarray(targets) > 0.5)
    return right


RIGHT: dict[Callable[..., Any], Callable[[Array, Array], Array]] = {
    cross_entropy: right_class, binary_cross_entropy: right_side,
}


def accuracy(pair: Pair, output: Array, targets: Array) -> float | None:
    """Share of right answers in [0, 1]; None for a loss that is not a classification."""
    forward = pair.forward.func if isinstance(pair.forward, partial) else pair.forward
    return float(RIGHT[forward](output, targets).mean()) if forward in RIGHT else None


def gates_of(model: Layer) -> dict[str, Gated]:
    """Gated layers by path; where ``model`` only runs another one (an executor), of that one."""
    inner: Layer = getattr(model, "model", model)
    return gated_layers(inner)


class GateMeter:
    """Counts open gates, batch after batch.

    Every layer counts by its number of neurons, so the ratio is the share of all gated neurons
    that ran. A model without gates runs everything: 1.

    Args:
        layers: from :func:`minimidl.layers.gated_layers`.

    """

    def __init__(self, layers: dict[str, Gated]) -> None:
        self.layers = layers
        self.ran = self.probable = self.neurons = 0.0

    def add(self, memory: Memory) -> None:
        """Count one batch from the memory of its forward pass."""
        found = {path: memory_at(memory, path)["decision"] for path in self.layers}
        rows = max((len(decision.active) for decision in found.values()), default=1)
        for path, decision in found.items():
            # A gate of connections decides once for all samples: its one row stands for them all.
            times = self.layers[path].block * (rows if len(decision.active) == 1 else 1)
            self.ran += int(np.count_nonzero(decision.active)) * times
            self.probable += float(decision.probability.sum(dtype=np.float64)) * times
            self.neurons += decision.active.size * times

    @property
    def active_ratio(self) -> float:
        """Executed share of the gated neurons."""
        return self.ran / self.neurons if self.neurons else 1.0

    @property
    def usage(self) -> float:
        """Mean gate probability of the gated neurons."""
        return self.probable / self.neurons if self.neurons else 1.0


def evaluate(
    model: Layer, x: Array, y: Array, loss: str | Pair = "cross-entropy", batch_size: int = 1024
) -> dict[str, Any]:
    """Run a model in evaluation mode.

    Args:
        model: anything with the protocol.
        x: ``(n, n_in)``, n at least 1.
        y: targets of the loss, ``n`` of them.
        loss: a name, or a :class:`~minimidl.losses.Pair`.
        batch_size: rows at a time; changes memory, not the meaning.

    Returns:
        ``loss`` (over all rows at once), ``accuracy`` (a fraction, or None), ``active_ratio``
        (executed share of the gated neurons) and ``usage`` (their mean gate probability).

    Raises:
        InputError: no rows, different lengths, an unknown loss.

    """
    require(len(x) > 0 and len(x) == len(y), "x and y", f"{len(x)} and {len(y)} rows",
            "as many rows in both, at least one")
    require(batch_size >= 1, "batch_size", batch_size, "at least 1")
    pair, meter, outputs = find_loss(loss), GateMeter(gates_of(model)), []
    for start in range(0, len(x), batch_size):
        output, memory = model.forward(x[start:start + batch_size])
        meter.add(memory)
        outputs.append(output)
    everything = np.concatenate(outputs)  # (n, n_out)
    return {
        "loss": pair.forward(everything, y)[0], "accuracy": accuracy(pair, everything, y),
        "active_ratio": meter.active_ratio, "usage": meter.usage,
    }
