from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.execution import Executor
from minimidl.gates import topk
from minimidl.layers import GELU, MIDL, Dropout, DynamicGate, Linear, ReLU, Sequential
from minimidl.losses import (
    cost_weighted_usage,
    cost_weighted_usage_backward,
    cross_entropy,
    cross_entropy_backward,
)
from minimidl.proof import layer_subject, prove_layer, prove_pair, prove_topk
from minimidl.proof.prove import LINEARISED_TOLERANCE

RNG = np.random.default_rng(11)
X = RNG.normal(size=(4, 5))


def test_a_linear_layer_in_one_line() -> None:
    report = prove_layer(Linear(5, 3, dtype=np.float64), X)
    assert str(report).startswith("Linear: proved (finite-difference, 38 entries")
    assert set(report.errors) == {"x", "weight", "bias"}


def test_a_hard_gate_is_proved_by_its_surrogate_and_a_soft_one_directly() -> None:
    hard = prove_layer(MIDL(5, 6, activation="gelu", dtype=np.float64), X)
    assert (hard.kind, hard.tolerance) == ("linearised", LINEARISED_TOLERANCE)
    assert hard.passed, str(hard)
    soft = MIDL(5, 6, topk="sigmoid", activation="gelu", dtype=np.float64)
    assert prove_layer(soft, X, training=True).kind == "finite-difference"


def test_differences_of_the_real_hard_forward_would_contradict() -> None:
    layer = DynamicGate(5, 6, activation="gelu", dtype=np.float64)
    subject = layer_subject(layer, X)
    assert subject.surrogate is not None
    before = subject.forward()[0]["output"].copy()
    layer.params["gate.bias"] += 1e-6
    assert np.array_equal(subject.forward()[0]["output"], before)


def test_a_whole_network_with_gates_on_two_levels() -> None:
    model = Sequential(
        MIDL(5, 6, activation="gelu", dtype=np.float64),
        Sequential(DynamicGate(6, 6, activation="tanh", dtype=np.float64), GELU(), Dropout(0.2)),
        Linear(6, 3, dtype=np.float64))
    report = prove_layer(model, X, training=True)
    assert report.passed, str(report)
    assert set(report.errors) == {"x", *model.params}


def test_dropout_is_replayed_from_its_seed() -> None:
    first = prove_layer(Dropout(0.5), X, training=True, rng_seed=1)
    assert first.passed
    other = prove_layer(Dropout(0.5), X, training=True, rng_seed=2)
    assert other.evidence != first.evidence


def test_a_relu_at_its_kink_is_reported() -> None:
    x = X.copy()
    x[2, 3] = 0.0
    assert prove_layer(ReLU(), x).kinks == ["x[2, 3]"]


def test_a_score_on_the_threshold_is_reported() -> None:
    layer = DynamicGate(5, 6, dtype=np.float64)
    layer.params["gate.bias"] -= layer.decide(X).scores[1]  # scores of row 1 now lie on the cut 0
    assert prove_layer(layer, X).kinks


def test_float32_layers_are_refused_with_the_mend() -> None:
    with pytest.raises(InputError, match=r"dtype=numpy\.float64"):
        prove_layer(Linear(5, 3), X)


def test_a_loss_pair() -> None:
    labels = np.array([0, 2, 1, 4])
    assert prove_pair(cross_entropy, cross_entropy_backward, X, labels, label_smoothing=0.1).passed
    broken = prove_pair(cross_entropy, lambda memory: -cross_entropy_backward(memory), X, labels)
    assert broken.objections


def test_a_budget_over_several_layers() -> None:
    usages = {"0": RNG.uniform(size=(2, 3)), "1.0": RNG.uniform(size=(2, 4))}
    costs = {"0": 3.0, "1.0": 1.0}
    report = prove_pair(cost_weighted_usage, cost_weighted_usage_backward, usages, costs)
    assert report.passed
    assert set(report.errors) == {"0", "1.0"}


def test_a_list_of_arrays_is_named_by_position() -> None:
    xs = [np.array([1.0, 2.0]), np.array([3.0])]
    report = prove_pair(lambda v: (float((v[0] ** 2).sum() + v[1][0]), v),
                        lambda v: [2 * v[0], np.ones(1)], xs)
    assert report.passed, str(report)
    assert set(report.errors) == {"0", "1"}


@pytest.mark.parametrize("name", ["sigmoid", "hard"])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 3.0])
def test_an_operator_in_scores_k_and_temperature(name: str, temperature: float) -> None:
    report = prove_topk(topk(name), RNG.normal(size=(3, 6)), 2, temperature)
    assert report.passed, str(report)
    assert set(report.errors) == {"scores", "k", "temperature"}


def test_an_executor_is_proved_against_its_model() -> None:
    model = Sequential(MIDL(5, 6, activation="gelu", dtype=np.float64),
                       Linear(6, 3, dtype=np.float64))
    assert prove_layer(model, X, run_by=Executor(model, "block")).passed

    class Rounds(Executor):
        def forward(self, x, training=False, rng=None):
            output, memory = super().forward(x, training, rng)
            return output.astype(np.float32).astype(np.float64), memory

    report = prove_layer(model, X, run_by=Rounds(model, "block"))
    assert any("the executor's output differs" in line for line in report.objections)


def test_what_was_executed_is_proved_as_it_is_and_straight_through_is_not_its_derivative() -> None:
    model = Sequential(MIDL(5, 6, activation="gelu", dtype=np.float64),
                       Linear(6, 3, seed=1, dtype=np.float64))
    exact = Executor(model, gradient="active-only")
    report = prove_layer(model, X, training=True, run_by=exact, as_executed=True, mutate=False)
    assert report.kind == "finite-difference"
    assert report.passed, str(report)
    other = prove_layer(model, X, training=True, run_by=Executor(model), as_executed=True,
                        mutate=False)
    assert any(line.startswith("0.gate.") for line in other.objections)
    assert not any("weight: analytic" in line for line in other.objections)
    assert not prove_layer(model, X, training=True, run_by=exact, mutate=False).passed


def test_an_operator_without_a_derivative_in_k_says_so() -> None:
    operator = topk("sigmoid")

    class NoBudget(type(operator)):
        def backward(self, grad_p, memory):
            grads = super().backward(grad_p, memory)
            return {key: grads[key] for key in ("scores", "temperature")}

    scores = RNG.normal(size=(3, 6))
    assert prove_topk(NoBudget(), scores, 2, wrt=("scores", "temperature")).passed
    assert prove_topk(NoBudget(), scores, 2).objections == ["k: no gradient returned"]
    assert prove_topk(operator, scores, 2, wrt=("scores",)).objections
