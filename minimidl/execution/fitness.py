"""Which layers a kernel can run, and what it needs of their gate."""

from __future__ import annotations

from minimidl.arrays import Array
from minimidl.gates import SIMPLEX, AffineNet, LowRankNet, MlpNet, StaticNet
from minimidl.layers import (
    MIDL,
    DynamicGate,
    Gated,
    GatedLinear,
    Layer,
    Linear,
    OpenDropoutDynamicGate,
    OpenDropoutMIDL,
)


def why_no_kernel(gated: Gated) -> str:
    """Why no kernel can run this layer in evaluation; the empty string where one can."""
    if type(gated) not in (MIDL, DynamicGate, OpenDropoutMIDL, OpenDropoutDynamicGate):
        return f"{type(gated).__name__} has no kernel"
    return why_no_choice(gated)


def why_no_choice(gated: Gated) -> str:
    """Why no kernel can choose as this MIDL or DynamicGate does; empty where one can."""
    if isinstance(gated, MIDL) and gated.topk in ("dselect-k", *SIMPLEX):
        return f"no kernel chooses by {gated.topk}"
    if isinstance(gated, DynamicGate) and gated.choice.min_keep:
        return "no kernel knows min_keep"
    if type(gated.gate) not in (StaticNet, AffineNet, LowRankNet, MlpNet):
        return f"the gate network {type(gated.gate).__name__} has no kernel"
    if not gated.params["weight"].flags.f_contiguous:
        return "the weight is not stored in Fortran order"
    return ""


def why_dense(gated: Gated, linear: Linear) -> str:
    """Why these two layers can only run dense; the empty string where neurons can be skipped."""
    if reason := why_no_kernel(gated):
        return reason
    if not linear.params["weight"].flags.c_contiguous:
        return "the next layer's weight is not stored in C order"
    if gated.dtype != linear.dtype:
        return f"the layers differ in dtype ({gated.dtype} and {linear.dtype})"
    return ""


def why_not_decided(gated: GatedLinear, following: Layer | None) -> str:
    """Why this layer and the next cannot run on what the layer decided; empty where they can."""
    if not isinstance(following, Linear):
        return "no linear layer follows directly"
    if not gated.params["weight"].flags.f_contiguous:
        return "the weight is not stored in Fortran order"
    if not following.params["weight"].flags.c_contiguous:
        return "the next layer's weight is not stored in C order"
    if gated.dtype != following.dtype:
        return f"the layers differ in dtype ({gated.dtype} and {following.dtype})"
    return ""


def score_weights(gated: Gated) -> list[Array]:
    """The matrices that make the scores, in the order in which they multiply.

    Empty for a gate network that is more than products; its own ``forward`` runs then.
    """
    net = gated.gate
    if isinstance(net, LowRankNet):
        return [net.params["down"], net.params["up"]]
    return [net.params["weight"]] if isinstance(net, AffineNet) else []
