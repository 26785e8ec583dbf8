"""Gates under noise: a closed form, pairs, and what an unpaired comparison would say."""

import numpy as np
import pytest

from minimidl.data import GaussianNoise, SaltAndPepper
from minimidl.errors import InputError
from minimidl.layers import MIDL, DynamicGate, Linear, Sequential
from minimidl.measure import compare_gates, gate_stability
from minimidl.measure.chance import own_rng


def model():
    return Sequential(MIDL(5, 12, keep=3), DynamicGate(12, 8, seed=1), Linear(8, 2))


def inputs(n=40):
    return np.random.default_rng(0).normal(size=(n, 5)).astype(np.float32)


def test_by_hand():
    before = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], bool)
    after = np.array([[1, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
    found = compare_gates(before, after)
    assert found.flips.tolist() == [0.5, 0, 0, 1]
    assert found.jaccard.tolist() == [1 / 3, 1, 1, 0]
    assert (found.flip_rate, found.overlap) == (1.5 / 4, pytest.approx((1 / 3 + 2) / 4))


@pytest.mark.parametrize("sigma", [0.2, 1.0])
def test_gates_on_the_sign_flip_as_often_as_an_angle_says(sigma):
    # x and x + sigma e are normal with correlation 1 / sqrt(1 + sigma^2): their signs differ with
    # probability arccos(correlation) / pi = arctan(sigma) / pi.
    layer = DynamicGate(1, 2, gate="linear")
    layer.params["gate.weight"][:], layer.params["gate.bias"][:] = [[1.0, -1.0]], 0
    x = np.random.default_rng(3).normal(size=(20_000, 1)).astype(np.float32)
    found = gate_stability(layer, x, sigma)[""]
    truth = np.arctan(sigma) / np.pi
    error = np.sqrt(truth * (1 - truth) / 20_000)
    assert found.flip_rate == pytest.approx(truth, abs=4 * error)
    assert found.overlap == pytest.approx(1 - truth, abs=4 * error)


def test_without_noise_nothing_flips_and_more_noise_flips_more():
    rates = [gate_stability(model(), inputs(), sigma)["0"].flip_rate for sigma in (0, 0.3, 2.0)]
    assert rates[0] == 0 < rates[1] < rates[2]
    assert gate_stability(model(), inputs(), 0.0)["1"].overlap == 1


def test_the_same_seed_is_the_same_noise_for_every_model():
    seen = []

    def spy(x, rng):
        seen.append(GaussianNoise(0.5)(x, rng))
        return seen[-1]

    first, again = (gate_stability(model(), inputs(), spy, seed=2) for _ in range(2))
    assert np.array_equal(seen[0], seen[1])
    assert np.array_equal(first["0"].flips, again["0"].flips)
    by_size = gate_stability(model(), inputs(), 0.5, seed=2)
    assert np.array_equal(by_size["0"].flips, first["0"].flips)
    other = gate_stability(model(), inputs(), 0.5, seed=3)
    assert not np.array_equal(other["0"].flips, first["0"].flips)


def test_samples_are_compared_with_themselves():
    # The audited code compared one batch with the next: samples differ even without any noise.
    _, memory = model().forward(inputs())
    active = memory["0"]["decision"].active
    assert compare_gates(active[:20], active[20:]).flip_rate > 0.1
    assert gate_stability(model(), inputs(), 0.0)["0"].flip_rate == 0


def test_noise_is_not_the_samples_though_both_have_seed_0():
    # Scores without a bias cannot tell x from x + x: with that noise, no gate would ever flip.
    assert gate_stability(model(), inputs(), 1.0, seed=0)["0"].flip_rate > 0.1


def test_draws_are_averaged_sample_by_sample():
    rng = own_rng(5)
    draws = [gate_stability(model(), inputs(), 0.7, rng)["1"] for _ in range(3)]
    found = gate_stability(model(), inputs(), 0.7, seed=5, n_draws=3)["1"]
    np.testing.assert_allclose(found.flips, np.mean([one.flips for one in draws], axis=0))
    np.testing.assert_allclose(found.jaccard, np.mean([one.jaccard for one in draws], axis=0))


def test_any_change_will_do():
    found = gate_stability(model(), inputs(), SaltAndPepper(0.5))
    assert list(found) == ["0", "1"]
    assert 0 < found["0"].flip_rate < 1


@pytest.mark.parametrize(("call", "words"), [
    (lambda: gate_stability(model(), inputs(), -1), "noise: got -1"),
    (lambda: gate_stability(model(), inputs(), np.inf), "noise: got inf"),
    (lambda: gate_stability(model(), inputs(), 1, n_draws=0), "n_draws"),
    (lambda: compare_gates(np.ones((2, 2)) * 0.7, np.ones((2, 2))), "booleans"),
    (lambda: compare_gates(np.ones((2, 2), bool), np.ones((3, 2), bool)), "the same samples"),
])
def test_bad_input_is_told(call, words):
    with pytest.raises(InputError, match=words):
        call()
