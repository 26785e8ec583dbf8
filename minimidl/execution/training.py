"""The gradient ``"active-only"``: the exact derivative of what was executed, and nothing else.

With ``mask`` the open gates, ``a`` the gate probability and ``h = gate * (full - light)``,

    dL/dh     = dL/dout W'^T                        in the open places
    dL/du     = dL/dh * gate * activation'(u)       in the open places
    dL/da     = dL/dh * (full - light)              in the open places, if the gate value is ``a``
    dL/dscore = mask * dL/da * a (1 - a) / T        plus what budgets pull on ``a``

The mask counts as a constant: which gates are open has no derivative, and none is made up. So a
closed neuron learns nothing in this step, its weights are not read and their gradient is zero. A
gate with binary values hears the budget only: its task gradient is exactly zero, so without a
budget it never changes. Soft operators and estimators that draw are left out: what runs is hard.
The gradient ``"straight-through"`` of the layers themselves also asks what closed neurons would
have answered, which is why it costs a dense pass.

Where nothing is compiled, and for inputs narrower than a register, the same derivative is made by
dense layers with a mask. A dropout between the two layers draws for open places only, so its random
numbers, unlike all others, then fall differently.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require_like
from minimidl.execution.masked import MaskedPlaces
from minimidl.execution.places import Places
from minimidl.execution.segment import Segment
from minimidl.gates import Decision, logistic
from minimidl.layers import Layer
from minimidl.layers.base import need_rng

GRADIENTS = ("straight-through", "active-only")


def decide(segment: Segment, x: Array, rng: Rng | None) -> Decision:
    """Hard decision of a training step: with exploration noise, without a soft operator."""
    gated = segment.gated
    scores, memory = gated.scores(x)
    if gated.noise:
        drawn = need_rng(rng, "score noise").standard_normal(scores.shape, dtype=np.float32)
        scores = scores + scores.dtype.type(gated.noise) * drawn.astype(scores.dtype)
    decision = gated.chooser.decide(scores)
    decision.memory["net"] = memory
    return decision


def forward(
    segment: Segment, x: Array, between: list[Layer], rng: Rng | None
) -> tuple[Array, Memory]:
    """Output ``(batch, n_out)`` of a segment in training, and what its backward needs.

    Args:
        segment: the gated layer and the linear layer after it.
        x: ``(batch, n_in)``.
        between: dropouts between the two; they drop open neurons.
        rng: for noise and dropout.

    """
    gated, decision = segment.gated, decide(segment, x, rng)
    memory: Memory = {"x": x, "decision": decision, "probability": decision.probability}
    light, base = segment.light_and_base(x)
    places: Places | MaskedPlaces = MaskedPlaces(decision.active, gated.block)
    if segment.kernels is not None and segment.wide:
        places = Places(segment.kernels, decision.active, gated.block, segment.threads)
    u = places.products(x, segment.weight_t)
    u += places.per_unit(segment.bias)
    full = gated.function.value(u)
    difference = full - places.gather_units(light) if len(light) else full
    gate = places.gather(decision.gate)
    hidden, kept = dropped(gate * difference, between, rng)
    out = np.repeat(base, len(x) // len(base), axis=0) if len(x) else base[:0].copy()
    places.spread(hidden, segment.next_weight, out)
    return out, memory | {"open": {
        "places": places, "u": u, "full": full, "difference": difference, "gate": gate,
        "hidden": hidden, "kept": kept, "light": light}}


def dropped(
    hidden: Array, between: list[Layer], rng: Rng | None
) -> tuple[Array, list[Memory]]:
    """Open neurons after the dropouts that stand between, and the dropouts' memories."""
    memories = []
    for layer in between:
        hidden, memory = layer.forward(hidden, True, rng)
        memories.append(memory)
    return hidden, memories


def backward(
    segment: Segment, grad_output: Array, memory: Memory, between: list[Layer],
    grad_gate: Array | None, need_x: bool = True,
) -> tuple[Array | None, Grads, Grads]:
    """``dL/dx`` (None unless needed), and the gradients of the gated and of the linear layer."""
    gated, own, decision = segment.gated, memory["open"], memory["decision"]
    places, x, light = own["places"], memory["x"], own["light"]
    require_like(grad_output, np.empty((len(x), segment.linear.n_out), x.dtype), "grad_output")
    grad_output = np.require(grad_output, requirements=("C", "A", "W"))  # as kernels want it
    grad_full = places.products(grad_output, segment.next_weight)
    for layer, kept in zip(reversed(between), reversed(own["kept"]), strict=True):
        grad_full = layer.backward(grad_full, kept)[0]
    grad_u = grad_full * own["gate"] * gated.function.slope(own["u"], own["full"])
    grad_value = places.to_gates(grad_full * own["difference"], decision.gate.shape)
    grad_scores = scores_gradient(segment, grad_value, grad_gate, decision)
    gate_grad_x, gate_grads = gated.gate.backward(grad_scores, decision.memory["net"])
    grads = {"weight": places.weight_gradients(grad_u, x).T,
             "bias": places.sums(grad_u)}
    grads |= {f"gate.{name}": value for name, value in gate_grads.items()}
    linear_grads = {"weight": places.weight_gradients(own["hidden"], grad_output),
                    "bias": grad_output.sum(axis=0)}
    grad_x = gate_grad_x if need_x else None
    if grad_x is not None:
        places.spread(grad_u, segment.weight_t, grad_x)
    if gated.light is not None:
        closing = -own["gate"] * grad_full
        grad_light = grad_output @ segment.next_weight.T
        grad_light += places.to_units(closing, light.shape)
        light_grad_x, light_grads = gated.light.backward(grad_light, gated.light.forward(x)[1])
        grads |= {f"light.{name}": value for name, value in light_grads.items()}
        linear_grads["weight"] += light.T @ grad_output
        grad_x = None if grad_x is None else grad_x + light_grad_x
    return grad_x, grads, linear_grads


def scores_gradient(
    segment: Segment, grad_value: Array, grad_gate: Array | None, decision: Decision
) -> Array:
    """``dL/dscores``: the task's pull on open gate values, and the budget's on all."""
    pull = np.zeros_like(decision.scores) if segment.binary else grad_value
    if grad_gate is not None:
        require_like(grad_gate, decision.probability, "grad_gate")
        pull = pull + grad_gate
    temperature = decision.scores.dtype.type(segment.selection()[2])
    slope = decision.probability * logistic(-decision.scores / temperature) / temperature
    result: Array = pull * slope
    return result
