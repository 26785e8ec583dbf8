"""Random gates: the rate, the exact factor, and an expectation that is the mean network's."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.layers import Dropout, Linear, RandomGate, ReLU, Sequential, gated_layers
from minimidl.learning import Budget

SIGMAS = 5.0  # a true mean stays within so many standard errors in all but 6 of 10 million tries


def sample(rows: int, n: int = 6) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, n))


def test_open_neurons_are_scaled_by_exactly_one_over_the_rate() -> None:
    layer = RandomGate(6, 8, rate=0.25, dtype=np.float64)
    _, memory = layer.forward(sample(50), True, np.random.default_rng(1))
    decision = memory["decision"]
    assert set(np.unique(decision.gate)) == {0.0, 4.0}
    assert (decision.active == (decision.gate > 0)).all()
    assert (decision.mask == decision.active).all()
    assert (decision.probability == 0.25).all()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_as_many_are_open_as_the_rate_says(rate: float) -> None:
    layer = RandomGate(6, 50, rate=rate)
    x = sample(400).astype(np.float32)
    active = layer.forward(x, True, np.random.default_rng(1))[1]["decision"].active
    error = np.sqrt(rate * (1 - rate) / active.size)
    assert abs(active.mean() - rate) < SIGMAS * error
    per_unit = np.sqrt(rate * (1 - rate) / 400)
    assert np.abs(active.mean(axis=0) - rate).max() < SIGMAS * per_unit  # every neuron, too


@pytest.mark.parametrize("light", ["zero", "identity", "low-rank", "linear"])
def test_the_expectation_over_draws_is_the_mean_network(light: str) -> None:
    layer = RandomGate(6, 6, rate=0.4, light=light, activation="tanh", dtype=np.float64, seed=1)
    x, rng, draws = sample(3), np.random.default_rng(2), 4000
    outputs = np.array([layer.forward(x, True, rng)[0] for _ in range(draws)])
    error = outputs.std(axis=0) / np.sqrt(draws)
    mean, _ = layer.forward(x)
    assert (np.abs(outputs.mean(axis=0) - mean) < SIGMAS * error).all()
    assert error.min() > 0  # it did draw


def test_evaluation_is_the_dense_layer_and_draws_nothing() -> None:
    layer, linear = RandomGate(6, 8, rate=0.3, seed=4), Linear(6, 8, seed=4)
    x = sample(5).astype(np.float32)
    rng = np.random.default_rng(0)
    output, memory = layer.forward(x, rng=rng)
    dense = x @ linear.params["weight"]
    np.testing.assert_allclose(output, np.maximum(dense, 0), rtol=1e-6)
    assert memory["decision"].active.all()
    assert rng.random() == np.random.default_rng(0).random()


def test_monte_carlo_draws_in_evaluation_as_in_training() -> None:
    layer = RandomGate(6, 8, rate=0.3, evaluation="sample", seed=4)
    x = sample(5).astype(np.float32)
    drawn = layer.forward(x, False, np.random.default_rng(7))[0]
    assert drawn.tobytes() == layer.forward(x, True, np.random.default_rng(7))[0].tobytes()
    assert (drawn != layer.forward(x, False, np.random.default_rng(8))[0]).any()
    with pytest.raises(InputError, match="rng: got None, expected a numpy"):
        layer.forward(x)


def test_without_a_light_path_it_is_dropout_after_the_layer() -> None:
    gate = RandomGate(6, 8, rate=0.75, dtype=np.float64, seed=3)
    plain = Sequential(Linear(6, 8, dtype=np.float64, seed=3), ReLU(), Dropout(0.25))
    x = sample(5)
    # Dropout keeps where u >= rate, the gate opens where u < rate: the same law, other draws.
    output, memory = gate.forward(x, True, np.random.default_rng(1))
    active = memory["decision"].active
    hidden, inner = plain.forward(x, True, np.random.default_rng(1))
    assert np.unique(inner["2"]["factor"]).tolist() == [0, 1 / 0.75]
    full, _ = Sequential(*plain.layers[:2]).forward(x)
    np.testing.assert_allclose(output, full * active / 0.75, rtol=1e-12)
    np.testing.assert_allclose(hidden, full * (inner["2"]["factor"] > 0) / 0.75, rtol=1e-12)


def test_a_closed_neuron_answers_with_the_light_path() -> None:
    layer = RandomGate(6, 6, rate=0.5, light="identity", dtype=np.float64)
    x = sample(20)
    output, memory = layer.forward(x, True, np.random.default_rng(1))
    active = memory["decision"].active
    assert (output[~active] == x[~active]).all()
    assert (output[active] != x[active]).all()


def test_blocks_open_together() -> None:
    layer = RandomGate(6, 8, rate=0.5, block=4, activation="sigmoid", dtype=np.float64)
    output, memory = layer.forward(sample(30), True, np.random.default_rng(1))
    is_open = (output > 0).reshape(30, 2, 4)
    assert memory["decision"].active.shape == (30, 2)
    assert (is_open.all(axis=2) == memory["decision"].active).all()
    assert (is_open.any(axis=2) == memory["decision"].active).all()


def test_a_rate_of_1_is_the_mean_network() -> None:
    layer = RandomGate(6, 8, rate=1.0, seed=2)
    x = sample(4).astype(np.float32)
    trained = layer.forward(x, True, np.random.default_rng(0))[0]
    assert trained.tobytes() == layer.forward(x)[0].tobytes()


def test_the_rate_is_a_state_that_schedules_may_move() -> None:
    layer = RandomGate(6, 8, rate=0.5)
    layer.state["rate"][...] = 0.2
    assert layer.rate == 0.2
    x = sample(50).astype(np.float32)
    gate = layer.forward(x, True, np.random.default_rng(0))[1]["decision"].gate
    assert gate.max() == pytest.approx(5)


def test_nothing_is_learned_and_no_budget_moves_it() -> None:
    layer = RandomGate(6, 8, rate=0.5, dtype=np.float64)
    assert list(layer.params) == ["weight", "bias"]
    output, memory = layer.forward(sample(5), True, np.random.default_rng(0))
    _, pull = Budget("quadratic", 3.0, 0.1)(gated_layers(layer), memory)
    grad_x, grads = layer.backward(np.ones_like(output), memory, pull[""])
    other_x, others = layer.backward(np.ones_like(output), memory)
    assert list(grads) == ["weight", "bias"]
    assert grad_x.tobytes() == other_x.tobytes()
    assert all(grads[name].tobytes() == others[name].tobytes() for name in grads)


@pytest.mark.parametrize("rate", [0.0, -0.5, 1.5, float("nan")])
def test_a_rate_out_of_range_is_told(rate: float) -> None:
    with pytest.raises(InputError, match=r"rate: got .*, expected a chance of being open in \(0, "):
        RandomGate(6, 8, rate=rate)


def test_other_bad_options_are_told() -> None:
    with pytest.raises(InputError, match="evaluation: got 'both', expected one of mean, sample"):
        RandomGate(6, 8, evaluation="both")
    with pytest.raises(InputError, match="block: got 3, expected a divisor of n_units=8"):
        RandomGate(6, 8, block=3)
    with pytest.raises(InputError, match="rng: got None"):
        RandomGate(6, 8).forward(sample(2).astype(np.float32), training=True)
