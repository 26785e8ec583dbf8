"""A stream that drifts: phases of changed inputs, batch by batch, and test parts to go with them.

Everything is drawn from the seed and a place in the stream, not from what was drawn before. So two
models, or one model before and after it has adapted, meet the same samples with the same noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from minimidl.arrays import Array, Rng
from minimidl.data.dataset import PARTS, Dataset
from minimidl.data.noise import Blur, Chain, Change, GaussianNoise, check_seed, stream
from minimidl.data.shifts import Contrast, PermutedFeatures
from minimidl.errors import require

BATCHES = len(PARTS)
"""Batches take their random numbers from a place of their own, after the parts."""


@dataclass(frozen=True)
class Phase:
    """One part of the stream: a name for tables, and what happens to the inputs (None: nothing)."""

    name: str
    change: Change | None = None


def drift_phases(dataset: Dataset, seed: int = 0) -> list[Phase]:
    """The phases that go round the common troubles, and end where they began.

    ``clean, noise (with blur for pictures), contrast, permuted, clean again``; a tenth of the
    features is permuted.
    """
    is_picture = dataset.image_shape is not None and len(dataset.image_shape) == 2
    noise: Change = GaussianNoise(0.5)
    if is_picture:
        noise = Chain((Blur(dataset.image_shape), noise))
    return [Phase("clean"), Phase("noise and blur" if is_picture else "noise", noise),
            Phase("contrast", Contrast(0.4)), Phase("permuted", PermutedFeatures(0.1, seed)),
            Phase("clean again")]


@dataclass(frozen=True, eq=False)
class Batch:
    """One step of a stream.

    Attributes:
        step: from 0.
        phase: number of the phase, from 0.
        x: ``(batch_size, n_features)`` changed inputs.
        y: ``(batch_size,)`` labels.
        rows: which samples of the part they are.

    """

    step: int
    phase: int
    x: Array
    y: Array
    rows: Array


@dataclass(frozen=True, eq=False)
class DriftStream:
    """Batches of a set, phase after phase.

    Args:
        dataset: where the samples come from.
        phases: in order; :func:`drift_phases` has some.
        steps_per_phase: batches in each phase.
        batch_size: samples per batch, different ones within a batch.
        seed: of batches and noise.
        part: where the batches come from.

    Raises:
        InputError: no phases, no steps, an unknown part, a batch larger than the part.

    """

    dataset: Dataset
    phases: Sequence[Phase]
    steps_per_phase: int = 50
    batch_size: int = 64
    seed: int = 0
    part: str = "train"

    def __post_init__(self) -> None:
        n = len(self.dataset.part(self.part)[0])
        require(len(self.phases) > 0, "phases", "none", "at least one phase")
        require(self.steps_per_phase >= 1, "steps_per_phase", self.steps_per_phase, "1 or more")
        require(1 <= self.batch_size <= n, "batch_size", self.batch_size,
                f"1 to {n}, the samples of the part {self.part!r}")
        check_seed(self.seed)

    def __len__(self) -> int:
        """Batches in all phases together."""
        return len(self.phases) * self.steps_per_phase

    def __iter__(self) -> Iterator[Batch]:
        """All batches in order."""
        return (self.batch(step) for step in range(len(self)))

    def batch(self, step: int) -> Batch:
        """Batch ``step``, the same whenever it is asked for."""
        require(0 <= step < len(self), "step", step, f"0 to {len(self) - 1}")
        rng, (x, y) = stream(self.seed, BATCHES, step), self.dataset.part(self.part)
        rows = rng.choice(len(x), self.batch_size, replace=False)
        phase = step // self.steps_per_phase
        return Batch(step, phase, self.changed(x[rows], phase, rng), y[rows], rows)

    def drifted(self, phase: int, part: str = "test") -> tuple[Array, Array]:
        """A whole part as the phase shows it: to be judged on before and after, same noise."""
        require(0 <= phase < len(self.phases), "phase", phase, f"0 to {len(self.phases) - 1}")
        x, y = self.dataset.part(part)
        return self.changed(x, phase, stream(self.seed, PARTS.index(part), phase)), y

    def changed(self, x: Array, phase: int, rng: Rng) -> Array:
        """Inputs as the phase shows them."""
        change = self.phases[phase].change
        return x if change is None else change(x, rng)
