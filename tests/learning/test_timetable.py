import pytest

from minimidl import InputError
from minimidl.learning.timetable import (
    Timetable,
    check_shares,
    make_timetable,
    require_times,
)


def test_every_so_many_steps_from_begin_to_end_but_not_before_the_first_step():
    assert Timetable(0, 100, 30).times() == [30, 60, 90]
    assert Timetable(10, 100, 30).times() == [10, 40, 70, 100]
    for table in (Timetable(0, 100, 30), Timetable(10, 100, 30), Timetable(5, 4, 1)):
        assert [done for done in range(200) if table.is_due(done)] == table.times()


def test_progress():
    table = Timetable(20, 60, 10)
    assert [table.progress(done) for done in (20, 40, 60)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(("total", "begin", "until", "every", "expected"), [
    (900, 0.0, 0.75, 0, Timetable(0, 675, 33)),  # digits: 60 epochs of 15 steps
    (5160, 0.0, 0.75, 0, Timetable(0, 3870, 100)),  # MNIST: 12 epochs of 430
    (60, 0.0, 0.75, 0, Timetable(0, 45, 5)),  # a short look
    (100, 0.1, 1.0, 7, Timetable(10, 99, 7)),  # never the very last step
    (100, 0.5, 0.5, 400, Timetable(50, 50, 1)),  # once
    (100, 0.0, 0.0, 0, Timetable(1, 1, 1)), (100, 1.0, 1.0, 0, Timetable(99, 99, 1)),
])
def test_shares_of_a_training_become_steps(total, begin, until, every, expected):
    assert make_timetable(total, begin, until, every) == expected


def test_never_is_told_with_all_numbers():
    """What became of the rewiring of 80 steps with an interval of 400 (audit, E1.5)."""
    table = make_timetable(80, 0.0, 1.0, 400)
    with pytest.raises(InputError, match=r"every 400 steps from step 0 to 79 .* of 80 steps"):
        require_times(table.times(), table, 80, "a rewiring")
    only = make_timetable(1, 0.5, 0.5, 0)  # the only step is the last one
    assert only.times() == []


@pytest.mark.parametrize(("begin", "until", "every"), [
    (0.5, 0.4, 1), (-0.1, 0.5, 1), (0.1, 1.1, 1), (0.0, 1.0, -1), (0.0, 1.0, 2.5),
])
def test_bad_shares_are_told(begin, until, every):
    with pytest.raises(InputError, match=r"begin and until|every"):
        check_shares(begin, until, every)
