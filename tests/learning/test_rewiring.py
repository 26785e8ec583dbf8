from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minimidl import InputError
from minimidl.data import digits
from minimidl.layers import (
    Linear,
    MaskedDynamicGate,
    MaskedLinear,
    MaskedMIDL,
    ReLU,
    Sequential,
)
from minimidl.learning import (
    SET,
    SGD,
    SNFS,
    Adam,
    AdamW,
    Budget,
    Parts,
    RigL,
    Static,
    fit,
    give_densities,
    load_checkpoint,
)

# One rewiring, worked by hand.

WEIGHT = [[5.0, 0.1], [-3.0, 0.0], [0.2, 0.0]]
MASK = [[True, True], [True, False], [True, False]]


MOMENTUM = partial(SGD, momentum=0.9)


def worked(wiring, grad_output, optimizer=MOMENTUM, total=100):
    """A 3x2 layer with 4 of 6 connections, half of which are to drop; x = (1, 2, 3).

    Every slot is 7 where a connection is live. The dense gradient is the outer product of x and
    ``grad_output``.
    """
    layer = MaskedLinear(3, 2, dtype=np.float64)
    layer.params["weight"][...] = WEIGHT
    layer.mask[...] = MASK
    steps = optimizer(layer.params)
    wiring.begin(layer, steps, total)
    for slot in steps.slot_names:
        steps.slots[f"{slot}/weight"][layer.mask] = 7.0
    memory = layer.forward(np.array([[1.0, 2.0, 3.0]]), True)[1]
    layer.backward_params(np.array([grad_output]), memory)
    return layer, steps, memory


def half(kind, **options):
    return kind(0.5, every=10, anneal="constant", until=1.0, **options)


def test_rigl_by_hand():
    """Kept: 5 and -3. |dense gradient| = (1 2; 2 4; 3 6): of the rest, 6 and 4 grow."""
    wiring = half(RigL)
    layer, steps, memory = worked(wiring, [1.0, -2.0])
    assert not wiring.before_step(9, memory, np.random.default_rng(0))
    assert layer.mask.tolist() == MASK
    assert wiring.before_step(10, memory, np.random.default_rng(0)), "in place of the optimiser"
    assert layer.mask.tolist() == [[True, False], [True, True], [False, True]]
    assert layer.params["weight"].tolist() == [[5.0, 0.0], [-3.0, 0.0], [0.0, 0.0]]
    assert steps.slots["momentum/weight"].tolist() == [[7.0, 0.0], [7.0, 0.0], [0.0, 0.0]]
    assert wiring.report() == {"density": 4 / 6, "rewired": 4}, "two gone, two born"
    wiring.after_step(9, np.random.default_rng(0))  # 10 steps are done: not a second time
    assert wiring.state["times"] == 1


def test_what_was_just_dropped_may_grow_again_with_value_and_momentum():
    """|dense gradient| = (3 1; 6 2; 9 3): 9 of the dropped 0.2, and 3 of a dead one."""
    wiring = half(RigL)
    layer, steps, memory = worked(wiring, [3.0, -1.0])
    wiring.before_step(10, memory, np.random.default_rng(0))
    assert layer.mask.tolist() == [[True, False], [True, False], [True, True]]
    assert layer.params["weight"].tolist() == [[5.0, 0.0], [-3.0, 0.0], [0.2, 0.0]]
    assert steps.slots["momentum/weight"].tolist() == [[7.0, 0.0], [7.0, 0.0], [7.0, 0.0]]
    assert wiring.state["rewired"] == 2


def test_slots_of_new_connections_may_start_at_the_gradient():
    wiring = half(RigL, slot_scale=0.5, grow_init="gradient", grow_scale=-0.1)
    layer, steps, memory = worked(wiring, [1.0, -2.0], optimizer=Adam)
    wiring.before_step(10, memory, np.random.default_rng(0))
    # new at (1, 1) and (2, 1), where the gradient is -4 and -6
    assert layer.params["weight"] == pytest.approx(np.array([[5.0, 0], [-3.0, 0.4], [0, 0.6]]))
    assert steps.slots["first/weight"].tolist() == [[7.0, 0.0], [7.0, -2.0], [0.0, -3.0]]
    assert steps.slots["second/weight"].tolist() == [[7.0, 0.0], [7.0, 8.0], [0.0, 18.0]]


