"""Schedules that drive layer state: temperatures that cool, thresholds and cuts that rise."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.gates import logistic
from minimidl.learning.schedules import Schedule

CUT = "cut"


def drive_states(
    state: Mapping[str, Array], schedules: Mapping[str, Schedule]
) -> Callable[[float], None]:
    """Bind schedules to the states of a model.

    Args:
        state: ``model.state``, 0-d arrays that are changed in place.
        schedules: functions of the progress from 0 to 1, by the last part of a state's name:
            ``"temperature"`` drives ``"0.temperature"`` and ``"1.0.temperature"``. The name
            ``"cut"`` drives the logit cut of threshold gates: it sets
            ``threshold = sigmoid(cut / temperature)``, because temperature and threshold alone
            are confounded.

    Returns:
        A function that sets all states for a given progress.

    Raises:
        InputError: no state has that name.

    """
    # The cut comes last: it needs the temperature of the same moment.
    ordered = sorted(schedules.items(), key=lambda item: item[0] == CUT)
    bound = [(_targets(state, name), name, schedule) for name, schedule in ordered]

    def drive(progress: float) -> None:
        for targets, name, schedule in bound:
            value = schedule(progress)
            for key in targets:
                state[key][...] = _threshold(state, key, value) if name == CUT else value

    return drive


def _targets(state: Mapping[str, Array], name: str) -> list[str]:
    """Names of the states that a schedule drives."""
    last_part = "threshold" if name == CUT else name
    found = [key for key in state if key.rsplit(".", 1)[-1] == last_part]
    known = sorted({key.rsplit(".", 1)[-1] for key in state})
    require(len(found) > 0, "state_schedules", repr(name),
            f"a state of the model: {', '.join(known) or 'it has none'}")
    return found


def _threshold(state: Mapping[str, Array], key: str, cut: float) -> float:
    """Threshold that puts the cut of the scores at ``cut`` for the layer's temperature."""
    temperature = float(state[key.removesuffix("threshold") + "temperature"])
    return float(logistic(np.array(cut / temperature)))
