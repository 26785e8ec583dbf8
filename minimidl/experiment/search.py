"""Random search by equal rules: as many draws for every model, and validation decides.

Bergstra & Bengio 2012, "Random Search for Hyper-Parameter Optimization" (JMLR 13): random draws
find good settings as soon as grids do, and their number can be the same for models that have more
to set. The spaces are small on purpose and hold how a model *learns*, never what it may *spend*
(widths, ``keep``, gate ranks): accuracy decides, and would always buy the dearest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

import numpy as np

from minimidl.arrays import Rng
from minimidl.errors import require
from minimidl.experiment.plan import reads
from minimidl.experiment.settings import make_settings

SPACE: dict[str, tuple[float, ...]] = {
    "weight_decay": (0.0, 0.003, 0.01, 0.03, 0.1),
    "dropout": (0.0, 0.1, 0.2, 0.3, 0.5),
    "label_smoothing": (0.0, 0.05, 0.1),
    "gate.learning_rate": (0.3, 1.0, 3.0),
    "gate.spread": (0.3, 1.0, 2.0),
    "budget.strength": (1.0, 3.0, 10.0),
    "wiring.drop": (0.1, 0.3, 0.5),
    "experts.balance": (0.001, 0.01, 0.1),
}
"""Values by setting; a model draws among the settings that it reads."""

RATE_FACTORS = (0.3, 0.5, 1.0, 2.0, 3.0)
"""On the learning rate of the data set's own recipe: for every model."""


def space_of(model: str, dataset: str, chosen: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    """What is searched for a model: settings by name, and their values.

    Args:
        model: its name.
        dataset: its default learning rate is the middle of the searched ones.
        chosen: settings the user fixed; they are not searched.

    """
    rate = make_settings(dataset, chosen).train.learning_rate
    whole = {"learning_rate": tuple(factor * rate for factor in RATE_FACTORS), **SPACE}
    return {name: values for name, values in whole.items()
            if name not in chosen and reads(model, name)}


def draws(
    model: str, dataset: str, chosen: Mapping[str, Any], count: int, seed: int
) -> list[dict[str, float]]:
    """The settings that one run tries: the recipe as it is, then ``count`` random draws.

    Args:
        model: its name.
        dataset: its name.
        chosen: settings the user fixed.
        count: of random draws, the same for every model; 0 searches nothing.
        seed: of the run. Model and data set are mixed in, so that no two runs share their luck.

    Returns:
        ``count + 1`` dicts from setting to value, the first one empty.

    Raises:
        InputError: a negative count.

    """
    require(count >= 0, "--search", count, "a whole number, at least 0")
    rng = np.random.default_rng([seed, crc32(f"{model} {dataset}".encode())])
    space = space_of(model, dataset, chosen)
    return [{}] + [draw(space, rng) for _ in range(count)]


def draw(space: Mapping[str, tuple[float, ...]], rng: Rng) -> dict[str, float]:
    """One value of each setting, all equally likely."""
    return {name: values[int(rng.integers(len(values)))] for name, values in space.items()}
