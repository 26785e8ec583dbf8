"""One shape for every data set: three parts, names, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array
from minimidl.errors import require

PARTS = ("train", "val", "test")
"""The parts of a set, in the order in which a reader uses them."""

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and labels in a training, a validation and a test part.

    Args:
        name: the name on the command line.
        x_train: ``(n_train, n_features)`` float32, already normalised.
        y_train: ``(n_train,)`` whole numbers from 0 to ``n_classes - 1``.
        x_val: as ``x_train``, for choosing (best epoch, settings).
        y_val: as ``y_train``.
        x_test: as ``x_train``, for the one final number.
        y_test: as ``y_train``.
        class_names: one name per class.
        feature_names: one name per input feature.
        image_shape: ``(height, width)`` where a row is a picture, else None.
        extra: more facts per sample, one entry per part (``regime_train``, ``font_test``).
        about: provenance, licence, citation, normalisation (``mean``, ``std``), checksum.

    """

    name: str
    x_train: Array
    y_train: Array
    x_val: Array
    y_val: Array
    x_test: Array
    y_test: Array
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    image_shape: tuple[int, ...] | None = None
    extra: dict[str, Array] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def n_features(self) -> int:
        """Width of one row."""
        return int(self.x_train.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes, whether or not each of them occurs."""
        return len(self.class_names)

    def part(self, name: str) -> tuple[Array, Array]:
        """Inputs and labels of the part ``"train"``, ``"val"`` or ``"test"``.

        Raises:
            InputError: there is no such part.

        """
        require(name in PARTS, "part", repr(name), f"one of {', '.join(PARTS)}")
        return getattr(self, f"x_{name}"), getattr(self, f"y_{name}")

    def arrays(self) -> dict[str, Array]:
        """Return the six arrays by name: ``x_train``, ``y_train``, ``x_val``, ..."""
        return {f"{axis}_{name}": getattr(self, f"{axis}_{name}")
                for name in PARTS for axis in "xy"}

    def counts(self, part: str) -> list[int]:
        """How many samples of each class a part holds."""
        return np.bincount(self.part(part)[1], minlength=self.n_classes).tolist()

    def astype(self, dtype: npt.DTypeLike) -> Dataset:
        """Return the same set with its inputs in another float type (float64 for proof)."""
        return replace(self, x_train=self.x_train.astype(dtype), x_val=self.x_val.astype(dtype),
                       x_test=self.x_test.astype(dtype))

    def validated(self) -> Dataset:
        """Return ``self`` when everything fits together.

        Raises:
            InputError: a shape, a dtype, a label or a number that does not fit; it names the
                array, the first bad index, and what was expected.

        """
        for name in PARTS:
            x, y = self.part(name)
            _check_inputs(x, self.n_features, f"{self.name}.x_{name}")
            check_labels(y, len(x), self.n_classes, f"{self.name}.y_{name}")
        require(len(self.feature_names) == self.n_features, f"{self.name}.feature_names",
                f"{len(self.feature_names)} names", f"{self.n_features}, one per feature")
        fits = self.image_shape is None or prod(self.image_shape) == self.n_features
        require(fits, f"{self.name}.image_shape", self.image_shape,
                f"a shape of {self.n_features} pixels")
        return self


def check_labels(y: Array, n_samples: int, n_classes: int, argument: str) -> None:
    """Raise InputError unless ``y`` is ``(n_samples,)`` whole numbers in ``[0, n_classes)``."""
    require(y.shape == (n_samples,), argument, f"shape {y.shape}", f"({n_samples},)")
    require(np.issubdtype(y.dtype, np.integer), argument, f"dtype {y.dtype}", "whole numbers")
    bad = np.flatnonzero((y < 0) | (y >= n_classes))
    if bad.size:
        require(False, argument, f"label {y[bad[0]]} at index {bad[0]}",
                f"labels from 0 to {n_classes - 1}")


def _check_inputs(x: Array, n_features: int, argument: str) -> None:
    """Two dimensions, the common width, a float type, at least one row, nothing but numbers."""
    require(x.ndim == 2 and x.shape[1] == n_features and len(x) > 0, argument,
            f"shape {x.shape}", f"(samples, {n_features}) with at least one sample")
    require(x.dtype in FLOATS, argument, f"dtype {x.dtype}", "float32",
            "convert with .astype(np.float32)")
    finite = np.isfinite(x)
    if not finite.all():
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        require(False, argument, f"{x[row, column]} at index ({row}, {column})",
                "finite numbers", "remove or replace NaN and infinity first")
