"""Threads: every part has one owner, and the bits are those of one thread."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from minimidl.execution import Executor
from minimidl.execution.workers import share
from minimidl.layers import MIDL, Dropout, DynamicGate, Linear, Sequential


@pytest.mark.parametrize("threads", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("parts", [0, 1, 2, 5, 24])
def test_every_part_has_exactly_one_owner(parts, threads):
    owned, shares = np.zeros(parts, int), []

    def own(start, stop):
        owned[start:stop] += 1
        shares.append(stop - start)

    share(own, parts, threads)
    assert (owned == 1).all()
    assert len(shares) == max(1, min(parts, threads))
    assert max(shares) - min(shares) <= 1


def test_one_thread_is_the_callers_own_and_several_run_at_once():
    seen = []
    share(lambda start, stop: seen.append(threading.current_thread()), 8, 1)
    assert seen == [threading.current_thread()]
    meeting = threading.Barrier(2, timeout=30)  # passed only by two threads at the same time
    share(lambda start, stop: meeting.wait(), 2, 2)


def test_what_a_thread_raises_reaches_the_caller():
    def fail(start, stop):
        time.sleep(0.01 * start)
        raise ValueError(f"part {start}")

    with pytest.raises(ValueError, match="part 0"):
        share(fail, 2, 2)


def model_of(kind, block, light="zero", dtype=np.float32):
    return Sequential(
        kind(20, 24, block=block, light=light, gate_value="probability", seed=1, dtype=dtype),
        Dropout(0.2), Linear(24, 9, seed=2, dtype=dtype), MIDL(9, 8, seed=3, dtype=dtype),
        Linear(8, 3, seed=4, dtype=dtype))


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("light", ["zero", "low-rank"])
@pytest.mark.parametrize("block", [1, 3, 4])
@pytest.mark.parametrize("kind", [MIDL, DynamicGate])
def test_two_threads_give_the_bits_of_one(kind, block, light, dtype):
    model = model_of(kind, block, light, dtype)
    x = np.random.default_rng(0).normal(size=(140, 20)).astype(dtype)
    grad = np.random.default_rng(1).normal(size=(140, 3)).astype(dtype)

    def run(threads):
        found = [Executor(model, path, threads=threads).predict(x)
                 for path in ("block", "neuron", "dense")]
        runner = Executor(model, gradient="active-only", threads=threads)
        output, memory = runner.forward(x, True, np.random.default_rng(5))
        grad_x, grads = runner.backward(grad, memory)
        return [*found, output, grad_x, *(grads[name] for name in model.params)]

    for threads in (2, 3):
        for one, several in zip(run(1), run(threads), strict=True):
            assert one.tobytes() == several.tobytes()


@pytest.mark.kernels
def test_more_threads_than_work():
    model = model_of(MIDL, 4)
    x = np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32)
    for batch in (0, 1, 3):
        one, many = (Executor(model, "block", threads=threads).predict(x[:batch])
                     for threads in (1, 64))
        assert one.tobytes() == many.tobytes()
