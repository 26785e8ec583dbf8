"""Matched experts: what the formula says is what the accountant counts on the built model."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.experiment.experts import matched_experts
from minimidl.layers import Experts, Linear, ReLU, Sequential
from minimidl.measure import count_macs

SHAPES = [(64, 128, 10, 8, 1), (64, 128, 10, 8, 2), (20, 300, 5, 4, 4), (784, 256, 10, 16, 1),
          (10, 40, 3, 1, 1)]


def built(shape, matched, router):
    n_in, _, n_out, n_experts, k = shape
    return Sequential(
        Experts(n_in, matched.n_units, n_experts=n_experts, router=router,
                k=None if router in ("switch", "soft") else k),
        Linear(matched.n_units, n_out))


def n_params(model):
    return sum(value.size for value in model.params.values())


@pytest.mark.parametrize("match", ["params", "macs"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_numbers_are_those_of_the_built_models(shape, match):
    n_in, width, n_out, n_experts, k = shape
    matched = matched_experts(*shape, match)
    router = "soft" if k == n_experts else "switch" if k == 1 else "topk"
    model = built(shape, matched, router)
    dense = Sequential(Linear(n_in, width), ReLU(), Linear(width, n_out))
    x = np.random.default_rng(0).normal(size=(7, n_in)).astype(np.float32)
    assert matched.n_units == n_experts * matched.expert_size
    assert matched.params == n_params(model)
    assert matched.dense_params == n_params(dense)
    counted = count_macs(model, model.forward(x)[1])
    assert matched.macs == counted.with_gate.mean()
    assert matched.dense_macs == count_macs(dense, dense.forward(x)[1]).dense


@pytest.mark.parametrize("match", ["params", "macs"])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_larger_experts_would_fit(shape, match):
    n_in, _, n_out, n_experts, k = shape
    matched = matched_experts(*shape, match)
    spent, limit, one_more = {
        "params": (matched.params, matched.dense_params, n_experts * (n_in + 1 + n_out)),
        "macs": (matched.macs, matched.dense_macs, k * (n_in + 1 + n_out))}[match]
    assert spent <= limit < spent + one_more


def test_by_hand():
    # dense: 12 * (4 + 1 + 2) + 2 = 86 parameters, 12 * 6 = 72 MACs; router: 15 parameters, 12 MACs
    assert matched_experts(4, 12, 2, 3, 1, "params") == (3, 9, 9 * 7 + 2 + 15, 3 * 7 + 12, 86, 72)
    assert matched_experts(4, 12, 2, 3, 1, "macs") == (8, 24, 24 * 7 + 2 + 15, 8 * 7 + 12, 86, 72)


def test_what_cannot_be_matched_is_told():
    with pytest.raises(InputError, match=r"n_experts: got 40, expected fewer \(the router leaves"):
        matched_experts(10, 20, 2, 40, 1, "params")
    with pytest.raises(InputError, match="k: got 5, expected a whole number from 1 to 4"):
        matched_experts(10, 20, 2, 4, 5)
    with pytest.raises(InputError, match="match: got 'flops'"):
        matched_experts(10, 20, 2, 4, 1, "flops")
    with pytest.raises(InputError, match="width: got 0"):
        matched_experts(10, 0, 2, 4, 1)
