"""Proof: every backward against differences of its forward, and every check against mutants."""

from minimidl.proof.differences import numeric_gradient
from minimidl.proof.engine import prove_subject
from minimidl.proof.enumeration import bias_variance
from minimidl.proof.exact import prove_exact
from minimidl.proof.mutators import MUTATORS, mutants
from minimidl.proof.prove import layer_subject, prove_layer, prove_pair, prove_topk
from minimidl.proof.subject import Subject
from minimidl.proof.verdict import TOLERANCE, Report, relative_error

__all__ = [
    "MUTATORS", "TOLERANCE", "Report", "Subject", "bias_variance", "layer_subject", "mutants",
    "numeric_gradient", "prove_exact", "prove_layer", "prove_pair", "prove_subject", "prove_topk",
    "relative_error",
]
