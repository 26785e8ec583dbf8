"""Poor training parts: labels that are wrong, and samples that are few. Other parts stay good."""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.data.dataset import Dataset
from minimidl.data.noise import part_rng, remember
from minimidl.data.splits import even_ranks
from minimidl.errors import require


def noisy_labels(labels: Array, n_classes: int, rate: float, rng: Rng) -> tuple[Array, Array]:
    """Change exactly ``round(rate * n)`` labels into another one, each as likely.

    The same generator at a higher rate changes the same labels to the same ones, and more.

    Args:
        labels: ``(n,)`` whole numbers in ``[0, n_classes)``.
        n_classes: at least 2.
        rate: share of labels to change, in [0, 1].
        rng: source of randomness.

    Returns:
        New labels, and which of them were changed, ``(n,)`` each.

    Raises:
        InputError: a rate outside [0, 1], or a single class: there is no other label.

    """
    require(0 <= rate <= 1, "rate", rate, "a share in [0, 1]")
    require(n_classes >= 2, "n_classes", n_classes, "two classes or more",
            "a wrong label needs another class")
    order = rng.permutation(len(labels))
    other = (labels + rng.integers(1, n_classes, size=len(labels))) % n_classes
    changed = np.zeros(len(labels), bool)
    changed[order[:round(rate * len(labels))]] = True
    return np.where(changed, other, labels).astype(labels.dtype), changed


def with_label_noise(dataset: Dataset, rate: float, seed: int = 0) -> Dataset:
    """Return the set with wrong labels in its training part; see :func:`noisy_labels`.

    ``extra["mislabelled_train"]`` says which. Validation and test labels stay right.
    """
    y, changed = noisy_labels(dataset.y_train, dataset.n_classes, rate, part_rng(seed, "train"))
    return remember(dataset, f"{rate:g} of the training labels wrong, seed {seed}", y_train=y,
                    extra=dataset.extra | {"mislabelled_train": changed})


def small_sample(labels: Array, n: int, rng: Rng) -> Array:
    """Choose ``n`` samples in the proportions of the classes, with every class that there is.

    The first sample of every class goes first, then the classes mix like well shuffled cards. So a
    larger choice by the same generator holds the smaller one.

    Args:
        labels: ``(n_samples,)`` whole numbers.
        n: at least one per class that occurs, at most all.
        rng: source of randomness.

    Returns:
        ``(n,)`` rising indices.

    Raises:
        InputError: fewer samples than classes, or more than there are.

    """
    seen, code = np.unique(labels, return_inverse=True)
    require(len(seen) <= n <= len(labels), "n", n, f"{len(seen)} to {len(labels)}",
            "every class keeps at least one sample")
    ranks = even_ranks(labels, rng)
    first = np.full(len(seen), np.inf)
    np.minimum.at(first, code, ranks)
    ranks[ranks == first[code]] -= 1  # ranks are in (0, 1)
    return np.sort(np.argsort(ranks, kind="stable")[:n])


def with_few_samples(dataset: Dataset, n: int, seed: int = 0) -> Dataset:
    """Return the set with ``n`` of its training samples; see :func:`small_sample`.

    ``extra`` of the training part is cut alike. Validation and test parts stay whole: choosing by
    a large validation part helps more than a user with few samples could hope for.
    """
    kept = small_sample(dataset.y_train, n, part_rng(seed, "train"))
    extra = {name: values[kept] if name.endswith("_train") else values
             for name, values in dataset.extra.items()}
    return remember(dataset, f"{n} of {len(dataset.y_train)} training samples, seed {seed}",
                    x_train=dataset.x_train[kept], y_train=dataset.y_train[kept], extra=extra)
