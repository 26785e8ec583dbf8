"""Learning: optimisers, schedules, budgets, one visible training loop, checkpoints."""

from minimidl.learning.adam import Adam, AdamW
from minimidl.learning.balancing import ExpertChoiceCuts, LossFreeBalance
from minimidl.learning.batches import Parts, TrainingData, count_steps, hold_out
from minimidl.learning.budget import Budget
from minimidl.learning.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
)
from minimidl.learning.clipping import clip_global_norm, global_norm
from minimidl.learning.controllers import AugmentedLagrangian, DualAscent
from minimidl.learning.densities import give_densities, layer_sparsities
from minimidl.learning.evaluate import evaluate
from minimidl.learning.groups import Group, gate_group, is_bias_or_norm, is_gate
from minimidl.learning.history import (
    History,
    at_density,
    by_accuracy,
    by_loss,
    near_target,
    within_budget,
)
from minimidl.learning.loop import fit
from minimidl.learning.optimizer import Optimizer
from minimidl.learning.progress import blas_threads
from minimidl.learning.pruning import Pruning, one_shot
from minimidl.learning.rewiring import SET, SNFS, RigL
from minimidl.learning.routing import Importance, Load, LoadBalance, RouterZ
from minimidl.learning.schedules import (
    SCHEDULES,
    by_name,
    constant,
    cosine,
    cubic,
    exponential,
    linear,
    three_phase,
    warm_up,
)
from minimidl.learning.sgd import SGD
from minimidl.learning.wiring import Static, Wiring

__all__ = [
    "SCHEDULES", "SET", "SGD", "SNFS", "Adam", "AdamW", "AugmentedLagrangian", "Budget",
    "Checkpoint", "DualAscent", "ExpertChoiceCuts", "Group", "History", "Importance", "Load",
    "LoadBalance", "LossFreeBalance", "Optimizer", "Parts", "Pruning", "RigL", "RouterZ", "Static",
    "TrainingData", "Wiring", "at_density", "blas_threads", "by_accuracy", "by_loss", "by_name",
    "clip_global_norm", "constant", "cosine", "count_steps", "cubic", "evaluate", "exponential",
    "fit", "gate_group", "give_densities", "global_norm", "hold_out", "is_bias_or_norm", "is_gate",
    "layer_sparsities", "linear", "load_checkpoint", "load_weights", "near_target", "one_shot",
    "save_checkpoint", "three_phase", "warm_up", "within_budget",
]
