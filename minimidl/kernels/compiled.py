"""Everything compiled that runs a model, under one name; importing it imports Numba."""

from minimidl.kernels.batch import CROWD, batch_segment, choose_words
from minimidl.kernels.cpu import neuron_segment
from minimidl.kernels.rows import series
from minimidl.kernels.single import single_segment
from minimidl.kernels.tiles import BLOCK_ROWS, VECTOR_BYTES

__all__ = [
    "BLOCK_ROWS", "CROWD", "VECTOR_BYTES", "batch_segment", "choose_words", "neuron_segment",
    "series", "single_segment",
]
