"""Whole processes, timed and weighed from outside: what a user pays who types one command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import minimidl
from minimidl.layers import MIDL, Linear, Sequential

ENDLESS = 300
"""Seconds after which a child is given up."""

PEAK = """
import re, sys
try:
    status = open("/proc/self/status").read()
    print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status).group(1)) * 1024)
except OSError:
    import resource
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(most if sys.platform == "darwin" else most * 1024)
"""
"""Prints the process's own peak memory in bytes, as its last line.

``ru_maxrss`` is not asked first: on Linux a child inherits the peak of the process that started it,
so a bench that has grown to 400 MB would be told 400 MB of every child.
"""

BASE = """
import numpy as np
from minimidl.kernels.ceilings import trivial
trivial(np.zeros(4, np.float32))
"""
"""A process that runs one trivial cached kernel: what NumPy and Numba take by themselves."""

PREDICT = """
import numpy as np
from minimidl.execution import Executor
from minimidl.layers import MIDL, Linear, Sequential
from minimidl.learning import load_weights
model = Sequential(MIDL({n_in}, {n_units}, keep={keep}, gate_rank=16, block={block}),
                   Linear({n_units}, {n_out}))
load_weights(model, {path!r}, best=False)
x = np.random.default_rng(0).standard_normal(({batch}, {n_in}), np.float32)
assert Executor(model).predict(x).shape == ({batch}, {n_out})
"""
"""A process that loads a model and predicts; to be filled by :func:`predict_program`."""


def saved_model(folder: Path, shape: tuple[int, int, int], keep: float, block: int) -> Path:
    """Write a checkpoint of an untrained MID-L model, weights only; returns the file."""
    from minimidl.learning.checkpoint import Checkpoint, save_checkpoint

    model = fresh_model(shape, keep, block)
    path = folder / "model.npz"
    save_checkpoint(path, Checkpoint(model.params, model.state, {}, {}, {}))
    return path


def fresh_model(shape: tuple[int, int, int], keep: float, block: int) -> Sequential:
    """The model of :data:`PREDICT`."""
    n_in, n_units, n_out = shape
    return Sequential(MIDL(n_in, n_units, keep=keep, gate_rank=16, block=block),
                      Linear(n_units, n_out))


def predict_program(
    path: Path, shape: tuple[int, int, int], keep: float, block: int, batch: int
) -> str:
    """:data:`PREDICT` for this file and these sizes."""
    n_in, n_units, n_out = shape
    return PREDICT.format(path=str(path), n_in=n_in, n_units=n_units, n_out=n_out, keep=keep,
                          block=block, batch=batch)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, one thread for every pool, this very package first on the path, and the cache on."""
    ours = {name: value for name, value in os.environ.items() if name != "MINIMIDL_NO_CACHE"}
    for library in ("OPENBLAS", "MKL", "OMP", "BLIS", "NUMBA", "VECLIB_MAXIMUM"):
        ours[f"{library}_NUM_THREADS"] = "1"
    package = str(Path(minimidl.__file__).parents[1])
    ours["PYTHONPATH"] = os.pathsep.join(filter(None, [package, ours.get("PYTHONPATH", "")]))
    return ours | dict(extra or {})


def run_child(program: str, extra: Mapping[str, str] | None = None) -> tuple[float, str]:
    """Run a program in a fresh interpreter.

    Args:
        program: Python source.
        extra: further variables of its environment.

    Returns:
        Seconds from start to end of the process, and what it printed.

    Raises:
        subprocess.CalledProcessError: it failed; its error output is part of the exception.

    """
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], env=environment(extra), text=True,
                          capture_output=True, check=True, timeout=ENDLESS)
    return time.perf_counter() - start, done.stdout


def peak_bytes(program: str, extra: Mapping[str, str] | None = None) -> int:
    """Peak memory of a process that runs ``program``."""
    return int(run_child(program + PEAK, extra)[1].split()[-1])


def quartiles(values: list[float]) -> dict[str, Any]:
    """Median, quartiles and number of the values."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {"seconds": float(middle), "seconds_low": float(low), "seconds_high": float(high),
            "rounds": len(values)}