def test_set_grows_at_random_after_the_step():
    """Half drops (0.1 and 0.2); two of the four places that are left grow, all equally often."""
    grown = np.zeros((3, 2))
    for seed in range(300):
        wiring = half(SET)
        layer, _, memory = worked(wiring, [1.0, -2.0])
        rng = np.random.default_rng(seed)
        assert not wiring.before_step(10, memory, rng)
        wiring.after_step(8, rng)
        assert layer.mask.tolist() == MASK
        wiring.after_step(9, rng)  # ten steps are done
        grown += layer.mask
    assert grown[0, 0] == grown[1, 0] == 300
    assert grown[[0, 1, 2, 2], [1, 1, 0, 1]] == pytest.approx([150] * 4, abs=40)


def test_snfs_grows_by_the_average_of_past_gradients():
    """The last gradient alone would choose 6 and 4; the average still remembers the ones before."""
    wiring = half(SNFS, momentum=0.5)
    layer, _, memory = worked(wiring, [9.0, 0.0])  # (9 0; 18 0; 27 0)
    rng = np.random.default_rng(0)
    for step in range(9):
        assert not wiring.before_step(step, memory, rng)
    average = 9 * (1 - 0.5**9)
    assert wiring.state["average/"][:, 0] == pytest.approx([average, 2 * average, 3 * average])
    memory = layer.forward(np.array([[1.0, 2.0, 3.0]]), True)[1]
    layer.backward_params(np.array([[1.0, -2.0]]), memory)
    wiring.before_step(9, memory, rng)
    wiring.after_step(9, rng)
    # averages in column 1: -1, -2, -3; (2, 0): (27 + 3) / 2 = 15
    assert layer.mask.tolist() == [[True, False], [True, False], [True, True]]


@pytest.mark.parametrize(("anneal", "expected"), [
    ("cosine", [3, 2, 0, 0]),  # 0.4 (1 + cos)/2: 0.341, 0.2, 0.0586, 0 of 10 live ones
    ("constant", [4, 4, 4, 4]), ("power", [1, 0, 0, 0]),  # 0.4 (3/4)^3 = 0.169, 0.05, ...
])
def test_the_dropped_share_by_hand(anneal, expected):
    model = MaskedLinear(5, 4, density=0.5)
    wiring = RigL(0.4, every=20, until=0.8, anneal=anneal)
    wiring.begin(model, Adam(model.params), 100)
    assert wiring.table.times() == [20, 40, 60, 80]
    assert [wiring.n_drop(wiring.layers[0], done) for done in (20, 40, 60, 80)] == expected


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), density=st.floats(0.05, 0.9),
       fraction=st.floats(0.1, 0.9), kind=st.sampled_from([SET, RigL, SNFS]),
       make=st.sampled_from([MaskedLinear, MaskedDynamicGate, MaskedMIDL]))
def test_what_every_rewiring_leaves_as_it_was(seed, density, fraction, kind, make):
    rng = np.random.default_rng(seed)
    layer = make(9, 8, density=density, seed=rng)
    optimizer = Adam(layer.params)
    wiring = kind(fraction, every=1, until=1.0, anneal="constant")
    if int(int(layer.mask.sum()) * fraction) == 0:
        return
    wiring.begin(layer, optimizer, 10)
    optimizer.slots["first/weight"][layer.mask] = rng.normal(size=int(layer.mask.sum()))
    optimizer.slots["second/weight"][layer.mask] = 1.0
    arrays = {"weight": layer.params["weight"]} | {
        name: optimizer.slots[f"{name}/weight"] for name in ("first", "second")}
    before, mask = {name: array.copy() for name, array in arrays.items()}, layer.mask.copy()
    output, memory = layer.forward(rng.normal(size=(4, 9)).astype(np.float32), True, rng)
    layer.backward_params(np.ones_like(output), memory)
    if not wiring.before_step(3, memory, rng):
        wiring.after_step(3, rng)
    assert layer.mask.sum() == mask.sum()
    assert (layer.mask & mask).sum() >= mask.sum() - int(mask.sum() * fraction)
    for name, array in arrays.items():
        assert np.array_equal(array[mask & layer.mask], before[name][mask & layer.mask])
        assert not array[~layer.mask].any(), "a dead weight with a value, or with momentum"
        assert not array[layer.mask & ~mask].any(), "new connections begin at 0"
    assert wiring.state["rewired"] == (mask ^ layer.mask).sum()


