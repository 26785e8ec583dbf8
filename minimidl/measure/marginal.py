"""What opening one gate more would cost, in multiply-accumulates (MACs), sample by sample.

The count of :mod:`minimidl.measure.macs` is linear in the number of open gates of one layer while
all others stay as they are: the layer's known inputs, the gate value's products, the columns that
the next layer must read. So the price of one gate is the count with all gates of the layer open,
minus the count with none, over their number. It is exact, and it follows the one accountant
wherever that one learns something new. A stack has one price for each of its layers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minimidl.arrays import Array, Memory
from minimidl.errors import require
from minimidl.layers import Gated, GatedStack, Layer, gated_layers, memory_at
from minimidl.measure.macs import count_macs


def gate_prices(model: Layer, memory: Memory) -> dict[str, Array]:
    """MACs that one more open gate adds, given what all other gates did.

    Args:
        model: any model with gated layers.
        memory: of its forward pass.

    Returns:
        ``(batch, n_gates)`` by layer path; for a model that is one gated layer the path is ``""``.

    """
    prices = {}
    for path, layer in gated_layers(model).items():
        prices[path] = np.zeros(memory_at(memory, path)["decision"].active.shape)
        for part in parts_of(layer):
            everyone = count_macs(model, with_gates(memory, path, True, part)).with_gate
            nobody = count_macs(model, with_gates(memory, path, False, part)).with_gate
            prices[path][:, part] = ((everyone - nobody) / (part.stop - part.start))[:, None]
    require(len(prices) > 0, "model", type(model).__name__, "a model with a gated layer")
    return prices


def parts_of(layer: Gated) -> list[slice]:
    """Ranges of gates that cost the same: the layers of a stack, or all gates of a layer."""
    widths = layer.widths if isinstance(layer, GatedStack) else (layer.n_units,)
    ends = np.cumsum([width // layer.block for width in widths]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def mac_range(model: Layer, memory: Memory) -> tuple[float, float]:
    """MACs per sample, gate included, with every gate shut and with every gate open."""
    shut, wide = memory, memory
    for path in gated_layers(model):
        shut, wide = with_gates(shut, path, False), with_gates(wide, path, True)
    return (float(count_macs(model, shut).with_gate.mean()),
            float(count_macs(model, wide).with_gate.mean()))


def with_gates(memory: Memory, path: str, is_open: bool, part: slice = slice(None)) -> Memory:
    """A copy of ``memory`` in which a part of one layer's gates is open, or shut.

    Nothing is changed in the original. Only the record of who is active is replaced: enough to
    count, not to run backward.
    """
    if path:
        head, _, rest = path.partition(".")
        return memory | {head: with_gates(memory[head], rest, is_open, part)}
    active = memory["decision"].active.copy()
    active[:, part] = is_open
    return memory | {"decision": replace(memory["decision"], active=active)}
