"""Our optimisers against torch.optim: another implementation of the same papers."""

import numpy as np
import pytest

from minimidl.learning import SGD, Adam, AdamW

pytestmark = pytest.mark.oracle
STEPS = 25

CASES = {
    "sgd": (lambda p: SGD(p, 0.05), lambda t, p: t.optim.SGD(p, 0.05)),
    "momentum": (lambda p: SGD(p, 0.05, momentum=0.9),
                 lambda t, p: t.optim.SGD(p, 0.05, momentum=0.9)),
    "nesterov": (lambda p: SGD(p, 0.05, momentum=0.9, nesterov=True),
                 lambda t, p: t.optim.SGD(p, 0.05, momentum=0.9, nesterov=True)),
    "adam": (lambda p: Adam(p, 0.01), lambda t, p: t.optim.Adam(p, 0.01)),
    "adam-eps": (lambda p: Adam(p, 0.01, betas=(0.8, 0.95), eps=0.1),
                 lambda t, p: t.optim.Adam(p, 0.01, betas=(0.8, 0.95), eps=0.1)),
    "adamw": (lambda p: AdamW(p, 0.01, weight_decay=0.3),
              lambda t, p: t.optim.AdamW(p, 0.01, weight_decay=0.3)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_equals_torch(name, order):
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    ours, theirs = CASES[name]
    rng = np.random.default_rng(3)
    start = rng.normal(size=(5, 4))
    params = {"weight": np.array(start, order=order)}
    peer = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer, peer_optimizer = ours(params), theirs(torch, [peer])
    for _ in range(STEPS):
        grad = rng.normal(size=start.shape)
        optimizer.step({"weight": grad})
        peer.grad = torch.tensor(grad)
        peer_optimizer.step()
    assert np.abs(params["weight"] - peer.detach().numpy()).max() < 1e-12
    assert np.abs(params["weight"] - start).max() > 0.01, "it moved"


def test_clipping_equals_torch():
    torch = pytest.importorskip("torch", reason="needs torch: pip install minimidl[oracle]")
    from minimidl.learning import clip_global_norm

    rng = np.random.default_rng(4)
    grads = {"a": rng.normal(size=(3, 4)), "b": rng.normal(size=5)}
    peers = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in grads.values()]
    for peer, grad in zip(peers, grads.values(), strict=True):
        peer.grad = torch.tensor(grad)
    norm = clip_global_norm(grads, 0.5)
    peer_norm = torch.nn.utils.clip_grad_norm_(peers, 0.5)
    assert norm == pytest.approx(float(peer_norm), rel=1e-12)
    for peer, grad in zip(peers, grads.values(), strict=True):
        assert np.abs(grad - peer.grad.numpy()).max() < 1e-6  # torch adds 1e-6 to the norm
