"""Is 80 % sure right 80 % of the time? Reliability, bin by bin, and its summary in one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.losses.cross_entropy import check_labels, log_softmax

BINS = ("width", "mass")
"""Bins of the same width, or with the same number of samples."""


@dataclass(frozen=True)
class Reliability:
    """One row per bin of confidence; all arrays ``(n_bins,)``.

    Attributes:
        lower: where the bin starts; for equal mass its smallest confidence.
        upper: where it ends, included; for equal mass its largest confidence.
        count: samples.
        confidence: their mean confidence, NaN for an empty bin.
        accuracy: share of right answers among them, NaN for an empty bin.

    """

    lower: Array
    upper: Array
    count: Array
    confidence: Array
    accuracy: Array

    @property
    def expected_error(self) -> float:
        """``sum_b count_b / n * |accuracy_b - confidence_b|`` over bins that have samples."""
        return float((self._gaps * self.count).sum() / self.count.sum())

    @property
    def largest_error(self) -> float:
        """``max_b |accuracy_b - confidence_b|``; one sample in a bin is enough to make it large."""
        return float(self._gaps.max())

    @property
    def _gaps(self) -> Array:
        return np.nan_to_num(np.abs(self.accuracy - self.confidence))

    def rows(self) -> list[dict[str, float]]:
        """Return the table, one dict per bin, without empty bins: for printing and for JSON."""
        names = ("lower", "upper", "count", "confidence", "accuracy")
        table = zip(*(getattr(self, name).tolist() for name in names), strict=True)
        return [dict(zip(names, row, strict=True)) for row in table if row[2]]


def probabilities(logits: Array) -> Array:
    """Softmax of each row in float64, ``(n, n_classes)``."""
    return np.exp(log_softmax(np.asarray(logits, dtype=np.float64)))


def reliability(
    probability: Array, labels: Array, n_bins: int = 15, bins: str = "width"
) -> Reliability:
    """Sort samples by confidence, the largest probability, and see how often they are right.

    Source: Guo et al., "On calibration of modern neural networks", ICML 2017, eq. 3 (bins
    ``((b - 1) / B, b / B]``); equal mass: Nguyen and O'Connor, EMNLP 2015.

    Args:
        probability: ``(n, n_classes)``, rows that sum to 1; see :func:`probabilities`.
        labels: ``(n,)`` whole numbers in ``[0, n_classes)``.
        n_bins: how many bins. Their number moves the answer: compare with the same one.
        bins: ``"width"``, or ``"mass"`` for as many samples in each (up to one; equal
            confidences may fall on both sides of a cut). With fewer samples than bins, one each.

    Raises:
        InputError: rows that are no distributions, labels that do not fit, unknown bins.

    """
    probability, labels = np.asarray(probability, dtype=np.float64), np.asarray(labels)
    _check(probability, labels)
    require(n_bins >= 1, "n_bins", n_bins, "1 or more")
    require(bins in BINS, "bins", repr(bins), f"one of {', '.join(BINS)}")
    confidence = probability.max(axis=1)
    right = probability.argmax(axis=1) == labels
    if bins == "width":
        edges = np.linspace(0, 1, n_bins + 1)
        place = np.searchsorted(edges[1:-1], confidence, side="left")
        return _table(place, confidence, right, edges[:-1], edges[1:])
    n_bins = min(n_bins, len(labels))
    order = np.argsort(confidence, kind="stable")
    place = np.empty(len(labels), np.intp)
    place[order] = np.arange(len(labels)) * n_bins // len(labels)
    starts = -(-np.arange(n_bins) * len(labels) // n_bins)  # rounded up: first of each bin
    ends = np.append(starts[1:], len(labels)) - 1
    return _table(place, confidence, right, confidence[order[starts]], confidence[order[ends]])


def _table(place: Array, confidence: Array, right: Array, lower: Array,
           upper: Array) -> Reliability:
    count = np.bincount(place, minlength=len(lower))
    known = np.where(count > 0, count, np.nan)  # an empty bin has no mean: NaN
    means = [np.bincount(place, weights=values, minlength=len(lower)) / known
             for values in (confidence, right)]
    return Reliability(lower, upper, count, *means)


def _check(probability: Array, labels: Array) -> None:
    require(probability.ndim == 2 and probability.size > 0, "probability",
            f"shape {probability.shape}", "(samples, classes) with at least one sample")
    sound = (probability >= 0).all(axis=1) & (np.abs(probability.sum(axis=1) - 1) < 1e-4)
    require(bool(sound.all()), "probability", f"no distribution in row {int(np.argmin(sound))}",
            "numbers of at least 0 that sum to 1", "turn logits into them with probabilities()")
    check_labels(labels, *probability.shape)


def calibration_error(
    probability: Array, labels: Array, n_bins: int = 15, bins: str = "width"
) -> float:
    """Expected calibration error (ECE), in [0, 1]; see :func:`reliability`."""
    return reliability(probability, labels, n_bins, bins).expected_error
