"""Who knows the label, and what the gates do: on networks whose answer is known."""

import numpy as np
import pytest

from minimidl.data import load
from minimidl.experiment import build_model, make_settings
from minimidl.layers import DynamicGate, InputGate, Linear, ReLU, Sequential
from minimidl.studies.information import COLUMNS, GATE_COLUMNS, Look, facts_of, measure
from minimidl.studies.known import SOURCES, label_knowledge, sample_of, sources, told

FAST = Look(samples=120, slices=10, permutations=5)
X = np.random.default_rng(3).standard_normal((300, 8)).astype(np.float32)


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_open_and_closed_are_two_halves_of_what_the_neurons_would_answer():
    model = build_model("dynamicgate", 8, 3, make_settings("digits", {"width": (16,)}).model)
    found = sources(model, X)
    layer = model.layers[0]
    _, memory = layer.forward(X)
    assert list(found) == list(SOURCES)
    assert np.array_equal(found["open"] + found["closed"], memory["full"])
    assert np.array_equal(found["open"] != 0, (memory["full"] != 0) & memory["decision"].active)
    assert np.array_equal(found["hidden"], found["open"])  # binary gates: what is read is what ran
    assert np.array_equal(found["input"], X)


def test_lent_choices_open_as_many_neurons_but_of_another_sample():
    model = build_model("midl", 8, 3, make_settings("digits", {"width": (16,), "keep": 4}).model)
    layer = model.layers[0]
    layer.params["bias"][...] = 9  # every neuron answers, so zeros are closed gates
    found = sources(model, X)
    assert (np.count_nonzero(found["lent"], axis=1) == 4).all()
    assert not np.array_equal(found["lent"] != 0, found["open"] != 0)
    assert np.array_equal(np.count_nonzero(found["lent"], axis=0),
                          np.count_nonzero(found["open"], axis=0))


def test_without_gated_neurons_there_are_input_and_hidden():
    dense = Sequential(Linear(8, 6), ReLU(), Linear(6, 3))
    assert list(sources(dense, X)) == ["input", "hidden"]
    assert list(sources(Sequential(InputGate(8), Linear(8, 3)), X)) == ["input", "hidden"]
    columns = told(label_knowledge(dense, X, X[:, 0] > 0, n_slices=5, n_permutations=3))
    assert columns["smi_open"] is None
    assert columns["smi_input"] is not None


def planted(open_for_label):
    """Neurons 0-3 answer the label, 4-7 noise; the gates open one of the two groups."""
    layer = DynamicGate(8, 8, gate="static", gate_spread=0, activation="linear")
    layer.params["weight"][...] = 0
    for neuron in range(8):
        layer.params["weight"][0 if neuron < 4 else neuron, neuron] = 1
    is_open = (np.arange(8) < 4) == open_for_label
    layer.params["gate.bias"][...] = np.where(is_open, 9, -9)
    return Sequential(layer, Linear(8, 2))


def test_information_is_found_where_it_was_put():
    labels = (X[:, 0] > 0).astype(np.int64)
    for name, other, model in (("open", "closed", planted(True)),
                               ("closed", "open", planted(False))):
        found = label_knowledge(model, X, labels, n_slices=20, n_permutations=19)
        assert found[name].value > 0.4
        assert found[name].p_value == pytest.approx(0.05)
        assert abs(found[other].value) < 0.1


def test_samples_are_drawn_with_all_classes_and_never_more_than_there_are(digits):
    x, labels = sample_of(digits.x_test, digits.y_test, 100)
    assert len(x) == 100
    assert np.bincount(labels).min() >= 9
    assert sample_of(digits.x_test, digits.y_test, 10_000)[0] is digits.x_test


def test_facts_of_gates_and_of_models_without(digits):
    settings = make_settings("digits", {})
    midl = facts_of(build_model("midl", 64, 10, settings.model), digits, FAST)
    assert midl.keys() == {*COLUMNS, "layer"}
    assert midl["active_ratio"] == 115 / 256
    assert midl["hardness_correlation"] is None  # every sample opens as many
    assert 0 < midl["usage_entropy"] <= 1
    assert 0 < midl["flipped_share"] < 0.5
    assert midl["open_over_closed"] == midl["smi_open"] - midl["smi_closed"]
    dense = facts_of(build_model("dense", 64, 10, settings.model), digits, FAST)
    assert {name for name in GATE_COLUMNS if dense[name] is not None} == {"active_ratio"}
    assert dense["active_ratio"] == 1
    wires = build_model("weight-gate", 64, 10, settings.model)
    told_of_wires = facts_of(wires, digits, FAST)
    assert {name for name in GATE_COLUMNS if told_of_wires[name] is not None} == {"active_ratio"}
    assert told_of_wires["active_ratio"] == wires.layers[0].wires.mean() < 1  # as other rows say


def test_rows_and_summaries_repeat(digits):
    settings = {name: make_settings("digits", {"epochs": 1}) for name in ("dense", "midl")}
    rows, again = (measure(("dense", "midl"), digits, settings, (4,), look=FAST) for _ in "12")
    assert rows == again
    assert [(row["model"], row["seed"]) for row in rows] == [
        ("dense", 4), ("midl", 4), ("dense", None), ("midl", None)]
    assert rows[3]["smi_open_mean"] == rows[1]["smi_open"]
    assert rows[3]["smi_open_ci95"] is None  # one seed tells of no spread
