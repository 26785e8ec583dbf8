from __future__ import annotations

import numpy as np
import pytest

from minimidl.proof.mutators import MUTATORS, mutants
from minimidl.proof.verdict import compare

GRADIENTS = {
    "square": np.arange(1.0, 10.0).reshape(3, 3), "wide": np.arange(1.0, 7.0).reshape(2, 3),
    "vector": np.array([1.0, 2.0]), "number": np.array(3.0),
}


def names(gradients: dict[str, np.ndarray]) -> set[str]:
    return {name for name, _ in mutants(gradients)}


def test_every_mutator_is_used_on_a_matrix() -> None:
    made = {name.split(":")[0] for name in names({"wide": GRADIENTS["wide"]})}
    assert made == {*MUTATORS, "no key"}


@pytest.mark.parametrize("tensor", GRADIENTS)
def test_a_mutant_spoils_one_tensor_and_is_caught(tensor: str) -> None:
    for name, spoiled in mutants(GRADIENTS):
        if not name.endswith(f": {tensor}"):
            continue
        others = [key for key in GRADIENTS if key != tensor]
        assert all(spoiled[key] is GRADIENTS[key] for key in others)
        assert compare(spoiled, GRADIENTS, 1e-7)[1], name


def test_the_originals_are_left_alone() -> None:
    before = {name: g.copy() for name, g in GRADIENTS.items()}
    list(mutants(GRADIENTS))
    assert all(np.array_equal(before[name], g) for name, g in GRADIENTS.items())


def test_hand_worked_mutants() -> None:
    wide = dict(mutants({"w": GRADIENTS["wide"]}))  # [[1 2 3], [4 5 6]]
    assert wide["transpose: w"]["w"].tolist() == [[1.0, 4.0, 2.0], [5.0, 3.0, 6.0]]
    assert wide["transpose shape: w"]["w"].shape == (3, 2)
    assert wide["shift one row: w"]["w"].tolist() == [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]


def test_what_changes_nothing_is_equivalent_and_not_counted() -> None:
    assert names({"x": np.zeros((2, 2))}) == {"no key: x"}
    constant = names({"x": np.ones((2, 2))})
    assert constant == {"negate: x", "drop: x", "scale 1.01: x", "scale 2: x", "no key: x"}
    assert "transpose: x" not in names({"x": np.eye(2)})
