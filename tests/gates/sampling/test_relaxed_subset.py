"""Relaxed subset sampling: sums to k, becomes the hard draw when cold, and never picks twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minimidl.gates import topk
from minimidl.gates.sampling import gumbel_noise

SUBSET = topk("relaxed-subset")
rows = st.integers(2, 7).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-1e4, 1e4)))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class NoNoise:
    """A generator whose Gumbel noise is 0: ``-ln(-ln u) = 0`` at ``u = 1/e``."""

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, np.exp(-1.0))


@given(z=rows, share=st.floats(0.05, 0.95), temperature=st.floats(0.05, 5), seed=st.integers(0, 9))
def test_rows_sum_to_k_and_gradients_to_0(
    z: np.ndarray, share: float, temperature: float, seed: int
) -> None:
    k = max(1, round(share * z.shape[1]))
    p, memory = SUBSET.forward(z, k, temperature, rng(seed))
    np.testing.assert_allclose(p.sum(axis=1), k, atol=1e-9)
    assert (p >= 0).all()
    grads = SUBSET.backward(rng(1).normal(size=z.shape), memory)
    assert np.isfinite(grads["scores"]).all()
    assert np.isfinite(grads["temperature"])
    scale = max(1, np.abs(grads["scores"]).max())
    np.testing.assert_allclose(grads["scores"].sum(axis=1) / scale, 0, atol=1e-9)  # shift


@given(z=arrays(np.float64, (2, 5), elements=st.floats(-5, 5)), seed=st.integers(0, 9))
def test_shift_and_permutation(z: np.ndarray, seed: int) -> None:
    p = SUBSET.forward(z, 2, 0.8, rng(seed))[0]
    np.testing.assert_allclose(SUBSET.forward(z + 3, 2, 0.8, rng(seed))[0], p, atol=1e-10)
    order = np.array([3, 0, 4, 1, 2])
    plain = SUBSET.forward(z, 2, 0.8, NoNoise())[0]
    moved = SUBSET.forward(z[:, order], 2, 0.8, NoNoise())[0]
    np.testing.assert_allclose(moved, plain[:, order], atol=1e-12)


def test_two_scores_by_hand() -> None:
    # k = 1 is one softmax: weights 3 and 1
    p = SUBSET.forward(np.log([[3.0, 1.0]]), 1, 1.0, NoNoise())[0]
    np.testing.assert_allclose(p, [[0.75, 0.25]], atol=1e-14)
    # three equal scores, k = 2: twice a third
    assert SUBSET.forward(np.zeros((1, 3)), 2, 1.0, NoNoise())[0] == pytest.approx(2 / 3)
    # weights 3, 1, 1: shares .6 .2 .2; left .4 .8 .8 times 3 1 1 = 1.2 .8 .8, that is 3/7 2/7 2/7
    p = SUBSET.forward(np.log([[3.0, 1.0, 1.0]]), 2, 1.0, NoNoise())[0]
    np.testing.assert_allclose(p, [[0.6 + 3 / 7, 0.2 + 2 / 7, 0.2 + 2 / 7]], atol=1e-14)
    assert p.max() > 1  # entries may exceed 1: that is in the nature of the relaxation


def test_cold_it_is_the_gumbel_draw() -> None:
    z = rng(2).normal(size=(40, 7))
    hard = topk("gumbel").forward(z, 3, 1.0, rng(4))[0]
    noisy = np.sort(z + gumbel_noise(rng(4), z.shape), axis=1)
    clear = np.diff(noisy, axis=1).min(axis=1) > 0.05
    assert clear.sum() > 5
    p = SUBSET.forward(z, 3, 0.002, rng(4))[0]
    np.testing.assert_allclose(p[clear], hard[clear], atol=1e-6)


def test_hot_it_is_uniform() -> None:
    p = SUBSET.forward(rng().normal(size=(3, 8)), 2, 1e6, rng())[0]
    np.testing.assert_allclose(p, 2 / 8, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_leader_far_ahead_is_not_chosen_twice(dtype: type) -> None:
    # 1 - a rounds to 0 here; a clamp at 1e-30 would leave the leader in front: p = (2, 0, 0)
    p, memory = SUBSET.forward(np.array([[1e4, 0.0, -1.0]], dtype), 2, 1.0, NoNoise())
    assert p[0, 0] < 1.7
    np.testing.assert_allclose(p.sum(), 2, rtol=1e-6)
    p, _ = SUBSET.forward(np.array([[1e4, 0.0, -1e3]], dtype), 2, 0.5, NoNoise())
    np.testing.assert_allclose(p, [[1, 1, 0]], atol=1e-6)
    assert np.isfinite(SUBSET.backward(p, memory)["scores"]).all()


def test_float32_agrees_with_float64() -> None:
    z, g = rng(1).normal(size=(4, 9)), rng(2).normal(size=(4, 9))
    p, memory = SUBSET.forward(z, 4, 0.5, rng(3))
    small, small_memory = SUBSET.forward(z.astype(np.float32), 4, 0.5, rng(3))
    grads, small_grads = SUBSET.backward(g, memory), SUBSET.backward(
        g.astype(np.float32), small_memory)
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, p, atol=2e-5)
    for name, grad in grads.items():
        assert small_grads[name].dtype == np.float32
        np.testing.assert_allclose(small_grads[name], grad, atol=5e-4)


@pytest.mark.oracle
@pytest.mark.parametrize(("k", "temperature"), [(1, 0.5), (3, 0.4), (5, 2.0)])
def test_torch_autograd_is_the_judge(k: int, temperature: float) -> None:
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    z, g = rng(1).normal(size=(4, 6)), rng(2).normal(size=(4, 6))
    p, memory = SUBSET.forward(z, k, temperature, rng(3))
    grads = SUBSET.backward(g, memory)
    scores = torch.tensor(z, requires_grad=True)
    width = torch.tensor(temperature, dtype=torch.float64, requires_grad=True)
    alpha, total = scores + torch.tensor(gumbel_noise(rng(3), z.shape)), 0
    for _ in range(k):
        share = torch.softmax(alpha / width, dim=1)
        alpha, total = alpha + torch.log1p(-share), total + share
    total.backward(torch.tensor(g))
    np.testing.assert_allclose(p, total.detach().numpy(), atol=1e-10)
    np.testing.assert_allclose(grads["scores"], scores.grad.numpy(), atol=1e-9)
    np.testing.assert_allclose(grads["temperature"], width.grad.numpy(), atol=1e-9)
