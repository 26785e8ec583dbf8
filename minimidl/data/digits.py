"""The embedded set: the UCI optical handwritten digits, 8x8, 1,797 of them, in the package.

E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning
Repository, 1998, doi 10.24432/C50P49, licence CC BY 4.0. Each pixel counts the inked pixels, 0 to
16, in a 4x4 block of a 32x32 scan. ``data_scripts/digits.py`` says how the embedded file was made.
"""

from __future__ import annotations

from pathlib import Path

from minimidl.data.dataset import Dataset
from minimidl.data.prepared import read

PATH = Path(__file__).with_name("digits.npz")


def digits() -> Dataset:
    """Return the set, always with the same stratified split: 1,078 / 269 / 450 samples."""
    return read(PATH, "install minimidl again")