def test_equal_weights_are_dropped_by_chance():
    kept = np.zeros((4, 4))
    for seed in range(200):
        layer = MaskedLinear(4, 4)
        layer.mask[:2] = False
        layer.params["weight"][...] = 1.0
        wiring = half(SET)
        wiring.begin(layer, Adam(layer.params), 100)
        wiring.after_step(9, np.random.default_rng(seed))
        kept += layer.params["weight"]
    # half is kept, and half of the dropped four grow again with their value: 3/4 - 1/12
    assert kept[2:].mean() == pytest.approx(200 * (4 + 4 * 4 / 12) / 8, rel=0.05)
    assert kept[2:].min() > 100, "no place is favoured"


# In a training.


def blobs(n: int = 160) -> Parts:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, n)
    x = (2 * rng.normal(size=(3, 6))[y] + rng.normal(size=(n, 6))).astype(np.float32)
    return Parts(x[:120], y[:120], x[120:], y[120:])


def linear(seed: int = 0) -> Sequential:
    return Sequential(MaskedLinear(6, 24, density=0.3, seed=seed), ReLU(),
                      MaskedLinear(24, 3, density=0.5, seed=seed))


def dynamic(seed: int = 0) -> Sequential:
    return Sequential(MaskedDynamicGate(6, 24, density=0.3, seed=seed), Linear(24, 3, seed=seed))


def midl(seed: int = 0) -> Sequential:
    return Sequential(MaskedMIDL(6, 24, density=0.3, seed=seed), Linear(24, 3, seed=seed))


def train(model, wiring, *, make=Adam, **options):
    """120 rows in batches of 12: 10 steps per epoch."""
    arguments = {"epochs": 4, "batch_size": 12, "progress": False, "restore_best": False} | options
    return fit(model, blobs(), optimizer=make(model.params, 0.01), wiring=wiring, **arguments)


def live(model) -> list[int]:
    return [int(array.sum()) for name, array in model.state.items() if name.endswith("mask")]


@pytest.mark.parametrize("make", [
    Adam, AdamW, partial(SGD, momentum=0.9), partial(SGD, momentum=0.9, nesterov=True),
    partial(AdamW, sparse=True),
])
@pytest.mark.parametrize("kind", [SET, RigL, SNFS])
@pytest.mark.parametrize("model_of", [linear, dynamic, midl])
def test_a_training_is_rewired_and_keeps_its_counts(kind, make, model_of):
    model = model_of()
    before, mask = live(model), model.state["0.mask"].copy()
    budgets = [Budget("mean", 0.1)] if model_of is dynamic else []
    history = train(model, kind(every=4), make=make, budgets=budgets)
    assert live(model) == before
    assert not np.array_equal(model.state["0.mask"], mask)
    assert history.rows[-1]["rewired"] > 0, "the rewiring of the audit (E1.5) never happened"
    assert len(set(history.column("density"))) == 1
    assert not model.params["0.weight"][~model.state["0.mask"]].any()


def test_rigl_takes_the_place_of_the_optimiser_and_the_others_do_not():
    for kind, expected in ((RigL, 40 - 3), (SET, 40), (SNFS, 40), (Static, 40)):
        model = linear()
        optimizer = Adam(model.params, 0.01)
        wiring = kind() if kind is Static else kind(every=10)
        fit(model, blobs(), optimizer=optimizer, epochs=4, batch_size=12, progress=False,
            wiring=wiring)
        assert optimizer.slots["step"] == expected, "10, 20 and 30 of 40 steps"


class Interrupt:
    def __init__(self, after: int) -> None:
        self.after = after

    def __call__(self, row, model) -> None:
        if row["epoch"] == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("model_of", [linear, dynamic])
@pytest.mark.parametrize("make_wiring", [
    partial(SET, every=3), partial(RigL, every=3), partial(SNFS, every=3),
    partial(SET, every=3, grow_init="initial"), partial(RigL, every=3, slot_scale=1.0,
                                                        grow_init="normal"), Static,
])
def test_resume_in_the_middle_of_the_schedule_is_bit_exact(tmp_path, make_wiring, model_of):
    unbroken, resumed, path = model_of(), model_of(7), tmp_path / "c.npz"
    rows = train(unbroken, make_wiring()).rows
    with pytest.raises(KeyboardInterrupt):
        train(model_of(), make_wiring(), checkpoint=path, on_epoch=[Interrupt(2)])
    assert load_checkpoint(path).controllers["wiring.rewired"] == rows[1]["rewired"]
    again = train(resumed, make_wiring(), checkpoint=path, resume=True).rows
    drop = {"seconds"}
    assert [{k: v for k, v in row.items() if k not in drop} for row in again] == [
        {k: v for k, v in row.items() if k not in drop} for row in rows]
    for name, array in (unbroken.params | unbroken.state).items():
        assert array.tobytes() == (resumed.params | resumed.state)[name].tobytes()


