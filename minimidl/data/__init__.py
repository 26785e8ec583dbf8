"""Data: embedded digits, generated sets, and prepared real sets, all in one shape."""

from __future__ import annotations

from minimidl.data.dataset import PARTS, Dataset
from minimidl.data.digits import digits
from minimidl.data.drift import DriftStream, Phase, drift_phases
from minimidl.data.folders import data_folder, prepared_path
from minimidl.data.glyphs import glyphs
from minimidl.data.noise import Blur, Chain, GaussianNoise, SaltAndPepper, with_change
from minimidl.data.regimes import regimes
from minimidl.data.registry import NAMES, describe, load, verify
from minimidl.data.scarcity import with_few_samples, with_label_noise
from minimidl.data.shifts import Contrast, PermutedFeatures, QuarterTurns
from minimidl.data.spirals import spirals
from minimidl.data.splits import stratified_split

__all__ = [
    "NAMES", "PARTS", "Blur", "Chain", "Contrast", "Dataset", "DriftStream", "GaussianNoise",
    "PermutedFeatures", "Phase", "QuarterTurns", "SaltAndPepper", "data_folder", "describe",
    "digits", "drift_phases", "glyphs", "load", "prepared_path", "regimes", "spirals",
    "stratified_split", "verify", "with_change", "with_few_samples", "with_label_noise",
]
