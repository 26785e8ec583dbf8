"""From the command line's words to options."""

import pytest

from minimidl.errors import InputError
from minimidl.experiment import make_settings, parse_assignments
from minimidl.experiment.models import MODELS
from minimidl.experiment.settings import check_read, known


def test_values_take_the_type_of_their_default():
    assert parse_assignments(["gate.rank=4", "width=512,256", "keep=0.3", "dropout=0",
                              "gate.topk=sigmoid"]) == {
        "gate.rank": 4, "width": (512, 256), "keep": 0.3, "dropout": 0.0, "gate.topk": "sigmoid"}


def test_keep_is_a_count_when_whole_and_a_share_otherwise():
    assert parse_assignments(["keep=1"]) == {"keep": 1}
    assert isinstance(parse_assignments(["keep=1.0"])["keep"], float)


def test_switches_are_true_or_false():
    assert parse_assignments(["optimizer.sparse=true"]) == {"optimizer.sparse": True}
    assert parse_assignments(["optimizer.sparse=False"]) == {"optimizer.sparse": False}
    assert make_settings("digits", {"optimizer.sparse": True}).train.optimizer_sparse


def test_choice_beats_data_set_beats_common_default():
    settings = make_settings("mnist", {"gate.rank": 3})
    assert settings.model.width == (512,)
    assert settings.model.gate_rank == 3
    assert settings.train.batch_size == 128
    assert settings.train.optimizer == "adamw"
    assert settings.as_dict()["gate.rank"] == 3


@pytest.mark.parametrize(("text", "message"), [
    ("gate.rank", r"--set: got 'gate.rank', expected NAME=VALUE"),
    ("gate.colour=red", r"--set: got gate.colour, expected one of width, keep, gate.net"),
    ("gate.rank=many", r"--set gate.rank: got 'many', expected int such as 8"),
    ("optimizer.sparse=maybe", r"--set optimizer.sparse: got 'maybe', expected bool such as False"),
    ("width=12,x", r"--set width: got '12,x', expected whole numbers"),
])
def test_bad_assignments_say_what_would_be_good(text, message):
    with pytest.raises(InputError, match=message):
        parse_assignments([text])


@pytest.mark.parametrize(("model", "setting"), [
    ("dense", "gate.noise"), ("dense", "keep"), ("dropout", "budget.kind"),
    ("midl", "budget.kind"), ("midl", "gate.estimator"), ("midl", "gate.cut_start"),
    ("dynamicgate", "gate.topk"), ("static-gate", "gate.net"), ("input-gate", "light.path"),
])
def test_a_setting_that_nobody_would_read_is_refused(model, setting):
    with pytest.raises(InputError, match=rf"--set: got {setting} for {model}"):
        check_read(model, {setting: 1})


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_has_a_reader_and_training_is_for_all(model):
    check_read(model, dict.fromkeys(("width", "epochs", "clip", "learning_rate", "dropout"), 1))
    for setting in known():
        assert any(not refused(name, setting) for name in MODELS), setting


def refused(model, setting):
    try:
        check_read(model, {setting: 1})
    except InputError:
        return True
    return False
