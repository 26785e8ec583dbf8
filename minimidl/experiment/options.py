"""How to build a model: the options that a command line can set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelOptions:
    """How to build a model. On the command line a field is ``--set gate.rank=8``.

    Attributes:
        width: neurons of each hidden layer, e.g. ``(256,)``.
        keep: share of open gates, or their count (MID-L); target of the budget (DynamicGate).
        gate_net: ``"static"``, ``"linear"``, ``"low-rank"`` or ``"mlp"``.
        gate_rank: width of the middle of a low-rank or mlp gate.
        gate_block: neurons per gate.
        gate_value: ``"probability"`` or ``"binary"``; empty: the layer's own default.
        gate_spread: starting standard deviation of the gate scores.
        gate_noise: exploration noise on the scores, in training.
        gate_topk: operator of MID-L.
        gate_surrogate: stand-in for the derivative of the hard Top-k.
        gate_estimator: stand-in for the derivative of DynamicGate's threshold.
        gate_min_keep: gates that DynamicGate keeps open in every sample.
        gate_choose: of input-gate: ``"topk"`` (as MID-L) or ``"threshold"`` (as DynamicGate).
        gate_budget: ``"own"``: each layer gates itself; ``"layer"`` or ``"model"``: one gate net
            on the network's input for all layers, with a budget each or one shared cut.
        gate_temperature: of the Top-k operator or the sigmoid.
        gate_threshold: of DynamicGate.
        gate_open: starting open probability.
        light_path: ``"zero"``, ``"identity"``, ``"low-rank"`` or ``"linear"``.
        light_rank: width of the low-rank light path.
        dropout: rate after each hidden layer.
        init: starting weights: ``"he"``, ``"xavier"`` or ``"orthogonal"``.
        wiring_density: share of live connections, of all layers together (pruned, set, rigl,
            dynamicgate+rigl); share of open ones (weight-gate).
        experts_number: experts per hidden layer; must divide its width.
        experts_k: experts per sample, of topk-moe.
        experts_capacity: places per expert in training, over an even share; 0 for no limit. Of
            expert-choice: how many samples an expert takes, over an even share.
        experts_priority: who keeps a place: ``"order"`` of the samples, or ``"probability"``.
        experts_gate: gate network of the router.

    """

    width: tuple[int, ...] = (256,)
    keep: float = 0.45
    gate_net: str = "low-rank"
    gate_rank: int = 8
    gate_block: int = 1
    gate_value: str = ""
    gate_spread: float = 1.0
    gate_noise: float = 0.0
    gate_topk: str = "hard"
    gate_surrogate: str = "sigmoid"
    gate_estimator: str = "identity-probability"
    gate_min_keep: int = 0
    gate_choose: str = "topk"
    gate_budget: str = "own"
    gate_temperature: float = 1.0
    gate_threshold: float = 0.5
    gate_open: float = 0.5
    light_path: str = "zero"
    light_rank: int = 8
    dropout: float = 0.0
    init: str = "he"
    wiring_density: float = 0.2
    experts_number: int = 8
    experts_k: int = 2
    experts_capacity: float = 1.25
    experts_priority: str = "order"
    experts_gate: str = "linear"
