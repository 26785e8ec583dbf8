"""Fair sizes: experts with as many parameters, or as many multiply-accumulates, as a dense layer.

The pair ``Experts(n_in, E s), Linear(E s, n_out)`` stands for ``Linear(n_in, width), ReLU,
Linear(width, n_out)``. With ``E`` experts of ``s`` neurons and a linear router, per sample,

    params = n_in E s + E s + E s n_out + n_out + (n_in + 1) E
    macs   = n_in k s + k s n_out + k s + n_in E         (the third: the weights' products)

Which of the two is held is what decides a comparison; a mixture that is matched in neither has
often several times the parameters and more work besides.
"""

from __future__ import annotations

from typing import NamedTuple

from minimidl.errors import require

MATCHES = ("params", "macs")


class MatchedExperts(NamedTuple):
    """A configuration and what it costs.

    Attributes:
        expert_size: neurons of one expert.
        n_units: of all experts, as :class:`minimidl.layers.Experts` takes it.
        params: of experts, router and the linear layer after them.
        macs: per sample, router included, with k experts.
        dense_params: of the dense twin.
        dense_macs: of the dense twin.

    """

    expert_size: int
    n_units: int
    params: int
    macs: int
    dense_params: int
    dense_macs: int


def matched_experts(
    n_in: int, width: int, n_out: int, n_experts: int, k: int, match: str = "params"
) -> MatchedExperts:
    """The largest experts that cost no more than the dense twin in what is matched.

    Args:
        n_in: input width of the layer.
        width: neurons of the dense twin.
        n_out: width of the linear layer that follows.
        n_experts: how many experts.
        k: experts per sample (the number of all of them for the soft router).
        match: ``"params"`` or ``"macs"``.

    Raises:
        InputError: sizes below 1, k outside 1 to n_experts, an unknown match, or a dense layer so
            small that the router alone costs more.

    """
    sizes = {"n_in": n_in, "width": width, "n_out": n_out, "n_experts": n_experts}
    for name, value in sizes.items():
        require(value >= 1, name, value, "at least 1")
    require(1 <= k <= n_experts, "k", k, f"a whole number from 1 to {n_experts} experts")
    require(match in MATCHES, "match", repr(match), f"one of {', '.join(MATCHES)}")
    per_neuron = n_in + 1 + n_out  # weights in, bias (or the weight's product), weights out
    dense_params, dense_macs = width * per_neuron + n_out, width * (n_in + n_out)
    router_params, router_macs = (n_in + 1) * n_experts, n_in * n_experts
    if match == "params":
        size = (dense_params - n_out - router_params) // (n_experts * per_neuron)
    else:
        size = (dense_macs - router_macs) // (k * per_neuron)
    require(size >= 1, "n_experts", n_experts, "fewer",
            f"the router leaves no room for experts within the {match} of {width} dense neurons")
    return MatchedExperts(
        size, n_experts * size, n_experts * size * per_neuron + n_out + router_params,
        k * size * per_neuron + router_macs, dense_params, dense_macs)
