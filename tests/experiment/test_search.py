"""Equal draws for all, decided by the seed, and nothing that buys accuracy with work."""

import pytest

from minimidl.errors import InputError
from minimidl.experiment.models import MODELS
from minimidl.experiment.plan import reads
from minimidl.experiment.search import SPACE, draws, space_of
from minimidl.experiment.settings import check_read, known, make_settings


@pytest.mark.parametrize("model", MODELS)
def test_every_model_gets_the_recipe_and_as_many_draws(model):
    tried = draws(model, "digits", {}, 5, seed=0)
    assert len(tried) == 6
    assert tried[0] == {}
    for drawn in tried[1:]:
        check_read(model, drawn)
        assert "learning_rate" in drawn
        assert isinstance(make_settings("digits", drawn).train.learning_rate, float)


def test_the_seed_decides_and_models_do_not_share_their_luck():
    once = draws("midl", "digits", {}, 4, seed=3)
    assert once == draws("midl", "digits", {}, 4, seed=3)
    assert once != draws("midl", "digits", {}, 4, seed=4)
    assert once != draws("midl", "mnist", {}, 4, seed=3)
    rates = [drawn["dropout"] for drawn in once[1:]]
    assert rates != [drawn["dropout"] for drawn in draws("dense", "digits", {}, 4, seed=3)[1:]]


def test_what_the_user_chose_is_not_searched():
    assert "dropout" in space_of("midl", "digits", {})
    assert "dropout" not in space_of("midl", "digits", {"dropout": 0.1})


def test_a_model_searches_what_it_reads():
    assert "budget.strength" in space_of("dynamicgate", "digits", {})
    assert "budget.strength" not in space_of("midl", "digits", {})
    assert "experts.balance" in space_of("switch", "digits", {})
    assert "experts.balance" not in space_of("soft-moe", "digits", {})  # it runs everybody
    assert not any(name.startswith("gate.") for name in space_of("dense", "digits", {}))


def test_the_learning_rate_is_searched_around_the_data_sets_own():
    middle = make_settings("mnist", {}).train.learning_rate
    rates = space_of("dense", "mnist", {})["learning_rate"]
    assert min(rates) < middle < max(rates)
    assert middle in rates


def test_nothing_that_changes_the_work_is_searched():
    dear = {"width", "keep", "epochs", "batch_size", "gate.rank", "gate.block", "gate.net",
            "light.path", "light.rank", "budget.target"}
    assert dear <= known().keys()
    assert not dear & SPACE.keys()
    assert SPACE.keys() <= known().keys()
    for name in SPACE:
        assert any(reads(model, name) for model in MODELS)


def test_a_negative_count_is_refused():
    with pytest.raises(InputError, match="--search: got -1"):
        draws("midl", "digits", {}, -1, seed=0)
