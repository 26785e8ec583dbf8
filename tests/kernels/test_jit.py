"""Compile options, an unwritable cache, a missing Numba, the announcement."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from minimidl.kernels import choose, jit

numba = pytest.importorskip("numba", reason="Numba is not installed")
JIT_OFF = bool(numba.config.DISABLE_JIT)
needs_jit = pytest.mark.skipif(JIT_OFF, reason="the JIT is off")


def without_a_file():
    """A function that Numba cannot cache: it comes from no file."""
    space = {}
    exec("def twice(x):\n    return x + x", space)
    return space["twice"]


def run_python(code, **environment):
    """A fresh process with its own environment."""
    return subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=120, check=False)


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
from minimidl.kernels import cpu
print(cpu.count_from(np.ones(3, np.float32), np.float32(0)))
"""


@pytest.mark.kernels
@needs_jit
def test_announced_when_compiled_but_not_on_a_cache_hit(tmp_path):
    cold = run_python(COMPILE, NUMBA_CACHE_DIR=str(tmp_path))
    warm = run_python(COMPILE, NUMBA_CACHE_DIR=str(tmp_path))
    assert cold.stdout == warm.stdout == "3\n", cold.stderr + warm.stderr
    assert "compiling" in cold.stderr
    assert warm.stderr == ""


def test_numba_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("MINIMIDL_NO_NUMBA", "1")
    assert choose.compiled_kernels() is None
    assert "MINIMIDL_NO_NUMBA" in choose.why_not_compiled()


def test_missing_numba_is_found_out(monkeypatch):
    monkeypatch.delenv("MINIMIDL_NO_NUMBA", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)  # what a failed import leaves
    assert choose.compiled_kernels() is None
    assert "cannot be imported" in choose.why_not_compiled()


def test_importing_the_rooms_does_not_import_numba():
    code = "import sys, minimidl.kernels, minimidl.execution; print('numba' in sys.modules)"
    done = run_python(code)
    assert done.stdout == "False\n", done.stderr
