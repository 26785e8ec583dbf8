"""The proofs of routers bite: every named mistake is caught where it can be made."""

import numpy as np
import pytest

from minimidl import gates
from minimidl.gates.routers import ROUTERS
from minimidl.layers import Experts
from minimidl.proof import prove_layer
from minimidl.proof.entries.expert_mistakes import (
    EVERY_ROUTER,
    NOISY,
    RENORMALISED,
    in_layer,
)
from minimidl.proof.entries.router_entries import router_proof
from minimidl.proof.entries.routing_statements import clear_of_ties, task_reaches

CROWDED = {"capacity": 0.8, "k": 2, "temperature": 0.5}


@pytest.mark.parametrize("name", list(EVERY_ROUTER | RENORMALISED | NOISY))
def test_a_mistake_in_the_noisy_router_is_caught(name):
    proof = router_proof("crowded", gates, "noisy-topk", 4, 6, **CROWDED)
    sound = proof.prove(np.random.default_rng(3), None)
    spoiled = proof.prove(np.random.default_rng(3), proof.mistakes[name])
    assert sound.passed, str(sound)
    assert spoiled.objections


def test_a_hard_choice_of_weight_1_is_caught_by_the_missing_gradient_alone():
    """Its derivative is right, it is 0: only the statement about the task tells."""
    proof = router_proof("switch", gates, "switch", 4)
    twin = proof.prove(np.random.default_rng(1), proof.mistakes["raw probability left out"])
    assert "the task loss does not reach the router" in twin.objections


@pytest.mark.parametrize("router", ROUTERS)
def test_any_reader_may_prove_the_layer_by_plain_differences(router):
    layer = Experts(5, 6, n_experts=3, router=router, activation="tanh", dtype=np.float64)
    x = np.random.default_rng(3).normal(size=(5, 5))
    report = prove_layer(layer, x, training=True)
    assert report.passed, str(report)
    assert report.kind == "finite-difference"


def test_a_spoiled_layer_does_not_pass():
    layer = Experts(5, 6, n_experts=3, activation="tanh", dtype=np.float64)
    x = np.random.default_rng(3).normal(size=(5, 5))
    for name in ("others left out", "raw probability left out"):
        spoiled = in_layer(EVERY_ROUTER)[name](layer)
        assert prove_layer(layer, x).passed
        assert not prove_layer(spoiled, x).passed, name


def test_points_near_a_tie_are_not_telling():
    router = gates.make_router("switch", 3)
    clear = np.array([[1.0, 0.2, 0.1], [0.0, 0.5, 2.0]])
    assert clear_of_ties(router, router.decide(clear))
    clear[1] = [0.0, 2.0 - 1e-4, 2.0]
    assert not clear_of_ties(router, router.decide(clear))
    crowded = gates.make_router("switch", 3, capacity=3.0)
    assert not clear_of_ties(crowded, crowded.decide(np.eye(3), training=True))  # nobody dropped


def test_the_statement_about_the_task():
    assert task_reaches(np.ones((2, 3)), 3) == ""
    assert task_reaches(np.zeros((2, 3)), 3) == "the task loss does not reach the router"
    assert task_reaches(np.zeros((2, 1)), 1) == ""
    assert task_reaches(np.ones((2, 1)), 1) == "a single expert has a gradient"
