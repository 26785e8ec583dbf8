"""Compile options, what is kept and when it is stale, a missing Numba, the announcement."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import minimidl
from minimidl.kernels import choose, jit

numba = pytest.importorskip("numba", reason="Numba is not installed")
JIT_OFF = bool(numba.config.DISABLE_JIT)
ROOT = str(Path(minimidl.__file__).parents[1])
needs_jit = pytest.mark.skipif(JIT_OFF, reason="the JIT is off")


def without_a_file():
    """A function that Numba cannot cache: it comes from no file."""
    space = {}
    exec("def twice(x):\n    return x + x", space)
    return space["twice"]


def run_python(code, folder=None, **environment):
    """A fresh process with its own environment; ``code`` may be a script and its arguments."""
    command = ["-c", code] if isinstance(code, str) else code
    paths = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))
    return subprocess.run([sys.executable, *command], text=True, timeout=120, check=False,
                          env={**os.environ, "PYTHONPATH": paths, **environment},
                          cwd=folder, capture_output=True)


@pytest.mark.kernels
@needs_jit
def test_where_the_cache_cannot_be_written_the_kernel_still_compiles():
    function = without_a_file()
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(function)
    assert jit.compiled()(function)(21) == 42


@pytest.mark.kernels
@needs_jit
def test_cache_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("MINIMIDL_NO_CACHE", "1")
    kernel = jit.compiled()(reference_sum)
    assert kernel._cache.cache_path is None
    monkeypatch.delenv("MINIMIDL_NO_CACHE")
    assert jit.compiled()(reference_sum)._cache.cache_path


def reference_sum(values):
    """Module-level, so that it has a file."""
    total = values.dtype.type(0)
    for i in range(values.shape[0]):
        total += values[i]
    return total


@pytest.mark.kernels
@needs_jit
def test_full_fastmath_is_never_asked_for():
    fast = jit.compiled(reassociate=True)(reference_sum)
    plain = jit.compiled()(reference_sum)
    assert set(fast.targetoptions["fastmath"]) == {"reassoc", "contract"}
    assert plain.targetoptions["fastmath"] is False
    assert fast.targetoptions["error_model"] == "numpy"
    assert np.isnan(fast(np.array([1.0, np.nan], np.float32)))


def test_compilation_is_announced_once_and_only_for_our_own_kernels(monkeypatch, capsys):
    monkeypatch.setattr(jit, "_announced", set())
    jit.announce(reference_sum)  # of this test module, not of the package
    assert capsys.readouterr().err == ""
    jit.announce(choose.why_not_compiled)
    jit.announce(choose.why_not_compiled)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "compiling" in err


COMPILE = """
import numpy as np
from minimidl.kernels import cut
print(cut.count_from(np.ones(3, np.float32), np.float32(0)))
"""


@pytest.mark.kernels
@needs_jit
def test_announced_when_compiled_but_not_on_a_cache_hit(tmp_path):
    cold = run_python(COMPILE, NUMBA_CACHE_DIR=str(tmp_path))
    warm = run_python(COMPILE, NUMBA_CACHE_DIR=str(tmp_path))
    assert cold.stdout == warm.stdout == "3\n", cold.stderr + warm.stderr
    assert "compiling" in cold.stderr
    assert warm.stderr == ""


HELPER = """
from minimidl.kernels.jit import compiled
PLUS = 1
@compiled()
def helper(x):
    return x + PLUS
"""
CALLER = """
from minimidl.kernels.helper import helper
from minimidl.kernels.jit import compiled
@compiled()
def caller(x):
    return 10 * helper(x)
