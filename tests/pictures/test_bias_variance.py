"""The bias and variance figure: what it shows for given rows."""

from __future__ import annotations

from minimidl.pictures import bias_variance

ROWS = [{"estimator": "identity-probability", "bias": 0.4, "spread": 1.5},
        {"estimator": "disarm", "bias": 1e-16, "spread": 3.0}]


def test_two_bars_per_estimator_and_a_zero_is_written_as_zero() -> None:
    ax = bias_variance(ROWS)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["identity-probability", "disarm"]
    assert [bar.get_width() for bar in ax.patches] == [0.4, 0.01, 1.5, 3.0]
    assert [text.get_text() for text in ax.texts] == ["0.4", "0", "1.5", "3"]
    assert "true gradient" in ax.get_xlabel()
    assert ax.get_xlim()[1] > 3.0


def test_given_axes_are_used() -> None:
    ax = bias_variance(ROWS)
    assert bias_variance(ROWS[:1], ax) is ax
