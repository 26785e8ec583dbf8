"""SoftSort and NeuralSort masks: the budget is held, single entries are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minimidl.errors import InputError
from minimidl.gates import topk, topk_mask

NAMES = ("softsort", "neuralsort")
each = pytest.mark.parametrize("name", NAMES)
both = pytest.mark.parametrize("dtype", [np.float32, np.float64])
names = st.sampled_from(NAMES)
rows = st.integers(2, 8).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-5, 5, allow_subnormal=False)))
shares = st.floats(0, 1)
temperatures = st.floats(0.2, 4)


def mask(name: str, z: np.ndarray, k: float, temperature: float = 1.0) -> np.ndarray:
    return topk(name).forward(z, k, temperature)[0]


def test_an_entry_of_softsort_exceeds_one() -> None:
    # Three scores in a chain, one step apart, and one far away. With e = exp(-1) the middle one has
    # e / (1 + e + e^2) of the first row, 1 / (1 + 2 e) of its own, and the first again: 1.065
    e = math.exp(-1)
    middle = 2 * e / (1 + e + e * e) + 1 / (1 + 2 * e)
    p = mask("softsort", np.array([[1.0, 0, -1, -50]]), 3)
    assert middle > 1.06
    assert p[0, 1] == pytest.approx(middle, abs=1e-12)
    assert p.sum() == pytest.approx(3, abs=1e-12)


def test_an_entry_of_neuralsort_exceeds_one() -> None:
    # The same chain: sums of distances (1 + 2 + 10, 1 + 1 + 9, 2 + 1 + 8, 10 + 9 + 8), factors
    # n + 1 - 2 i = 3, 1, -1; the logits of the first row are (-10, -11, -14, -54), and so on.
    z = np.array([1.0, 0, -1, -9])
    spread = np.abs(z[:, None] - z).sum(axis=1)
    assert spread.tolist() == [13, 11, 11, 27]
    logits = np.array([(5 - 2 * i) * z - spread for i in (1, 2, 3)])
    weight = np.exp(logits)
    expected = (weight / weight.sum(axis=1, keepdims=True)).sum(axis=0)
    p = mask("neuralsort", z[None, :], 3)
    assert expected[1] > 1.1
    np.testing.assert_allclose(p[0], expected, atol=1e-14)


@given(name=names, z=rows, share=shares, temperature=temperatures, shift=st.floats(-50, 50))
def test_the_budget_is_held_and_only_differences_and_the_scale_count(
    name: str, z: np.ndarray, share: float, temperature: float, shift: float
) -> None:
    k = round(share * z.shape[1])
    p = mask(name, z, k, temperature)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), k, atol=1e-12)
    np.testing.assert_allclose(mask(name, z + shift, k, temperature), p, atol=1e-9)
    np.testing.assert_allclose(mask(name, z / temperature, k), p, atol=1e-10)


@given(name=names, seed=st.integers(0, 999), share=shares)
def test_a_permutation_permutes(name: str, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    z, mixed = rng.normal(size=(2, 7)), rng.permutation(7)
    k = round(share * 7)
    np.testing.assert_allclose(mask(name, z[:, mixed], k), mask(name, z, k)[:, mixed], atol=1e-12)


@given(name=names, seed=st.integers(0, 999), k=st.integers(1, 5), temperature=st.floats(0.5, 3))
def test_gradients_equal_central_differences_and_move_no_budget(
    name: str, seed: int, k: int, temperature: float
) -> None:
    rng, step, op = np.random.default_rng(seed), 1e-6, topk(name)
    z = 0.3 * rng.permutation(12).reshape(2, 6) + rng.uniform(0, 0.1, (2, 6))  # clear of ties
    g = rng.normal(size=z.shape)
    grads = op.backward(g, op.forward(z, k, temperature)[1])
    assert set(grads) == {"scores", "temperature"}  # k counts rows: no derivative
    np.testing.assert_allclose(grads["scores"].sum(axis=1), 0, atol=1e-12)
    flat = op.backward(np.ones_like(g), op.forward(z, k, temperature)[1])
    np.testing.assert_allclose(flat["scores"], 0, atol=1e-12)
    for entry in np.ndindex(z.shape):
        e = np.zeros_like(z)
        e[entry] = step
        slope = (g * (mask(name, z + e, k, temperature) - mask(name, z - e, k, temperature))).sum()
        assert grads["scores"][entry] == pytest.approx(slope / (2 * step), abs=1e-7)
    by_t = (g * (mask(name, z, k, temperature + step) - mask(name, z, k, temperature - step))).sum()
    assert grads["temperature"] == pytest.approx(by_t / (2 * step), abs=1e-7)


@each
@both
def test_cold_is_the_hard_mask_with_no_gradient(name: str, dtype: type) -> None:
    z = np.random.default_rng(0).permutation(40).reshape(2, 20).astype(dtype)
    for k in (1, 7, 19):
        p, memory = topk(name).forward(z, k, 1e-3)
        assert p.dtype == dtype
        assert (p == topk_mask(z, k)).all()
        assert not topk(name).backward(z, memory)["scores"].any()


@each
def test_hot_and_equal_rows_share_equally(name: str) -> None:
    np.testing.assert_allclose(mask(name, np.array([[3.0, -1, 0.5, 2]]), 2, 1e9), 0.5, atol=1e-7)
    p, memory = topk(name).forward(np.full((1, 4), 7.0), 3)
    np.testing.assert_allclose(p, 0.75, atol=1e-15)
    grads = topk(name).backward(np.array([[1.0, 2, 3, 4]]), memory)
    assert np.isfinite(grads["scores"]).all()  # a kink of the absolute value: sign(0) = 0


@each
@pytest.mark.parametrize(("k", "value"), [(0, 0.0), (3, 1.0)])
def test_nothing_or_everything_is_chosen_without_gradients(
    name: str, k: int, value: float
) -> None:
    p, memory = topk(name).forward(np.array([[1.0, 5.0, -2.0]]), k)
    assert (p == value).all()
    grads = topk(name).backward(np.ones((1, 3)), memory)
    assert set(grads) == {"scores", "temperature"}
    assert not any(np.any(g) for g in grads.values())


@each
@both
def test_one_element_and_large_scores(name: str, dtype: type) -> None:
    assert mask(name, np.array([[-3]], dtype), 1).tolist() == [[1]]
    z = np.array([[1e4, -1e4, 0, 5e3]], dtype)
    p, memory = topk(name).forward(z, 2)
    assert p.tolist() == [[1, 0, 0, 1]]
    assert all(np.isfinite(g).all() for g in topk(name).backward(z, memory).values())


@each
def test_float32_agrees_with_float64_and_stays_float32(name: str) -> None:
    z, g = np.random.default_rng(3).normal(size=(2, 4, 60)).astype(np.float32)
    p, memory = topk(name).forward(z.astype(float), 20, 3.0)
    p32, memory32 = topk(name).forward(z, 20, 3.0)
    grads = topk(name).backward(g.astype(float), memory)
    grads32 = topk(name).backward(g, memory32)
    assert p32.dtype == np.float32
    assert {np.asarray(value).dtype for value in grads32.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(p32, p, atol=1e-4)
    for key in grads:
        np.testing.assert_allclose(grads32[key], grads[key], rtol=1e-3, atol=1e-3)


@each
def test_more_pairs_than_memory_bears_are_refused(name: str) -> None:
    for shape in ((1, 4097), (257, 256)):
        with pytest.raises(InputError, match=r"rows \* n \* n of at most 16777216 .*all pairs"):
            topk(name).forward(np.zeros(shape, np.float32), 2)


@each
@pytest.mark.parametrize(("z", "k", "temperature", "message"), [
    ([[1.0, np.nan]], 1, 1, r"scores: got nan at index \(0, 1\), expected finite"),
    ([[np.inf, 0.0]], 1, 1, r"scores: got inf at index \(0, 0\), expected finite"),
    ([[1.0, 2.0]], 1.5, 1, "k: got 1.5, expected a whole number"),
    ([[1.0, 2.0]], 3, 1, r"k: got 3, expected a number in \[0, 2\]"),
    ([[1.0, 2.0]], -1, 1, r"k: got -1, expected a number in \[0, 2\]"),
    ([[1.0, 2.0]], 1, 0, "temperature: got 0, expected a positive number"),
])
def test_bad_input_is_told(
    name: str, z: list, k: float, temperature: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        topk(name).forward(np.array(z), k, temperature)


@pytest.mark.oracle
@each
@pytest.mark.parametrize(("k", "temperature"), [(1, 0.5), (4, 1.0), (8, 2.5)])
def test_autograd_of_the_papers_formula_is_the_judge(
    name: str, k: int, temperature: float
) -> None:
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    scores, g = np.random.default_rng(k).normal(size=(2, 3, 9))
    z, t = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (scores, temperature))
    if name == "softsort":
        best = torch.sort(z, dim=1, descending=True).values
        logits = -(best[:, :, None] - z[:, None, :]).abs()
    else:
        spread = (z[:, :, None] - z[:, None, :]).abs().sum(2)
        places = 9 + 1 - 2 * torch.arange(1, 10, dtype=torch.float64)
        logits = places[None, :, None] * z[:, None, :] - spread[:, None, :]
    expected = torch.softmax(logits / t, dim=2)[:, :k].sum(1)
    (expected * torch.tensor(g)).sum().backward()
    p, memory = topk(name).forward(scores, k, temperature)
    grads = topk(name).backward(g, memory)
    np.testing.assert_allclose(p, expected.detach().numpy(), atol=1e-13)
    np.testing.assert_allclose(grads["scores"], z.grad.numpy(), atol=1e-12)
    np.testing.assert_allclose(grads["temperature"], t.grad.numpy(), atol=1e-12)
