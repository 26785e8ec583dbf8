"""Sliced mutual information: the information between random one-dimensional views, on average.

    SMI(X; Y) = E[ I(a'X; b'Y) ],   a and b uniform on the unit spheres

Information in many dimensions cannot be estimated from few samples; between two numbers it can. A
label has no directions, so it stays as it is: E[ I(a'X; label) ].

Source: Goldfeld and Greenewald, NeurIPS 2021, arXiv 2110.05279. The caveat below belongs to every
value; results print it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from minimidl.arrays import Array, Rng
from minimidl.errors import require, require_finite
from minimidl.measure.chance import own_rng, permutation_null, permutation_p
from minimidl.measure.mutual_information import ksg, label_codes, ross
from minimidl.measure.neighbours import column, is_constant, on_a_grid

CAVEAT = (
    "Sliced information saturates: it stays finite even where Y = X (for a normal X it is ln 2 in "
    "2 dimensions and 0.307 in 3), it falls with the number of dimensions and rises with "
    "redundant ones, and may miss what a correlation shows (arXiv 2506.04053). Compare values of "
    "the same width only, and with the value of chance."
)


@dataclass(frozen=True)
class SlicedInformation:
    """A sliced information in nats; printing it prints the caveat too.

    Attributes:
        value: mean over the slices; may be a little below 0.
        standard_error: of that mean, ``std / sqrt(slices)``. It says how much other slices would
            change, not how much other samples would. NaN for one slice.
        slices: ``(n_slices,)`` information of each.
        null: ``(n_permutations,)`` values with shuffled ``y`` over the same slices.
        n: samples.
        k: neighbours.

    """

    value: float
    standard_error: float
    slices: Array = field(repr=False)
    null: Array = field(repr=False)
    n: int
    k: int
    caveat: str = field(default=CAVEAT, repr=False)

    @property
    def null_mean(self) -> float:
        """What chance alone gives; NaN without permutations."""
        return float(self.null.mean()) if self.null.size else float("nan")

    @property
    def p_value(self) -> float:
        """Share of shuffles that do as well; NaN without permutations."""
        return permutation_p(self.value, self.null)

    def __str__(self) -> str:
        chance = (f"{self.null_mean:.4f} over {self.null.size} shuffles, p = {self.p_value:.3g}"
                  if self.null.size else "not measured (n_permutations=0)")
        return (f"sliced information {self.value:.4f} nats, standard error "
                f"{self.standard_error:.4f} over {len(self.slices)} slices (n = {self.n}, "
                f"k = {self.k}); chance: {chance}. Caveat: {self.caveat}")


def sliced_information(
    x: Array, y: Array, n_slices: int = 100, k: int = 3, n_permutations: int = 0,
    seed: int | Rng = 0,
) -> SlicedInformation:
    """Slice both sides; each pair of views is a :func:`~minimidl.measure.pair_information`.

    The sphere gives every column the same chance, whatever its scale: standardise columns first if
    a wide one should not rule the views.

    Args:
        x: ``(n, n_x)``, such as inputs.
        y: ``(n, n_y)``, such as activities.
        n_slices: pairs of directions.
        k: neighbours, 3 to 5 as a rule.
        n_permutations: shuffles for the value of chance; each costs as much as the value.
        seed: of directions (of ``x``, then of ``y``), jitter and shuffles, in this order.

    Raises:
        InputError: other shapes or lengths, numbers that are not finite, ``n <= k``.

    """
    rng = own_rng(seed)
    both = [_columns(values, k, name) for values, name in ((x, "x"), (y, "y"))]
    require(len(x) == len(y), "y", f"{len(y)} samples", f"{len(x)}, as in x")
    ways = [directions(n_slices, values.shape[1], rng) for values in both]
    lines = list(zip(*(views(values, way, rng) for values, way in zip(both, ways, strict=True)),
                     strict=True))

    def slices(order: Array | slice) -> Array:
        return np.array([0.0 if a is None or b is None else ksg(a, b[order], k) for a, b in lines])

    return _result(slices(slice(None)), permutation_null(
        lambda order: slices(order).mean(), len(x), n_permutations, rng), len(x), k)


def sliced_label_information(
    x: Array, labels: Array, n_slices: int = 100, k: int = 3, n_permutations: int = 0,
    seed: int | Rng = 0,
) -> SlicedInformation:
    """Slice ``x`` only; each view is a :func:`~minimidl.measure.label_information`.

    Args:
        x: ``(n, n_x)``, such as the activities of a layer.
        labels: ``(n,)`` anything that can be sorted. A class of one sample is left out.
        n_slices: directions.
        k: neighbours of the same class, 3 to 5 as a rule.
        n_permutations: shuffles of the labels for the value of chance.
        seed: of directions, jitter and shuffles, in this order.

    Raises:
        InputError: other shapes or lengths, numbers that are not finite, ``n <= k``, no class with
            two samples.

    """
    rng = own_rng(seed)
    values = _columns(x, k, "x")
    lines = views(values, directions(n_slices, values.shape[1], rng), rng)
    codes, usable = label_codes(labels, len(x))
    codes = codes[usable]
    grids = [None if line is None else line[usable] for line in lines]
    ranks = [np.empty(0, int) if grid is None else np.argsort(grid, kind="stable")
             for grid in grids]
    one_class = len(np.unique(codes)) == 1

    def slices(labels: Array) -> Array:
        return np.array([0.0 if grid is None or one_class else ross(grid[rank], labels[rank], k)
                         for grid, rank in zip(grids, ranks, strict=True)])

    return _result(slices(codes), permutation_null(
        lambda order: slices(codes[order]).mean(), len(codes), n_permutations, rng), len(codes), k)


def directions(n_slices: int, width: int, rng: Rng) -> Array:
    """``(n_slices, width)`` uniform on the unit sphere: normal vectors, normalised."""
    require(n_slices >= 1, "n_slices", n_slices, "1 or more")
    drawn = rng.standard_normal((n_slices, width))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def views(x: Array, ways: Array, rng: Rng) -> list[Array | None]:
    """Each slice as whole numbers on a grid, ``(n,)``; None for a view that is constant."""
    return [None if is_constant(view) else on_a_grid(view, rng) for view in ways @ x.T]


def _columns(x: Array, k: int, argument: str) -> Array:
    require(np.ndim(x) == 2 and np.shape(x)[1] > 0, argument, f"shape {np.shape(x)}",
            "(samples, features)", "one feature is x[:, None]")
    column(x[:, 0], argument, k)  # enough samples for k neighbours
    values = np.asarray(x, dtype=np.float64)
    require_finite(values, argument)
    return values


def _result(slices: Array, null: Array, n: int, k: int) -> SlicedInformation:
    error = slices.std(ddof=1) / np.sqrt(len(slices)) if len(slices) > 1 else np.nan
    return SlicedInformation(float(slices.mean()), float(error), slices, null, n, k)


def normal_sliced_information(correlation: float, width: int) -> float:
    """Sliced information of two standard normals with ``E[X Y'] = r * identity``, in nats.

    The correlation of the views is ``r t``, ``t = a'b``, whose density is proportional to
    ``(1 - t^2)^((width - 3) / 2)``; the mean of ``-1/2 ln(1 - r^2 t^2)`` is

        width 1: -1/2 ln(1 - r^2)
        width 2: -ln((1 + sqrt(1 - r^2)) / 2)
        width 3: -1/2 [ ln(1 - r^2) - 2 + (1/r) ln((1 + r) / (1 - r)) ]

    Raises:
        InputError: a correlation outside (-1, 1), or another width.

    """
    r = abs(float(correlation))
    require(r < 1, "correlation", correlation, "a number in (-1, 1)")
    require(width in (1, 2, 3), "width", width, "1, 2 or 3")
    if r == 0:
        return 0.0
    if width == 1:
        return float(-0.5 * np.log1p(-r * r))
    if width == 2:
        return float(-np.log((1 + np.sqrt(1 - r * r)) / 2))
    return float(-0.5 * (np.log1p(-r * r) - 2 + np.log((1 + r) / (1 - r)) / r))
