"""The threshold family before judges that know nothing of it: SciPy, entmax, simplexers, torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special
from scipy.optimize import brentq, isotonic_regression, minimize

from minimidl.gates import CappedSimplexTopK, LapSumTopK, NormalTopK, PNormTopK, SigmoidTopK
from minimidl.gates.threshold.base import ThresholdTopK, scale
from minimidl.gates.threshold.lapsum import decayed_sums

LAPSUM, CAPPED, CUBE = LapSumTopK(), CappedSimplexTopK(), PNormTopK()
# Distribution functions written anew, from SciPy where it has them.
CDF = {
    "sigmoid": (SigmoidTopK(), special.expit),
    "lapsum": (LAPSUM, lambda u: np.where(u > 0, 1 - np.exp(-abs(u)) / 2, np.exp(-abs(u)) / 2)),
    "capped-simplex": (CAPPED, lambda u: np.clip(u, 0, 1)),
    "pnorm": (CUBE, lambda u: np.clip(u, 0, 1) ** 3),
    "pnorm 1.5": (PNormTopK(1.5), lambda u: np.clip(u, 0, 1) ** 2),
    "normal": (NormalTopK(), special.ndtr),
}
every_member = pytest.mark.parametrize("name", CDF)
rows = st.integers(2, 9).flatmap(
    lambda n: arrays(np.float64, (2, n), elements=st.floats(-8, 8, allow_subnormal=False)))
shares = st.floats(0.02, 0.98)
temperatures = st.floats(0.2, 4)
oracle = pytest.mark.oracle


@every_member
@given(z=rows, share=shares, temperature=temperatures)
def test_root_finding_by_scipy_is_the_judge(
    name: str, z: np.ndarray, share: float, temperature: float
) -> None:
    operator, cdf = CDF[name]
    k = share * z.shape[1]
    p, _ = operator.forward(z, k, temperature)
    for row, answer in zip(z, p, strict=True):
        tau = brentq(lambda t, row=row: cdf((row - t) / temperature).sum() - k, -60, 60,
                     xtol=1e-14, rtol=1e-15)
        np.testing.assert_allclose(answer, cdf((row - tau) / temperature), atol=2e-12)


def bisection(operator: ThresholdTopK, scaled: np.ndarray, k: float) -> np.ndarray:
    """``tau`` by halving alone: the second algorithm."""
    low, high = scaled.min(axis=1, keepdims=True) - 50.0, scaled.max(axis=1, keepdims=True) + 50.0
    for _ in range(120):
        tau = 0.5 * (low + high)
        too_many = operator.cdf(scaled - tau).sum(axis=1, keepdims=True) > k
        low, high = np.where(too_many, tau, low), np.where(too_many, high, tau)
    return 0.5 * (low + high)


@every_member
@pytest.mark.parametrize("n", [1, 2, 3, 64, 257])
@pytest.mark.parametrize("share", [0.003, 0.3, 0.5, 0.997])
def test_two_algorithms_give_one_answer(name: str, n: int, share: float) -> None:
    operator, _ = CDF[name]
    z = 5 * np.random.default_rng(n).normal(size=(4, n))
    p, _ = operator.forward(z, share * n, 0.4)
    scaled = scale(z, share * n, 0.4)
    slow = operator.cdf(scaled - bisection(operator, scaled, share * n))
    np.testing.assert_allclose(p, slow, atol=1e-12)


def test_decayed_sums_by_hand() -> None:
    # s = (ln 8, ln 4, 0): 1; 1 + 4/8; 1 + 1/4 + 1/8
    found = decayed_sums(np.log([[8.0, 4.0, 1.0]]))
    np.testing.assert_allclose(found, [[1, 1.5, 1.375]], rtol=1e-15)


def test_lapsum_by_hand() -> None:
    # k = 1 of (a, -a): tau = 0 by symmetry; a = ln 4: p = (1 - 1/8, 1/8), slopes 1/8 each
    p, memory = LAPSUM.forward(np.array([[math.log(4), -math.log(4)]]), 1)
    np.testing.assert_allclose(p, [[0.875, 0.125]], rtol=1e-14)
    grads = LAPSUM.backward(np.array([[1.0, 0.0]]), memory)  # d (g - 1/2)
    np.testing.assert_allclose(grads["scores"], [[1 / 16, -1 / 16]], rtol=1e-13)
    assert grads["temperature"] == pytest.approx(-2 * math.log(4) / 16, rel=1e-13)


@pytest.mark.parametrize("gap", [10.0, 1e3, 1e5])
def test_lapsum_survives_gaps_whose_exponential_underflows(gap: float) -> None:
    z = np.array([[gap, gap, 0.0, -gap]])
    np.testing.assert_allclose(LAPSUM.forward(z, 2)[0], [[1, 1, 0, 0]], atol=0.01)
    np.testing.assert_allclose(LAPSUM.forward(z, 2.25)[0].sum(), 2.25, rtol=1e-14)
    np.testing.assert_allclose(LAPSUM.forward(z, 1e-6)[0], [[5e-7, 5e-7, 0, 0]], atol=1e-10)


def test_capped_simplex_by_hand() -> None:
    # z = (3, 1.5, 1, -1), k = 2: tau = 3/4 gives (1, .75, .25, 0); the active pair shares its pull
    p, memory = CAPPED.forward(np.array([[3.0, 1.5, 1.0, -1.0]]), 2)
    np.testing.assert_allclose(p, [[1, 0.75, 0.25, 0]], atol=1e-15)
    grads = CAPPED.backward(np.array([[5.0, 1.0, 3.0, 7.0]]), memory)
    np.testing.assert_allclose(grads["scores"], [[0, -1, 1, 0]], atol=1e-15)
    assert grads["k"] == pytest.approx(2)


def test_a_wide_gap_is_decided_without_gradient_whatever_the_rounding() -> None:
    z = np.array([[0.1 + 0.2, 0.3, 0.7, -1.1, -1.3]]) + 1 / 3  # the sums are not exact
    p, memory = CAPPED.forward(z, 3, 0.25)
    assert p.tolist() == [[1, 1, 1, 0, 0]]
    assert not any(np.any(g) for g in CAPPED.backward(np.ones((1, 5)), memory).values())


@given(z=rows, temperature=temperatures)
def test_exponent_two_is_the_capped_simplex(z: np.ndarray, temperature: float) -> None:
    k = 0.4 * z.shape[1]
    np.testing.assert_allclose(PNormTopK(2).forward(z, k, temperature)[0],
                               CAPPED.forward(z, k, temperature)[0], atol=1e-13)


@given(z=rows, data=st.data())
def test_the_capped_simplex_is_the_projection_on_the_permutahedron(
    z: np.ndarray, data: st.DataObject
) -> None:
    # SciPy's pool-adjacent-violators: the projection of s is s - isotonic(sorted s - w)
    n = z.shape[1]
    k = data.draw(st.integers(1, n - 1))
    w = (np.arange(n) < k).astype(float)
    for row, answer in zip(z, CAPPED.forward(z, k)[0], strict=True):
        order = np.argsort(-row)
        projected = np.empty(n)
        projected[order] = row[order] - isotonic_regression(row[order] - w, increasing=False).x
        np.testing.assert_allclose(answer, projected, atol=1e-12)


@given(z=rows)
def test_one_of_n_by_capped_simplex_is_sparsemax(z: np.ndarray) -> None:
    for row, answer in zip(z, CAPPED.forward(z, 1)[0], strict=True):
        ordered = np.sort(row)[::-1]
        sums = np.cumsum(ordered)
        support = np.flatnonzero(1 + np.arange(1, len(row) + 1) * ordered > sums)[-1]
        tau = (sums[support] - 1) / (support + 1)
        np.testing.assert_allclose(answer, np.maximum(row - tau, 0), atol=1e-12)


@pytest.mark.parametrize(("name", "power"), [("pnorm", 4 / 3), ("pnorm 1.5", 1.5)])
def test_the_p_norm_member_maximises_what_its_paper_says(name: str, power: float) -> None:
    z, k, lam = np.array([0.9, 0.2, -0.1, 0.55, -0.6]), 2.2, 0.8
    found = minimize(lambda y: -(z @ y) + lam / power * (y ** power).sum(), np.full(5, k / 5),
                     jac=lambda y: -z + lam * y ** (power - 1), bounds=[(0, 1)] * 5,
                     constraints={"type": "eq", "fun": lambda y: y.sum() - k},
                     options={"ftol": 1e-14, "maxiter": 500})
    assert found.success
    np.testing.assert_allclose(CDF[name][0].forward(z[None, :], k, lam)[0][0], found.x, atol=2e-5)


def sinkhorn(z: np.ndarray, k: int, epsilon: float, steps: int) -> np.ndarray:
    """Entropic transport of n unit masses to the anchors 0 and 1, which take n - k and k."""
    kernel = np.exp(-(z[:, None] - np.array([0.0, 1.0])) ** 2 / epsilon)  # (n, 2)
    target, right = np.array([len(z) - k, k], float), np.ones(2)
    for _ in range(steps):
        left = 1 / (kernel @ right)
        right = target / (kernel.T @ left)
    plan = left[:, None] * kernel * right
    return plan[:, 1] / plan.sum(axis=1)


@pytest.mark.parametrize(("k", "epsilon"), [(2, 0.5), (3, 0.2), (1, 2.0)])
def test_entropic_transport_is_sigmoid_topk_at_half_its_epsilon(k: int, epsilon: float) -> None:
    # cost (z - y)^2: only C_0 - C_1 = 2 z - 1 matters, hence T = epsilon / 2
    z = np.array([0.9, 0.1, -0.3, 0.6, 0.4])
    p, _ = SigmoidTopK().forward(z[None, :], k, epsilon / 2)
    np.testing.assert_allclose(p[0], sinkhorn(z, k, epsilon, 4000), atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_normal_distribution_keeps_its_tail(dtype: type) -> None:
    u = np.linspace(-12, 12, 49, dtype=dtype)
    np.testing.assert_allclose(NormalTopK().cdf(u), special.ndtr(u.astype(np.float64)),
                               rtol=1e-4 if dtype is np.float32 else 1e-13)
    far = NormalTopK().slope(np.array([-1e30, 0, 1e30], dtype))
    np.testing.assert_allclose(far, [0, 1 / math.sqrt(2 * math.pi), 0], rtol=1e-6)


@oracle
@pytest.mark.parametrize("k", [1, 4, 11])
def test_simplexers_is_the_judge(k: int) -> None:
    capped = pytest.importorskip(
        "simplexers.capped", reason="needs simplexers: pip install minimidl[oracle]")
    z = np.random.default_rng(k).normal(size=(6, 12))
    judged = capped.capped_simplexer(z, k, axis=1)
    np.testing.assert_allclose(CAPPED.forward(z, k)[0], judged, atol=1e-12)


@oracle
@pytest.mark.parametrize("k", [1, 4, 11])
def test_entmax_is_the_judge(k: int) -> None:
    entmax = pytest.importorskip("entmax", reason="needs entmax: pip install minimidl[oracle]")
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    rng = np.random.default_rng(k)
    z, g = rng.normal(size=(6, 12)), rng.normal(size=(6, 12))
    leaf = torch.tensor(z, requires_grad=True)
    judged = entmax.budget_bisect(leaf, budget=k, n_iter=60)
    judged.backward(torch.tensor(g))
    p, memory = CAPPED.forward(z, k)
    np.testing.assert_allclose(p, judged.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(CAPPED.backward(g, memory)["scores"], leaf.grad.numpy(), atol=1e-10)


def torch_cdf(torch: object, name: str) -> object:
    return {
        "sigmoid": torch.sigmoid,
        "lapsum": lambda u: torch.distributions.Laplace(0.0, 1.0).cdf(u),
        "capped-simplex": lambda u: u.clamp(0, 1), "pnorm": lambda u: u.clamp(0, 1) ** 3,
        "pnorm 1.5": lambda u: u.clamp(0, 1) ** 2, "normal": torch.special.ndtr,
    }[name]


@oracle
@every_member
@pytest.mark.parametrize(("k", "temperature"), [(1.4, 0.7), (4.3, 2.0), (9.5, 5.0)])
def test_autograd_through_one_newton_step_is_the_judge(
    name: str, k: float, temperature: float
) -> None:
    # tau by bisection, cut from the graph; one Newton step on it carries the exact derivative
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    operator, cdf = CDF[name][0], torch_cdf(torch, name)
    rng = np.random.default_rng(7)
    start, g = rng.normal(size=(3, 11)), rng.normal(size=(3, 11))
    z = torch.tensor(start, requires_grad=True)
    budget, width = (torch.tensor(v, dtype=torch.float64, requires_grad=True)
                     for v in (k, temperature))
    tau = torch.tensor(bisection(operator, start / temperature, k) * temperature,
                       requires_grad=True)
    excess = cdf((z - tau) / width).sum(1, keepdim=True) - budget
    slope, = torch.autograd.grad(excess.sum(), tau, retain_graph=True)
    p = cdf((z - (tau.detach() - (cdf((z - tau.detach()) / width).sum(1, keepdim=True) - budget)
                  / slope.detach())) / width)
    p.backward(torch.tensor(g))
    mine, memory = operator.forward(start, k, temperature)
    grads = operator.backward(g, memory)
    np.testing.assert_allclose(mine, p.detach().numpy(), atol=1e-12)
    for got, leaf in ((grads["scores"], z), (grads["k"], budget), (grads["temperature"], width)):
        np.testing.assert_allclose(got, leaf.grad.numpy(), rtol=1e-9, atol=1e-11)
