"""What keeps experts in work: which rules each router gets, and that they matter."""

import pytest

from minimidl.data import load
from minimidl.errors import InputError
from minimidl.experiment import build_model, make_settings, run_experiment
from minimidl.experiment.balance import make_balance

DIGITS = load("digits")


def rules(name, **chosen):
    settings = make_settings("digits", {k.replace("__", "."): v for k, v in chosen.items()})
    model = build_model(name, 64, 10, settings.model)
    return [type(rule).__name__ for rule in make_balance(model, settings.train)]


@pytest.mark.parametrize(("name", "expected"), [
    ("dense", []), ("midl", []), ("switch", ["RouterZ", "LoadBalance"]),
    ("topk-moe", ["RouterZ", "LoadBalance"]), ("soft-moe", ["RouterZ"]),
    ("expert-choice", ["RouterZ", "ExpertChoiceCuts"])])
def test_each_router_gets_what_it_needs(name, expected):
    assert rules(name) == expected


def test_settings_switch_rules_on_and_off():
    assert rules("switch", experts__z=0.0, experts__balance=0.0) == []
    assert rules("topk-moe", experts__importance=0.1, experts__bias_rate=0.001) == [
        "RouterZ", "Importance", "LoadBalance", "LossFreeBalance"]


def test_a_negative_strength_is_refused():
    with pytest.raises(InputError, match=r"experts\.z: got -1"):
        rules("switch", experts__z=-1.0)


@pytest.mark.parametrize(("name", "least", "most"), [
    ("switch", 0.125, 0.125), ("topk-moe", 0.25, 0.25), ("soft-moe", 1, 1),
    ("expert-choice", 0.2, 0.35)])
def test_a_run_uses_as_many_experts_as_its_router_says(name, least, most):
    settings = make_settings("digits", {"epochs": 12})
    row = run_experiment(name, DIGITS, settings, progress=False, timed=False).row
    assert least <= row["active_ratio"] <= most
    assert row["mac_ratio_with_gate"] > row["mac_ratio"]
    assert row["accuracy"] > 0.8
