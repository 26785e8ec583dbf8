"""Everything compiled that runs gated layers in a row, under one name; importing imports Numba."""

from minimidl.kernels.chain import first_layer, linear_layer, next_layer, write_dense
from minimidl.kernels.chain_batch import batch_layer, open_registers, skips
from minimidl.kernels.rows import series
from minimidl.kernels.tiles import VECTOR_BYTES
from minimidl.kernels.words import CROWD, choose_words

__all__ = [
    "CROWD", "VECTOR_BYTES", "batch_layer", "choose_words", "first_layer", "linear_layer",
    "next_layer", "open_registers", "series", "skips", "write_dense",
]
