"""Memory of one prediction: what a model needs at once, beside the libraries that run it."""

from __future__ import annotations

import tracemalloc

from minimidl.arrays import Array
from minimidl.execution import Executor
from minimidl.layers import Layer


def prediction_peak(model: Layer, x: Array) -> int:
    """Peak bytes of one ``Executor.predict(x)``, parameters and states included.

    Counted: parameters and states of the model, the input ``x``, and whatever NumPy and Python
    allocate during the call at its highest, as ``tracemalloc`` sees it. Not counted: libraries,
    compiled code, and what a library keeps for itself (BLAS packs matrices in buffers of its own;
    scratch space inside a compiled kernel is not seen either). ``minimidl bench --suite memory``
    weighs a whole process instead.

    Args:
        model: gated or not.
        x: ``(batch, n_in)`` in the model's dtype.

    """
    executor = Executor(model)
    executor.predict(x)  # whatever is compiled, measured or kept at the first call
    if tracing := tracemalloc.is_tracing():
        tracemalloc.reset_peak()
    else:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        executor.predict(x)
        working = tracemalloc.get_traced_memory()[1] - before
    finally:
        if not tracing:
            tracemalloc.stop()
    kept = sum(array.nbytes for part in (model.params, model.state) for array in part.values())
    return int(kept + x.nbytes + max(0, working))
