"""How to build a model and how to train it: the options that a command line can set."""

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
        wiring_densities: how that is spread over the layers at the start: ``"erk"`` or
            ``"uniform"`` (set, rigl, dynamicgate+rigl).
        wiring_scale: start live weights wider, so that a sum over few inputs is as wide as one over
            all of them.
        experts_number: experts per hidden layer; must divide its width.
        experts_match: what a mixture shares with its dense twin: ``"width"`` (as many neurons),
            ``"params"`` or ``"macs"`` (the largest experts that cost no more, router included; for
            one hidden layer).
        experts_k: experts per sample, of topk-moe; on average, of expert-choice.
        experts_capacity: places per expert in training, over an even share; 0 for no limit.
        experts_priority: who keeps a place: ``"order"`` of the samples, or ``"probability"``.
        experts_gate: gate network of the router.
        experts_spread: starting standard deviation of its logits; a strong start picks favourites.

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
    wiring_densities: str = "erk"
    wiring_scale: bool = False
    experts_number: int = 8
    experts_match: str = "width"
    experts_k: int = 2
    experts_capacity: float = 1.25
    experts_priority: str = "order"
    experts_gate: str = "linear"
    experts_spread: float = 0.1


@dataclass(frozen=True)
class TrainOptions:
    """How to train. On the command line a field is ``--set budget.strength=3``.

    Attributes:
        epochs: passes over the training part.
        batch_size: samples per step.
        optimizer: ``"adamw"``, ``"adam"`` or ``"sgd"`` (with momentum 0.9).
        optimizer_sparse: step only the neurons that have a gradient.
        train_gradient: ``"straight-through"`` (a closed gate learns from what its neuron would have
            answered: dense work), or ``"active-only"`` (the exact derivative of what was executed,
            made by kernels that skip; the task then moves open gates only, and binary gates not at
            all: see :mod:`minimidl.execution.training`).
        learning_rate: at the start.
        schedule: of the learning rate, by name; it ends at a hundredth of the start.
        weight_decay: decoupled; gates, biases and norms are spared.
        label_smoothing: share of the target spread over all classes.
        gate_learning_rate: factor on the learning rate of the gates' parameters.
        gate_cut_start: the logit cut of DynamicGate at the start; ...
        gate_cut_end: ... and at the end. Where the two differ they replace ``gate_threshold``.
        gate_cut_schedule: how the cut goes from one to the other, by name.
        budget_kind: penalty on open gates of DynamicGate (``"quadratic"``, ``"hinge"``, ...; it
            holds ``keep``), or a controller (``"dual"``, ``"augmented"``; it holds
            ``budget_target``).
        budget_strength: factor on the penalty; controllers find their own.
        budget_of: ``"mask"`` (what is executed) or ``"probability"``, for penalties.
        budget_warm_up: share of the training over which a penalty grows to its strength.
        budget_target: MACs, gate included, as a share of the dense twin's, for controllers.
        budget_constraint: ``"equal"`` or ``"at-most"``, for controllers.
        budget_rate: of a controller's multiplier, per step.
        wiring_prune: of pruned: ``"gradual"`` (the cubic schedule) or ``"one-shot"`` (half-way,
            whatever ``wiring_every`` and ``wiring_until`` say).
        wiring_ranking: of pruned: the weakest of each ``"layer"`` in equal shares, in shares by
            ``"erk"``, or of all together (``"global"``, which may empty a layer of small weights).
        wiring_every: steps between two changes of the connections; 0 chooses.
        wiring_until: share of the training after which connections stay; 0: as each method likes.
        wiring_drop: share of the live connections that is exchanged at first (set, rigl).
        wiring_drop_schedule: how that share falls: ``"cosine"``, ``"constant"``, ``"power"``.
        experts_balance: factor on Switch's balance loss. The papers' 0.01 takes many more steps to
            even the load out than there are here.
        experts_z: factor on the router z-loss.
        experts_importance: factor on the importance loss.
        experts_bias_rate: step of loss-free balancing by a bias on the choice; 0 for none.
        clip: limit of the global gradient norm; 0 for none.
        patience: epochs without a better one before stopping early; 0 for never.

    """

    epochs: int = 60
    batch_size: int = 64
    optimizer: str = "adamw"
    optimizer_sparse: bool = False
    train_gradient: str = "straight-through"
    learning_rate: float = 3e-3
    schedule: str = "cosine"
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    gate_learning_rate: float = 1.0
    gate_cut_start: float = 0.0
    gate_cut_end: float = 0.0
    gate_cut_schedule: str = "linear"
    budget_kind: str = "quadratic"
    budget_strength: float = 3.0
    budget_of: str = "mask"
    budget_warm_up: float = 0.0
    budget_target: float = 0.0
    budget_constraint: str = "equal"
    budget_rate: float = 0.05
    wiring_prune: str = "gradual"
    wiring_ranking: str = "erk"
    wiring_every: int = 0
    wiring_until: float = 0.0
    wiring_drop: float = 0.3
    wiring_drop_schedule: str = "cosine"
    experts_balance: float = 0.1
    experts_z: float = 0.001
    experts_importance: float = 0.0
    experts_bias_rate: float = 0.0
    clip: float = 0.0
    patience: int = 0
