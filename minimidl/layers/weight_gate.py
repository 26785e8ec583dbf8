"""One static gate per connection: a learned mask of the weight (the finest grain of DynamicGate).

    symbol   name here                         shape
    x        x                                 (batch, n_in)
    S        scores = params["gate.bias"]      (1, n_in * n_out)
    T        temperature                       one number
    P        probability = sigmoid(S / T)      (1, n_in * n_out)
    theta    threshold                         one number
    B        mask = 1[P > theta]               (1, n_in * n_out)
    G        gate = B or B * P                 (1, n_in * n_out), as a matrix (n_in, n_out)
    y        activation(x (W * G) + b)         (batch, n_out)

The gates read no input: one row of decisions holds for the whole batch, and budgets reach them by a
``grad_gate`` of that one row. What is learned is a wiring, so this is pruning by gradient, not
conditional computation. A closed weight gets no gradient; its gate does, straight through, and may
open again: ``dL/dG = W * (x^T du)``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_finite, require_like
from minimidl.gates import Decision, Pull, ThresholdChooser, logit
from minimidl.layers.activations import activation as activation_pair
from minimidl.layers.gated import Gated
from minimidl.layers.initial import start_weight
from minimidl.seeds import make_rng


class WeightGate(Gated):
    """A linear layer and its activation, with a thresholded gate on every weight.

    Args:
        n_in: input width.
        n_units: number of neurons.
        threshold: ``theta`` in (0, 1); a connection is live when ``p > theta``.
        estimator: stand-in for the derivative of the threshold; see
            :data:`minimidl.gates.ESTIMATORS`. One that draws, draws one wiring per batch.
        gate_value: ``"binary"`` (``B``) or ``"probability"`` (``B * P``).
        open_probability: starting ``p`` on the average.
        temperature: ``T > 0``.
        gate_spread: starting standard deviation of ``S / T``. Equal gates under the same budget
            would all cross the threshold in one step.
        min_keep: connections that stay open, whatever the threshold says.
        activation: ``relu gelu gelu-tanh tanh sigmoid linear``.
        init: starting weights.
        dtype: float32 to run, float64 to prove.
        seed: whole number or generator.

    Attributes:
        n_out: number of neurons.
        n_gates: number of connections, ``n_in * n_out``.

    Params: ``weight (n_in, n_out)``, ``bias (n_out,)``, ``gate.bias (n_in * n_out,)``, row by row
    of the weight. State: ``temperature``, ``threshold``.

    Raises:
        InputError: threshold outside (0, 1), min_keep above the connections, unknown names.

    """

    def __init__(
        self, n_in: int, n_units: int, *, threshold: float = 0.5,
        estimator: str = "identity-probability", gate_value: str = "binary",
        open_probability: float = 0.5, temperature: float = 1.0, gate_spread: float = 1.0,
        min_keep: int = 0, activation: str = "relu", init: str = "he",
        dtype: npt.DTypeLike = np.float32, seed: int | Rng = 0,
    ) -> None:
        rng, size = make_rng(seed), n_in * n_units
        weight = start_weight(init, rng, n_in, n_units, dtype)
        require(min_keep <= size, "min_keep", min_keep, f"at most the {size} connections there are")
        self.choice = ThresholdChooser(threshold, estimator, min_keep, gate_value, temperature)
        net = {"kind": "static", "rank": 0, "spread": gate_spread * temperature,
               "start": temperature * logit(open_probability, "open_probability")}
        super().__init__(n_in, size, chooser=self.choice, net=net, block=1, noise=0.0,
                         dtype=dtype, seed=rng)
        self.n_out, self.activation = n_units, activation
        self.function = activation_pair(activation)
        self.params = {"weight": weight, "bias": np.zeros(n_units, dtype)} | self.params

    @property
    def cut(self) -> float:
        """``T * logit(theta)``: the one number on the scores that decides the mask."""
        return self.choice.cut

    @property
    def wires(self) -> Array:
        """``(n_in, n_out)`` boolean: the live connections in evaluation."""
        no_input = np.zeros((1, self.n_in), self.params["weight"].dtype)
        return self.as_matrix(self.decide(no_input).active)

    def as_matrix(self, per_gate: Array) -> Array:
        """``(1, n_gates)`` as ``(n_in, n_out)``, a view."""
        return per_gate.reshape(self.n_in, self.n_out)

    def scores(self, x: Array) -> tuple[Array, Memory]:
        """``S``, one row whatever the batch is; ``x`` is looked at for NaN and infinity only."""
        require_finite(x, "x")
        return super().scores(np.zeros((1, self.n_in), x.dtype))

    def apply(self, x: Array, decision: Decision) -> tuple[Array, Memory]:
        """``y = activation(x (W * G) + b)``, ``(batch, n_out)``."""
        u = x @ (self.params["weight"] * self.as_matrix(decision.gate))
        u += self.params["bias"]
        full = self.function.value(u)
        return full, {"x": x, "u": u, "full": full, "decision": decision,
                      "probability": decision.probability}

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> tuple[Array, Grads]:
        """``dx = du (W * G)^T``; the rest as :meth:`backward_params`."""
        grad_u, grads = self._pull_back(grad_output, memory, grad_gate)
        live = self.params["weight"] * self.as_matrix(memory["decision"].gate)
        return grad_u @ live.T, grads

    def backward_params(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None = None
    ) -> Grads:
        """``dW = G * (x^T du)``, ``db = sum of du``, and the gates: ``dG = W * (x^T du)``."""
        return self._pull_back(grad_output, memory, grad_gate)[1]

    def _pull_back(
        self, grad_output: Array, memory: Memory, grad_gate: Pull | None
    ) -> tuple[Array, Grads]:
        """``dL/du`` and all gradients."""
        require_like(grad_output, memory["full"], "grad_output")
        grad_u = grad_output * self.function.slope(memory["u"], memory["full"])
        dense = memory["x"].T @ grad_u  # (n_in, n_out): dL/d(W * G)
        wanted = (dense * self.params["weight"]).reshape(1, -1)  # (1, n_gates)
        decision = memory["decision"]
        grads = {"weight": dense * self.as_matrix(decision.gate), "bias": grad_u.sum(axis=0)}
        return grad_u, grads | self.decide_backward(wanted, grad_gate, decision)[1]
