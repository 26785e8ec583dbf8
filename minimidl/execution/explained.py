"""What an executor runs how, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minimidl.errors import require
from minimidl.execution.runs import Runs
from minimidl.execution.segment import Segment
from minimidl.execution.stages import Stage
from minimidl.kernels import why_not_compiled


def explained(stages: Sequence[Stage], path: str, batches: Sequence[int]) -> str:
    """One line per stage that could skip and batch size.

    Args:
        stages: of the executor.
        path: of the executor; ``"auto"`` measures what it has not yet.
        batches: samples per batch.

    Raises:
        InputError: a batch size that is no whole number, or below 1.

    """
    # No sample takes no time: measured, it would pass for the time of one.
    good = all(isinstance(batch, int | np.integer) and batch >= 1 for batch in batches)
    require(good, "batches", batches, "whole numbers, each at least 1")
    lines = [f"path {path!r}; compiled kernels: {why_not_compiled() or 'yes'}"]
    for stage in stages:
        run: Segment | Runs | None = stage.segment or stage.chain
        if stage.why_dense:
            lines.append(f"layer {stage.path}: dense ({stage.why_dense})")
        elif run is not None:
            paths = stage.paths if stage.segment is None else (stage.path, stage.linear_path)
            lines += [f"layers {' and '.join(paths)}: {line}" for line in told(run, path, batches)]
    return "\n".join(lines)


def told(run: Segment | Runs, path: str, batches: Sequence[int]) -> list[str]:
    """How one stage runs."""
    about = run.about() if isinstance(run, Runs) else ""
    words = [f"runs as {about}"] if about else []
    if path != "auto":
        return [*words, f"{path} at every batch, as asked for"]
    return [*words, *(run.explain(batch) for batch in batches)]
