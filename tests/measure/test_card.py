"""Cards: every operator has one, and it says everything."""

import pytest

from minimidl.errors import InputError
from minimidl.gates import ESTIMATORS, RANKING, SIMPLEX, TOPK
from minimidl.measure.card import FIELDS, card


@pytest.mark.parametrize("thing", [*TOPK.values(), *SIMPLEX.values(), *RANKING.values(),
                                   *ESTIMATORS.values()])
def test_every_operator_has_a_whole_card(thing):
    assert list(card(thing)) == list(FIELDS)
    assert all(card(thing).values())


def test_long_lines_are_joined_and_gaps_told():
    class Whole:
        """Say something.

        Card:
            formula: a
                + b
            cost: c
            exactly k: d
            exact zeros: e
            use when: f
            source: g
        """

    class Gap:
        """Say something.

        Card:
            formula: a
        """

    assert card(Whole)["formula"] == "a + b"
    with pytest.raises(InputError, match="a card without cost, exactly k"):
        card(Gap)
    with pytest.raises(InputError, match="a docstring without a card"):
        card(int)