"""
CALL = "from minimidl.kernels.caller import caller; print(caller(1))"


@pytest.fixture
def copied(tmp_path):
    """A copy of the package that a test may change, with two more kernel files."""
    here, there = Path(minimidl.__file__).parent, tmp_path / "minimidl"
    shutil.copytree(here / "kernels", there / "kernels", ignore=lambda *_: ["__pycache__"])
    for name in ("__init__", "arrays", "errors"):
        shutil.copy(here / f"{name}.py", there)
    (there / "kernels" / "helper.py").write_text(HELPER)
    (there / "kernels" / "caller.py").write_text(CALLER)
    return there


def run_copy(copied, code=CALL, **environment):
    """Run on the copy, with a cache of its own; the answer, and whether anything was compiled."""
    cache = {"NUMBA_CACHE_DIR": str(copied.parent / "cache"), "PYTHONPATH": str(copied.parent)}
    done = run_python(code, copied.parent, **cache | environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), "compiling" in done.stderr


@pytest.mark.kernels
@pytest.mark.slow
@needs_jit
def test_a_changed_helper_in_another_file_is_compiled_again(copied):
    assert run_copy(copied) == ("20", True)
    (copied / "kernels" / "helper.py").write_text(HELPER.replace("PLUS = 1", "PLUS = 2"))
    assert run_copy(copied) == ("30", True)
    other = copied / "kernels" / "topk.py"  # which caller.py does not even import
    other.write_text(other.read_text() + "# one more line\n")
    assert run_copy(copied) == ("30", True)
    assert run_copy(copied) == ("30", False), "an unchanged package must hit its cache"


@pytest.mark.kernels
@needs_jit
@pytest.mark.skipif(os.name == "nt", reason="Windows does not ask the environment for a home")
def test_where_no_folder_can_be_written_every_process_compiles(copied):
    nowhere = copied.parent / "file"
    nowhere.write_text("not a folder")
    for room in copied.glob("**/*.py"):
        (room.parent / "__pycache__").write_text("nor is this")
    places = dict.fromkeys(("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"), str(nowhere))
    for _ in range(2):
        assert run_copy(copied, **places) == ("20", True)


@pytest.mark.kernels
@needs_jit
@pytest.mark.parametrize("cache", [
    SimpleNamespace(), SimpleNamespace(_cache_file=SimpleNamespace()),
])
def test_a_numba_without_the_stamp_keeps_nothing(monkeypatch, cache):
    assert not jit.stamped(SimpleNamespace(_cache=cache))
    assert not jit.stamped(SimpleNamespace())
    monkeypatch.setattr(jit, "stamped", lambda kernel: False)
    assert jit.compiled()(reference_sum)._cache.cache_path is None


def test_sources_that_cannot_be_read_keep_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "archive.zip" / "jit.py"))
    cache = SimpleNamespace(_cache_file=SimpleNamespace(_source_stamp="old"))
    jit.sources_hash.cache_clear()
    assert not jit.stamped(SimpleNamespace(_cache=cache))
    assert cache._cache_file._source_stamp == "old"


def test_sources_are_hashed_once_and_not_at_import():
    code = ("from minimidl.kernels import jit; before = jit.sources_hash.cache_info().misses;"
            "jit.sources_hash(); jit.sources_hash();"
            "print(before, jit.sources_hash.cache_info().misses)")
    done = run_python(code)
    assert done.stdout == "0 1\n", done.stderr


FORK = """
import multiprocessing
import sys

import numpy as np

from minimidl.kernels import cpu


def product(seed):
    x = np.random.default_rng(seed).normal(size=40).astype(np.float32)
    values = np.empty(3, np.float32)
    cpu.multiply_listed(x, np.tile(x, (3, 1)), np.zeros(3, np.float32), np.arange(3), values, 0, 3,
                        np.zeros(16, np.float32))
    return values.tobytes()


if __name__ == "__main__":
    here = [product(seed) for seed in range(4)]
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        assert pool.map(product, range(4)) == here
    print("same")
"""


@pytest.mark.kernels
@pytest.mark.parametrize("method", [
    pytest.param("fork", marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")),
    "spawn",
])
def test_a_child_process_runs_kernels_as_its_parent_did(tmp_path, method):
    script = tmp_path / "children.py"
    script.write_text(FORK)
    done = run_python([str(script), method])
    assert done.stdout == "same\n", done.stderr


def test_numba_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("MINIMIDL_NO_NUMBA", "1")
    assert choose.compiled_kernels() is None
    assert "MINIMIDL_NO_NUMBA" in choose.why_not_compiled()


def test_missing_numba_is_found_out(monkeypatch):
    monkeypatch.delenv("MINIMIDL_NO_NUMBA", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)  # what a failed import leaves
    assert choose.compiled_kernels() is None
    assert "cannot be imported" in choose.why_not_compiled()


@pytest.mark.parametrize("missing", ["numba", "llvmlite"])
def test_without_numba_or_what_it_needs_numpy_carries_everything(missing):
    code = f"""
import sys
sys.modules["{missing}"] = None  # what a failed import leaves
import numpy as np
from minimidl.execution import Executor
from minimidl.kernels import choose
from minimidl.layers import MIDL, Linear, Sequential
assert choose.compiled_kernels() is None and "{missing}" in choose.why_not_compiled()
model = Sequential(MIDL(20, 32), Linear(32, 3))
x = np.ones((2, 20), np.float32)
print(np.abs(Executor(model).predict(x) - model.forward(x)[0]).max() < 1e-5)
"""
    done = run_python(code)
    assert done.stdout == "True\n", done.stderr


def test_importing_the_rooms_does_not_import_numba():
    code = "import sys, minimidl.kernels, minimidl.execution; print('numba' in sys.modules)"
    done = run_python(code)
    assert done.stdout == "False\n", done.stderr
