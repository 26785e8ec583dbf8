"""Plasticity: what may move moves, nothing else does, and every mode begins at the same place."""

import numpy as np
import pytest

from minimidl.data import glyphs, load, regimes
from minimidl.errors import InputError
from minimidl.experiment import build_model, make_settings
from minimidl.gates.estimators import IdentityProbability
from minimidl.layers import DynamicGate, Linear, Sequential, WeightGate
from minimidl.studies import plasticity
from minimidl.studies.adaptation import Saved, adapt, reached_by_task
from minimidl.studies.drifts import hurting_phases
from minimidl.studies.modes import (
    MODES,
    ModeOptions,
    adapt_in_modes,
    entries_of,
    modes_for,
)
from minimidl.studies.ownership import closed_entries, gate_entries, neurons_of
from minimidl.studies.plasticity import Drift, with_recovery

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 12)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64) + 2 * (X[:, 1] > 0)
STREAM = [(X[i:i + 10] + 0.5, Y[i:i + 10]) for i in range(0, 60, 10)]


def midl():
    return build_model("midl", 12, 4, make_settings("digits", {"width": (24,), "keep": 3}).model)


def dynamic():
    options = make_settings("digits", {"width": (24,), "gate.open": 0.3}).model
    return build_model("dynamicgate", 12, 4, options)


def judge_of(model):
    def judge(step):
        right = model.forward(X + np.float32(0.5))[0].argmax(axis=1) == Y
        return [{"step": step, "accuracy": float(right.mean())}]

    return judge


def silent(step):
    return []


def left_by(model, **options):
    """Bytes of every parameter and state as each mode leaves them."""
    left = {}

    def note(mode, result):
        left[mode] = {name: array.tobytes("A")
                      for name, array in (model.params | model.state).items()}

    results = adapt_in_modes(model, STREAM, judge_of(model), x_clean=X, on_mode=note, **options)
    return results, left


@pytest.mark.parametrize("make", [midl, dynamic])
def test_gates_moves_every_gate_parameter_and_nothing_else_bit_for_bit(make):
    model = make()
    begin = {name: array.tobytes("A") for name, array in (model.params | model.state).items()}
    results, left = left_by(model)
    moved = {name for name in begin if left["gates"][name] != begin[name]}
    assert moved == {name for name in model.params if ".gate." in name}
    assert 0 < results["gates"].reached <= results["gates"].movable
    assert left["neither"] == begin
    assert results["neither"].moved == results["neither"].movable == 0


@pytest.mark.parametrize("make", [midl, dynamic])
def test_closed_moves_no_weight_of_an_often_open_neuron_bit_for_bit(make):
    model = make()
    begin = Saved.of(model)
    often = neurons_of(model, X)[0].open_rate >= 0.3
    assert 0 < often.sum() < 24
    adapt(model, closed_entries(model, X, 0.3), STREAM, learning_rate=0.01,
          judge=silent)
    last = f"{len(model.layers) - 1}"
    same = {name: model.params[name] == begin.params[name] for name in model.params}
    assert same["0.weight"][:, often].all()
    assert same["0.bias"][often].all()
    assert same[f"{last}.weight"][often].all()
    assert same[f"{last}.bias"].all()
    assert all(same[name].all() for name in same if ".gate." in name)
    assert not same["0.weight"][:, ~often].all()
    assert not same[f"{last}.weight"][~often].all()


def test_both_is_gates_and_closed_together():
    model = midl()
    gates, closed, both = (entries_of(mode, model, X, 0.3) for mode in ("gates", "closed", "both"))
    assert all(np.array_equal(both[name], gates[name] | closed[name]) for name in model.params)


@pytest.mark.parametrize("make", [midl, dynamic])
def test_every_mode_begins_at_the_same_saved_state(make):
    together, left = left_by(make())
    for mode in MODES:
        alone, alone_left = left_by(make(), modes=(mode,))
        assert alone[mode] == together[mode]
        assert alone_left[mode] == left[mode]
    assert len({tuple(sorted(left[mode].items())) for mode in MODES}) == len(MODES)


@pytest.mark.parametrize("make", [midl, dynamic])
def test_temperature_and_threshold_are_the_same_in_every_mode(make):
    model = make()
    states = {name: array.tobytes() for name, array in model.state.items()}
    assert states
    _, left = left_by(model)
    assert all(left[mode][name] == value for mode in MODES for name, value in states.items())


