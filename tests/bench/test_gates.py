"""The gates suite: every row complete, the peers answer the same question, the shapes are kept."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.bench import gate_peers
from minimidl.bench.gates import (
    COLUMNS,
    OPERATORS,
    TEMPERATURE,
    gates_suite,
    own_call,
    raced,
    rows_for,
)
from minimidl.bench.suite import against
from minimidl.bench.timing import Timing
from minimidl.errors import InputError
from minimidl.gates import topk, topk_mask


def drawn(shape=(3, 40)):
    rng = np.random.default_rng(0)
    return tuple(rng.normal(size=shape).astype(np.float32) for _ in range(2))


def test_rows_are_complete_and_the_bar_moves_once_per_row():
    ticks = []
    rows = gates_suite(sizes=(8, 20), rows=1, rounds=7, tick=lambda: ticks.append(1))
    assert [(row["operator"], row["n"]) for row in rows] == [
        (name, n) for n in (8, 20) for name in OPERATORS]
    assert len(ticks) == len(rows)
    for row in rows:
        assert set(COLUMNS) | {"race"} == set(row)
        assert row["seconds"] > 0
        assert row["sorts"] > 0
        assert row["path"] == "numpy"
        assert (row["peer"] is None) == (row["ratio"] is None)
        if row["peer"]:
            assert row["spread_low"] <= row["ratio"] <= row["spread_high"]
            assert row["peer"] in row["race"]


def test_rows_keep_the_number_of_scores():
    assert [rows_for(n, 256) for n in (100, 1000, 10_000, 100_000, 10**7)] == [2560, 256, 26, 3, 1]


@pytest.mark.parametrize("wrong", [{"sizes": (3,)}, {"sizes": ()}, {"rows": 0}])
def test_wrong_sizes_are_told(wrong):
    with pytest.raises(InputError, match="expected"):
        gates_suite(**wrong)


def test_without_peers_there_is_no_ratio():
    assert set(against(Timing(2.0, 1.0, 4.0, 1, 7), None).values()) == {None}
    assert raced({}) == {}


def test_what_is_timed_is_forward_and_backward():
    scores, grad_p = drawn()
    for operator in OPERATORS[:-1]:
        grads = own_call(operator, scores, 10, grad_p)()
        assert grads["scores"].shape == scores.shape
    np.testing.assert_array_equal(own_call("hard", scores, 10, grad_p)(), topk_mask(scores, 10))
    np.testing.assert_array_equal(gate_peers.argpartition_mask(scores, 10), topk_mask(scores, 10))


@pytest.mark.oracle
@pytest.mark.parametrize("operator", OPERATORS[:-1])
@pytest.mark.parametrize("n", [40, 300])
def test_every_peer_answers_what_we_answer(operator, n):
    pytest.importorskip("torch", reason="needs PyTorch: pip install minimidl[oracle]")
    scores, grad_p = drawn((5, n))
    p, memory = topk(operator).forward(scores, n // 4, TEMPERATURE)
    grads = topk(operator).backward(grad_p, memory)
    peers = gate_peers.torch_peers(operator, scores, n // 4, TEMPERATURE, grad_p)
    assert len(peers) >= 2
    for name, peer in peers.items():
        theirs, their_grad = peer()
        np.testing.assert_allclose(theirs.detach().numpy(), p, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(their_grad.numpy(), grads["scores"], atol=1e-4, err_msg=name)


def test_torch_threads_are_put_back():
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install minimidl[oracle]")
    before = torch.get_num_threads()
    with gate_peers.one_torch_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
