"""Sliders where there are widgets, one static figure where there are none."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from typing import Any


def slider(draw: Callable[..., Any], start: float, **choices: Sequence[float]) -> None:
    """Call ``draw(name=value)`` for the value that a slider picks.

    Without ``ipywidgets``, or outside a notebook, ``draw`` is called once with ``start``.

    Args:
        draw: a function of one keyword argument that makes a figure.
        start: the value shown first; one of the choices.
        choices: one keyword: the argument's name and the values that it may take.

    """
    (name, values), = choices.items()
    if not _widgets():
        draw(**{name: start})
        return
    widgets = importlib.import_module("ipywidgets")
    options = [(f"{value:g}", value) for value in values]
    chooser = widgets.SelectionSlider(options=options, value=start, description=name)
    widgets.interact(draw, **{name: chooser})


def _widgets() -> bool:
    # A live kernel, not merely an installed ipywidgets: a plain script has no page to draw on.
    shell = sys.modules.get("IPython")
    running = shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None
    return running and importlib.util.find_spec("ipywidgets") is not None
