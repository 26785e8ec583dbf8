import pytest

from minimidl.course.play import slider


def test_without_a_page_the_start_is_drawn_once() -> None:
    drawn: list[float] = []
    slider(lambda rate: drawn.append(rate), 0.1, rate=[0.01, 0.1, 1.0])
    assert drawn == [0.1]


def test_one_argument_only() -> None:
    with pytest.raises(ValueError, match="unpack"):
        slider(lambda a, b: None, 1, a=[1], b=[1])
