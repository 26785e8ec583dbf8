"""Problems for the kernels, and what the reference answers.

Every array lies between guards: NaN around what is read, so that a number from beyond an array
shows in the answer, and a fixed number around what is written, which must still be there.
"""

from __future__ import annotations

import numpy as np

from minimidl.kernels import reference
from minimidl.kernels.reference import ACTIVATION_CODES

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
BATCH, N_IN, N_GATES, N_OUT = 3, 9, 12, 5
GUARD, MARK = 256, 77
READ = ("x", "scores", "weight_t", "bias", "light", "next_weight", "base")


def guarded(array):
    """A copy of an array between NaN, or between marks if it holds whole numbers."""
    real = array.dtype.kind == "f"
    room = np.full(array.size + 2 * GUARD, np.nan if real else MARK, array.dtype)
    room[GUARD:GUARD + array.size] = array.ravel()
    return room[GUARD:GUARD + array.size].reshape(array.shape)


def intact(array):
    """Whether nothing was written before or behind an array of :func:`guarded`."""
    room = array
    while room.base is not None:
        room = room.base
    ends = np.concatenate([room[:GUARD], room[-GUARD:]])
    return bool(np.isnan(ends).all() if room.dtype.kind == "f" else (ends == MARK).all())


def problem(dtype, *, batch=BATCH, n_gates=N_GATES, n_in=N_IN, n_out=N_OUT, k=0, cut=0.0, block=1,
            light=False, binary=False, activation="relu", scores=None, ragged=0.0, seed=0):
    """The arguments of a neuron_segment by name, its four outputs filled with rubbish.

    ``ragged`` moves the scores of each sample by a number of its own, so that at a threshold some
    samples open nearly everything and some hardly anything.
    """
    rng = np.random.default_rng(seed)
    n_units = n_gates * block

    def draw(*shape, scale=1.0):
        return guarded((scale * rng.normal(size=shape)).astype(dtype))

    given = rng.normal(size=(batch, n_gates)) + ragged * rng.normal(size=(batch, 1))
    return {
        "x": draw(batch, n_in), "scores": guarded(np.array(given if scores is None else scores,
                                                           dtype)),
        "k": k, "cut": cut, "temperature": 0.7, "binary": binary, "block": block,
        "weight_t": draw(n_units, n_in, scale=n_in**-0.5), "bias": draw(n_units),
        "light": draw(batch, n_units) if light else np.empty((0, 0), dtype),
        "code": ACTIVATION_CODES[activation],
        "next_weight": draw(n_units, n_out, scale=n_units**-0.5),
        "base": draw(batch if light else 1, n_out),
        "offsets": guarded(np.full(batch + 1, -9, np.int64)),
        "indices": guarded(np.full(batch * n_units + block, -9, np.int64)),
        "values": guarded(np.full(batch * n_units + block, np.nan, dtype)),
        "out": guarded(np.full((batch, n_out), np.nan, dtype)),
    }


def answer(args):
    """The reference's answer to a problem, on copies: ``offsets``, ``indices``, ``values``, out."""
    wanted = {name: value.copy() if isinstance(value, np.ndarray) else value
              for name, value in args.items()}
    assert reference.neuron_segment(*wanted.values()) == reference.DONE
    return wanted


def opened(wanted, block):
    """The executed set of an answer as a mask ``(batch, n_gates)``."""
    offsets = wanted["offsets"]
    mask = np.zeros(wanted["scores"].shape, bool)
    for s, own in enumerate(mask):
        own[wanted["indices"][offsets[s]:offsets[s + 1]] // block] = True
    return mask


def close(got, wanted, tolerance, **options):
    """Equal but for rounding, and the dtype kept."""
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance, **options)
