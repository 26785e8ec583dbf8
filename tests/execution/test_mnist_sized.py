"""At the size that people use: 784-512-10, and a process whose kernel cache cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from minimidl.execution import Executor
from minimidl.layers import MIDL, DynamicGate, Linear, Sequential

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0",
                       reason="hundreds of thousands of products per sample need the JIT"),
]


def images(n):
    """Like MNIST: values in [0, 1], four fifths of them 0."""
    rng = np.random.default_rng(0)
    return (rng.random((n, 784)) * (rng.random((n, 784)) < 0.2)).astype(np.float32)


@pytest.mark.parametrize("kind", [MIDL, DynamicGate])
@pytest.mark.parametrize("block", [1, 32])
def test_all_paths_agree_and_run_what_they_report(kind, block):
    layer = kind(784, 512, block=block, gate_rank=8, seed=1)
    model, x = Sequential(layer, Linear(512, 10, seed=2)), images(300)
    wanted = model.forward(x)[0]
    for path in ("auto", "neuron", "block", "dense"):
        executor = Executor(model, path)
        out, memory = executor.forward(x)
        np.testing.assert_allclose(out, wanted, atol=1e-5, err_msg=path)
        np.testing.assert_array_equal(memory["0"]["decision"].active, layer.decide(x).active)
    one_by_one = Executor(model)
    segment = one_by_one.stages[0].segment
    for i in range(len(x)):
        sample = x[i:i + 1]
        np.testing.assert_allclose(one_by_one.predict(sample)[0], wanted[i], atol=1e-5)
        _, decision = segment.run(sample, "neuron")
        np.testing.assert_array_equal(decision.active, layer.decide(sample).active)


NO_CACHE = """
import numba.core.caching
numba.core.caching.CacheImpl._locator_classes = []  # no folder can be written
import numpy as np
from minimidl.execution import Executor
from minimidl.kernels import cpu
from minimidl.layers import MIDL, Linear, Sequential
model, x = Sequential(MIDL(6, 8), Linear(8, 2)), np.ones((1, 6), np.float32)
assert np.allclose(Executor(model, "neuron").predict(x), model.forward(x)[0], atol=1e-6)
print(len(cpu.neuron_segment.signatures), cpu.neuron_segment._cache.cache_path)
"""


@pytest.mark.slow
def test_a_process_that_can_write_no_cache_compiles_and_answers():
    done = subprocess.run([sys.executable, "-c", NO_CACHE], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.stdout == "1 None\n", done.stderr
