"""The course: reading tutorial sources, writing notebooks, checking the reader's work.

``tutorials/README.md`` describes the format of the sources.
"""

from minimidl.course.checks import CheckFailed, Unsolved, check_close, check_shape, check_that
from minimidl.course.play import slider

__all__ = ["CheckFailed", "Unsolved", "check_close", "check_shape", "check_that", "slider"]
