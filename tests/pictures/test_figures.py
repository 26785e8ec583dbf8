"""Figures have labelled axes and are written whole."""

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.pictures import (
    accuracy_against_cost,
    activity_map,
    curves,
    curves_figure,
    quickstart_figure,
    save_figure,
)
from minimidl.pictures.activity import by_favourite
from minimidl.pictures.page import page

EPOCHS = [{"epoch": e, "loss": 1 / e, "val_accuracy": 0.9, "active_ratio": 0.5} for e in (1, 2)]
ROWS = [{"model": "midl", "accuracy": 0.98, "mac_ratio_with_gate": 0.5}]


def test_axes_are_labelled_and_given_axes_are_used():
    ax = curves({"midl": EPOCHS})
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "validation accuracy")
    assert curves({"dense": EPOCHS}, "loss", ax) is ax
    cost = accuracy_against_cost(ROWS)
    assert "gate included" in cost.get_xlabel()
    assert cost.lines[0].get_xydata().tolist() == [[0.5, 98.0]]


def test_gates_are_ordered_always_favourite_never():
    share = np.array([[1.0, 0.0, 0.0, 0.1], [1.0, 0.0, 1.0, 0.0], [1.0, 0.0, np.nan, 0.9]])
    assert by_favourite(share).tolist() == [0, 2, 3, 1]
    ax = activity_map(share, "abc")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b", "c"]


def test_a_figure_becomes_a_png_and_a_page_needs_no_other_file(tmp_path):
    figure = quickstart_figure({"midl": EPOCHS}, {"midl": np.eye(2)}, ROWS, "ab")
    picture = save_figure(figure, tmp_path / "new" / "picture.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in picture.parent.iterdir()] == ["picture.png"]
    html = page(ROWS, ["model", "accuracy"], "a < b", picture, str)
    assert "data:image/png;base64," in html
    assert "a &lt; b" in html
    assert "<td>midl</td><td>0.98</td>" in html
    assert "http" not in html


def test_three_curves_side_by_side():
    assert len(curves_figure({"midl": EPOCHS}).axes) == 3


def test_a_figure_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"figure .*picture.png: got File exists"):
        save_figure(curves_figure({"midl": EPOCHS}), tmp_path / "file" / "picture.png")
