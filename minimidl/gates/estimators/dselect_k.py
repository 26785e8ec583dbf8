"""DSelect-k: choose at most k of n by a binary code that is learnt, with a true gradient.

Each of k selectors holds m = ceil(log2 n) bits. A bit passes a smooth step ``S`` that is exactly 0
below ``-width / 2`` and exactly 1 above ``width / 2``; a selector gives every code the product of
its bits; the answer mixes the selectors (Hazimeh et al. 2021, section 3):

    S(t)  = -2 t^3 / width^3 + 3 t / (2 width) + 1/2            inside,  0 and 1 outside
    sel_r(e) = prod_b  S(t_rb) if bit b of e is 1, else 1 - S(t_rb)
    q_e   = sum_r softmax(w)_r sel_r(e)

Once all bits have saturated, every selector is one-hot and the gradient of the bits is exactly 0.
The start should therefore be near 0 (``|t| < width / 100``), and the entropy of the selectors is
penalised to reach one-hot in the end. Where n is no power of two, some codes mean nothing; a second
penalty, the sum of ``1 / sum_{e < n} sel_r(e)``, keeps the selectors away from them.
"""

from __future__ import annotations

import numpy as np

from minimidl.arrays import Array, Grads, Memory
from minimidl.errors import require, require_finite
from minimidl.gates.estimators.reinmax import pull, softmax
from minimidl.gates.rows import is_number, require_shape


class DSelectK:
    """Weights over ``n`` that sum to 1 with at most ``k`` of them above 0 at the end of training.

    Args:
        n: number of things to choose from, at least 2.
        k: number of selectors, at least 1.
        width: of the smooth step, above 0.

    Card:
        formula: q = sum over r of softmax(w)_r * product over bits of S(t_rb) or 1 - S(t_rb)
        cost: O(k n log n) forward, O(k n log n) backward
        exactly k: at most k, once the bits have saturated
        exact zeros: yes, once the bits have saturated
        use when: few experts are chosen by a static or per-input code, and no estimator is wanted
        source: Hazimeh et al. 2021, arXiv 2106.03760, section 3
    """

    def __init__(self, n: int, k: int, width: float = 1.0) -> None:
        require(isinstance(n, int) and n >= 2, "n", repr(n), "at least 2 things to choose from")
        require(isinstance(k, int) and k >= 1, "k", repr(k), "at least 1 selector")
        require(is_number(width) and width > 0, "width", repr(width), "a positive number")
        self.n, self.k, self.width = n, k, width
        self.bits = int(n - 1).bit_length()
        codes = np.arange(2**self.bits)[:, None] >> np.arange(self.bits)
        self.codes = (codes & 1).astype(bool)  # (2^bits, bits)

    def forward(self, bits: Array, weights: Array) -> tuple[Array, Memory]:
        """Weights ``(rows, n)``.

        Args:
            bits: ``t``, ``(rows, k, m)`` with ``m = self.bits``, finite.
            weights: ``w``, ``(rows, k)``, finite.

        Returns:
            ``q`` and the memory; ``memory["selectors"]`` ``(rows, k, 2^m)`` goes to
            :func:`selector_penalty`.

        Raises:
            InputError: wrong shapes, numbers that are not finite.

        """
        require(bits.ndim == 3 and bits.shape[1:] == (self.k, self.bits), "bits",
                f"shape {bits.shape}", f"(rows, {self.k}, {self.bits})")
        require(weights.shape == bits.shape[:2], "weights", f"shape {weights.shape}",
                f"{bits.shape[:2]}, one weight per selector")
        require_finite(bits, "bits")
        require_finite(weights, "weights")
        step, slope = smooth_step(bits, self.width)
        factor = np.where(self.codes, step[:, :, None, :], 1 - step[:, :, None, :])
        selectors = factor.prod(axis=3)  # (rows, k, 2^m)
        mix = softmax(weights)
        q = (mix[:, :, None] * selectors).sum(axis=1)[:, :self.n]
        return q, {"factor": factor, "slope": slope, "selectors": selectors, "mix": mix}

    def backward(
        self, grad_q: Array, memory: Memory, grad_selectors: Array | None = None
    ) -> Grads:
        """Gradients of ``bits`` and ``weights``.

        Args:
            grad_q: ``dL/dq``, ``(rows, n)``.
            memory: of the forward pass.
            grad_selectors: gradient of a penalty on the selectors, ``(rows, k, 2^m)``.

        Raises:
            InputError: ``grad_q`` of another shape than ``q``.

        """
        selectors, mix = memory["selectors"], memory["mix"]
        require_shape(grad_q, selectors[:, 0, :self.n], "grad_q")
        grad_code = np.zeros_like(selectors[:, 0])
        grad_code[:, :self.n] = grad_q  # codes beyond n lead nowhere
        grad_weights = pull(mix, (selectors * grad_code[:, None, :]).sum(axis=2))
        through = mix[:, :, None] * grad_code[:, None, :]
        if grad_selectors is not None:
            through = through + grad_selectors
        grad_factor = through[..., None] * product_of_others(memory["factor"])
        signed = np.where(self.codes, grad_factor, -grad_factor).sum(axis=2)  # (rows, k, m)
        return {"bits": signed * memory["slope"], "weights": grad_weights}


def smooth_step(t: Array, width: float) -> tuple[Array, Array]:
    """``S(t)`` and ``S'(t)``: a cubic between two flat ends, once differentiable at the seams."""
    r = np.clip(t / t.dtype.type(width), -0.5, 0.5)
    step = 0.5 + r * (1.5 - 2 * r * r)
    return step, (1.5 - 6 * r * r) / t.dtype.type(width)


def product_of_others(factor: Array) -> Array:
    """Product over the last axis without the entry itself: prefix times suffix, no division.

    Division would fail where a factor is exactly 0, which is where every selector ends.
    """
    ones = np.ones_like(factor[..., :1])
    before = np.cumprod(np.concatenate([ones, factor[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, factor[..., :0:-1]], axis=-1), axis=-1)
    return before * after[..., ::-1]


def selector_penalty(
    selectors: Array, n: int, entropy: float = 1.0, outside: float = 1.0
) -> tuple[float, Memory]:
    """What pushes selectors to one code, and that code below ``n``; mean over the rows.

    ``entropy * sum_r H(sel_r) + outside * sum_r 1 / sum_{e < n} sel_r(e)``; the second term is left
    out where ``n`` is a power of two, since it would be constant.

    Args:
        selectors: ``(rows, k, codes)`` from ``DSelectK.forward``.
        n: number of codes that mean something.
        entropy: weight of the first term.
        outside: weight of the second term.

    """
    tiny = np.finfo(selectors.dtype).tiny  # 0 ln 0 = 0, and a finite slope that meets a 0 beyond
    logs = np.log(np.maximum(selectors, tiny))
    value = -entropy * float((selectors * logs).sum(dtype=np.float64))
    grad = -selectors.dtype.type(entropy) * (logs + 1)
    if n < selectors.shape[2]:
        inside = np.maximum(selectors[:, :, :n].sum(axis=2, keepdims=True), tiny**0.25)
        value += outside * float((1 / inside).sum(dtype=np.float64))
        grad[:, :, :n] -= selectors.dtype.type(outside) / inside**2
    return value / len(selectors), {"grad": grad}


def selector_penalty_backward(memory: Memory) -> Array:
    """Gradient of the selectors, ``(rows, k, codes)``; hand it to ``DSelectK.backward``."""
    grad: Array = memory["grad"]
    return grad / grad.dtype.type(len(grad))
