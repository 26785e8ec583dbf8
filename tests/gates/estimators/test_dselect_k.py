"""DSelect-k: a code by bits, one-hot once saturated, and torch as a judge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minimidl.errors import InputError
from minimidl.gates.estimators import DSelectK, selector_penalty, selector_penalty_backward
from minimidl.gates.estimators.dselect_k import product_of_others, smooth_step


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_smooth_step_by_hand() -> None:
    t = np.array([-9.0, -1.0, -0.5, 0.0, 0.5, 1.0, 9.0])
    step, slope = smooth_step(t, 2.0)
    # at t = 1/2: -2/8 * 1/8 + 3/8 + 1/2 = 27/32; slope -6/8 * 1/4 + 3/4 = 9/16
    np.testing.assert_allclose(step, [0, 0, 5 / 32, 0.5, 27 / 32, 1, 1], atol=1e-15)
    np.testing.assert_allclose(slope, [0, 0, 9 / 16, 0.75, 9 / 16, 0, 0], atol=1e-15)


def test_every_code_is_spelt_by_its_bits() -> None:
    for code in range(8):
        bits = np.where(np.array([code & 1, code & 2, code & 4]) > 0, 5.0, -5.0)
        q, memory = DSelectK(8, 1).forward(bits[None, None, :], np.zeros((1, 1)))
        assert q.tolist() == [np.eye(8)[code].tolist()]
        grads = DSelectK(8, 1).backward(np.ones((1, 8)), memory)
        assert not grads["bits"].any()  # saturated: a dead zone, exactly


def test_two_bits_by_hand() -> None:
    # S = (27/32, 1/2): codes 00, 01, 10, 11 in the order of the lowest bit first
    q, _ = DSelectK(4, 1, 2.0).forward(np.array([[[0.5, 0.0]]]), np.zeros((1, 1)))
    np.testing.assert_allclose(q, [[5 / 64, 27 / 64, 5 / 64, 27 / 64]])


@given(bits=arrays(np.float64, (2, 3, 3), elements=st.floats(-2, 2)),
       weights=arrays(np.float64, (2, 3), elements=st.floats(-5, 5)))
def test_weights_are_shares_and_saturated_selectors_leave_at_most_k(
    bits: np.ndarray, weights: np.ndarray
) -> None:
    q, memory = DSelectK(8, 3).forward(bits, weights)
    assert (q >= 0).all()
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(memory["selectors"].sum(axis=2), 1, atol=1e-12)
    saturated, _ = DSelectK(8, 3).forward(np.where(bits >= 0, 1.0, -1.0), weights)
    assert ((saturated > 0).sum(axis=1) <= 3).all()
    np.testing.assert_allclose(saturated.sum(axis=1), 1, atol=1e-12)


def test_codes_beyond_n_lead_nowhere_and_the_penalty_knows() -> None:
    chooser = DSelectK(5, 1)
    assert chooser.bits == 3
    bits = np.array([[[1.0, 1.0, 1.0]], [[-1.0, -1.0, -1.0]]])  # codes 7 and 0
    q, memory = chooser.forward(bits, np.zeros((2, 1)))
    assert q.tolist() == [[0.0] * 5, [1.0, 0, 0, 0, 0]]
    inside, _ = selector_penalty(memory["selectors"][1:], 5)
    outside, memory_of_penalty = selector_penalty(memory["selectors"][:1], 5)
    assert inside == 1  # one selector, wholly inside: 1 / 1
    assert outside > 1e6
    assert np.isfinite(selector_penalty_backward(memory_of_penalty)).all()


def test_entropy_by_hand() -> None:
    even = np.full((2, 3, 4), 0.25)
    assert selector_penalty(even, 4)[0] == pytest.approx(3 * np.log(4))
    assert selector_penalty(even, 4, entropy=0.5)[0] == pytest.approx(1.5 * np.log(4))
    assert selector_penalty(even, 3, 0.0, 2.0)[0] == pytest.approx(3 * 2 / 0.75)
    assert selector_penalty(np.eye(4)[None], 4)[0] == 0


def test_the_product_of_others_needs_no_division() -> None:
    factor = np.array([2.0, 0.0, 3.0, 5.0])
    assert product_of_others(factor).tolist() == [0, 30, 0, 0]
    assert product_of_others(np.array([[7.0]])).tolist() == [[1]]


def test_float32_stays_float32() -> None:
    bits = rng(1).uniform(-0.4, 0.4, (2, 2, 3)).astype(np.float32)
    q, memory = DSelectK(6, 2).forward(bits, bits[:, :, 0])
    assert q.dtype == np.float32
    assert all(g.dtype == np.float32 for g in DSelectK(6, 2).backward(q, memory).values())
    assert selector_penalty_backward(
        selector_penalty(memory["selectors"], 6)[1]).dtype == np.float32


def test_bad_input_is_refused() -> None:
    for options, argument in (((1, 1), "n"), ((4, 0), "k"), ((4, 1, 0.0), "width")):
        with pytest.raises(InputError, match=f"{argument}: got"):
            DSelectK(*options)
    with pytest.raises(InputError, match="bits: got shape"):
        DSelectK(8, 2).forward(np.zeros((1, 2, 2)), np.zeros((1, 2)))
    with pytest.raises(InputError, match="weights: got shape"):
        DSelectK(8, 2).forward(np.zeros((1, 2, 3)), np.zeros((1, 3)))
    with pytest.raises(InputError, match="bits: got nan"):
        DSelectK(8, 2).forward(np.full((1, 2, 3), np.nan), np.zeros((1, 2)))


@pytest.mark.oracle
@pytest.mark.parametrize("n", [8, 5])
def test_torch_autograd_is_the_judge(n: int) -> None:
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    chooser = DSelectK(n, 2, 1.5)
    z, w, g = rng(1).uniform(-1, 1, (4, 2, 3)), rng(2).normal(size=(4, 2)), rng(3).normal(
        size=(4, n))
    q, memory = chooser.forward(z, w)
    value, penalty_memory = selector_penalty(memory["selectors"], n, 0.3, 0.7)
    grads = chooser.backward(g, memory, selector_penalty_backward(penalty_memory))
    bits, weights = torch.tensor(z, requires_grad=True), torch.tensor(w, requires_grad=True)
    inner = -2 * bits**3 / 1.5**3 + 3 * bits / 3 + 0.5
    step = torch.where(bits <= -0.75, 0.0, torch.where(bits >= 0.75, 1.0, inner))
    codes = [[torch.stack([step[:, :, b] if e >> b & 1 else 1 - step[:, :, b]
                           for b in range(3)]).prod(dim=0)] for e in range(8)]
    selectors = torch.stack([code[0] for code in codes], dim=2)
    answer = (torch.softmax(weights, dim=1)[..., None] * selectors).sum(dim=1)[:, :n]
    penalty = -0.3 * torch.where(selectors > 0, selectors * torch.log(selectors.clamp(min=1e-300)),
                                 0.0).sum()
    if n < 8:
        penalty = penalty + 0.7 * (1 / selectors[:, :, :n].sum(dim=2)).sum()
    ((answer * torch.tensor(g)).sum() + penalty / 4).backward()
    np.testing.assert_allclose(q, answer.detach().numpy(), atol=1e-12)
    assert value == pytest.approx(penalty.item() / 4)
    np.testing.assert_allclose(grads["bits"], bits.grad.numpy(), atol=1e-10)
    np.testing.assert_allclose(grads["weights"], weights.grad.numpy(), atol=1e-10)
