"""Figures of ``minimidl measure``: labelled axes, one curve per mode or model, readable in grey."""

import pytest

from minimidl.errors import InputError
from minimidl.pictures.drift import MODE_LOOKS, by_mode, drift_figure, recovery_curves
from minimidl.pictures.information import SOURCE_LOOKS, knowledge_figure, label_knowledge
from minimidl.pictures.robustness import harm_curves, robustness_figure


def mode_row(model, mode, height):
    curve = [{"step": step, "phase": phase, "accuracy_mean": height, "accuracy_ci95": 0.01}
             for step, phase in [(0, "noise"), (5, "noise"), (5, "clean again"),
                                 (10, "clean again")]]
    return {"model": model, "mode": mode, "seed": None, "curve": curve, "clean_before_mean": 0.98,
            "recovery_mean": height, "recovery_ci95": 0.1, "clean_lost_mean": 0.01,
            "clean_lost_ci95": None}


DRIFT = [mode_row("midl", "neither", 0.7), mode_row("midl", "gates", 0.8),
         mode_row("dense", "neither", 0.7), mode_row("dense", "all", 0.9)]


def test_recovery_curves_stop_where_a_phase_ends():
    ax = recovery_curves(DRIFT, "midl")
    assert ax.get_xlabel() == "steps on the stream"
    assert "accuracy" in ax.get_ylabel()
    drawn = [list(line.get_xdata()) for line in ax.lines
             if line.get_linestyle() != "None" and len(line.get_xdata()) == 2]
    assert drawn.count([0, 5]) == drawn.count([5, 10]) == 2  # two modes, two phases each
    assert ax.get_legend_handles_labels()[1] == ["nothing", "gates only"]
    assert {text.get_text() for text in ax.texts} == {"noise", "clean again"}
    with pytest.raises(InputError, match="model: got 'nope'"):
        recovery_curves(DRIFT, "nope")


def test_what_was_won_has_a_row_per_mode_that_moves():
    ax = by_mode(DRIFT, "recovery", "won back (%)")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["gates", "all"]
    assert ax.get_xlabel() == "won back (%)"


def test_the_drift_figure_has_a_panel_per_model_and_two_more():
    assert [ax.get_title() for ax in drift_figure(DRIFT).axes[:2]] == ["midl", "dense"]
    assert len([ax for ax in drift_figure(DRIFT).axes if ax.axison]) == 4


@pytest.mark.parametrize("looks", [MODE_LOOKS, SOURCE_LOOKS])
def test_looks_differ_in_more_than_colour(looks):
    assert len({style["marker"] for style in looks.values()}) == len(looks)


def knowledge_row(model, split):
    row = {"model": model}
    for source in ("hidden", "open", "closed", "lent"):
        told = source == "hidden" or split
        row |= {f"smi_{source}_mean": 0.4 if told else None, f"smi_{source}_ci95": None,
                f"smi_{source}_null_mean": 0.001 if told else None}
    return row


def test_knowledge_is_drawn_with_the_value_of_chance():
    ax = label_knowledge([knowledge_row("dense", False), knowledge_row("midl", True)])
    assert "nats" in ax.get_ylabel()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["dense", "midl"]
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words[-1] == "chance: shuffled labels"
    chance = next(line for line in ax.lines if line.get_label().startswith("chance"))
    assert len(chance.get_xdata()) == 5
    assert knowledge_figure([knowledge_row("dense", False)]).axes


def harm_row(model, kind, level):
    return {"model": model, "kind": kind, "level": level, "accuracy_mean": 0.9,
            "accuracy_ci95": None}


def test_harm_grows_to_the_right():
    rows = [harm_row(model, kind, level) for model in ("dense", "midl")
            for kind, level in (("noise", 0.0), ("noise", 1.0), ("samples", 1.0), ("samples", 0.1))]
    noise, samples = harm_curves(rows, "noise"), harm_curves(rows, "samples")
    assert noise.get_xlim()[0] < noise.get_xlim()[1]
    assert samples.get_xlim()[0] > samples.get_xlim()[1]
    assert "standard deviations" in noise.get_xlabel()
    assert [tick.get_text() for tick in samples.get_xticklabels()] == ["0.1", "1"]
    assert len(robustness_figure(rows).axes) == 2
    with pytest.raises(InputError, match="kind: got 'blur'"):
        harm_curves(rows, "blur")
