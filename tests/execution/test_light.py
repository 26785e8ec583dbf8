"""Light paths folded into the next layer: less work, the same answer."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.execution import light as light_module
from minimidl.execution.light import LightPart, folding_pays
from minimidl.layers import Linear
from minimidl.layers.light import light_path

N_IN, N_UNITS, N_OUT, RANK = 12, 12, 3, 2


def part_of(kind, n_out=N_OUT, dtype="float64"):
    """A light path with biases, before a linear layer with biases."""
    path = light_path(kind, N_IN, N_UNITS, rank=RANK, seed=1, dtype=dtype)
    linear = Linear(N_UNITS, n_out, seed=2, dtype=dtype)
    rng = np.random.default_rng(3)
    for value in (*path.params.values(), *linear.params.values()):
        value += rng.normal(size=value.shape).astype(dtype)
    return LightPart(path, linear)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["identity", "low-rank", "linear"])
@pytest.mark.parametrize("batch", [0, 1, 5, 200])
def test_folded_or_not_the_answer_is_the_path_then_the_layer(kind, batch, dtype):
    part = part_of(kind, dtype=dtype)
    x = np.random.default_rng(0).normal(size=(batch, N_IN)).astype(dtype)
    light, base = part.run(x)
    wanted = part.path.forward(x)[0]
    np.testing.assert_array_equal(light, wanted)
    tolerance = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(base, part.linear.forward(wanted)[0], rtol=0, atol=tolerance)
    assert light.dtype == base.dtype == dtype


@pytest.mark.parametrize("kind", ["low-rank", "linear"])
def test_many_samples_are_folded_and_few_are_not(kind, monkeypatch):
    part, asked = part_of(kind), []
    monkeypatch.setattr(light_module, "folding_pays",
                        lambda *whole: asked.append(folding_pays(*whole)) or asked[-1])
    for batch in (1, 1000):
        part.run(np.zeros((batch, N_IN)))
    if kind == "low-rank":
        assert asked == [False, True]
    else:  # a square light path reads as much as the next layer does: folding never pays
        assert asked == [False, False]


def test_folding_is_done_where_it_multiplies_less():
    low_rank, identity = part_of("low-rank").path, part_of("identity").path
    for batch in (1, 2, 3, 10, 100):
        folded = RANK * N_UNITS * N_OUT + batch * RANK * N_OUT
        plain = batch * N_UNITS * N_OUT
        assert folding_pays(low_rank, batch, N_OUT) == (folded < plain), batch
        assert not folding_pays(identity, batch, N_OUT)


def test_training_the_layers_changes_the_answer():
    part, x = part_of("low-rank"), np.random.default_rng(0).normal(size=(300, N_IN))
    for value in (*part.path.params.values(), *part.linear.params.values()):
        before = part.run(x)[1]
        value += 0.1
        after = part.run(x)[1]
        assert not np.array_equal(before, after), "a stale product"
        np.testing.assert_allclose(
            after, part.linear.forward(part.path.forward(x)[0])[0], atol=1e-12)
