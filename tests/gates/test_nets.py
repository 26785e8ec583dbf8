"""Gate networks: scores by hand, their backward, how wide they start, what they cost."""

from __future__ import annotations

import numpy as np
import pytest

from minimidl.errors import InputError
from minimidl.gates import AffineNet, LowRankNet, MlpNet, StaticNet, gate_net


def test_affine_by_hand() -> None:
    net = AffineNet(2, 1, dtype=np.float64)
    net.params["weight"][...] = [[2], [-1]]
    net.params["bias"][...] = 0.5
    z, memory = net.forward(np.array([[1.0, 3.0]]))
    assert z.tolist() == [[-0.5]]  # 1*2 - 3*1 + 0.5
    grad_x, grads = net.backward(np.array([[2.0]]), memory)
    assert grad_x.tolist() == [[4, -2]]
    assert grads["weight"].tolist() == [[2], [6]]
    assert grads["bias"].tolist() == [2]


def test_low_rank_by_hand() -> None:
    net = LowRankNet(2, 2, rank=1, dtype=np.float64)
    net.params["down"][...] = [[1], [2]]
    net.params["up"][...] = [[3, -1]]
    net.params["bias"][...] = [0.5, 0]
    z, memory = net.forward(np.array([[1.0, 1.0]]))  # middle = 3
    assert z.tolist() == [[9.5, -3]]
    grad_x, grads = net.backward(np.array([[1.0, 2.0]]), memory)  # grad_middle = 3 - 2 = 1
    assert grad_x.tolist() == [[1, 2]]
    assert grads["down"].tolist() == [[1], [1]]
    assert grads["up"].tolist() == [[3, 6]]
    assert grads["bias"].tolist() == [1, 2]


def test_static_scores_are_the_same_for_every_input() -> None:
    net = StaticNet(3, 2, dtype=np.float64)
    net.params["bias"][...] = [0.5, -2]
    z, memory = net.forward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert z.tolist() == [[0.5, -2], [0.5, -2]]
    grad_x, grads = net.backward(np.array([[1.0, 2.0], [3.0, -1.0]]), memory)
    assert grad_x.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert grads["bias"].tolist() == [4, 1]


def test_static_scores_start_apart_and_centred() -> None:
    net = StaticNet(3, 4000, spread=0.5, start=1.5, dtype=np.float64)
    assert net.params["bias"].std() == pytest.approx(0.5, rel=0.1)
    assert net.params["bias"].mean() == pytest.approx(1.5, abs=0.05)


def test_mlp_by_hand() -> None:
    net = MlpNet(1, 2, rank=1, dtype=np.float64)
    net.params["down"][...], net.params["hidden"][...] = 2, np.arctanh(0.5) - 2
    net.params["up"][...], net.params["bias"][...] = [[3, -1]], [0.5, 0]
    z, memory = net.forward(np.array([[1.0]]))  # middle = tanh(2 - 2 + artanh 0.5) = 0.5
    assert z == pytest.approx(np.array([[2.0, -0.5]]))
    grad_x, grads = net.backward(np.array([[1.0, 2.0]]), memory)  # grad_u = (3 - 2)(1 - 0.25)
    assert grad_x == pytest.approx(np.array([[1.5]]))
    assert grads["down"] == pytest.approx(np.array([[0.75]]))
    assert grads["hidden"] == pytest.approx(np.array([0.75]))
    assert grads["up"] == pytest.approx(np.array([[0.5, 1.0]]))
    assert grads["bias"].tolist() == [1, 2]


def test_an_mlp_with_small_inputs_is_its_low_rank_twin() -> None:
    mlp, twin = (kind(4, 3, rank=2, seed=1, dtype=np.float64) for kind in (MlpNet, LowRankNet))
    x = 1e-4 * np.random.default_rng(0).normal(size=(5, 4))
    assert mlp.forward(x)[0] == pytest.approx(twin.forward(x)[0], abs=1e-11)
    assert np.abs(mlp.forward(1e4 * x)[0] - twin.forward(1e4 * x)[0]).max() > 0.1


@pytest.mark.parametrize("kind", ["linear", "low-rank"])
@pytest.mark.parametrize("spread", [0.5, 2.0])
def test_scores_start_with_the_spread_and_the_centre_asked_for(kind: str, spread: float) -> None:
    rng = np.random.default_rng(1)
    net = gate_net(kind, 64, 400, rank=32, spread=spread, start=0.3, seed=rng, dtype=np.float64)
    z, _ = net.forward(rng.normal(size=(400, 64)))
    assert z.std() == pytest.approx(spread, rel=0.1)
    assert z.mean() == pytest.approx(0.3, abs=0.1 * spread)


@pytest.mark.parametrize("kind", ["static", "linear", "low-rank", "mlp"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_foreign_input_refused(kind: str, dtype: type) -> None:
    net = gate_net(kind, 3, 4, rank=2, spread=1, start=0, seed=0, dtype=dtype)
    z, memory = net.forward(np.ones((2, 3), dtype))
    grad_x, grads = net.backward(np.ones_like(z), memory)
    assert {z.dtype, grad_x.dtype, *(g.dtype for g in grads.values())} == {np.dtype(dtype)}
    assert {name: g.shape for name, g in grads.items()} == {
        name: p.shape for name, p in net.params.items()}
    other = np.float64 if dtype is np.float32 else np.float32
    with pytest.raises(InputError, match=rf"x: got dtype {np.dtype(other)}"):
        net.forward(np.ones((2, 3), other))
    with pytest.raises(InputError, match=r"shape \(2, 5\), expected \(batch, 3\)"):
        net.forward(np.ones((2, 5), dtype))


def test_macs_are_the_multiplications_of_the_products() -> None:
    assert AffineNet(10, 7).macs() == 70
    assert LowRankNet(10, 7, rank=2).macs() == MlpNet(10, 7, rank=2).macs() == 2 * 10 + 2 * 7
    assert StaticNet(10, 7).macs() == 0


def test_the_same_seed_gives_the_same_net() -> None:
    one, two = (gate_net("low-rank", 3, 4, rank=2, spread=1, start=0, seed=5, dtype=np.float32)
                for _ in range(2))
    assert all((one.params[name] == two.params[name]).all() for name in one.params)


def test_bad_names_and_ranks_are_refused() -> None:
    with pytest.raises(InputError, match=r"gate: got 'conv', expected one of static, linear, low"):
        gate_net("conv", 3, 4, rank=2, spread=1, start=0, seed=0, dtype=np.float32)
    with pytest.raises(InputError, match=r"spread: got -1, expected a number of at least 0"):
        gate_net("linear", 3, 4, rank=2, spread=-1, start=0, seed=0, dtype=np.float32)
    with pytest.raises(InputError, match=r"rank: got 0, expected a width of at least 1"):
        LowRankNet(3, 4, rank=0)
    with pytest.raises(InputError, match=r"rank: got -1, expected a width of at least 1"):
        MlpNet(3, 4, rank=-1)
