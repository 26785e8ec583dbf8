"""The same Top-k operators in PyTorch, as fast as we could write them, and as entmax ships them.

Each peer is a function without arguments that makes one forward and one backward pass. Three
recipes for the cut, all on whole batches: 30 bisections and autograd through one attached Newton
step (what most public code does); 30 bisections with the backward written by hand; Newton held in
a bracket, stopped when its step is small, by hand, which is our own algorithm in PyTorch. Eager
mode on one thread; PyTorch's compiler needs a C++ compiler and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minimidl.arrays import Array

BISECTIONS, ENTMAX_BISECTIONS = 30, 24
"""For float32; entmax's documentation calls 24 enough."""
NEWTON_STEPS, SMALL_STEP = 30, 1e-4
"""At most so many, and the step (in units of T) after which Newton stops."""

PeerCall = Callable[[], tuple[Any, Any]]
"""Runs forward and backward; answers ``p`` and ``dL/dscores``."""


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """One thread for PyTorch in the block, where it is installed."""
    try:
        import torch
    except ImportError:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def torch_peers(
    operator: str, scores: Array, k: float, temperature: float, grad_p: Array
) -> dict[str, PeerCall]:
    """Peers of ``"sigmoid"``, ``"lapsum"`` or ``"capped-simplex"``; empty without PyTorch."""
    try:
        import torch
    except ImportError:
        return {}
    g = torch.from_numpy(grad_p)
    problem = TorchProblem(operator, torch.from_numpy(scores), k, temperature, g)
    peers: dict[str, PeerCall] = {
        "torch bisection, by hand": lambda: problem.by_hand(problem.bisected),
        "torch Newton, by hand": lambda: problem.by_hand(problem.by_newton),
    }
    if operator == "capped-simplex":
        return peers | entmax_peer(scores, k, temperature, g)
    return peers | {"torch bisection, autograd": problem.by_autograd}


class TorchProblem:
    """One batch of rows to choose from, as tensors, and the ways to solve it.

    Args:
        operator: a name that :func:`formulas` knows.
        scores: tensor ``(rows, n)``.
        k: budget, strictly inside (0, n).
        temperature: ``T``.
        g: ``dL/dp``, a tensor as the scores.

    """

    def __init__(self, operator: str, scores: Any, k: float, temperature: float, g: Any) -> None:
        self.scores, self.z = scores, scores / temperature
        self.k, self.temperature, self.g = k, temperature, g
        self.cdf, self.pair, self.middle = formulas(operator)
        share = k / (scores.shape[1] - k)
        self.reach = 0.0 if operator == "capped-simplex" else abs(np.log(share)) + 1.0

    def ends(self) -> tuple[Any, Any]:
        """A bracket of the cut, ``(rows, 1)`` each."""
        low, high = self.z.amin(1, keepdim=True), self.z.amax(1, keepdim=True)
        return low - 1 - self.reach, high + self.reach

    def bisected(self) -> Any:
        """The cut ``(rows, 1)`` by halving the bracket."""
        import torch

        room = torch.empty_like(self.z)
        low, high = self.ends()
        for _ in range(BISECTIONS):
            tau = 0.5 * (low + high)
            many = self.cdf(torch.sub(self.z, tau, out=room)).sum(1, keepdim=True) > self.k
            low, high = torch.where(many, tau, low), torch.where(many, high, tau)
        return 0.5 * (low + high)

    def by_newton(self) -> Any:
        """The cut ``(rows, 1)`` by Newton's method in the bracket."""
        import torch

        low, high = self.ends()
        tau = self.z.mean(1, keepdim=True) - self.middle
        for _ in range(NEWTON_STEPS):
            p, d = self.pair(self.z - tau)
            excess = p.sum(1, keepdim=True) - self.k
            step = excess / d.sum(1, keepdim=True).clamp_min_(1e-6)
            if step.abs().max() < SMALL_STEP:
                return tau + step
            low, high = torch.where(excess > 0, tau, low), torch.where(excess > 0, high, tau)
            tau = tau + step
            tau = torch.where((tau > low) & (tau < high), tau, 0.5 * (low + high))
        return tau

    def by_hand(self, find: Callable[[], Any]) -> tuple[Any, Any]:
        """``p`` and ``dL/dscores``, the backward written by hand."""
        import torch

        with torch.inference_mode():
            p, d = self.pair(self.z - find())
            mean = (d * self.g).sum(1, keepdim=True) / d.sum(1, keepdim=True)
            return p, d.mul_(self.g - mean).div_(self.temperature)

    def by_autograd(self) -> tuple[Any, Any]:
        """``p`` and ``dL/dscores`` through autograd."""
        import torch

        leaf = self.scores.detach().requires_grad_()
        with torch.no_grad():
            tau = self.bisected()
            total = self.pair(self.z - tau)[1].sum(1, keepdim=True)
        u = leaf / self.temperature - tau
        # Attached to the graph, this Newton step carries the derivative of the cut.
        p = self.cdf(u - (self.cdf(u).sum(1, keepdim=True) - self.k) / total)
        (grad,) = torch.autograd.grad(p, leaf, self.g)
        return p, grad


def formulas(operator: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any], float]:
    """``F``, the pair ``F, F'`` from one exponential, and the middle of ``F``, in PyTorch."""
    import torch

    def sigmoid_pair(u: Any) -> Any:
        p = torch.sigmoid(u)
        return p, p * (1 - p)

    def laplace_pair(u: Any) -> Any:
        half = u.abs().neg_().exp_().mul_(0.5)
        return torch.where(u > 0, 1 - half, half), half

    def clip_pair(u: Any) -> Any:
        return u.clamp(0, 1), ((u > 0) & (u < 1)).to(u.dtype)

    return {
        "sigmoid": (torch.sigmoid, sigmoid_pair, 0.0),
        "lapsum": (lambda u: 0.5 - 0.5 * torch.sign(u) * torch.expm1(-u.abs()), laplace_pair, 0.0),
        "capped-simplex": (lambda u: u.clamp(0, 1), clip_pair, 0.5),
    }[operator]


def entmax_peer(scores: Array, k: float, temperature: float, g: Any) -> dict[str, PeerCall]:
    """``entmax.budget_bisect`` with its own backward; empty where entmax is not installed."""
    try:
        import torch
        from entmax import budget_bisect
    except ImportError:
        return {}

    def run() -> tuple[Any, Any]:
        leaf = torch.from_numpy(scores).requires_grad_()
        p = budget_bisect(leaf / temperature, budget=k, n_iter=ENTMAX_BISECTIONS)
        (grad,) = torch.autograd.grad(p, leaf, g)
        return p, grad

    return {"entmax budget_bisect": run}


def argpartition_mask(scores: Array, k: int) -> Array:
    """What one writes without us: partition the indices, then put True at the k best."""
    mask = np.zeros(scores.shape, np.bool_)
    best = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k:]
    np.put_along_axis(mask, best, True, axis=1)
    return mask
