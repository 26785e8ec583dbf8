"""Counting cells: by hand, without its bias, and against chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimidl.errors import InputError
from minimidl.measure import discrete_information
from minimidl.measure.discrete_information import table_information

codes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=60)


def test_tables_by_hand():
    tables = np.array([[[2, 2], [2, 2]], [[5, 0], [0, 5]], [[3, 1], [1, 3]]])
    expected = [0, np.log(2), 2 * (3 / 8) * np.log(3 / 2) + 2 * (1 / 8) * np.log(1 / 2)]
    np.testing.assert_allclose(table_information(tables), expected, atol=1e-15)


def test_the_bias_of_counts_by_hand():
    a, b = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    found = discrete_information(a, b)
    assert found.plug_in == pytest.approx(0, abs=1e-15)
    assert found.corrected == pytest.approx(-1 / 8)  # (2 - 1)(2 - 1) / (2 * 4)
    same = discrete_information(a, a)
    # Two cells of the four occur: ln 2 - (2 - 2 - 2 + 1) / 8.
    assert same.corrected == pytest.approx(np.log(2) + 1 / 8)


@given(pairs=codes)
def test_laws(pairs):
    a, b = np.array(pairs).T
    found = discrete_information(a, b, 0)
    assert discrete_information(b, a, 0).plug_in == pytest.approx(found.plug_in, abs=1e-12)
    assert discrete_information(7 - a, b, 0).corrected == pytest.approx(found.corrected, abs=1e-12)
    of_itself = discrete_information(a, a, 0).plug_in
    assert -1e-12 <= found.plug_in <= of_itself + 1e-12, "nobody knows more of a than a itself"
    assert np.isnan(found.p_value)
    assert np.isnan(found.null_mean)


def test_independent_variables_have_only_their_bias():
    rng = np.random.default_rng(0)
    found = [discrete_information(rng.integers(0, 8, 400), rng.integers(0, 10, 400), 20, rng)
             for _ in range(40)]
    bias = 7 * 9 / 800
    spread = np.sqrt(7 * 9 / 2) / 400 / np.sqrt(40)  # 2 n I is chi-squared with 63 degrees
    assert np.mean([one.plug_in for one in found]) == pytest.approx(bias, rel=0.1)
    assert abs(np.mean([one.corrected for one in found])) < 4 * spread + 0.05 * bias
    assert np.mean([one.null_mean for one in found]) == pytest.approx(bias, rel=0.1)


def test_the_permutation_p_value_keeps_its_word():
    rng = np.random.default_rng(1)
    values = [discrete_information(rng.integers(0, 3, 60), rng.integers(0, 3, 60), 19, rng).p_value
              for _ in range(400)]
    # 19 shuffles: p is a multiple of 1/20, and at most 0.1 in a tenth of the cases: sd 0.015.
    assert np.mean(np.array(values) <= 0.1) == pytest.approx(0.1, abs=4 * 0.015)
    assert min(values) >= 1 / 20


def test_dependence_is_found_and_printed():
    rng = np.random.default_rng(2)
    a = rng.integers(0, 4, 300)
    found = discrete_information(a, np.where(rng.random(300) < 0.5, a, rng.integers(0, 4, 300)), 99)
    assert found.p_value == pytest.approx(1 / 100)
    assert found.plug_in > found.corrected > 0.1
    assert f"{found.corrected:.4f} nats (plug-in {found.plug_in:.4f}, n = 300; chance" in str(found)
    assert str(discrete_information(a, a, 0)).endswith("n = 300)")


def test_one_value_says_nothing():
    found = discrete_information(np.zeros(20), np.arange(20) % 2, 9)
    assert found.plug_in == pytest.approx(0, abs=1e-15)
    assert found.corrected == pytest.approx(0, abs=1e-15)
    assert found.p_value == 1


@pytest.mark.parametrize("pair", [([], []), ([1], [1, 2]), ([[1]], [[1]])])
def test_bad_input_is_told(pair):
    with pytest.raises(InputError, match="a and b"):
        discrete_information(*map(np.array, pair))


@pytest.mark.oracle
def test_scikit_learn_agrees():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the oracle")
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 200), rng.integers(0, 7, 200)
    assert discrete_information(a, b, 0).plug_in == pytest.approx(metrics.mutual_info_score(a, b))
