"""The light path of a segment: what closed neurons answer, and what the next layer makes of it.

No activation stands between a light path and the next layer, so the two matrices of a low-rank
path, or the one of a linear path, can be multiplied with the next layer's weight once per batch
instead of once per sample ("folded"). Few samples go through the wide layer instead: which is less
work is counted, not guessed.
"""

from __future__ import annotations

from minimidl.arrays import Array
from minimidl.gates import AffineNet, LowRankNet
from minimidl.layers import Linear
from minimidl.layers.light import LightPath


class LightPart:
    """A light path and the linear layer after it.

    Args:
        path: identity, low-rank or linear.
        linear: the next layer.

    """

    def __init__(self, path: LightPath, linear: Linear) -> None:
        self.path, self.linear = path, linear

    def run(self, x: Array) -> tuple[Array, Array]:
        """``light (batch, n_units)``, and ``light @ W + b`` of the next layer ``(batch, n_out)``.

        The first is what open neurons subtract, the second what they are added to.
        """
        light, memory = self.path.forward(x)
        if not folding_pays(self.path, len(x), self.linear.n_out):
            return light, self.linear.forward(light)[0]
        weight, params = self.linear.params["weight"], self.path.params
        last = params["up"] if isinstance(self.path, LowRankNet) else params["weight"]
        base = memory.get("middle", x) @ (last @ weight)
        base += params["bias"] @ weight + self.linear.params["bias"]
        return light, base


def folding_pays(path: LightPath, batch: int, n_out: int) -> bool:
    """Whether a folded product multiplies less: ``n n_units`` once against ``n_units`` per sample.

    Per sample, folded: ``n n_out``; not folded: ``n_units n_out``; the fold: ``n n_units n_out``,
    where n is what the last matrix of the light path reads.
    """
    if not isinstance(path, AffineNet | LowRankNet):
        return False
    n, n_units = path.rank if isinstance(path, LowRankNet) else path.n_in, path.n_out
    return n * n_units + batch * n < batch * n_units
