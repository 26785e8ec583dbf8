"""Data: embedded digits, generated sets, and prepared real sets, all in one shape."""

from __future__ import annotations

from minimidl.data.dataset import PARTS, Dataset
from minimidl.data.digits import digits
from minimidl.data.folders import data_folder, prepared_path
from minimidl.data.glyphs import glyphs
from minimidl.data.regimes import regimes
from minimidl.data.registry import NAMES, describe, load, verify
from minimidl.data.spirals import spirals
from minimidl.data.splits import stratified_split

__all__ = [
    "NAMES", "PARTS", "Dataset", "data_folder", "describe", "digits", "glyphs", "load",
    "prepared_path", "regimes", "spirals", "stratified_split", "verify",
]
