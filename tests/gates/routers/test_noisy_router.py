"""Noisy Top-k: the noise, its scale, and how likely an expert is chosen."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.gates import GateGradient, NoisyTopKRouter, TopKRouter

RNG = np.random.default_rng(0)
ANSWERS = RNG.normal(size=(6, 10))  # five logits, five raw scales


def drawn(router, answers, seed=1):
    return router.decide(answers, True, np.random.default_rng(seed))


def test_evaluation_is_the_plain_topk_of_the_logits():
    ours = NoisyTopKRouter(5, 2).decide(ANSWERS)
    plain = TopKRouter(5, 2).decide(np.ascontiguousarray(ANSWERS[:, :5]))
    assert ours.gate.tobytes() == plain.gate.tobytes()
    assert ours.scores.shape == (6, 5)


def test_training_adds_noise_of_the_learned_scale():
    decision = drawn(NoisyTopKRouter(5, 2), ANSWERS)
    e = np.random.default_rng(1).standard_normal((6, 5), dtype=np.float32)
    np.testing.assert_allclose(
        decision.scores, ANSWERS[:, :5] + e * (np.log(1 + np.exp(ANSWERS[:, 5:])) + 0.01),
        rtol=1e-12)


def test_a_scale_that_learned_to_be_0_leaves_a_little_noise_and_divides_by_no_0():
    silent = ANSWERS.astype(np.float32)
    silent[:, 5:] = -200.0
    router = NoisyTopKRouter(5, 2)
    decision = drawn(router, silent)
    assert 0 < np.abs(decision.scores - silent[:, :5]).max() < 0.05
    assert np.isfinite(router.load(decision)).all()
    assert np.isfinite(router.load_backward(np.ones((6, 5), np.float32), decision)).all()


def test_training_without_a_generator_is_told():
    with pytest.raises(InputError, match=r"rng: got None, expected a numpy.random.Generator"):
        NoisyTopKRouter(5, 2).decide(ANSWERS, training=True)


def test_the_load_is_how_often_an_expert_is_chosen_when_its_noise_is_drawn_again():
    router = NoisyTopKRouter(5, 2)
    decision = drawn(router, ANSWERS)
    load = router.load(decision)
    again = np.random.default_rng(2).standard_normal((20_000, 6, 5))
    scale = np.log(1 + np.exp(ANSWERS[:, 5:])) + 0.01
    for expert in range(5):  # the others keep their noise
        others = np.delete(decision.scores, expert, axis=1)
        cut = np.sort(others, axis=1)[:, -2]
        tries = ANSWERS[:, expert] + again[:, :, expert] * scale[:, expert]
        np.testing.assert_allclose(load[:, expert], (tries > cut).mean(axis=0), atol=0.015)


def test_the_load_of_all_experts_is_certain_and_pulls_on_nothing():
    router = NoisyTopKRouter(5, 5)
    decision = drawn(router, ANSWERS)
    assert (router.load(decision) == 1).all()
    assert not router.load_backward(np.ones((6, 5)), decision).any()


def test_only_a_drawn_decision_has_a_load_and_only_this_router():
    router = NoisyTopKRouter(5, 2)
    with pytest.raises(InputError, match="decision: got one made in evaluation"):
        router.load(router.decide(ANSWERS))
    plain = TopKRouter(5, 2)
    decision = plain.decide(np.ascontiguousarray(ANSWERS[:, :5]))
    with pytest.raises(InputError, match=r"grad_gate\.load: got a pull on a TopKRouter"):
        plain.pull_back(np.zeros((6, 5)), GateGradient(load=np.zeros((6, 5))), decision)


def test_the_scale_learns_from_the_task_in_training_alone():
    router, g = NoisyTopKRouter(5, 2), RNG.normal(size=(6, 5))
    decision = drawn(router, ANSWERS)
    assert np.abs(router.backward(g, None, decision)[:, 5:]).max() > 1e-3
    assert not router.backward(g, None, router.decide(ANSWERS))[:, 5:].any()
