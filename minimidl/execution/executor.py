"""The executor: a model run through the kernels, with the model's own protocol.

It flattens nested sequentials and cuts the layers into segments of a gated layer and the linear
layer directly after it, whose closed neurons are skipped, and into chains of several gated layers,
where closed columns are skipped, too. Layers with missing connections run on compressed rows
(:mod:`minimidl.execution.wired`, with gates :mod:`minimidl.execution.wired_gate`), experts grouped
(:mod:`minimidl.execution.grouped`). All other layers run as they are.

Compressed rows, and the weights without dead ones that they are made from, are the only copies of
weights here. They are made when they are first needed, and again after a training step through the
executor, after :meth:`Executor.refresh`, and whenever a look at the layer finds a change;
:mod:`minimidl.execution.wires` says how close that look is. So whoever trains, prunes or rewires
the model may go on using the executor; whoever changes a few single weights or connections of a
masked layer by hand calls ``refresh()``.

Two honest limits. ``forward(training=True)`` runs the model's own dense layers, because the
straight-through gradient of a closed gate needs what its neuron would have answered; the gradient
``"active-only"`` does not, and skips in training, too.
``forward(training=False)`` skips, and its ``backward`` computes the skipped values then, for the
same reason: the pair is the model's pair, and the work is deferred to those who ask for gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minimidl.arrays import Array, Grads, Memory, Rng
from minimidl.errors import require, require_batch
from minimidl.execution.active_only import ActiveOnly
from minimidl.execution.choice import PATHS
from minimidl.execution.explained import explained
from minimidl.execution.runs import Runs
from minimidl.execution.segment import Segment, check_finite
from minimidl.execution.stages import Stage, cut, put
from minimidl.execution.training import GRADIENTS
from minimidl.layers import Layer, OpenDropout, leaves, memory_at


class Executor(Layer):
    """Runs ``model``, sharing its arrays: what trains the model trains the executor.

    Args:
        model: any layer or sequential, nested or not.
        path: ``"neuron"`` (sample by sample, the open neurons of each), ``"block"`` (gate by gate,
            the samples that opened each, 64 at a time), ``"dense"`` (the model itself) or
            ``"auto"`` (the fastest of them here, by a short measurement that is remembered). Of
            layers with missing connections ``"neuron"`` skips those; :meth:`explain` says more.
        gradient: of training steps. ``"straight-through"`` is the model's own: a closed gate learns
            from what its neuron would have answered, which takes a dense pass.
            ``"active-only"`` is the exact derivative of the executed function, made by kernels
            that skip: see :mod:`minimidl.execution.training`. Gated layers without a kernel, or
            without a linear layer directly after them, keep their own: :attr:`trained_exactly`.
        threads: of large batches; the answer has the same bits with any number.

    Raises:
        InputError: not a layer, an unknown path or gradient, or no thread.

    Attributes:
        model: the model.
        params: the model's own.
        state: the model's own.

    """

    def __init__(
        self, model: Layer, path: str = "auto", *, gradient: str = "straight-through",
        threads: int = 1,
    ) -> None:
        super().__init__()
        require(isinstance(model, Layer), "model", type(model).__name__,
                "a layer, or a Sequential of layers")
        require(isinstance(threads, int) and threads >= 1, "threads", repr(threads),
                "a whole number, at least 1")
        require(gradient in GRADIENTS, "gradient", repr(gradient),
                f"one of {', '.join(GRADIENTS)}")
        require(path in PATHS, "path", repr(path), f"one of {', '.join(PATHS)}")
        self.model, self.path = model, path
        self.params, self.state = model.params, model.state
        self.n_in, self.n_out = model.n_in, model.n_out
        self.stages = cut(model, threads)
        self.steps = [stage.segment or stage.chain or stage.layer for stage in self.stages]
        self.looks_itself = bool(self.steps) and isinstance(self.steps[0], Segment | Runs)
        self.expected_dtype = self.dtype
        self.gradient = gradient
        self.active_only: ActiveOnly | None = None
        if gradient == "active-only":
            self.active_only = ActiveOnly(model, {
                stage.path: (stage.segment, stage.linear_path)
                for stage in cut(model, threads, chains=False) if stage.segment is not None
                and not isinstance(stage.layer, OpenDropout)})  # it drops in training

    @property
    def trained_exactly(self) -> list[str]:
        """Paths of the gated layers that training steps differentiate as they were executed."""
        return [] if self.active_only is None else list(self.active_only.segments)

    def predict(self, x: Array) -> Array:
        """Output ``(batch, n_out)`` in evaluation mode: the hot path.

        Args:
            x: ``(batch, n_in)``, dtype of the parameters; copied if it is not C-contiguous.

        Raises:
            InputError: wrong shape or dtype, NaN or infinity.

        """
        x = self._shaped(x)
        if not self.looks_itself:
            check_finite(x)
        for step in self.steps:
            x = (step.predict(x, self.path) if isinstance(step, Segment | Runs)
                 else step.forward(x)[0])
        return x

    def refresh(self) -> None:
        """Forget copies of weights: call it after changing a few of them by hand."""
        for stage in self.stages:
            if stage.chain is not None:
                stage.chain.refresh()

    def _shaped(self, x: Array) -> Array:
        """``x`` as kernels want it; InputError unless width and dtype are right."""
        if getattr(x, "ndim", 0) != 2 or x.shape[1] != self.n_in or x.dtype != self.expected_dtype:
            self._look_again(x)
        # "carray": C-contiguous, aligned and writable, the one kind that kernels are compiled for.
        return x if x.flags.carray else np.array(x, order="C")

    def _look_again(self, x: Array) -> None:
        """Raise, unless the model takes any width or has no parameters to fix a dtype."""
        width = self.n_in or (x.shape[1] if getattr(x, "ndim", 0) == 2 else 0)
        require_batch(x, width, self.expected_dtype or x.dtype)

    def forward(
        self, x: Array, training: bool = False, rng: Rng | None = None
    ) -> tuple[Array, Memory]:
        """As the model's ``forward``; skips closed neurons unless ``training``.

        The memory has the model's shape. In the ``decision`` of a gated layer, ``active`` is the
        mask that was executed, as the kernel wrote it down.
        """
        if training:
            self.refresh()  # what comes next is a step of the optimiser
        if training and self.active_only is not None:
            x = self._shaped(x)
            check_finite(x)
            return self.active_only.forward(x, rng)
        if training:
            return self.model.forward(x, training, rng)
        x = self._shaped(x)
        check_finite(x)
        memory: Memory = {}
        for path, layer in leaves(self.model):
            if layer.idle_memory is not None:
                put(memory, path, layer.idle_memory)
        for stage in self.stages:
            if stage.chain is not None:
                x, memories = stage.chain.forward(x, self.path)
                for path, own in zip(stage.paths, memories, strict=True):
                    put(memory, path, own)
            elif stage.segment is None:
                x, own = stage.layer.forward(x)
                put(memory, stage.path, own)
            else:
                x = self._forward_segment(stage, stage.segment, x, memory)
        return x, memory

    def _forward_segment(
        self, stage: Stage, segment: Segment, x: Array, memory: Memory
    ) -> Array:
        """Run one segment and store what its two layers remember."""
        path, _ = segment.pick(x, self.path)
        if path == "dense":
            hidden, gated_memory = segment.gated.apply(x, segment.gated.decide(x))
            out, linear_memory = segment.linear.forward(hidden)
        else:
            out, decision = segment.run(x, path)
            gated_memory = {"x": x, "decision": decision, "probability": decision.probability}
            linear_memory = {}
        put(memory, stage.path, gated_memory)
        put(memory, stage.linear_path, linear_memory)
        return out

    def backward(
        self, grad_output: Array, memory: Memory, grad_gate: Any = None
    ) -> tuple[Array, Grads]:
        """As the model's ``backward``; computes first what a skipping ``forward`` left out.

        After a training step with the gradient ``"active-only"``: the derivative of what was
        executed, and zeros for what nobody opened.
        """
        if self.active_only is not None and self.active_only.made(memory):
            grad_x, grads = self.active_only.backward(grad_output, memory, grad_gate)
            assert grad_x is not None
            return grad_x, grads
        return self.model.backward(grad_output, self._complete(memory), grad_gate)

    def backward_params(
        self, grad_output: Array, memory: Memory, grad_gate: Any = None
    ) -> Grads:
        """As :meth:`backward`, without the gradient of the input."""
        if self.active_only is not None and self.active_only.made(memory):
            return self.active_only.backward(grad_output, memory, grad_gate, need_x=False)[1]
        return self.model.backward_params(grad_output, self._complete(memory), grad_gate)

    def touched(self, memory: Memory) -> dict[str, Array]:
        """Rows of parameters that have a gradient, for sparse optimisers; {} where all may."""
        if self.active_only is not None and self.active_only.made(memory):
            return self.active_only.touched(memory)
        return {}

    def _complete(self, memory: Memory) -> Memory:
        """The memory with the values of skipped neurons; the one given is not changed."""
        complete: Memory = {}
        for path, _ in leaves(self.model):
            put(complete, path, memory_at(memory, path))
        for stage in self.stages:
            own = memory_at(memory, stage.path)
            if stage.chain is not None:
                memories = stage.chain.complete([memory_at(memory, p) for p in stage.paths])
                for path, full_memory in zip(stage.paths, memories, strict=True):
                    put(complete, path, full_memory)
            if stage.segment is not None and "u" not in own:
                hidden, full_memory = stage.segment.gated.apply(own["x"], own["decision"])
                put(complete, stage.path, full_memory)
                put(complete, stage.linear_path, {"x": hidden})
        return complete

    def explain(self, batches: Sequence[int] = (1, 16, 256)) -> str:
        """Which path runs what at these batch sizes, and why; one line each.

        Args:
            batches: samples per batch, each at least 1; ``"auto"`` measures what it has not yet.

        Raises:
            InputError: a batch size that is no whole number, or below 1.

        """
        return explained(self.stages, self.path, batches)
