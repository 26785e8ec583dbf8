"""Whole processes: what is weighed and timed is the child, in an environment of its own."""

from __future__ import annotations

import os
import subprocess

import numpy as np
import pytest

from minimidl.bench import memory, startup
from minimidl.bench.ceilings import ceilings
from minimidl.bench.children import (
    environment,
    peak_bytes,
    predict_program,
    quartiles,
    run_child,
    saved_model,
)

MIB = 1 << 20


def test_a_child_is_weighed_without_its_parent():
    ours = np.ones(150 * MIB // 8)  # much more than a bare interpreter takes
    empty, heavy = peak_bytes(""), peak_bytes(f"x = b'x' * (50 * {MIB})")
    assert ours.nbytes > 2 * empty
    assert 45 * MIB < heavy - empty < 60 * MIB


def test_a_child_that_fails_is_no_measurement():
    seconds, text = run_child("print(6 * 7)")
    assert text == "42\n"
    assert 0 < seconds < 60
    with pytest.raises(subprocess.CalledProcessError):
        run_child("raise SystemExit(3)")


def test_children_run_this_package_on_one_thread_with_the_cache(monkeypatch):
    monkeypatch.setenv("MINIMIDL_NO_CACHE", "1")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "8")
    found = environment({"NUMBA_CACHE_DIR": "here"})
    assert "MINIMIDL_NO_CACHE" not in found
    assert found["OPENBLAS_NUM_THREADS"] == found["NUMBA_NUM_THREADS"] == "1"
    assert found["NUMBA_CACHE_DIR"] == "here"
    told = run_child("import minimidl; print(minimidl.__file__)")[1].strip()
    assert os.path.samefile(told, __import__("minimidl").__file__)


@pytest.mark.kernels
def test_the_program_loads_and_predicts(tmp_path):
    path = saved_model(tmp_path, (12, 16, 3), 0.5, 4)
    exec(predict_program(path, (12, 16, 3), 0.5, 4, 5), {})


def test_quartiles_worked_by_hand():
    assert quartiles([5.0, 1.0, 2.0, 4.0, 3.0]) == {
        "seconds": 3.0, "seconds_low": 2.0, "seconds_high": 4.0, "rounds": 5}


def test_cold_means_a_new_cache_and_warm_the_same(monkeypatch):
    folders: list[str] = []

    def child(program, extra):
        folder = extra["NUMBA_CACHE_DIR"]
        assert (os.listdir(folder) == []) == (folder not in folders)
        open(os.path.join(folder, "kernel"), "w").close()
        folders.append(folder)
        return 1.0, ""

    monkeypatch.setattr(startup, "run_child", child)
    assert startup.cold_times("", 9, budget=0.0) == [1.0] * startup.FEWEST_COLD
    assert len(set(folders)) == 3
    folders.clear()
    assert startup.warm_times("", 9) == [1.0] * 9
    assert len(folders) == 10
    assert len(set(folders)) == 1


def test_startup_rows(monkeypatch):
    monkeypatch.setattr(startup, "cold_times", lambda *case: [6.0])
    monkeypatch.setattr(startup, "warm_times", lambda *case: [0.7])
    imported, cold, warm = startup.startup_suite(rounds=1, batches=(1,))
    assert imported["peer"] == "import numpy"
    assert imported["limit_seconds"] == pytest.approx(1.3 * imported["peer_seconds"])
    assert (cold["met"], warm["met"]) == (False, True)
    assert (cold["limit_seconds"], warm["limit_seconds"]) == (5.0, 0.8)
    assert startup.steps(batches=(1,)) == 3


def test_the_memory_limit_worked_by_hand(monkeypatch):
    peaks = {memory.BASE: 100_000_000}
    monkeypatch.setattr(memory, "peak_bytes", lambda program: peaks.get(program, 160_000_000))
    (row,) = memory.memory_suite(rounds=1, cases=(((12, 16, 3), 5),), keep=0.5, block=4)
    gate = 12 * 16 + 16 * 4 + 4  # rank 16, 4 gates
    assert row["weights_bytes"] == 4 * (12 * 16 + 16 + gate + 16 * 3 + 3)
    assert row["activations_bytes"] == 4 * 5 * (12 + 4 + 16 + 3)
    assert row["limit_bytes"] == row["weights_bytes"] + row["activations_bytes"] + 60_000_000
    assert row["over_base_bytes"] == 60_000_000
    assert row["met"]


@pytest.mark.slow
@pytest.mark.kernels
def test_memory_of_real_processes():
    (row,) = memory.memory_suite(rounds=1, cases=(((12, 16, 3), 5),), keep=0.5, block=4)
    assert row["peak_bytes"] > 20 * MIB
    assert abs(row["over_base_bytes"]) < 100 * MIB


@pytest.mark.kernels
def test_ceilings_of_this_machine():
    top, small, large = ceilings((4096, 8192), seconds=1e-4, rounds=2)
    assert top["gflops"] > 0
    assert (small["array_bytes"], large["array_bytes"]) == (4096, 8192)
    assert small["gigabytes_per_second"] > 0


def test_no_ceilings_without_compiled_kernels(monkeypatch):
    monkeypatch.setenv("MINIMIDL_NO_NUMBA", "1")
    assert ceilings() == []
