"""Points, intervals, fronts and names of the comparison's figure."""

import pytest

from minimidl.experiment.models import MODELS
from minimidl.pictures import save_figure
from minimidl.pictures.labels import around, overlap, place, within
from minimidl.pictures.pareto import pareto, pareto_figure
from minimidl.pictures.style import LOOKS


def row(model, accuracy, macs, front, time=1.0):
    return {"model": model, "accuracy_mean": accuracy, "accuracy_ci95": 0.01,
            "mac_ratio_with_gate": macs, "pareto_macs": front, "time_ratio": time,
            "pareto_time": front, "time_ratio_b256": None, "pareto_time_b256": False}


ROWS = [row("dense", 0.98, 1.0, True), row("midl", 0.97, 0.5, True, 0.6),
        row("switch", 0.96, 0.7, False, 4.0)]


def test_points_stand_at_their_cost_and_the_front_is_a_line():
    ax = pareto(ROWS)
    bars = {box.get_label(): box[0] for box in ax.containers}
    assert list(bars) == ["dense", "midl", "switch"]
    assert bars["midl"].get_xydata().tolist() == [[0.5, 97.0]]
    assert bars["switch"].get_markerfacecolor() == "white"  # off the front: hollow
    assert bars["midl"].get_markerfacecolor() != "white"
    front = next(line for line in ax.lines if line.get_label() == "front")
    assert front.get_xydata().tolist() == [[0.5, 97.0], [1.0, 98.0]]
    assert "gate included" in ax.get_xlabel()
    assert ax.get_ylabel() == "test accuracy (%)"
    assert pareto(ROWS, ax=ax) is ax


def test_intervals_are_drawn_in_points():
    ax = pareto(ROWS[:1])
    low, high = ax.containers[0].lines[2][0].get_segments()[0]
    assert (low[1], high[1]) == pytest.approx((97.0, 99.0))


def test_times_are_logarithmic_and_what_was_not_measured_is_left_out():
    ax = pareto(ROWS, "time_ratio")
    assert ax.get_xscale() == "log"
    assert ax.get_xlim()[0] < 0.6 < 4.0 < ax.get_xlim()[1]
    figure = pareto_figure([*ROWS, row("rigl", 0.95, 0.2, True) | {"time_ratio": None}], "digits")
    assert [len(ax.containers) for ax in figure.axes] == [4, 3]
    assert [text.get_text() for text in figure.axes[0].texts] == ["dense", "midl", "switch", "rigl"]
    assert figure.get_suptitle().startswith("digits: ")


def test_a_failure_stands_at_the_edge_and_does_not_flatten_the_others():
    figure = pareto_figure([*ROWS, row("pruned", 0.10, 0.2, True)])
    ax = figure.axes[0]
    assert ax.get_ylim()[0] > 80
    assert ax.texts[-1].get_text() == "pruned: 10.0 % (below)"
    bars = {box.get_label(): box[0] for box in ax.containers}
    assert bars["pruned"].get_ydata()[0] == pytest.approx(92.0)  # 98 - 6 * (98 - 97)


def test_one_model_with_one_seed_is_a_picture_too(tmp_path):
    alone = ROWS[0] | {"accuracy_ci95": None, "time_ratio": None}
    path = save_figure(pareto_figure([alone]), tmp_path / "one.png")
    assert path.stat().st_size > 5_000


def test_every_model_has_a_look_of_its_own():
    assert set(MODELS) <= LOOKS.keys()
    for kind in ("color", "marker", "linestyle"):
        assert len({str(look[kind]) for look in LOOKS.values()}) == len(LOOKS), kind


def test_names_do_not_cover_points_or_each_other():
    room = (0.0, 0.0, 400.0, 300.0)
    points = [(50.0 + 12 * i, 150.0 + 5 * (i % 3)) for i in range(12)]
    sizes = [(60.0, 10.0)] * 12
    boxes = [around(centre, *size) for centre, size in
             zip(place(points, sizes, room), sizes, strict=True)]
    assert all(within(box, room) for box in boxes)
    assert not any(overlap(one, two) for i, one in enumerate(boxes) for two in boxes[:i])
    assert not any(overlap(box, (x - 3, y - 3, x + 3, y + 3)) for box in boxes for x, y in points)


def test_where_there_is_no_room_a_name_still_stands_inside():
    room = (0.0, 0.0, 100.0, 20.0)
    centres = place([(50.0, 10.0)] * 4, [(30.0, 8.0)] * 4, room)
    assert all(within(around(centre, 30.0, 8.0), room) for centre in centres)