def test_a_state_that_a_mode_changes_is_put_back():
    model = dynamic()
    begin = Saved.of(model)
    adapt_in_modes(model, STREAM, silent, x_clean=X, modes=("neither", "gates"),
                   on_mode=lambda *mode: model.state["0.temperature"].__setitem__(..., 9.0))
    assert model.state["0.temperature"] == begin.state["0.temperature"] == 1
    assert all(np.array_equal(model.params[name], begin.params[name]) for name in model.params)


class NoStandIn(IdentityProbability):
    """A hard mask with its true derivative: 0."""

    def slope(self, scores, cut, temperature):
        return np.zeros_like(scores)


def hard_without_gradient():
    layer = DynamicGate(12, 24, seed=0)
    layer.choice.estimator = NoStandIn()
    return Sequential(layer, Linear(24, 4))


def pull_open(layers, memory, progress):
    """A budget that pulls on every gate, whatever the task wants."""
    return 0.0, {"0": np.ones_like(memory["0"]["probability"])}


def test_adapting_gates_that_the_task_does_not_reach_is_refused_even_if_a_budget_moves_them():
    model = hard_without_gradient()
    result = adapt(model, gate_entries(model), STREAM, learning_rate=0.01, budgets=[pull_open],
                   judge=silent)
    assert result.moved > 0 == result.reached  # moved by the budget alone: blindly
    for mode in ("gates", "both"):
        with pytest.raises(InputError, match="gates that the task's gradient never reaches"):
            adapt_in_modes(hard_without_gradient(), STREAM, silent, x_clean=X, modes=(mode,))
    adapt_in_modes(hard_without_gradient(), STREAM, silent, x_clean=X, modes=("neither", "closed"))


@pytest.mark.parametrize(("name", "share"), [("dynamicgate", 0.45), ("weight-gate", 0.2)])
def test_what_holds_the_gates_on_the_stream_is_what_held_them_in_training(
    name, share, monkeypatch
):
    held = []
    monkeypatch.setattr(plasticity, "make_budgets",
                        lambda model, keep, options: held.append(keep) or [])
    data, settings = regimes(seed=0), make_settings("digits", {})
    model = build_model(name, data.n_features, data.n_classes, settings.model)
    plasticity.adapted(model, data, settings, Drift(steps=1), ModeOptions(), ("neither", "gates"))
    assert held == [share, share]


def test_a_reserve_that_stays_shut_is_counted_as_unreached():
    model = dynamic()
    model.params["0.gate.bias"][3] = -1e6
    entries = {name: np.zeros(p.shape, bool) for name, p in model.params.items()}
    entries["0.weight"][:, 3] = True
    result = adapt(model, entries, STREAM, learning_rate=0.01, judge=silent)
    assert (result.movable, result.reached, result.moved) == (12, 0, 0)


def test_reach_is_counted_without_changing_anything():
    model = midl()
    begin = Saved.of(model)
    reached = reached_by_task(model, gate_entries(model), STREAM)
    assert any(own.any() for own in reached.values())
    assert all(np.array_equal(model.params[name], begin.params[name]) for name in model.params)


def test_models_without_gates_or_gated_neurons_have_fewer_modes():
    dense = build_model("dense", 12, 4, make_settings("digits", {"width": (8,)}).model)
    assert modes_for(dense) == ["neither", "all"]
    assert modes_for(midl(), ("gates", "neither")) == ["gates", "neither"]
    connections = Sequential(WeightGate(12, 8), Linear(8, 4))
    assert modes_for(connections) == ["neither", "gates", "all"]
    with pytest.raises(InputError, match="mode: got 'theta', expected one of neither, gates"):
        modes_for(dense, ("theta",))


def test_curves_are_judged_at_the_start_and_at_the_end():
    results, _ = left_by(midl(), options=ModeOptions(judge_every=4))
    assert all([check["step"] for check in result.checks] == [0, 4, 6]
               for result in results.values())
    assert len({result.checks[0]["accuracy"] for result in results.values()}) == 1


SHORT = Drift(steps=4, batch_size=16)


@pytest.fixture(scope="module")
def rows():
    settings = {name: make_settings("digits", {"epochs": 4}) for name in ("dense", "midl")}
    return plasticity.measure(("dense", "midl"), load("digits"), settings, (2,), drift=SHORT,
                              options=ModeOptions(judge_every=2, learning_rate=0.01))


