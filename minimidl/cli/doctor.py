"""``minimidl doctor``: what is installed, what is missing, and how to mend it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from minimidl.cli.output import machine, write_json

OPTIONAL = {
    "numba": ("compiled kernels that skip closed neurons", "pip install numba"),
    "matplotlib": ("pictures", "pip install matplotlib"),
    "threadpoolctl": ("one BLAS thread, the same bits on every machine",
                      "pip install threadpoolctl"),
    "tqdm": ("progress bars", "pip install tqdm"),
    "pooch": ("downloads of real data sets", 'pip install "minimidl[data]"'),
    "torch": ("a dense peer and an independent judge", 'pip install "minimidl[oracle]"'),
    "onnxruntime": ("the fastest dense peer at small batch", 'pip install "minimidl[oracle]"'),
    "onnx": ("builds the graph for onnxruntime", 'pip install "minimidl[oracle]"'),
    "sklearn": ("an independent judge", 'pip install "minimidl[oracle]"'),
    "jupyterlab": ("tutorials as notebooks", 'pip install "minimidl[notebooks]"'),
    "ipywidgets": ("sliders in the tutorials", 'pip install "minimidl[notebooks]"'),
}
"""Package -> what it is good for, and the mend where it is missing."""

DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``doctor`` to the command line."""
    parser = subparsers.add_parser(
        "doctor", help="versions, threads, caches, optional packages, CUDA, each with the mend",
        description=__doc__, epilog="example: minimidl doctor --json doctor.json")
    parser.add_argument("--json", metavar="FILE", help="also write the row here")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print one line per fact: what, state, mend."""
    lines = [*versions(), *packages(), *threads(), *caches(), cuda()]
    width = max(len(what) for what, _, _ in lines)
    state_width = max(len(state) for _, state, _ in lines)
    for what, state, mend in lines:
        print(f"{what.ljust(width)}  {state.ljust(state_width)}  {mend}".rstrip())
    row = machine() | {what: state for what, state, _ in lines}
    write_json(args.json, "doctor", [row])
    return 0


Line = tuple[str, str, str]


def versions() -> list[Line]:
    """Python and this package."""
    import minimidl

    here = machine()
    return [("minimidl", minimidl.__version__, ""), ("python", here["python"], ""),
            ("machine", f"{here['system']} {here['processor']}, {here['cores']} cores", ""),
            ("numpy", here["numpy"], "")]


def packages() -> list[Line]:
    """Optional packages: their version, or what they would bring and how to get them."""
    from importlib.metadata import PackageNotFoundError, version

    lines: list[Line] = []
    for name, (purpose, mend) in OPTIONAL.items():
        try:
            lines.append((name, version(DISTRIBUTIONS.get(name, name)), ""))
        except PackageNotFoundError:
            lines.append((name, "missing", f"{purpose}: {mend}"))
    return lines


def threads() -> list[Line]:
    """Thread pools of BLAS, and Numba's."""
    lines: list[Line] = []
    try:
        from threadpoolctl import threadpool_info

        for pool in threadpool_info():
            lines.append((f"{pool['user_api']} threads", f"{pool['num_threads']} "
                          f"({pool['internal_api']})", "training holds BLAS to one thread"))
    except ImportError:
        lines.append(("blas threads", "unknown", "pip install threadpoolctl"))
    from minimidl.kernels.choose import threads_there, why_not_compiled

    reason = why_not_compiled()
    lines.append(("kernels", "plain NumPy" if reason else "compiled by Numba", reason))
    if not reason:
        lines.append(("numba threads", f"1 of {threads_there()}",
                      "one is the default; Executor(threads=N) gives the same bits"))
    return lines


def caches() -> list[Line]:
    """Where prepared data and compiled kernels go, and whether that can be written."""
    from minimidl.data.folders import data_folder
    from minimidl.kernels.choose import cache_folder

    return [folder_line("data folder", data_folder(), "set MINIMIDL_DATA"),
            folder_line("kernel cache", cache_folder(), "set NUMBA_CACHE_DIR"), choices()]


def choices() -> Line:
    """What the executor has measured here, and how often each path won."""
    from minimidl.execution.choice import calibration_file, read

    file = calibration_file()
    wins = [min(seconds, key=lambda path: seconds[path]) for seconds in read(file).values()]
    counts = ", ".join(f"{path} {wins.count(path)}" for path in sorted(set(wins)))
    return ("paths measured", f"{len(wins)} kinds of batch ({counts or 'none yet'})",
            f"{file}; delete it to measure again; Executor.explain() tells why")


def folder_line(what: str, folder: Path, mend: str) -> Line:
    """Where something is kept, and the mend where nothing can be written there."""
    import os

    place = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    if os.access(place, os.W_OK):
        return (what, str(folder), "")
    return (what, f"{folder} (cannot be written)", f"{mend} to a folder you can write")


def cuda() -> Line:
    """GPU kernels are planned; say whether a driver would be there for them."""
    import ctypes.util

    found: Any = ctypes.util.find_library("cuda")
    return ("cuda", "driver found" if found else "no driver",
            "GPU kernels are planned, none yet: everything runs on the processor")
