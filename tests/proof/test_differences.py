from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.proof.differences import BEND, measure_entry, numeric_gradient


def test_a_quadratic_has_no_truncation_error() -> None:
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    assert np.allclose(numeric_gradient(lambda v: float((v * v).sum()), x), 2 * x, rtol=1e-9)


def test_hand_worked_step() -> None:
    # ((1 + h)^3 - (1 - h)^3) / 2h = 3 + h^2, with h = 0.1
    assert numeric_gradient(lambda v: float(v[0] ** 3), np.array([1.0]), eps=0.1)[0] == (
        pytest.approx(3.01, abs=1e-12))


def test_the_error_falls_with_the_square_of_the_step() -> None:
    x = np.array([0.7])
    errors = [abs(numeric_gradient(lambda v: float(np.exp(v[0])), x, eps=h)[0] - np.exp(0.7))
              for h in (1e-2, 1e-3)]
    assert np.log10(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.01)


def test_x_is_bitwise_the_same_afterwards_even_when_f_raises() -> None:
    x = np.random.default_rng(0).normal(size=5)
    before = x.tobytes()
    numeric_gradient(lambda v: float(np.sin(v).sum()), x)
    assert x.tobytes() == before
    with pytest.raises(ZeroDivisionError):
        numeric_gradient(lambda v: 1 // 0, x)
    assert x.tobytes() == before


def test_f_may_read_the_array_from_elsewhere() -> None:
    params = {"weight": np.array([2.0, 5.0])}
    gradient = numeric_gradient(lambda _: float(params["weight"].prod()), params["weight"])
    assert gradient == pytest.approx([5.0, 2.0])


@pytest.mark.parametrize("shape", [(), (0,), (2, 1, 3)])
def test_every_shape_is_kept(shape: tuple[int, ...]) -> None:
    gradient = numeric_gradient(lambda v: float(v.sum()), np.ones(shape))
    assert gradient.shape == shape
    assert np.allclose(gradient, 1.0)


def test_a_transposed_view_is_disturbed_where_it_lives() -> None:
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    weight = np.arange(6.0).reshape(2, 3)
    assert np.allclose(numeric_gradient(lambda v: float((weight * v).sum()), x), weight)


@pytest.mark.parametrize("x", [np.ones(3, np.float32), np.ones(3, int), [1.0, 2.0]])
def test_less_than_float64_is_refused(x: object) -> None:
    with pytest.raises(InputError, match="float64"):
        numeric_gradient(lambda v: 0.0, x)  # type: ignore[arg-type]


def rough(at: float) -> float:
    x = np.array([at])
    return measure_entry(lambda: abs(float(x[0])), x, (0,)).roughness


@pytest.mark.parametrize("distance", [0.0, 1e-7, 3e-6, 6e-6, 2e-5, 4e-5])
def test_a_kink_within_eight_steps_is_seen(distance: float) -> None:
    assert rough(distance) > 1e-3


def test_a_kink_further_away_is_no_matter() -> None:
    assert rough(6e-5) < 1e-9


@pytest.mark.parametrize("f", [np.sin, np.exp, np.tanh, lambda v: 1 / (1 + np.exp(-v / 0.3))])
def test_smooth_functions_pass_as_smooth(f) -> None:
    x = np.array([0.4])
    slope, roughness = measure_entry(lambda: float(f(x)[0]), x, (0,))
    assert roughness < 1e-7
    assert abs(slope) > BEND
