"""One experiment: a named model on a named data set, trained by a recipe, to one honest row."""

from minimidl.experiment.models import MODELS, build_model
from minimidl.experiment.options import ModelOptions, TrainOptions
from minimidl.experiment.run import Result, run_experiment
from minimidl.experiment.settings import Settings, make_settings, parse_assignments

__all__ = [
    "MODELS", "ModelOptions", "Result", "Settings", "TrainOptions", "build_model", "make_settings",
    "parse_assignments", "run_experiment",
]
