"""The same training in three libraries: cross-entropy, Adam, the same weights, the same batches.

Each trainer has ``step(x, y)`` (forward, backward, update; returns the loss) or ``epoch(x, y,
batch)`` (one pass in the given order, the last batch smaller; returns the mean loss), or both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.bench.latency import dense_twin
from minimidl.execution import Executor
from minimidl.layers import Layer, Linear, ReLU, Sequential
from minimidl.learning import Adam
from minimidl.losses import cross_entropy, cross_entropy_backward

RATE = 1e-3
"""Of Adam; betas 0.9 and 0.999 and eps 1e-8 are the same everywhere by default."""


def batches_of(x: Array, y: Array, size: int) -> Iterator[tuple[Array, Array]]:
    """Neighbouring rows, first to last: views, nothing is gathered."""
    for start in range(0, len(x), size):
        yield x[start:start + size], y[start:start + size]


def dense_model(n_in: int, n_units: int, n_out: int, seed: int = 0) -> Sequential:
    """Linear, ReLU, linear."""
    rng = np.random.default_rng(seed)
    return Sequential(Linear(n_in, n_units, seed=rng), ReLU(),
                      Linear(n_units, n_out, init="xavier", seed=rng))


class OwnTrainer:
    """This library: the executor runs, our Adam updates.

    Args:
        model: gated or dense; trained in place.
        options: of the executor, such as ``gradient="active-only"``.

    """

    def __init__(self, model: Layer, **options: Any) -> None:
        self.runner = Executor(model, **options)
        self.optimizer = Adam(self.runner.params, RATE)
        self.rng = np.random.default_rng(0)

    def step(self, x: Array, y: Array) -> float:
        """One batch."""
        output, memory = self.runner.forward(x, True, self.rng)
        loss, loss_memory = cross_entropy(output, y)
        grads = self.runner.backward_params(cross_entropy_backward(loss_memory), memory)  # as fit
        self.optimizer.step(grads)
        return loss

    def epoch(self, x: Array, y: Array, batch: int) -> float:
        """All batches."""
        return mean_loss(self.step, x, y, batch)


class TorchTrainer:
    """PyTorch, eager; ImportError where it is not installed.

    Args:
        model: a dense model of ours, whose weights are copied.
        fused: Adam as one fused kernel instead of PyTorch's default.

    """

    def __init__(self, model: Layer, fused: bool = False) -> None:
        import torch

        modules: list[Any] = []
        for weight, bias in dense_twin(model):
            linear = torch.nn.Linear(*weight.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(weight.T.copy()))
                linear.bias.copy_(torch.from_numpy(bias.copy()))
            modules += [linear, torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*modules[:-1])
        self.loss = torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=RATE, fused=fused)

    def step(self, x: Array, y: Array) -> float:
        """One batch; tensors share the arrays' memory."""
        import torch

        self.optimizer.zero_grad()
        value = self.loss(self.model(torch.from_numpy(x)), torch.from_numpy(y))
        value.backward()
        self.optimizer.step()
        return float(value.detach())

    def epoch(self, x: Array, y: Array, batch: int) -> float:
        """All batches."""
        return mean_loss(self.step, x, y, batch)


class SklearnTrainer:
    """scikit-learn's MLPClassifier, whole epochs; ImportError where it is not installed.

    Args:
        model: a dense model of ours, whose weights are copied.
        batch: samples per step.
        n_classes: number of classes.

    """

    def __init__(self, model: Layer, batch: int, n_classes: int) -> None:
        from sklearn.neural_network import MLPClassifier

        layers = dense_twin(model)
        self.network = MLPClassifier(
            tuple(len(bias) for _, bias in layers[:-1]), solver="adam", alpha=0.0,
            batch_size=batch, learning_rate_init=RATE, shuffle=False, random_state=0)
        # There is no way to begin with weights of one's own but to begin, and then to replace them
        # and to forget the optimiser, which the next call builds anew.
        start = np.zeros((n_classes, len(layers[0][0])), np.float32)
        self.network.set_params(batch_size=n_classes)
        self.network.partial_fit(start, np.arange(n_classes), classes=np.arange(n_classes))
        self.network.set_params(batch_size=batch)
        del self.network._optimizer
        for i, (weight, bias) in enumerate(layers):
            self.network.coefs_[i][...], self.network.intercepts_[i][...] = weight, bias

    def epoch(self, x: Array, y: Array, batch: int) -> float:
        """All batches; ``batch`` must be the one given before."""
        assert batch == self.network.batch_size
        self.network.partial_fit(x, y)
        return float(self.network.loss_)


def mean_loss(
    step: Callable[[Array, Array], float], x: Array, y: Array, batch: int
) -> float:
    """Run an epoch; the mean loss over all samples."""
    total = 0.0
    for part_x, part_y in batches_of(x, y, batch):
        total += step(part_x, part_y) * len(part_x)
    return total / len(x)


def training_set(n: int, n_in: int, n_out: int, seed: int = 0) -> tuple[Array, Array]:
    """Normal inputs ``(n, n_in)`` and the classes of a linear teacher, a fifth of them wrong.

    So the loss never gets so small that gradients become denormal numbers, which are slow.
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_in), np.float32)
    y = (x @ rng.standard_normal((n_in, n_out), np.float32)).argmax(axis=1)
    wrong = rng.random(n) < 0.2
    y[wrong] = rng.integers(0, n_out, int(wrong.sum()))
    return x, y
