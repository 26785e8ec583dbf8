"""The rule, worked at its corners."""

from __future__ import annotations

import pytest

from minimidl.execution.choice import choose_path, why


@pytest.mark.parametrize(("batch", "density", "block", "compiled", "path"), [
    (1, 0.45, 1, True, "neuron"),
    (1, 0.45, 32, True, "neuron"),
    (1, 1.0, 1, True, "dense"),  # nothing to skip
    (16, 0.45, 1, True, "neuron"),
    (16, 0.75, 1, True, "dense"),
    (256, 0.45, 1, True, "dense"),  # unstructured masks at large batch: BLAS wins
    (256, 0.25, 1, True, "neuron"),
    (256, 0.45, 32, True, "block"),
    (256, 0.75, 32, True, "dense"),
    (256, 0.10, 32, True, "neuron"),
    (256, 0.10, 32, False, "block"),
    (256, 0.45, 4, True, "dense"),  # too few neurons for a product of their own
    (1, 0.45, 1, False, "dense"),
])
def test_rule(batch, density, block, compiled, path):
    assert choose_path(batch, density, block, compiled) == path
    assert why(path, batch, density, block, compiled)


def test_larger_batches_need_emptier_masks():
    limits = [max(d / 100 for d in range(101) if choose_path(b, d / 100, 1, True) == "neuron")
              for b in (1, 16, 256)]
    assert limits == sorted(limits, reverse=True)
    assert len(set(limits)) == 3
