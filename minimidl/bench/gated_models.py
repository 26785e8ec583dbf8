"""The gated models that are timed: random gates, and gates trained here on MNIST.

A gate that was never trained scores by a random low-rank net. Its masks have the right density and
no structure but this: two samples share neurons as far as their images in the gate's few
dimensions agree. So that no neuron is a favourite of all samples, every neuron's column of the
gate is scaled to the same length; ``usage_low`` and ``usage_high`` in the rows tell how even it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.data import Dataset, load
from minimidl.errors import InputError
from minimidl.layers import MIDL, Linear, Sequential

GATE_RANK = 16
USAGE_SAMPLES = 2048
"""How many normal inputs the usage of the neurons is counted on."""


@dataclass(frozen=True)
class GatedModel:
    """A model, the inputs it is timed on, and what the rows shall say of it.

    Attributes:
        kind: ``"random"`` or ``"trained"``.
        model: a gated layer, then a linear one.
        inputs: ``(at least the largest batch, n_in)``.
        density: the nominal one.
        block: neurons per gate.
        facts: further keys of the rows.

    """

    kind: str
    model: Sequential
    inputs: Array
    density: float
    block: int
    facts: dict[str, Any]

    @property
    def granularity(self) -> str:
        """As rows name it: ``"neuron"`` or ``"block:32"``."""
        return "neuron" if self.block == 1 else f"block:{self.block}"

    @property
    def case(self) -> str:
        """As rows name it: what the gate is, and what it opens."""
        what = "per-neuron" if self.block == 1 else f"blocks of {self.block}"
        return f"{self.kind} {what}"


def random_model(
    shape: tuple[int, int, int], density: float, block: int, samples: int, seed: int = 0
) -> GatedModel:
    """An untrained MID-L layer and a linear layer, on normal inputs.

    Args:
        shape: ``(n_in, n_units, n_out)``.
        density: share of open gates, in (0, 1].
        block: neurons per gate.
        samples: inputs to draw.
        seed: of weights and inputs.

    """
    n_in, n_units, n_out = shape
    rng = np.random.default_rng(seed)
    gated = MIDL(n_in, n_units, keep=density, gate_rank=GATE_RANK, block=block, seed=rng)
    up = gated.params["gate.up"]  # (rank, n_gates)
    up /= np.linalg.norm(up, axis=0)  # every neuron's scores now have the same spread
    probe = rng.standard_normal((USAGE_SAMPLES, n_in), np.float32)
    usage = gated.decide(probe).active.mean(axis=0)
    low, high = np.percentile(usage, [5, 95])
    inputs = rng.standard_normal((samples, n_in), np.float32)
    return GatedModel("random", Sequential(gated, Linear(n_units, n_out, seed=rng)), inputs,
                      density, block, {"usage_low": float(low), "usage_high": float(high)})


def mnist() -> Dataset | None:
    """MNIST where it is prepared here, else None."""
    try:
        return load("mnist")
    except InputError:
        return None


def trained_model(
    data: Dataset, width: int, density: float, *, block: int = 1, epochs: int = 4,
    n_train: int = 20_000, seed: int = 0,
) -> GatedModel:
    """A MID-L network trained by the recipe of ``minimidl train``, on test images.

    Args:
        data: MNIST, or a set of the same kind.
        width: neurons.
        density: share of open gates.
        block: neurons per gate.
        epochs: passes over the training part.
        n_train: samples of it that are used; the first so many.
        seed: of the training.

    """
    from minimidl.experiment import make_settings, run_experiment

    part = replace(data, x_train=data.x_train[:n_train], y_train=data.y_train[:n_train])
    settings = make_settings("mnist", {
        "width": (width,), "keep": density, "gate.block": block, "gate.rank": GATE_RANK,
        "epochs": epochs})
    result = run_experiment("midl", part, settings, seed=seed, progress=False, timed=False)
    return GatedModel("trained", result.model, data.x_test, density, block,
                      {"accuracy": result.row["accuracy"], "epochs": epochs,
                       "n_train": len(part.x_train), "dataset": data.name})
