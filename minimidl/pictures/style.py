"""What all figures share: colours and markers that also work in grey, and how a file is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minimidl.errors import InputError
from minimidl.files import whole_file

LOOKS: dict[str, dict[str, Any]] = {
    "dense": {"color": "#222222", "linestyle": "-", "marker": "s"},
    "dropout": {"color": "#777777", "linestyle": "--", "marker": "D"},
    "midl": {"color": "#1b6ca8", "linestyle": (0, (5, 1)), "marker": "o"},
    "dynamicgate": {"color": "#d1611f", "linestyle": "-.", "marker": "^"},
    # Other gates, in the colours of the sun; missing connections, green; experts, violet.
    "static-gate": {"color": "#b8860b", "linestyle": (0, (3, 1, 1, 1)), "marker": "v"},
    "weight-gate": {"color": "#a33b2a", "linestyle": (0, (1, 2)), "marker": "<"},
    "input-gate": {"color": "#e0912f", "linestyle": (0, (8, 2)), "marker": ">"},
    "pruned": {"color": "#1d5c33", "linestyle": (0, (4, 2)), "marker": "P"},
    "set": {"color": "#3a7d44", "linestyle": (0, (2, 1)), "marker": "X"},
    "rigl": {"color": "#62a86b", "linestyle": (0, (6, 1, 1, 1)), "marker": "h"},
    "dynamicgate+rigl": {"color": "#6b7a1f", "linestyle": (0, (3, 3)), "marker": "*"},
    "switch": {"color": "#5b3a8c", "linestyle": (0, (7, 3)), "marker": "p"},
    "topk-moe": {"color": "#8a4f9e", "linestyle": (0, (2, 3)), "marker": "d"},
    "expert-choice": {"color": "#b06fae", "linestyle": (0, (5, 2, 1, 2)), "marker": "8"},
    "soft-moe": {"color": "#c94f8b", "linestyle": (0, (1, 1)), "marker": "H"},
}
"""Colour, line and marker by model name: each differs in all three, so grey print is enough."""

OTHER: dict[str, Any] = {"color": "#3a7d44", "linestyle": ":", "marker": "."}


def look(model: str) -> dict[str, Any]:
    """The look of a model; unknown names share one."""
    return LOOKS.get(model, OTHER)


def line(model: str) -> dict[str, Any]:
    """The look without its marker, for curves."""
    return {name: value for name, value in look(model).items() if name != "marker"}


def new_axes(ax: Any, size: tuple[float, float] = (6.0, 4.0)) -> Any:
    """Return ``ax``, or axes of a fresh figure. No pyplot: no window, no global state."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").add_subplot()


def save_figure(figure: Any, path: str | Path, dots: int = 150) -> Path:
    """Write a figure (PNG, so many dots per inch) whole or not at all; returns the path.

    Raises InputError when the place cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            figure.savefig(file, format="png", dpi=dots)
    except OSError as error:
        raise InputError(f"figure {path}: got {error.strerror or error}, expected a place that "
                         "can be written (choose another with --out)") from error
    return path
