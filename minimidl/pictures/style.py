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
}
"""Colour, line and marker by model name: each differs in all three, so grey print is enough."""

OTHER: dict[str, Any] = {"color": "#3a7d44", "linestyle": ":", "marker": "v"}


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
