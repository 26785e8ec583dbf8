"""The figure of a budget at work: labelled, the target told, one curve per run."""

import numpy as np
import pytest

from minimidl import InputError
from minimidl.pictures import budget_figure, executed_curve, multiplier_curve, save_figure


def rows(target: float, start: float):
    return [{"epoch": e, "train_mac_ratio": target + (start - target) / e, "mac_target": target,
             "multiplier": 1 / e} for e in (1, 2, 3)]


RUNS = {"dual": rows(0.5, 0.9), "augmented": rows(0.5, 0.7), "low": rows(0.3, 0.9)}


def test_axes_are_labelled_and_each_target_is_told_once():
    ax = executed_curve(RUNS)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "MACs, gate included / dense")
    assert sorted(text.get_text() for text in ax.texts) == ["target 0.3", "target 0.5"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(RUNS)
    assert ax.lines[-1].get_xydata() == pytest.approx(np.array([[1, .9], [2, .6], [3, .5]]))
    assert multiplier_curve({"dual": RUNS["dual"]}, ax) is ax


def test_price_and_reward_are_told_apart():
    ax = multiplier_curve(RUNS)
    assert "reward (-)" in ax.get_ylabel()
    assert ax.lines[0].get_ydata() == [0, 0]  # where one turns into the other
    assert ax.lines[1].get_ydata().tolist() == [1, 1 / 2, 1 / 3]


def test_two_panels_become_a_picture(tmp_path):
    figure = budget_figure(RUNS)
    assert len(figure.axes) == 2
    assert save_figure(figure, tmp_path / "budget.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("without", [[], [{"epoch": 1, "active_ratio": 0.5}]])
def test_a_training_without_a_controller_is_refused(without):
    with pytest.raises(InputError, match="histories: got plain without a multiplier"):
        budget_figure({"plain": without})
