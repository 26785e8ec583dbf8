"""The drift of the plasticity experiment: phases that hurt small and large pictures alike."""

from __future__ import annotations

from minimidl.data import Dataset
from minimidl.data.drift import Phase, drift_phases
from minimidl.data.noise import Blur, Chain, GaussianNoise
from minimidl.data.shifts import Contrast, PermutedFeatures

SMALL_SIDE = 8
"""Side of the pictures of digits, for which one blur and noise of half a deviation hurt."""


def hurting_phases(data: Dataset, seed: int = 0) -> list[Phase]:
    """Phases that cost accuracy, and at the end clean samples again.

    Of :func:`minimidl.data.drift.drift_phases`, without the first clean one, and stronger. A large
    picture tells the same thing by many pixels, so the same harm to each of them takes less away:
    the blur grows with the side, the noise with its root.

    Args:
        data: any set; where rows are no pictures the usual phases stay as they are.
        seed: of the shuffled features.

    """
    if data.image_shape is None or len(data.image_shape) != 2:
        return drift_phases(data, seed)[1:]
    grown = max(1.0, max(data.image_shape) / SMALL_SIDE)
    noise = Chain((Blur(data.image_shape, int(grown)), GaussianNoise(0.5 * grown**0.5)))
    return [Phase("noise and blur", noise), Phase("contrast", Contrast(0.2)),
            Phase("permuted", PermutedFeatures(0.3, seed)), Phase("clean again")]
