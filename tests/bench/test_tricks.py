"""The tricks change the time and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.bench import tricks
from minimidl.kernels import why_not_compiled

SMALL = (64, 64, 10)

pytestmark = pytest.mark.skipif(bool(why_not_compiled()), reason="there is nothing to undo")


@pytest.mark.slow
@pytest.mark.kernels
def test_both_sides_of_every_pair_answer_the_same():
    names = []
    for pair in tricks.pairs(SMALL):
        before = np.array(pair.before())  # a copy: the other side may use the same room
        after = np.array(pair.restore(pair.after()))
        assert np.abs(before).max() > 0, pair.name
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4, err_msg=pair.name)
        names.append((pair.name, pair.case))
    assert len(set(names)) == len(names)


@pytest.mark.slow
def test_the_table_has_a_line_per_pair(monkeypatch):
    sums = [tricks.reordered(tricks.Setting(SMALL, 4, 0.5))]
    monkeypatch.setattr(tricks, "pairs", lambda shape: iter(sums))
    head, rule, line = tricks.table(SMALL, rounds=7)
    assert head.count("|") == rule.count("|") == line.count("|")
    assert "256 numbers" in line
    before, after, ratio = (float(cell) for cell in line.split("|")[3:6])
    assert ratio == pytest.approx(before / after, rel=0.02)
