from pathlib import Path

import pytest

TINY = '''\
# ---
# number: 3
# title: A tiny tutorial
# minutes: 5
# ---

# %% [markdown]
# # Tiny
#
# Double a number: $y = 2x$.

# %%
from minimidl.course import Unsolved, check_close

factor = 2.0

# %% exercise="double"
def double(x):
    """Twice ``x``."""
    # >>> solution
    return factor * x
    # stub: raise Unsolved("double", "twice the number")
    # <<< solution

# %% check="double"
check_close(double(3.0), 6.0, "double(3)", "add x to itself")

# %% exercise="half"
def half(x):
    # >>> solution
    return x / factor
    # stub: raise Unsolved("half", "half the number")
    # <<< solution

# %% check="half"
check_close(half(3.0), 1.5, "half(3)", "divide by two")
'''


@pytest.fixture
def tiny_source() -> str:
    return TINY


@pytest.fixture
def tiny_shelf(tmp_path: Path) -> Path:
    """A tutorials folder with one source, notebooks generated."""
    from minimidl.course.generate import generate

    folder = tmp_path / "shelf"
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "03_tiny.py").write_text(TINY, encoding="utf-8")
    generate(folder)
    return folder
