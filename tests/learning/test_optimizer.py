import numpy as np
import pytest

from minimidl import InputError
from minimidl.learning import SGD, Adam, AdamW, Group, gate_group


def three_params() -> dict[str, np.ndarray]:
    return {"0.weight": np.ones((2, 3)), "0.bias": np.ones(3), "0.gate.weight": np.ones((2, 2))}


def zeros_like(params: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.zeros_like(values) for name, values in params.items()}


@pytest.mark.parametrize("make", [SGD, lambda p: SGD(p, momentum=0.9), Adam, AdamW])
@pytest.mark.parametrize("order", ["C", "F"])
def test_steps_change_the_very_array_and_keep_its_order_and_dtype(make, order):
    params = {"w": np.asarray(np.arange(6.0).reshape(2, 3), np.float32, order=order)}
    weight, before = params["w"], params["w"].copy()
    grad = np.arange(1, 7, dtype=np.float32).reshape(2, 3)  # C order, whatever the parameter's
    optimizer = make(params)
    optimizer.step({"w": grad}, learning_rate=0.1)
    assert params["w"] is weight
    assert weight.dtype == np.float32
    assert np.all(weight < before)
    for name, slot in optimizer.slots.items():
        if name != "step":
            assert slot.dtype == np.float32
            assert slot.flags.f_contiguous == weight.flags.f_contiguous


@pytest.mark.parametrize("make", [lambda p: SGD(p, momentum=0.9, nesterov=True), AdamW])
def test_memory_order_never_changes_the_numbers(make):
    rng = np.random.default_rng(0)
    start, grads = rng.normal(size=(4, 5)), rng.normal(size=(3, 4, 5))
    results = []
    for order in "CF":
        for grad_order in "CF":
            params = {"w": np.array(start, order=order)}
            optimizer = make(params)
            for grad in grads:
                optimizer.step({"w": np.array(grad, order=grad_order)})
            results.append(params["w"])
    assert all(np.array_equal(results[0], other) for other in results[1:])


def test_gradients_are_never_modified():
    params = three_params()
    grads = {name: np.full_like(values, 0.5) for name, values in params.items()}
    AdamW(params).step(grads)
    assert all(np.all(grad == 0.5) for grad in grads.values())


def test_adamw_decays_weights_but_no_gate_bias_or_norm():
    params = three_params() | {"1.gain": np.ones(4)}
    AdamW(params, learning_rate=0.1, weight_decay=0.5).step(zeros_like(params))
    assert np.all(params["0.weight"] == 1 - 0.1 * 0.5)  # zero gradient: only the decay acts
    for name in ("0.bias", "0.gate.weight", "1.gain"):
        assert np.all(params[name] == 1), name


def test_the_decay_of_a_group_is_taken_literally():
    params = three_params()
    group = Group("biases", lambda name: name.endswith("bias"), weight_decay=0.5)
    AdamW(params, learning_rate=0.1, weight_decay=0.0, groups=[group]).step(zeros_like(params))
    assert np.all(params["0.bias"] == 0.95)
    assert np.all(params["0.weight"] == 1)


def test_a_gate_group_learns_at_its_own_pace():
    params = three_params()
    grads = {name: np.ones_like(values) for name, values in params.items()}
    SGD(params, learning_rate=0.5, groups=[gate_group(0.1)]).step(grads)
    assert np.all(params["0.weight"] == 0.5)
    assert np.allclose(params["0.gate.weight"], 0.95, rtol=0, atol=1e-15)


def test_decay_follows_the_rate_of_the_group():
    params = {"w": np.ones((1, 1))}
    group = Group("slow", lambda name: True, learning_rate_scale=0.5)
    AdamW(params, learning_rate=0.1, weight_decay=0.5, groups=[group]).step(zeros_like(params))
    assert params["w"][0, 0] == 1 - 0.1 * 0.5 * 0.5


def test_the_first_matching_group_wins():
    params = {"w": np.ones(1)}
    groups = [Group("first", lambda name: True, 0.0), Group("second", lambda name: True, 1.0)]
    SGD(params, 1.0, groups=groups).step({"w": np.ones(1)})
    assert params["w"] == 1, "the first group freezes it"


def test_a_step_may_name_its_own_rate():
    params = {"w": np.ones(1)}
    optimizer = SGD(params, 1.0)
    optimizer.step({"w": np.ones(1)}, learning_rate=np.float64(0.25))
    assert params["w"] == 0.75
    optimizer.step({"w": np.ones(1)})
    assert params["w"] == -0.25


def test_zero_dimensional_and_empty_parameters_work():
    params = {"scale": np.array(2.0), "none": np.zeros((0, 3))}
    Adam(params, 0.5).step({"scale": np.array(1.0), "none": np.zeros((0, 3))})
    assert params["scale"] == pytest.approx(1.5, abs=1e-7)


@pytest.mark.parametrize(("make", "words"), [
    (lambda p: SGD(p, -1.0), "learning_rate"),
    (lambda p: SGD(p, float("nan")), "learning_rate"),
    (lambda p: SGD(p, momentum=1.0), "momentum"),
    (lambda p: SGD(p, nesterov=True), "nesterov"),
    (lambda p: Adam(p, betas=(0.9, 1.0)), "betas"),
    (lambda p: Adam(p, eps=0.0), "eps"),
    (lambda p: AdamW(p, weight_decay=-0.1), "weight_decay"),
    (lambda p: SGD({"w": np.ones(3, int)}), "float dtype"),
    (lambda p: SGD({"w": np.ones((4, 4))[::2, ::2]}), "contiguous"),
    (lambda p: Group("g", str.isupper, -1.0), "learning_rate_scale"),
    (lambda p: Group("g", str.isupper, 1.0, -1.0), "weight_decay"),
    (lambda p: SGD(p).step({}), "no gradient of 0.weight"),
    (lambda p: SGD(p).step(zeros_like(p), float("inf")), "learning_rate"),
    (lambda p: SGD(p).step(zeros_like(p) | {"0.weight": np.ones((3, 2))}), r"\(3, 2\)"),
])
def test_bad_input_is_told(make, words):
    with pytest.raises(InputError, match=words):
        make(three_params())
