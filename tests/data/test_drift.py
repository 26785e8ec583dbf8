"""The drifting stream: what changes when, and that everyone sees the same."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.data import (
    Contrast,
    DriftStream,
    GaussianNoise,
    PermutedFeatures,
    Phase,
    QuarterTurns,
    digits,
    drift_phases,
    spirals,
)
from minimidl.errors import InputError

RNG = np.random.default_rng(0)


def stream(**options):
    dataset = digits()
    return DriftStream(dataset, drift_phases(dataset), **({"steps_per_phase": 3} | options))


def test_contrast_by_hand():
    x = np.array([[1.0, 3.0], [5.0, 5.0]], np.float32)
    changed = Contrast(0.5)(x, RNG)
    assert changed.tolist() == [[1.5, 2.5], [5.0, 5.0]]
    assert changed.dtype == np.float32


@pytest.mark.parametrize(("share", "moved"), [(0.0, 0), (0.01, 2), (0.5, 32), (1.0, 64)])
def test_permuted_features_all_move_and_are_the_same_ones_every_time(share, moved):
    x = np.arange(128, dtype=np.float32).reshape(2, 64)
    change = PermutedFeatures(share, seed=1)
    changed = change(x, RNG)
    assert (changed[0] != x[0]).sum() == moved
    assert sorted(changed[0]) == sorted(x[0])
    assert np.array_equal(changed, change(x, np.random.default_rng(9)))
    assert np.array_equal(changed[1] - 64, changed[0]), "every row alike"


def test_quarter_turns_go_round():
    x = np.arange(9.0).reshape(1, 9)
    assert QuarterTurns((3, 3))(x, RNG).tolist() == [[2, 5, 8, 1, 4, 7, 0, 3, 6]]
    assert np.array_equal(QuarterTurns((3, 3), 4)(x, RNG), x)


def test_batches_come_in_phases_with_their_labels():
    drifting = stream(batch_size=16)
    batches = list(drifting)
    assert len(batches) == len(drifting) == 15
    assert [batch.phase for batch in batches] == sorted([0, 1, 2, 3, 4] * 3)
    clean = drifting.dataset
    for batch in batches:
        assert batch.x.shape == (16, 64)
        assert batch.x.dtype == np.float32
        assert len(set(batch.rows.tolist())) == 16
        assert np.array_equal(batch.y, clean.y_train[batch.rows])
        is_clean = drifting.phases[batch.phase].change is None
        assert np.array_equal(batch.x, clean.x_train[batch.rows]) == is_clean


def test_everyone_sees_the_same_at_any_time():
    first, second = stream(seed=4), stream(seed=4)
    list(second)  # what was drawn before does not matter
    assert np.array_equal(first.batch(7).x, second.batch(7).x)
    assert not np.array_equal(first.batch(7).rows, first.batch(8).rows)
    assert not np.array_equal(first.batch(7).rows, stream(seed=5).batch(7).rows)


def test_test_parts_before_and_after_are_paired():
    drifting = stream()
    before = drifting.drifted(1)[0]
    list(drifting)
    after, labels = drifting.drifted(1)
    assert np.array_equal(before, after), "the drift of before and after must be the same"
    assert labels is drifting.dataset.y_test
    assert np.array_equal(drifting.drifted(0)[0], drifting.dataset.x_test)
    assert np.array_equal(drifting.drifted(4)[0], drifting.drifted(0)[0]), "it ends as it began"
    assert all(not np.array_equal(drifting.drifted(phase)[0], drifting.dataset.x_test)
               for phase in (1, 2, 3))


def test_two_phases_with_the_same_change_have_noise_of_their_own():
    dataset = spirals()
    drifting = DriftStream(dataset, [Phase(name, GaussianNoise(1.0)) for name in "ab"])
    assert not np.array_equal(drifting.drifted(0)[0], drifting.drifted(1)[0])
    noise = {part: drifting.drifted(0, part)[0][:5] - dataset.part(part)[0][:5]
             for part in ("val", "test")}
    assert not np.allclose(noise["val"], noise["test"], atol=1e-3), "parts have their own noise"


def test_flat_features_get_phases_without_blur():
    names = [phase.name for phase in drift_phases(spirals())]
    assert names == ["clean", "noise", "contrast", "permuted", "clean again"]
    assert "noise and blur" in [phase.name for phase in drift_phases(digits())]


@pytest.mark.parametrize(("make", "word"), [
    (lambda: DriftStream(digits(), []), "phases"),
    (lambda: stream(steps_per_phase=0), "steps_per_phase"),
    (lambda: stream(batch_size=5000), "batch_size: got 5000"),
    (lambda: stream(part="all"), "part"),
    (lambda: stream(seed=-1), "seed"),
    (lambda: stream().batch(15), "0 to 14"),
    (lambda: stream().drifted(5), "0 to 4"),
    (lambda: Contrast(-1), "factor"),
    (lambda: PermutedFeatures(1.1), "share"),
    (lambda: QuarterTurns((2, 3)), "square"),
    (lambda: QuarterTurns(None), "a turn moves pixels"),
])
def test_bad_settings_are_told(make, word):
    with pytest.raises(InputError, match=word):
        make()
