"""The same mathematics, fast: skipped neurons are skipped.

``reference.py`` is the truth in plain loops, ``gather.py`` the NumPy form, all else Numba.
``jit.py`` owns every compile option, ``choose.py`` says whether compiled kernels run here, and
``compiled.py``, ``compiled_chain.py`` and ``compiled_wires.py`` name those that do. Nothing in this
package imports Numba until a compiled kernel is asked for.

A gated layer and the linear layer after it run in one of three compiled forms:

    single.py  sample by sample, gate scores included: a few samples
    cpu.py     sample by sample, from scores: light paths, and gates that are more than products
    batch.py   gate by gate, 64 samples at a time: many samples

``cut.py`` finds the k best by counting. ``words.py`` lists who opened what, ``products.py`` makes
the products of the open places, and ``training.py`` the three that a training step needs. The
innermost loops are *register tiles*: ``tiles.py`` says what they are, ``dot_tiles.py`` and
``outer_tiles.py`` hold them, ``tile_code.py`` tells how they are written, and ``plain_tiles.py``
has the same as plain loops.

Sample by sample, the kernels speak one language, the *compact active set* of a batch:
``offsets (batch + 1,)``, ``indices`` and ``values``. Sample ``s`` runs the neurons
``indices[offsets[s]:offsets[s + 1]]``, and ``values`` holds, in the same places, what each of them
hands to the next layer.
``chain.py`` passes such a set through gated layers in a row, by ``columns.py`` and
``column_tiles.py``; ``chain_batch.py`` runs such layers for many samples at once, and
``chain_reference.py`` is their truth.

Connections may be missing, too: ``wires.py`` runs *compressed rows* (``wires_reference.py`` is
their truth, ``wire_lists.py`` lays them out, ``wire_tiles.py`` and ``plain_wires.py`` hold the
tiles), and ``given.py`` runs gated layers whose decision was made elsewhere; ``route.py`` chooses
among a few experts.

Apart from that, ``rows.py`` solves large Top-k problems row by row for the gates: ``select.py``
(the k best), ``sigmoid.py``, ``topk.py`` (LapSum, and rows that are not easy), ``capped.py``
(capped simplex), ``implicit.py`` (the backward). ``optimizers.py`` makes optimiser steps in one
pass, and ``ceilings.py`` measures what this machine can do at most.
"""

from minimidl.kernels.choose import compiled_kernels, why_not_compiled

__all__ = ["compiled_kernels", "why_not_compiled"]
