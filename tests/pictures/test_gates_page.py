"""The gates page is what the docstrings say today."""

from minimidl.gates import ESTIMATORS, RANKING, SCORE_FUNCTIONS, SIMPLEX, TOPK
from minimidl.pictures import gates_page
from minimidl.pictures.operators import operator_thumbnail


def test_the_page_is_up_to_date():
    written = (gates_page.FOLDER / "README.md").read_text(encoding="utf-8")
    assert written == gates_page.text(), "run: python -m minimidl.pictures.gates_page"


def test_every_operator_is_on_it_with_its_thumbnail():
    page = gates_page.text()
    for name in (*TOPK, *SIMPLEX, *RANKING, *ESTIMATORS):
        assert f"\n### {name}\n" in page
        assert (gates_page.FOLDER / f"{name}.png").stat().st_size > 1000
    for name in gates_page.WITHOUT_FIGURE:
        assert f"\n### {name}\n" in page
        assert f"({name}.png)" not in page


def test_the_bias_figure_shows_every_estimator():
    labels = [text.get_text() for text in gates_page.bias_figure().axes[0].get_yticklabels()]
    assert labels == [*ESTIMATORS, *SCORE_FUNCTIONS]
    assert (gates_page.FOLDER / "bias-variance.png").stat().st_size > 1000


def test_a_thumbnail_has_labelled_axes():
    left, right = operator_thumbnail("capped-simplex").axes[:2]
    assert (left.get_xlabel(), right.get_ylabel()) == ("score", "answer i")
