"""Gates that draw: subsets without replacement, perturbed choices, relaxed Bernoulli gates."""

from minimidl.gates.sampling.concrete import BinaryConcrete
from minimidl.gates.sampling.gumbel_topk import GumbelTopK
from minimidl.gates.sampling.hard_concrete import HardConcrete, expected_l0, expected_l0_backward
from minimidl.gates.sampling.noise import gumbel_noise, logistic_noise, need_rng, uniform
from minimidl.gates.sampling.perturbed_topk import PerturbedTopK
from minimidl.gates.sampling.relaxed_subset import RelaxedSubset

__all__ = [
    "BinaryConcrete", "GumbelTopK", "HardConcrete", "PerturbedTopK", "RelaxedSubset",
    "expected_l0", "expected_l0_backward", "gumbel_noise", "logistic_noise", "need_rng", "uniform",
]
