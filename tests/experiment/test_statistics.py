"""Intervals over a few seeds: against hand-worked numbers, SciPy, and their own promise."""

import sys

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.experiment.statistics import half_width, mean, paired_difference, t_quantile


def test_five_numbers_by_hand():
    # 1..5: mean 3, s = sqrt(10 / 4); t(0.975, 4) = 2.776445 from the printed tables
    assert mean([1, 2, 3, 4, 5]) == 3
    assert half_width([1, 2, 3, 4, 5]) == pytest.approx(2.776445 * np.sqrt(2.5) / np.sqrt(5))


def test_scipy_makes_the_same_interval():
    stats = pytest.importorskip("scipy.stats", reason="needs SciPy: [stats]")
    values = [0.97, 0.95, 0.98]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert half_width(values) == pytest.approx((high - low) / 2)


def test_the_interval_holds_the_mean_in_95_of_100_cases():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(2000, 5))
    held = [abs(mean(row)) <= half_width(row) for row in samples]
    assert abs(np.mean(held) - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 2000)


def test_one_number_has_no_spread_and_none_no_mean():
    assert half_width([0.9]) is None
    for function in (half_width, mean):
        with pytest.raises(InputError, match="values: got none"):
            function([])


def test_differences_are_paired_by_seed():
    mine, others = {0: 0.9, 1: 0.8, 7: 0.1}, {1: 0.7, 0: 0.8, 3: 0.5}
    difference, spread = paired_difference(mine, others)
    assert difference == pytest.approx(0.1)
    assert spread == pytest.approx(0, abs=1e-15)  # unpaired they would scatter by 0.07
    assert paired_difference(mine, {}) == (None, None)
    assert paired_difference({0: 1.0}, {0: 0.5}) == (0.5, None)


def test_without_scipy_one_line_says_how_to_mend_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    t_quantile.cache_clear()
    with pytest.raises(InputError, match=r"pip install 'minimidl\[stats\]', or --seeds 1"):
        half_width([0.9, 0.8])
    assert half_width([0.9]) is None  # one seed needs none
