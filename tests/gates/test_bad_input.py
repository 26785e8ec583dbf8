"""Bad input to every operator and estimator: one clear InputError, never an answer or a crash."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.gates import ESTIMATORS, RANKING, SCORE_FUNCTIONS, SIMPLEX, TOPK
from minimidl.gates.estimators import DSelectK, antithetic_masks, disarm, reinforce
from minimidl.gates.sampling import BinaryConcrete, HardConcrete, expected_l0

SCORES = np.random.default_rng(3).normal(size=(3, 6))
WHOLE_K = ("hard", "softsort", "neuralsort", "gumbel", "relaxed-subset", "perturbed",
           "perturbed-gumbel")
DRAWING = ("gumbel", "relaxed-subset", "perturbed", "perturbed-gumbel")
BAD_SCORES = {"list": [[1.0, 2.0]], "vector": SCORES[0], "cube": SCORES[None],
              "whole numbers": np.arange(6).reshape(1, 6), "nan": SCORES * np.nan,
              "infinity": SCORES + np.inf}


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", TOPK)
@pytest.mark.parametrize("k", [-1, 7, np.nan, np.inf, "2", None, np.array([1, 2, 3])], ids=str)
def test_k_must_be_one_number_within_reach(name, k):
    with pytest.raises(InputError, match=r"^k: got"):
        TOPK[name].forward(SCORES, k, 1.0, rng())


@pytest.mark.parametrize("name", WHOLE_K)
def test_a_hard_choice_has_no_parts(name):
    with pytest.raises(InputError, match=r"^k: got 1.5, expected a whole number"):
        TOPK[name].forward(SCORES, 1.5, 1.0, rng())


@pytest.mark.parametrize("name", TOPK)
@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf, "warm", None], ids=str)
def test_temperature_must_be_a_positive_number(name, temperature):
    with pytest.raises(InputError, match=r"^temperature: got"):
        TOPK[name].forward(SCORES, 2, temperature, rng())


@pytest.mark.parametrize("name", DRAWING)
@pytest.mark.parametrize("wrong", [None, 0])
def test_who_draws_asks_for_a_generator(name, wrong):
    with pytest.raises(InputError, match=r"^rng: got"):
        TOPK[name].forward(SCORES, 2, 1.0, wrong)


@pytest.mark.parametrize("bad", BAD_SCORES)
@pytest.mark.parametrize("call", [
    *(pytest.param(lambda z, op=op: op.forward(z, 1, 1.0, rng()), id=n) for n, op in TOPK.items()),
    *(pytest.param(op.forward, id=n) for n, op in (SIMPLEX | RANKING).items()),
    *(pytest.param(op.forward, id=n) for n, op in ESTIMATORS.items()),
    pytest.param(lambda z: BinaryConcrete().forward(z, rng=rng()), id="binary concrete"),
    pytest.param(lambda z: HardConcrete().forward(z, rng()), id="hard concrete"),
    pytest.param(expected_l0, id="expected l0"),
])
def test_scores_must_be_finite_rows_of_floats(call, bad):
    with pytest.raises(InputError, match=r"^scores: got"):
        call(BAD_SCORES[bad])


def backwards():
    """``(name, forward)`` of everything with the same shape in and out; memory comes second."""
    for name, op in TOPK.items():
        yield name, op, lambda op=op: op.forward(SCORES, 2, 1.0, rng())
    for name, op in (SIMPLEX | RANKING | ESTIMATORS).items():
        yield name, op, lambda op=op: op.forward(SCORES)
    yield "binary concrete", BinaryConcrete(), lambda: BinaryConcrete().forward(SCORES, rng=rng())
    yield "hard concrete", HardConcrete(), lambda: HardConcrete().forward(SCORES, rng())


@pytest.mark.parametrize("shape", [(3, 5), (6,), (3, 1), ()], ids=str)
@pytest.mark.parametrize(("op", "forward"), [
    pytest.param(op, forward, id=name) for name, op, forward in backwards()])
def test_a_gradient_of_another_shape_is_refused_and_not_broadcast(op, forward, shape):
    _, memory = forward()
    with pytest.raises(InputError, match=r"^grad_"):
        op.backward(np.ones(shape), memory)


@pytest.mark.parametrize("shape", [(0, 6), (3, 0)], ids=str)
@pytest.mark.parametrize("name", [n for n in TOPK if n not in ("softsort", "neuralsort")])
def test_empty_rows_have_empty_answers_and_gradients(name, shape):
    p, memory = TOPK[name].forward(np.zeros(shape), min(2, shape[1]), 1.0, rng())
    assert p.shape == shape
    assert TOPK[name].backward(np.zeros(shape), memory)["scores"].shape == shape


@pytest.mark.parametrize("name", ["relaxed-subset", "perturbed", "softsort"])
def test_a_temperature_that_is_zero_in_the_dtype_is_zero(name):
    with pytest.raises(InputError, match=r"^temperature: got 1e-60"):
        TOPK[name].forward(SCORES.astype(np.float32), 2, 1e-60, rng())


@pytest.mark.parametrize("name", SCORE_FUNCTIONS)
def test_score_functions_need_a_loss_per_sample_and_a_number_per_score(name):
    uniform = rng().random(SCORES.shape)
    with pytest.raises(InputError, match=r"^losses: got"):
        SCORE_FUNCTIONS[name](lambda mask: mask.mean(), SCORES, uniform)
    with pytest.raises(InputError, match=r"^uniform: got"):
        SCORE_FUNCTIONS[name](lambda mask: mask.sum(axis=1), SCORES, uniform[:, :1])


def test_masks_of_another_shape_are_refused():
    mask, twin = antithetic_masks(SCORES, rng().random(SCORES.shape))
    losses = np.ones(3)
    with pytest.raises(InputError, match=r"^mask: got"):
        reinforce(losses, mask[:, :1], SCORES)
    with pytest.raises(InputError, match=r"^baseline: got"):
        reinforce(losses, mask, SCORES, np.ones((3, 1)))
    with pytest.raises(InputError, match=r"^twin_mask: got"):
        disarm(losses, losses, mask, twin[:, :1], SCORES)


def test_dselect_refuses_a_gradient_of_another_width():
    op = DSelectK(6, 2)
    _, memory = op.forward(np.zeros((3, 2, op.bits)), np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"^grad_q: got"):
        op.backward(np.ones((3, 1)), memory)
