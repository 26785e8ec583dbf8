import numpy as np
import pytest

from minimidl import InputError
from minimidl.layers import Layer, Linear, MaskedLinear, ReLU, Sequential
from minimidl.learning import SET, Adam, Parts, RigL, Static, Wiring, fit, load_checkpoint


def data() -> Parts:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 6)).astype(np.float32), rng.integers(0, 3, 40)
    return Parts(x[:30], y[:30], x[30:], y[30:])


def sparse(density: float = 0.3) -> Sequential:
    return Sequential(MaskedLinear(6, 12, density=density), ReLU(), MaskedLinear(12, 3))


def train(model, wiring=None, **options):
    arguments = {"epochs": 3, "batch_size": 5, "progress": False, "restore_best": False} | options
    return fit(model, data(), optimizer=Adam(model.params, 0.01), wiring=wiring, **arguments)


def test_no_wiring_adds_nothing_to_the_rows():
    assert {"density", "rewired"}.isdisjoint(train(sparse()).rows[0])
    assert (Wiring().title, Wiring().report(), Wiring().named_state()) == (None, {}, {})


def test_static_keeps_its_masks_and_tells_the_density():
    model = sparse()
    before = model.state["0.mask"].copy()
    rows = train(model, Static()).rows
    assert [(row["density"], row["rewired"]) for row in rows] == [((22 + 36) / 108, 0)] * 3
    assert np.array_equal(model.state["0.mask"], before)
    plain = sparse()
    train(plain)
    assert model.params["0.weight"].tobytes() == plain.params["0.weight"].tobytes()


def test_dead_weights_and_their_momentum_are_cleared_at_the_start():
    model = sparse()
    optimizer, dead = Adam(model.params), ~model.state["0.mask"]
    model.params["0.weight"][...] = 1.0
    optimizer.slots["first/0.weight"][...] = 1.0
    Static().begin(model, optimizer, 10)
    assert not model.params["0.weight"][dead].any()
    assert not optimizer.slots["first/0.weight"][dead].any()
    assert model.params["0.weight"][~dead].all()


def test_a_wiring_can_be_used_again():
    wiring = SET(every=4)
    first, second = sparse(), sparse()
    rows = [train(model, wiring).rows[-1]["rewired"] for model in (first, second)]
    assert rows[0] == rows[1] > 0, "it begins anew"
    assert first.params["0.weight"].tobytes() == second.params["0.weight"].tobytes()


def test_a_checkpoint_belongs_to_its_wiring(tmp_path):
    path = tmp_path / "c.npz"
    train(sparse(), RigL(every=3), epochs=2, checkpoint=path)
    saved = load_checkpoint(path)
    assert saved.settings["wiring"].startswith("RigL(fraction=0.3, every=3, begin=0.0, until=0.75")
    assert saved.controllers["wiring.times"] == 3, "3, 6 and 9 of 12 steps"
    for other in (None, Static(), RigL(every=4), SET(every=3)):
        with pytest.raises(InputError, match="wiring: got"):
            train(sparse(), other, checkpoint=path, resume=True)


def test_checkpoints_without_a_wiring_resume_as_before(tmp_path):
    path = tmp_path / "c.npz"
    train(sparse(), epochs=1, checkpoint=path)
    assert len(train(sparse(), checkpoint=path, resume=True)) == 3


def test_a_model_inside_an_executor_is_rewired_the_same():
    class Runner(Layer):
        """What an executor is to the loop."""

        def __init__(self, model):
            super().__init__()
            self.model, self.params, self.state = model, model.params, model.state

        def forward(self, x, training=False, rng=None):
            return self.model.forward(x, training, rng)

        def backward(self, grad_output, memory, grad_gate=None):
            return self.model.backward(grad_output, memory, grad_gate)

    bare, inside = sparse(), sparse()
    train(bare, RigL(every=3))
    row = train(Runner(inside), RigL(every=3)).rows[-1]
    assert row["rewired"] > 0
    assert bare.params["0.weight"].tobytes() == inside.params["0.weight"].tobytes()


def test_a_wiring_of_a_model_without_masks_is_refused():
    with pytest.raises(InputError, match="without masked layers"):
        train(Sequential(Linear(6, 3)), Static())
