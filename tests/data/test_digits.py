from __future__ import annotations

import numpy as np
import pytest

from minimidl.data import PARTS, digits
from minimidl.data.digits import PATH
from minimidl.data.prepared import read_arrays
from minimidl.data.scripts import load_script


def test_sizes_classes_and_normalisation():
    dataset = digits()
    assert [len(dataset.part(part)[0]) for part in PARTS] == [1078, 269, 450]
    assert (dataset.n_features, dataset.n_classes, dataset.image_shape) == (64, 10, (8, 8))
    assert abs(float(dataset.x_train.mean())) < 1e-6
    assert abs(float(dataset.x_train.std()) - 1) < 1e-6
    assert all(24 <= n <= 29 for n in dataset.counts("val")), "stratified"


def test_the_attribution_travels_with_the_data():
    about = digits().about
    assert about["licence"] == "CC BY 4.0"
    assert "Alpaydin" in about["citation"]
    assert "10.24432/C50P49" in about["provenance"]


def test_no_sample_is_in_two_parts():
    arrays, _ = read_arrays(PATH)
    rows = [tuple(row) for part in PARTS for row in arrays[f"x_{part}"]]
    assert len(set(rows)) == len(rows) == 1797


@pytest.mark.oracle
def test_the_file_is_what_the_script_makes_of_the_published_copy(tmp_path):
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install minimidl[oracle]")
    made, _ = read_arrays(load_script("digits").prepare(tmp_path))
    shipped, _ = read_arrays(PATH)
    assert all(np.array_equal(made[name], shipped[name]) for name in made)
