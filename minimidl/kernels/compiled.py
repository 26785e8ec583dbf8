"""Everything compiled that runs a model, under one name; importing it imports Numba."""

from minimidl.kernels.batch import batch_segment
from minimidl.kernels.cpu import neuron_segment
from minimidl.kernels.rows import series
from minimidl.kernels.single import single_segment
from minimidl.kernels.tiles import BLOCK_ROWS, VECTOR_BYTES
from minimidl.kernels.training import (
    list_places,
    list_rows,
    products,
    spread,
    weight_gradients,
)
from minimidl.kernels.words import CROWD, choose_words

__all__ = [
    "BLOCK_ROWS", "CROWD", "VECTOR_BYTES", "batch_segment", "choose_words", "list_places",
    "list_rows", "neuron_segment", "products", "series", "single_segment", "spread",
    "weight_gradients",
]
