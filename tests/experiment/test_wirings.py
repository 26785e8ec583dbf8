"""Models that miss connections: how many, when they change, and that they do."""

from dataclasses import replace

import pytest

from minimidl.data import load
from minimidl.errors import InputError
from minimidl.experiment import build_model, make_settings, run_experiment
from minimidl.experiment.recipe import fit_arguments
from minimidl.experiment.wirings import make_wiring
from minimidl.layers import masked_layers
from minimidl.learning import SET, Pruning, RigL

DIGITS = load("digits")


def live_share(model):
    masks = [layer.mask for layer in masked_layers(model).values()]
    return sum(int(mask.sum()) for mask in masks) / sum(mask.size for mask in masks)


@pytest.mark.parametrize(("name", "kind"), [
    ("pruned", Pruning), ("set", SET), ("rigl", RigL), ("dynamicgate+rigl", RigL)])
def test_each_name_has_its_wiring(name, kind):
    settings = make_settings("digits", {})
    assert type(make_wiring(name, settings.model, settings.train)) is kind
    assert make_wiring("dense", settings.model, settings.train) is None


def test_rewired_models_begin_at_their_density_and_pruned_ones_dense():
    options = make_settings("digits", {"wiring.density": 0.1}).model
    assert live_share(build_model("rigl", 64, 10, options)) == pytest.approx(0.1, abs=1e-3)
    assert live_share(build_model("pruned", 64, 10, options)) == 1


def test_spreads_over_layers_by_erk_or_evenly():
    # erk: e (64 + 256) + e (256 + 10) of 18,944 connections are to be a fifth, so e = 6.4655
    for kind, first, last in (("erk", 0.1263, 0.6718), ("uniform", 0.2, 0.2)):
        options = make_settings("digits", {"wiring.densities": kind}).model
        layers = masked_layers(build_model("set", 64, 10, options)).values()
        assert [layer.density for layer in layers] == pytest.approx([first, last], abs=1e-3)


@pytest.mark.parametrize("name", ["pruned", "set", "rigl", "dynamicgate+rigl"])
def test_a_run_ends_at_its_density_and_its_row_counts_live_connections(name):
    settings = make_settings("digits", {"epochs": 4, "wiring.density": 0.15})
    result = run_experiment(name, DIGITS, settings, progress=False, timed=False)
    assert live_share(result.model) == pytest.approx(0.15, rel=0.01)
    assert result.row["mac_ratio"] < 0.3
    assert result.history.rows[-1]["rewired"] > 0


def test_one_shot_pruning_closes_once():
    options = make_settings("digits", {"epochs": 4, "wiring.prune": "one-shot"})
    result = run_experiment("pruned", DIGITS, options, progress=False, timed=False)
    densities = result.history.column("density")
    assert set(densities[:1]) == {1.0}
    assert len(set(densities)) == 2


@pytest.mark.parametrize("density", [0.0, 1.0, -1.0])
def test_a_density_that_is_none_is_refused(density):
    with pytest.raises(InputError, match=r"wiring\.density"):
        build_model("rigl", 64, 10, make_settings("digits", {"wiring.density": density}).model)


def test_an_unknown_way_of_pruning_is_refused():
    settings = make_settings("digits", {"wiring.prune": "gently"})
    with pytest.raises(InputError, match=r"wiring\.prune: got 'gently'"):
        make_wiring("pruned", settings.model, settings.train)


def test_rewiring_that_never_happens_is_refused_before_the_first_epoch():
    settings = make_settings("digits", {"epochs": 1, "wiring.every": 400})
    with pytest.raises(InputError, match=r"every 400 steps .* which is never"):
        run_experiment("rigl", DIGITS, settings, progress=False, timed=False)


def test_weight_gates_are_held_to_the_density_of_connections_not_to_keep():
    settings = make_settings("digits", {"wiring.density": 0.1, "keep": 0.9})
    model = build_model("weight-gate", 64, 10, settings.model)
    arguments = fit_arguments(model, DIGITS, settings.model, settings.train, "weight-gate")
    assert arguments["budgets"][0].target == pytest.approx(0.094)
    plain = replace(settings.train, gate_learning_rate=2.0)
    optimizer = fit_arguments(model, DIGITS, settings.model, plain, "weight-gate")["optimizer"]
    scales = {part.name: part.learning_rate_scale for part in optimizer.parts}
    assert scales["0.gate.bias"] == 6.0
    assert scales["0.weight"] == 1.0
