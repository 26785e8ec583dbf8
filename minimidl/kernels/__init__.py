"""The same mathematics, fast: skipped neurons are skipped.

``reference.py`` is the truth in plain loops, ``gather.py`` the NumPy form, ``cpu.py`` the Numba
form; ``jit.py`` owns every compile option and ``choose.py`` says which form runs here. Nothing in
this package imports Numba until a compiled kernel is asked for.

The kernels speak one language, the *compact active set* of a batch: ``offsets (batch + 1,)``,
``indices`` and ``values``. Sample ``s`` runs the neurons ``indices[offsets[s]:offsets[s + 1]]``,
and ``values`` holds, in the same places, what each of them hands to the next layer.
``chain.py`` passes such a set through gated layers in a row, ``chain_batch.py`` does so for many
samples at once, and ``chain_reference.py`` is their truth.

Apart from that, ``rows.py`` solves large Top-k problems row by row for the gates: ``select.py``
(the k best), ``topk.py`` (sigmoid, LapSum), ``capped.py`` (capped simplex), ``implicit.py``.
"""

from minimidl.kernels.choose import compiled_kernels, why_not_compiled

__all__ = ["compiled_kernels", "why_not_compiled"]
