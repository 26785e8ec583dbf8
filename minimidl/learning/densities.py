"""Which layer gets how many connections: the densities of a sparse network.

Sparsity is the share of missing connections; density is what is left, ``1 - sparsity``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from minimidl.arrays import Array
from minimidl.errors import require
from minimidl.layers import Layer, Masked, masked_layers
from minimidl.layers.initial import Seed
from minimidl.seeds import make_rng

Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of the weights ``(n_in, n_units)``, by layer path."""


def count_zeros(sparsity: float, size: int) -> int:
    """``floor(sparsity * size)``: how many connections a layer lacks."""
    return math.floor(sparsity * size)


def uniform(shapes: Shapes, sparsity: float) -> dict[str, float]:
    """The same sparsity in every layer."""
    return dict.fromkeys(shapes, sparsity)


def erdos_renyi(shapes: Shapes, sparsity: float, power: float = 1.0) -> dict[str, float]:
    """Narrow layers denser than wide ones: ``density = eps (sum of widths / their product)^power``.

    ``eps`` is such that all layers together lack what they would under :func:`uniform`. A layer
    that would be denser than 1 becomes dense, and the others share the rest, until none is
    (Mocanu et al. 2018; Evci et al. 2020, section 3, "ERK").

    Args:
        shapes: of the layers' weights.
        sparsity: of all layers together, in [0, 1).
        power: 0 is uniform, but for the dense layers.

    """
    sizes = {path: math.prod(shape) for path, shape in shapes.items()}
    raw = {path: (sum(shape) / sizes[path]) ** power for path, shape in shapes.items()}
    zeros = sum(count_zeros(sparsity, size) for size in sizes.values())
    sparse, eps = set(shapes), 0.0
    while sparse:
        ones = sum(sizes[path] for path in sparse) - zeros
        eps = ones / sum(raw[path] * sizes[path] for path in shapes if path in sparse)
        densest = max(raw[path] for path in sparse)
        if eps * densest <= 1:
            break
        sparse -= {path for path in sparse if raw[path] == densest}
    return {path: 1.0 - eps * raw[path] if path in sparse else 0.0 for path in shapes}


KINDS: dict[str, Callable[[Shapes, float], dict[str, float]]] = {
    "uniform": uniform, "erk": erdos_renyi,
}
"""Ways to spread a sparsity over layers, by name."""


def layer_sparsities(shapes: Shapes, sparsity: float, kind: str = "erk") -> dict[str, float]:
    """Sparsity of each layer, by path.

    Args:
        shapes: of the layers' weights; at least one.
        sparsity: of all together, in [0, 1).
        kind: ``"uniform"`` or ``"erk"``.

    Raises:
        InputError: no layers, a sparsity out of range, an unknown kind.

    """
    require(len(shapes) > 0, "layers", "none", "at least one masked layer")
    require(0 <= sparsity < 1, "sparsity", sparsity, "a share in [0, 1)")
    require(kind in KINDS, "densities", repr(kind), f"one of {', '.join(KINDS)}")
    return KINDS[kind](shapes, sparsity)


def give_densities(
    model: Layer, sparsity: float, kind: str = "erk", *, seed: Seed = 0, scale_init: bool = False
) -> dict[str, float]:
    """Draw new random masks for the masked layers of a model whose masks are still full.

    Args:
        model: changed in place; built with ``density=1``, so that every weight has a start.
        sparsity: of all masked layers together, in [0, 1).
        kind: how it is spread over them, ``"uniform"`` or ``"erk"``.
        seed: whole number or generator.
        scale_init: divide the starting weights by the root of the density, so that a sum over few
            live inputs starts as wide as one over all of them.

    Returns:
        The density of each layer, by path. Each lacks exactly :func:`count_zeros` connections.

    Raises:
        InputError: as :func:`layer_sparsities`; a mask that is not full; a layer left with nothing.

    """
    layers, rng = masked_layers(model), make_rng(seed)
    shapes = {path: layer.mask.shape for path, layer in layers.items()}
    for path, share in layer_sparsities(shapes, sparsity, kind).items():
        give_mask(layers[path], path, count_zeros(share, layers[path].mask.size), rng.permutation(
            layers[path].mask.size), scale_init)
    return {path: layer.density for path, layer in layers.items()}


def give_mask(layer: Masked, path: str, n_zeros: int, order: Array, scale_init: bool) -> None:
    """Close the first ``n_zeros`` places of ``order``, whose weights become 0."""
    mask, weight = layer.mask, layer.params["weight"]
    require(bool(mask.all()), f"mask of layer {path!r}", f"density {layer.density:.3g}",
            "a full mask", "build the model with density=1")
    require(n_zeros < mask.size, "sparsity", f"one that takes all of layer {path!r}",
            f"one that leaves it one of {mask.size} connections")
    mask[np.unravel_index(order[:n_zeros], mask.shape)] = False
    weight[~mask] = 0
    if scale_init:
        weight /= np.sqrt(weight.dtype.type(layer.density))
