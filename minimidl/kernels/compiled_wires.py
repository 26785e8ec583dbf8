"""Everything compiled that runs dead connections and given decisions; importing imports Numba."""

from minimidl.kernels.given import given_block, given_segment, given_wires
from minimidl.kernels.route import route
from minimidl.kernels.tiles import BLOCK_ROWS, VECTOR_BYTES
from minimidl.kernels.wires import WIDEST, panel_inputs, wire_panels, wire_rows

__all__ = [
    "BLOCK_ROWS", "VECTOR_BYTES", "WIDEST", "given_block", "given_segment", "given_wires",
    "panel_inputs", "route", "wire_panels", "wire_rows",
]