def test_the_best_epoch_brings_its_mask_back():
    model, seen = linear(), []

    def remember(row, model):
        seen.append((model.state["0.mask"].copy(), model.params["0.weight"].copy()))

    history = train(model, SET(every=2, until=1.0, anneal="constant"), make=SGD, clip=1.0,
                    learning_rate=lambda step: 0.1 if step < 20 else 30.0, restore_best=True,
                    on_epoch=[remember])
    best = history.best()
    assert best < 3
    assert not np.array_equal(seen[best][0], seen[-1][0])
    assert np.array_equal(model.state["0.mask"], seen[best][0])
    assert np.array_equal(model.params["0.weight"], seen[best][1])
    assert not model.params["0.weight"][~seen[best][0]].any()


def test_rigl_on_digits_at_a_tenth_of_the_connections():
    data = digits()
    model = Sequential(MaskedLinear(64, 128), ReLU(), MaskedLinear(128, 10))
    give_densities(model, 0.9, "erk", scale_init=True)
    before = live(model)
    history = fit(model, data, optimizer=AdamW(model.params, 3e-3), epochs=15, batch_size=64,
                  progress=False, wiring=RigL())
    assert live(model) == before
    assert history.rows[-1]["density"] == pytest.approx(0.1, abs=1e-3)
    assert history.rows[-1]["rewired"] > 1000
    assert history.rows[history.best()]["val_accuracy"] > 0.9


@pytest.mark.parametrize(("make", "words"), [
    (lambda: RigL(0.0), "fraction"), (lambda: SET(every=-1), "every"),
    (lambda: SET(grow_init="gradient"), "grow_init: got 'gradient'.*initial"),
    (lambda: RigL(grow_init="ones"), "gradient-sign"), (lambda: SNFS(slot_scale=1.0), "only RigL"),
    (lambda: SNFS(momentum=1.0), "momentum"), (lambda: RigL(anneal="linear"), "anneal"),
    (lambda: RigL(begin=0.8), "begin and until"),
])
def test_bad_settings_are_told(make, words):
    with pytest.raises(InputError, match=words):
        make()


@pytest.mark.parametrize("kind", [SET, RigL, SNFS])
def test_a_training_without_a_rewiring_is_told_before_it_begins(kind):
    """80 steps and an interval of 400 (audit, E1.5)."""
    with pytest.raises(InputError, match=r"every 400 steps .* training of 80 steps.*lower every"):
        train(linear(), kind(every=400), epochs=8)
    with pytest.raises(InputError, match=r"density: got 1.*density=0.1"):
        train(Sequential(MaskedLinear(6, 3)), kind(every=3))
    with pytest.raises(InputError, match=r"fraction: got 0.01 of so few"):
        train(linear(), kind(0.01, every=3))


def test_patience_before_the_first_rewiring_is_told():
    with pytest.raises(InputError, match=r"got 0 rewirings, .*raise patience"):
        train(linear(), SET(every=28, anneal="constant"), patience=1, learning_rate=0.0)


def test_rewirings_that_change_nothing_are_told(monkeypatch):
    monkeypatch.setattr("minimidl.learning.rewiring.dense_gradients", lambda layers, memory: {
        layer.path: layer.mask.astype(float) for layer in layers})  # as if dead ones were useless
    with pytest.raises(InputError, match=r"got [1-9]\d* rewirings, none of which changed a conn"):
        train(linear(), RigL(every=4))


def test_a_diverged_gradient_is_told_and_rewires_nothing():
    wiring = half(RigL)
    layer, _, memory = worked(wiring, [1.0, np.inf])
    with pytest.raises(InputError, match=r"gradients to grow by.*finite"):
        wiring.before_step(10, memory, np.random.default_rng(0))
    assert layer.mask.tolist() == MASK
