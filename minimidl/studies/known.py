"""What neurons know about the label: sliced information of the open and the closed ones.

Of the last hidden layer, sample by sample:

    hidden   what the next layer reads
    open     activation(x W + b) of the neurons that are open for the sample, 0 for the others
    closed   the same of the closed neurons, which the model does not run: what it leaves lying
    lent     that of the neurons that are open for *another* sample, drawn at random: as many, as
             often, but not chosen for this one

All four are as wide as the layer, so their values may be compared; ``input`` has another width. A
pattern of zeros tells of the label too. ``lent`` has none that fits the sample, ``closed`` has the
mirror image of that of ``open``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.data.splits import stratified_split
from minimidl.layers import GatedLinear, Sequential, gated_layers, memory_at
from minimidl.measure.sliced import SlicedInformation, sliced_label_information
from minimidl.seeds import make_rng

SOURCES = ("input", "hidden", "open", "closed", "lent")
"""In the order of a table."""


def sources(model: Sequential, x: Array, seed: int = 0) -> dict[str, Array]:
    """What may know the label, each ``(n, width)``; models without gated neurons lack the last 3.

    Args:
        model: its last layer is the one that reads the neurons.
        x: ``(n, n_in)``.
        seed: of who lends whose choice.

    """
    hidden, memory = Sequential(*model.layers[:-1]).forward(x)
    found = {"input": x, "hidden": hidden}
    paths = [path for path, layer in gated_layers(model).items() if isinstance(layer, GatedLinear)]
    if not paths:
        return found
    layer, own = gated_layers(model)[paths[-1]], memory_at(memory, paths[-1])
    is_open = layer.to_units(own["decision"].active)  # (n, n_units)
    lent = is_open[make_rng(seed).permutation(len(x))]
    return found | {"open": own["full"] * is_open, "closed": own["full"] * ~is_open,
                    "lent": own["full"] * lent}


def label_knowledge(
    model: Sequential, x: Array, labels: Array, *, n_slices: int = 100, n_permutations: int = 20,
    seed: int = 0,
) -> dict[str, SlicedInformation]:
    """Sliced information about the label, by source; see :data:`SOURCES`.

    Args:
        model: trained.
        x: ``(n, n_in)``.
        labels: ``(n,)``.
        n_slices: directions.
        n_permutations: shuffles of the labels for the value of chance.
        seed: of directions and shuffles, the same for every source.

    """
    return {name: sliced_label_information(values, labels, n_slices, n_permutations=n_permutations,
                                           seed=seed)
            for name, values in sources(model, x, seed).items()}


def told(knowledge: dict[str, SlicedInformation]) -> dict[str, Any]:
    """Columns of a row: ``smi_<source>``, its standard error, the value of chance and p."""
    made: dict[str, Any] = {}
    for name in SOURCES:
        found = knowledge.get(name)
        made |= {f"smi_{name}": None if found is None else found.value,
                 f"smi_{name}_error": None if found is None else found.standard_error,
                 f"smi_{name}_null": None if found is None else found.null_mean,
                 f"smi_{name}_p": None if found is None else float(found.p_value)}
    return made


def sample_of(x: Array, labels: Array, n: int, seed: int = 0) -> tuple[Array, Array]:
    """``n`` of the samples, all classes in proportion; all of them where there are no more."""
    if len(x) <= n:
        return x, labels
    chosen, _ = stratified_split(labels, (n, len(x) - n), np.random.default_rng(seed))
    return x[chosen], labels[chosen]