def test_rows_by_mode_and_the_price_that_each_is_measured_against(rows):
    runs = [row for row in rows if row["seed"] == 2]
    assert [(row["model"], row["mode"]) for row in runs] == [
        ("dense", "neither"), ("dense", "all"), *(("midl", mode) for mode in MODES)]
    neither, gates = runs[2], runs[3]
    cost = neither["clean_before"] - neither["accuracy"]
    assert cost > 0.01
    assert neither["recovery"] == 0
    assert neither["clean_after"] == neither["clean_before"]
    assert neither["learns"] is False
    assert neither["note"] == ""
    assert gates["learns"]
    assert gates["accuracy_before"] == neither["accuracy"]
    assert gates["recovery"] == pytest.approx((gates["accuracy"] - neither["accuracy"]) / cost)


def test_curves_are_paired_and_have_two_points_where_a_phase_ends(rows):
    curves = {row["mode"]: row["curve"] for row in rows if row["seed"] == 2
              and row["model"] == "midl"}
    places = [(point["step"], point["phase"]) for point in curves["neither"]]
    assert places[:5] == [(0, "noise and blur"), (2, "noise and blur"), (4, "noise and blur"),
                          (4, "contrast"), (6, "contrast")]
    assert places[-1] == (16, "clean again")
    assert all([(point["step"], point["phase"]) for point in curve] == places
               for curve in curves.values())
    by_phase = {}
    for point in curves["neither"]:  # nothing moved: the same samples with the same noise
        by_phase.setdefault(point["phase"], set()).add(point["accuracy"])
    assert all(len(accuracies) == 1 for accuracies in by_phase.values())
    assert len({curve[0]["accuracy"] for curve in curves.values()}) == 1


def test_summaries_are_against_the_frozen_model(rows):
    summary = {(row["model"], row["mode"]): row for row in rows if row["seed"] is None}
    one = {(row["model"], row["mode"]): row for row in rows if row["seed"] == 2}
    for key, row in summary.items():
        frozen = one[key[0], "neither"]["accuracy"]
        assert row["difference_mean"] == pytest.approx(one[key]["accuracy"] - frozen)
        assert [point["accuracy_mean"] for point in row["curve"]] == [
            point["accuracy"] for point in one[key]["curve"]]


def test_a_drift_that_costs_nothing_has_no_share_to_win_back():
    made = with_recovery([{"mode": "neither", "accuracy": 0.975, "clean_before": 0.98},
                          {"mode": "all", "accuracy": 0.98, "clean_before": 0.98}])
    assert [row["recovery"] for row in made] == [None, None]
    made = with_recovery([{"mode": "all", "accuracy": 0.98, "clean_before": 0.98}])
    assert made[0]["accuracy_before"] is None


def test_a_mode_that_could_not_learn_says_so():
    settings = make_settings("digits", {"epochs": 1})
    model = build_model("midl", 64, 10, settings.model)
    told = plasticity.adapted(model, load("digits"), settings, SHORT,
                              ModeOptions(closed_below=1e-9), ("neither", "closed"))
    shut = next(row for row in told if row["mode"] == "closed")
    assert not shut["learns"]
    assert shut["moved"] == 0
    assert "none of its neurons opens on the stream" in shut["note"] or shut["movable"] == 0


@pytest.mark.slow
def test_gates_win_back_a_part_of_what_a_drift_cost():
    settings = {"midl": make_settings("digits", {})}
    told = plasticity.measure(("midl",), load("digits"), settings, (0, 1),
                              modes=("neither", "gates"))
    gates = [row for row in told if row["mode"] == "gates" and row["seed"] is not None]
    assert all(row["recovery"] > 0.1 for row in gates)
    assert all(row["clean_after"] > row["clean_before"] - 0.05 for row in gates)


def test_the_drift_grows_with_the_picture_and_ends_where_it_began():
    small, large = load("digits"), glyphs(sizes=(40, 20, 20))
    noise = [hurting_phases(data)[0].change.changes for data in (small, large)]
    assert [change[0].times for change in noise] == [1, 3]
    assert noise[0][1].sigma == 0.5 < noise[1][1].sigma
    assert hurting_phases(small)[-1].change is None
    assert [phase.name for phase in hurting_phases(regimes(sizes=(40, 20, 20)))] == [
        "noise", "contrast", "permuted", "clean again"]
