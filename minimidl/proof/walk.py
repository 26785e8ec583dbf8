"""Find the layers inside a model and their memories, by the protocol alone (no imports of layers).

The proof room must also judge a reader's own layers, so it asks only for the attributes that the
protocol names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minimidl.arrays import Memory


def leaves(model: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Layers that hold no layers, in order, as ``(path, layer)``; a lone layer has path ``""``."""
    inner = getattr(model, "layers", None)
    if inner is None:
        yield path, model
        return
    for position, layer in enumerate(inner):
        yield from leaves(layer, f"{path}.{position}" if path else str(position))


def memory_at(memory: Memory, path: str) -> Memory:
    """The part of a model's memory that belongs to the layer at ``path``."""
    for step in path.split(".") if path else ():
        memory = memory[step]
    return memory
