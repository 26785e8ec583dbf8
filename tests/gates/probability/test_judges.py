"""Other people's code as the judge: entmax (with autograd) and simplexers."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.gates import simplex
from minimidl.gates.probability import AlphaEntmax

pytestmark = pytest.mark.oracle
MISSING = "needs {}: pip install minimidl[oracle]"
Z = np.random.default_rng(0).normal(size=(6, 15)) * 2
G = np.random.default_rng(1).normal(size=Z.shape)


@pytest.mark.parametrize("name", ["softmax", "sparsemax", "entmax15"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_values_and_gradients_equal_those_of_entmax(name: str, temperature: float) -> None:
    torch = pytest.importorskip("torch", reason=MISSING.format("torch"))
    entmax = pytest.importorskip("entmax", reason=MISSING.format("entmax"))
    z, t = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (Z, temperature))
    judge = {"softmax": torch.softmax}.get(name) or getattr(entmax, name)
    expected = judge(z / t, 1)
    (expected * torch.tensor(G)).sum().backward()
    p, memory = simplex(name).forward(Z, temperature)
    grads = simplex(name).backward(G, memory)
    np.testing.assert_allclose(p, expected.detach().numpy(), atol=1e-14)
    np.testing.assert_allclose(grads["scores"], z.grad.numpy(), atol=1e-13)
    np.testing.assert_allclose(grads["temperature"], t.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("alpha", [1.01, 1.25, 1.5, 1.75, 2.0])
def test_alpha_entmax_value_and_both_gradients(alpha: float) -> None:
    torch = pytest.importorskip("torch", reason=MISSING.format("torch"))
    entmax = pytest.importorskip("entmax", reason=MISSING.format("entmax"))
    z, a = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (Z, alpha))
    expected = entmax.entmax_bisect(z, alpha=a, dim=1, n_iter=70)
    (expected * torch.tensor(G)).sum().backward()
    op = AlphaEntmax(alpha)
    p, memory = op.forward(Z)
    grads = op.backward(G, memory)
    np.testing.assert_allclose(p, expected.detach().numpy(), atol=1e-13)
    np.testing.assert_allclose(grads["scores"], z.grad.numpy(), atol=1e-12)
    np.testing.assert_allclose(grads["alpha"], a.grad.numpy(), atol=1e-10)


def test_sparsemax_equals_the_capped_simplex_of_simplexers() -> None:
    capped = pytest.importorskip("simplexers.capped", reason=MISSING.format("simplexers"))
    np.testing.assert_allclose(
        simplex("sparsemax").forward(Z)[0], capped.capped_simplexer(Z, 1, axis=1), atol=1e-13)
