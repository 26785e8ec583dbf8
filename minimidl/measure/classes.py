"""Beside accuracy: which class is taken for which, and F1 with every class counting alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array
from minimidl.losses.cross_entropy import check_labels


@dataclass(frozen=True)
class ClassScores:
    """Scores class by class, ``(n_classes,)`` each.

    Attributes:
        precision: right among those called so; NaN for a class that was never called.
        recall: found among those that are; NaN for a class without samples.
        f1: ``2 right / (called + are)``; 0 for a class without samples that was called all the
            same; NaN for one that neither occurs nor is called.
        support: samples.

    """

    precision: Array
    recall: Array
    f1: Array
    support: Array

    @property
    def macro_f1(self) -> float:
        """Mean F1 over classes that occur or are called."""
        return float(np.nanmean(self.f1))

    @property
    def without_samples(self) -> list[int]:
        """Classes without samples: what is said about them here is not about them."""
        return np.flatnonzero(self.support == 0).tolist()

    @property
    def note(self) -> str:
        """One line to print under the numbers; empty where every class has samples."""
        missing = ", ".join(map(str, self.without_samples))
        return f"no samples of class {missing}: left out, or 0 if called" if missing else ""


def confusion_matrix(labels: Array, predicted: Array, n_classes: int) -> Array:
    """``(n_classes, n_classes)`` counts: row the true class, column the predicted one.

    Raises:
        InputError: labels or predictions that are not ``(n,)`` whole numbers in
            ``[0, n_classes)``.

    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    check_labels(labels, len(labels), n_classes)
    check_labels(predicted, len(labels), n_classes)
    cells = labels.astype(np.int64) * n_classes + predicted
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def class_scores(confusion: Array) -> ClassScores:
    """Precision, recall and F1 of every class, from :func:`confusion_matrix`."""
    right, are, called = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall, f1 = (
        top / np.where(bottom > 0, bottom, np.nan)
        for top, bottom in ((right, called), (right, are), (2 * right, called + are)))
    return ClassScores(precision, recall, f1, are)


def macro_f1(labels: Array, predicted: Array, n_classes: int) -> float:
    """Mean F1 over classes that occur or are called: a rare class counts as much as a common one.

    NaN without any sample. Who needs to know about classes without samples asks
    :func:`class_scores`.
    """
    if len(labels) == 0:
        return float("nan")
    return class_scores(confusion_matrix(labels, predicted, n_classes)).macro_f1
