import numpy as np
import pytest

from minimidl.learning import SGD


def walk(optimizer: SGD, params: dict[str, np.ndarray], grads: list[float]) -> list[float]:
    places = []
    for grad in grads:
        optimizer.step({"p": np.array([grad])})
        places.append(float(params["p"][0]))
    return places


def test_plain_steps_by_hand():
    params = {"p": np.array([1.0])}
    # 1 - 0.1 * 2 = 0.8;  0.8 - 0.1 * (-1) = 0.9
    assert walk(SGD(params, 0.1), params, [2.0, -1.0]) == pytest.approx([0.8, 0.9], abs=1e-15)


def test_momentum_by_hand():
    params = {"p": np.array([1.0])}
    # u = 2, p = 1 - 0.2 = 0.8;  u = 0.5 * 2 + 1 = 2, p = 0.8 - 0.2 = 0.6;  u = 1, p = 0.5
    places = walk(SGD(params, 0.1, momentum=0.5), params, [2.0, 1.0, 0.0])
    assert places == pytest.approx([0.8, 0.6, 0.5], abs=1e-15)


def test_nesterov_by_hand():
    params = {"p": np.array([1.0])}
    # u = 2, step 2 + 0.5 * 2 = 3, p = 0.7;  u = 2, step 1 + 1 = 2, p = 0.5;  u = 1, step 0.5
    places = walk(SGD(params, 0.1, momentum=0.5, nesterov=True), params, [2.0, 1.0, 0.0])
    assert places == pytest.approx([0.7, 0.5, 0.45], abs=1e-15)


def test_without_momentum_there_is_nothing_to_save_but_the_count():
    params = {"p": np.array([1.0])}
    optimizer = SGD(params, 0.1)
    walk(optimizer, params, [1.0, 1.0])
    assert list(optimizer.slots) == ["step"]
    assert optimizer.slots["step"] == 2
