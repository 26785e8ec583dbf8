"""What a data set looks like: pictures class by class, points in the plane, or rows as stripes."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.data.dataset import Dataset
from minimidl.pictures.style import new_axes

PER_CLASS = 12


def samples(dataset: Dataset, ax: Any = None) -> Any:
    """Draw samples of the training part, ``PER_CLASS`` of each class where rows are shown.

    Args:
        dataset: any data set.
        ax: matplotlib axes to draw into; None makes a new figure (``ax.figure.savefig(...)``).

    Returns:
        The axes.

    """
    ax = new_axes(ax, (6.0, 5.0))
    if dataset.image_shape is not None:
        _mosaic(dataset, ax)
    elif dataset.n_features == 2:
        _plane(dataset, ax)
    else:
        _stripes(dataset, ax)
    ax.set_title(f"{dataset.name}: {len(dataset.x_train):,} training samples")
    return ax


def _mosaic(dataset: Dataset, ax: Any) -> None:
    """One row of pictures per class."""
    assert dataset.image_shape is not None  # samples() sends only pictures here
    empty = dataset.x_train.min()
    gap = [(0, 0), (1, 1), (1, 1)]  # so that small pictures do not touch
    rows = [np.pad(dataset.x_train[index].reshape(-1, *dataset.image_shape), gap,
                   constant_values=empty) for index in _chosen(dataset)]
    height, width = rows[0].shape[1:]
    sheet = np.full((height * len(rows), width * PER_CLASS), empty)
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            sheet[r * height:(r + 1) * height, c * width:(c + 1) * width] = image
    ax.imshow(sheet, cmap="gray_r")
    ax.set_yticks((np.arange(len(rows)) + 0.5) * height, dataset.class_names)
    ax.set_xticks([])
    ax.set_ylabel("class")


def _plane(dataset: Dataset, ax: Any) -> None:
    """Points in the plane, one colour per class."""
    for label, name in enumerate(dataset.class_names):
        points = dataset.x_train[dataset.y_train == label]
        ax.scatter(points[:, 0], points[:, 1], s=4, label=name)
    ax.set(xlabel=dataset.feature_names[0], ylabel=dataset.feature_names[1], aspect="equal")
    ax.legend(markerscale=3)


def _stripes(dataset: Dataset, ax: Any) -> None:
    """Each sample one horizontal stripe of features, sorted by class."""
    index = np.concatenate(_chosen(dataset))
    limit = float(np.abs(dataset.x_train[index]).max())
    image = ax.imshow(dataset.x_train[index], aspect="auto", cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set(xlabel="feature", ylabel=f"{PER_CLASS} samples of each class")
    ax.figure.colorbar(image, ax=ax, label="value")


def _chosen(dataset: Dataset) -> list[Array]:
    """Return the indices of the first few samples of each class."""
    return [np.flatnonzero(dataset.y_train == label)[:PER_CLASS]
            for label in range(dataset.n_classes)]
