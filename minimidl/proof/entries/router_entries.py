"""Proofs of the routers on their own: from the network's answers to weights, and back.

Nothing is straight through here: with the choice held, the weights are smooth, and what is proved
is the true derivative, at points that are clear of every tie. Besides: the task loss alone moves
the router (but for a single expert, whose weight is 1), and what is reported is what is executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.proof.engine import prove_subject
from minimidl.proof.entries.expert_mistakes import EVERY_ROUTER, NOISY, RENORMALISED
from minimidl.proof.entries.routing_statements import clear_of_ties, executes_its_word, task_reaches
from minimidl.proof.entry import Proof
from minimidl.proof.mistakes import Mistake
from minimidl.proof.subject import Subject, Values
from minimidl.proof.verdict import Report

POINTS = 200
"""Draws in which a telling point must turn up."""


def outputs_of(router: Any, decision: Any, load: bool = True) -> Values:
    """All that something may pull on: weights, probabilities, logits, and a noisy router's load."""
    values = {"gate": decision.gate, "probability": decision.probability,
              "scores": decision.scores}
    return values | ({"load": router.load(decision)} if load and "noise" in decision.memory
                     else {})


def draw(decide: Callable[[Array], Any], shape: tuple[int, int], router: Any, rng: Rng) -> Array:
    """A point that is clear of ties and has chosen, not chosen and, with capacity, dropped."""
    for _ in range(POINTS):
        x = rng.normal(size=shape)
        if clear_of_ties(router, decide(x)):
            return x
    raise AssertionError(f"no telling test point in {POINTS} draws")


def router_proof(
    name: str, gates: Any, kind: str, n_experts: int, batch: int = 5, *, training: bool = True,
    bias: bool = False, **options: Any,
) -> Proof:
    """An entry for one router by itself: from the network's answers to everything, and back."""
    def prove_router(rng: Rng, mistake: Mistake | None) -> Report:
        router = gates.make_router(kind, n_experts, **options)
        if bias:
            router.state["bias"][...] = rng.uniform(-0.2, 0.2, n_experts)
        twin, noise = mistake(router) if mistake else router, int(rng.integers(2**31))

        def decide(scores: Array) -> Any:
            return twin.decide(scores, training, np.random.default_rng(noise))

        scores = draw(decide, (batch, router.n_scores(n_experts)), router, rng)

        def forward() -> tuple[Values, Any]:
            decision = decide(scores)
            return outputs_of(router, decision), decision

        def backward(g: Values, decision: Any) -> Values:
            pull = gates.GateGradient(g["probability"], g["scores"], load=g.get("load"))
            return {"scores": twin.pull_back(g["gate"], pull, decision)}

        def task_moves_it() -> str:
            decision = decide(scores)
            g = np.random.default_rng(0).normal(size=decision.gate.shape)
            return task_reaches(twin.backward(g, None, decision), n_experts)

        return prove_subject(
            Subject({"scores": scores}, forward, backward, watched=router.state,
                    statements=(partial(executes_its_word, router, decide(scores)),
                                task_moves_it)),
            name=name, seed=int(rng.integers(2**31)), mutate=mistake is None)

    example = gates.make_router(kind, n_experts, **options)
    share = (gates.routers.topk.renormalise_backward,) if renormalises(kind, options) else ()
    covers = (type(example), *share)
    return Proof(name, covers, prove_router, mistakes_of(kind, n_experts, options, training))


def mistakes_of(
    kind: str, n_experts: int, options: Mapping[str, Any], training: bool
) -> dict[str, Mistake]:
    """The mistakes that can be made with a router of this kind."""
    if options.get("k") == n_experts:  # the sum of all is 1, and everyone's load is certain
        return dict(EVERY_ROUTER)
    renormalised = RENORMALISED if renormalises(kind, options) else {}
    return EVERY_ROUTER | renormalised | (NOISY if kind == "noisy-topk" and training else {})


def renormalises(kind: str, options: Mapping[str, Any]) -> bool:
    """Whether such a router shares out 1 among the chosen."""
    return kind in ("topk", "noisy-topk") and options.get("renormalise", True)


def proofs(gates: Any) -> list[Proof]:
    """Every rule, with what can be asked of it; cold, hot, even, crowded."""
    def proof(title: str, *args: Any, **options: Any) -> Proof:
        return router_proof(f"router {title}", gates, *args, **options)

    return [
        proof("switch", "switch", 4), proof("switch, T=0.3", "switch", 4, temperature=0.3),
        proof("switch, bias, in evaluation", "switch", 4, training=False, bias=True),
        proof("switch, capacity by order", "switch", 3, 6, capacity=0.7),
        proof("switch, capacity by probability", "switch", 3, 6, capacity=0.7,
              priority="probability"),
        proof("switch, capacity in evaluation", "switch", 3, 6, capacity=0.6, training=False,
              drop_at_evaluation=True),
        proof("switch, one expert", "switch", 1), proof("switch, one sample", "switch", 4, 1),
        proof("topk", "topk", 5, k=2, temperature=2.0),
        proof("topk, T=0.3", "topk", 5, k=3, temperature=0.3),
        proof("topk, bias", "topk", 5, k=2, bias=True),
        proof("topk, k=E", "topk", 3, k=3), proof("topk, one sample", "topk", 5, 1, k=2),
        proof("topk, raw, k=1", "topk", 4, k=1, renormalise=False),
        proof("topk, capacity by order", "topk", 4, 6, k=2, capacity=0.8),
        proof("topk, capacity by probability", "topk", 4, 6, k=2, capacity=0.8, bias=True,
              priority="probability"),
        proof("noisy-topk", "noisy-topk", 5, k=2),
        proof("noisy-topk, T=0.3, capacity", "noisy-topk", 4, 6, k=2, temperature=0.3,
              capacity=0.8),
        proof("noisy-topk in evaluation", "noisy-topk", 5, training=False),
        proof("noisy-topk, k=E", "noisy-topk", 3, k=3),
        proof("expert-choice", "expert-choice", 3, 6),
        proof("expert-choice, T=0.3", "expert-choice", 4, 6, k=2, temperature=0.3),
        proof("expert-choice by cuts", "expert-choice", 3, 6, training=False),
        proof("expert-choice by batch", "expert-choice", 3, 6, training=False, evaluation="batch",
              capacity=1.5),
        proof("soft", "soft", 4, temperature=0.3), proof("soft in evaluation", "soft", 4,
                                                         training=False),
    ]
