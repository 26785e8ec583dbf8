"""Memory of one prediction: what is counted, and that nobody else's tracing is disturbed."""

import tracemalloc

import numpy as np

from minimidl.bench.peak import prediction_peak
from minimidl.layers import Linear, Sequential


def wide_model():
    return Sequential(Linear(50, 1000)), np.ones((400, 50), np.float32)


def test_parameters_input_and_output_are_counted_once():
    model, x = wide_model()
    weights, output = 4 * (50 * 1000 + 1000), 4 * 400 * 1000
    peak = prediction_peak(model, x)
    assert weights + x.nbytes + output <= peak < weights + x.nbytes + output + 60_000
    assert not tracemalloc.is_tracing()


def test_what_was_traced_before_does_not_count():
    model, x = wide_model()
    alone = prediction_peak(model, x)
    tracemalloc.start()
    try:
        np.ones(3_000_000)  # a peak of 24 MB, gone again
        other = np.ones(1_000_000)  # and 8 MB that stay
        among_others = prediction_peak(model, x)
        assert other.all()
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    assert abs(among_others - alone) < 20_000
