# ---
# number: 10
# title: Sparse wiring: pruning, SET, RigL, and gates on top
# minutes: 60
# ---

# %% [markdown]
# # 10 Sparse wiring: pruning, SET, RigL, and gates on top
#
# A gate asks who runs *now*. Wiring asks who is connected *at all*. Both leave zeros behind, and
# papers call both "sparse".
#
# You need: tutorials 01 and 07. About an hour.
#
# *Setting up.* In a clone of the project run `python -m pip install ".[notebooks]"` once. In a
# hosted notebook service, upload the project's wheel and `%pip install` that file in a first cell.

# %%
try:
    import minimidl
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("minimidl is not installed here: see 'Setting up' above") from missing
import time

import matplotlib.pyplot as plt
import numpy as np

from minimidl import data, errors, execution, experiment, layers, learning
from minimidl.course import Unsolved, check_close, check_that, slider
from minimidl.learning.connections import choose_mask
from minimidl.proof import numeric_gradient

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# Networks for digits, 64 - 256 - 10. Of 18,944 connections 2 % are live. One kind keeps the random
# wires that it began with; two kinds move theirs while they learn, as many out as in.

# %%
digits = data.load("digits")


def train(wiring, density=0.02, seed=0):
    """Train 64 - 256 - 10 with missing connections; returns it and its test accuracy."""
    model = layers.Sequential(layers.MaskedLinear(64, 256, seed=seed), layers.ReLU(),
                              layers.MaskedLinear(256, 10, seed=seed + 1))
    learning.give_densities(model, 1 - density, seed=seed)
    learning.fit(model, digits, epochs=30, batch_size=64, seed=seed, progress=False,
                 optimizer=learning.Adam(model.params, 0.003), wiring=wiring)
    return model, (model.forward(digits.x_test)[0].argmax(axis=1) == digits.y_test).mean()


shuffled = np.random.default_rng(5).permutation(["RigL", "SET", "Static"])  # who is who?
KINDS = {letter: getattr(learning, name) for letter, name in zip("ABC", shuffled, strict=True)}
trained = {letter: [train(kind(), seed=seed) for seed in range(3)]
           for letter, kind in KINDS.items()}
by_digit = [digits.x_train[digits.y_train == digit].mean(axis=0) for digit in range(10)]
_, axes = plt.subplots(1, 4, figsize=(8.6, 2.5), layout="constrained")
axes[0].imshow(np.std(by_digit, axis=0).reshape(8, 8), cmap="gray_r")
axes[0].set_title("how digits differ", fontsize=10)
for ax, (letter, three) in zip(axes[1:], trained.items(), strict=True):
    wires = sum(model.layers[0].mask for model, _ in three).sum(axis=1).reshape(8, 8)
    ax.imshow(wires, cmap="gray_r", vmin=0, vmax=24)
    for (row, column), count in np.ndenumerate(wires):
        ax.text(column, row, count, ha="center", va="center", fontsize=7,
                color="white" if count > 12 else "black")
    ax.set_title(f"kind {letter}", fontsize=10)
for ax in axes:
    ax.set(xticks=[], yticks=[])
print({letter: sum(int(layer.mask.sum()) for layer in layers.masked_layers(three[0][0]).values())
       for letter, three in trained.items()}, "live wires")

# %% [markdown]
# *Figure 1. Left: where the mean images of the ten digits differ. Others: live wires from each
# pixel, sums over three networks.*
#
# ## Predict
#
# Which kind asked the *gradient* where to grow? How accurate is each? And with 10 % live in all,
# when the two layers share the wires by their widths: how dense is the second one?

# %%
my_letter, my_accuracies, my_density = None, None, None  # for instance "A", (0.9, 0.9, 0.9), 0.1

# %% [markdown]
# ## Build and prove: a layer with missing wires
#
# With a mask $M$ of zeros and ones, $y = x\,(W \odot M) + b$. Two gradients differ:
# $dL/dW = M \odot (x^T g)$ moves live weights; the *dense* one, $x^T g$, says how much a dead wire
# would help if it were alive.

# %% exercise="masked"
def forward(x, W, b, M):
    """``x (W * M) + b``."""
    # >>> solution
    return x @ (W * M) + b
    # stub: raise Unsolved("masked", "the linear layer, without the dead wires")
    # <<< solution


def backward(g, x, W, M):
    """Gradients of ``x``, ``W`` and ``b``, and the dense one, for the upstream ``g``."""
    # >>> solution
    dense = x.T @ g
    return g @ (W * M).T, M * dense, g.sum(axis=0), dense
    # stub: raise Unsolved("masked", "four arrays; dead wires carry nothing back, either")
    # <<< solution

# %% check="masked"
rng = np.random.default_rng(0)
x, W, b, g = (rng.normal(size=shape) for shape in ((5, 4), (4, 3), (3,), (5, 3)))
M = rng.random((4, 3)) < 0.5
W[~M] = 1e6  # whatever an optimiser left there
check_close(forward(x, W, b, M), np.stack([
    [sum(row[i] * W[i, j] for i in range(4) if M[i, j]) + b[j] for j in range(3)] for row in x]),
    "masked forward", "a dead weight never counts, though here it is a million")
pieces = backward(g, x, W, M)
names = {"x": (0, lambda v: forward(v, W, b, M), x), "W": (1, lambda v: forward(x, v, b, M), W),
         "b": (2, lambda v: forward(x, W, v, M), b),
         "the weights that are used (dense)": (3, lambda v: x @ v + b, W * M)}
for name, (place, function, at) in names.items():
    at = np.where(np.abs(at) > 1e5, 0.0, at)  # differences of millions would only show rounding
    check_close(pieces[place],
                numeric_gradient(lambda v, f=function: float((f(v) * g).sum()), at.copy()),
                f"masked backward, gradient of {name}",
                "the mask on W and on the way back to x, not on the dense one", 1e-6)
check_close(pieces[1][~M], np.zeros((~M).sum()), "masked backward, dead wires", "exactly 0")
layer = layers.MaskedLinear(4, 3, dtype=np.float64)
layer.params["weight"][...], layer.mask[...] = W, M
memory = layer.forward(x)[1]
check_close(layer.backward(g, memory)[1]["weight"], pieces[1], "masked against the library", "dW")
check_close(layer.dense_gradient(memory), pieces[3], "masked against the library, dense", "x^T g")

# %% [markdown]
# ## Build and prove: one rewiring
#
# RigL, now and then: **drop** the $n$ live wires with the smallest $|w|$; of *all* that were not
# kept, **grow** the $n$ with the largest dense $|g|$. What is born or gone has weight 0, and the
# optimiser has forgotten it. What was dropped and grows again has never left.

# %% exercise="rigl"
def strongest(score, n, among):
    """Boolean: exactly ``n`` of those ``among``, the highest scores; of equals the first."""
    order = np.argsort(np.where(among, -score, np.inf), axis=None, kind="stable")
    chosen = np.zeros(score.size, bool)
    chosen[order[:n]] = True
    return chosen.reshape(score.shape)


def rewire(mask, weight, dense, slots, n):
    """Change ``mask``, ``weight`` and each array of ``slots`` in place."""
    # >>> solution
    kept = strongest(np.abs(weight), mask.sum() - n, mask)
    after = kept | strongest(np.abs(dense), n, ~kept)
    changed = mask != after
    for array in (weight, *slots):
        array[changed] = 0
    mask[...] = after
    # stub: raise Unsolved("rigl", "kept, then after (by strongest, twice); then forget")
    # <<< solution

# %% check="rigl"
hand_w = np.array([[0.9, 0, 0, -0.1], [0, -0.8, 0, 0], [0.2, 0, 0.05, 0], [0, 0, 0, 0.7]])
hand_g = np.array([[0.0, 0.5, 0.1, 0.9], [0.2, 0.8, 0.3, 0.0], [0.1, -0.7, 0.0, 0.2],
                   [-0.6, 0.1, 0.4, 0.3]])
hand_mask = hand_w != 0
mask, weight, slots = hand_mask.copy(), hand_w.copy(), [np.full((4, 4), 0.5), np.full((4, 4), 2.0)]
rewire(mask, weight, hand_g, slots, 3)
check_close(mask * 1.0, [[1, 0, 0, 1], [0, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 1]],
            "rigl, by hand, mask", "-0.1 is dropped and may grow again; |-0.7| and |-0.6| are born")
check_close(weight, np.where(mask & hand_mask, hand_w, 0), "rigl, by hand, weight",
            "born and gone: 0; what grows again keeps its -0.1")
for slot, value in zip(slots, (0.5, 2.0), strict=True):
    check_close(slot, np.where(mask == hand_mask, value, 0), "rigl, by hand, slots",
                "what is born or gone is forgotten, the others are not")
for n, all_equal in ((0, False), (7, False), (3, True)):  # nobody, everybody, ties
    mask, weight, dense = rng.random((6, 4)) < 0.4, rng.normal(size=(6, 4)), rng.normal(size=(6, 4))
    mask.flat[:7] = True
    if all_equal:
        weight[...], dense[...] = 1.0, 1.0
    before, wish = mask.sum(), choose_mask(mask, np.abs(weight), np.abs(dense), n)
    rewire(mask, weight, dense, [], n)
    check_that(mask.sum() == before, f"{mask.sum()} live", f"{before}, as before",
               f"rigl, n = {n}", "as many are born as die")
    check_close(mask * 1.0, wish * 1.0, f"rigl against the library, n = {n}",
                "dead weights are not 0 here: only live ones can be kept")

# %%
mask, weight = hand_mask.copy(), hand_w.copy()
rewire(mask, weight, hand_g, [], 3)
kept = strongest(np.abs(hand_w), 3, hand_mask)
again = mask & hand_mask & ~kept
PANELS = (("weights; circled: the 3 weakest", hand_w, hand_mask, hand_mask & ~kept),
          ("dense gradient; circled: the 3 strongest\nof all that are not kept", hand_g, ~kept,
           mask & ~kept),
          ("after; circled: born, with weight 0", weight, mask, mask & ~hand_mask))
_, axes = plt.subplots(1, 3, figsize=(8.4, 3.4), layout="constrained")
for ax, (title, values, shown, ringed) in zip(axes, PANELS, strict=True):
    ax.imshow(np.where(shown, np.abs(values) + 0.15, 0), cmap="gray_r", vmin=0, vmax=2)
    for (row, column), value in np.ndenumerate(values):
        if shown[row, column]:
            ax.text(column, row, f"{value:g}", ha="center", va="center")
        if ringed[row, column]:
            ax.plot(column, row, "o", ms=30, mec="black", mfc="none", mew=1.5)
    ax.set_title(title, fontsize=9)
    ax.set(xticks=range(4), yticks=range(4), xlabel="neuron", ylabel="input")

# %% [markdown]
# *Figure 2. One rewiring of 4 x 4 wires, 6 live, n = 3. The weight -0.1 goes and comes back; 0.2
# and 0.05 leave.* SET grows at random; *pruning* begins dense and only drops.
#
# ## Build and prove: who gets how many?
#
# The ERK rule: density $d_l = \varepsilon\,(n_{in} + n_{out}) / (n_{in} n_{out})$, with one
# $\varepsilon$ for all layers, such that together they have the wires asked for. A layer that would
# be denser than 1 is dense; the others share the rest.

# %% exercise="erk"
def erk(shapes, density):
    """Density of each layer ``(n_in, n_out)``; ``density``, in (0, 1], of all together."""
    a, b = np.array(shapes, float).T
    size, raw = a * b, (a + b) / (a * b)
    full = np.zeros(len(size), bool)
    # >>> solution
    while True:
        left = density * size.sum() - size[full].sum()
        d = np.where(full, 1.0, left / max((raw * size)[~full].sum(), 1e-300) * raw)
        if (d <= 1 + 1e-12).all():
            return d
        full |= d > 1
    # stub: raise Unsolved("erk", "solve for epsilon, mark who is over 1, solve again")
    # <<< solution

# %% check="erk"
check_close(erk([(6, 6), (6, 2)], 0.25), [0.2, 0.4], "erk, two layers",
            "12 of 48 wires, sums of widths 12 and 8: epsilon = 12 / 20")
lenet = [(784, 300), (300, 100), (100, 10)]
for shapes, d in ((lenet, 0.1), (lenet, 0.6), ([(64, 256), (256, 10)], 0.1), ([(70, 30)], 0.4)):
    sizes = np.prod(shapes, axis=1)
    got = np.asarray(erk(shapes, d))
    check_that((got <= 1 + 1e-9).all(), np.round(got, 3), "at most 1", f"erk of {shapes}, {d}",
               "a layer cannot have more wires than places")
    check_close((got * sizes).sum() / sizes.sum(), d, f"erk of {shapes}, {d}, all together",
                "what a full layer cannot take goes to the others: solve again")
    lacks = learning.layer_sparsities(dict(enumerate(shapes)), 1 - d)
    check_close(got, 1 - np.array([lacks[i] for i in range(len(shapes))]),
                f"erk of {shapes}, {d}, against the library", "it counts in whole wires", 5e-3)
check_close(erk(lenet, 1.0), np.ones(3), "erk, density 1", "all full, and no 0 / 0")

# %%
print(f"10 % of 64 - 256 - 10: {np.round(erk([(64, 256), (256, 10)], 0.1), 3)} (you: {my_density})")
for letter, three in trained.items():
    print(f"{letter} {KINDS[letter].__name__:6} test accuracy "
          f"{np.mean([right for _, right in three]):.3f} "
          f"({', '.join(f'{right:.3f}' for _, right in three)})")
print(f"you: {my_letter}, {my_accuracies}")

# %% [markdown]
# The same number of wires; where they are makes the difference.
#
# ## Build and prove: three kinds of zeros
#
# Show a network some images, each at least twice, and note which wires ran. Sort them: *always*
# ran; *never* ran (**structural**); changed for one and the same image (**random**); the rest
# depends on the image alone (**functional**).

# %% exercise="kinds"
def sort_wires(ran):
    """Four booleans ``(n_in, n_units)``: always, never, functional, random.

    ``ran`` is boolean, ``(looks, images, n_in, n_units)``: each image is looked at ``looks`` times.
    """
    # >>> solution
    always, never = ran.all(axis=(0, 1)), ~ran.any(axis=(0, 1))
    chance = (ran != ran[0]).any(axis=(0, 1))
    return always, never, ~(always | never | chance), chance
    # stub: raise Unsolved("kinds", "compare looks for chance; what is left over is functional")
    # <<< solution

# %% check="kinds"
toy = np.array([[[1, 0, 1, 0, 0, 1], [1, 0, 0, 1, 0, 1]],  # first look: image A, image B
                [[1, 0, 1, 1, 0, 0], [1, 0, 0, 0, 0, 1]]])[:, :, None] > 0  # second look
for got, wish, name, hint in zip(sort_wires(toy), (
        [1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 1]),
        ("always", "never", "functional", "random"),
        ("in every look at every image", "in no look at any image",
         "wire 2 ran for A, twice, and not for B, twice",
         "wires 3 and 5 changed their mind about one image"), strict=True):
    check_close(np.asarray(got)[0] * 1.0, wish, f"kinds, toy, {name}", hint)
check_close([part.mean() for part in sort_wires(toy[:1, :1])], [0.5, 0.5, 0, 0],
            "kinds, one look at one image", "then nobody can tell why a wire did not run")

# %% [markdown]
# Four small networks, 64 - 64 - 10: coins (dropout that says whom it drew), RigL's wires, gates,
# and gates on RigL's wires. In training mode, where coins are tossed:

# %%
GATE = {"gate_rank": 4, "gate_spread": 2.0}
FIRST = {"coins": lambda: [layers.RandomGate(64, 64, rate=0.4)],
         "wires": lambda: [layers.MaskedLinear(64, 64), layers.ReLU()],
         # No ReLU behind a gate, which has its own: see "What can go wrong".
         "gates": lambda: [layers.DynamicGate(64, 64, **GATE)],
         "both": lambda: [layers.MaskedDynamicGate(64, 64, **GATE)]}


def small(kind):
    """Train one; its second layer is dense."""
    model = layers.Sequential(*FIRST[kind](), layers.Linear(64, 10, seed=1))
    wired, gated = kind in ("wires", "both"), kind in ("gates", "both")
    if wired:
        learning.give_densities(model, 0.8)
    learning.fit(model, digits, epochs=20, batch_size=64, progress=False, restore_best=False,
                 optimizer=learning.Adam(model.params, 0.003),
                 budgets=[learning.Budget("quadratic", 3, 0.4, of="mask")] if gated else [],
                 wiring=learning.RigL() if wired else None)
    return model


def look(model, images, rng):
    """Which wires of the first layer run, ``(images, n_in, n_units)``."""
    memory = model.forward(images, training=True, rng=rng)[1]["0"]
    wires = layers.wires_of(model.layers[0])
    wires = np.ones((64, 64), bool) if wires is None else wires
    who = memory["decision"].active if "decision" in memory else np.ones((len(images), 64), bool)
    return wires & who[:, None, :]


small_models = {kind: small(kind) for kind in FIRST}
images = digits.x_test[[np.flatnonzero(digits.y_test == digit)[0] for digit in (1, 0)]]
_, axes = plt.subplots(3, 5, figsize=(8.4, 5.2), layout="constrained")
for row, image in enumerate((0, 0, 1)):
    axes[row, 0].imshow(images[image].reshape(8, 8), cmap="gray_r")
    axes[row, 0].set_ylabel(("image A", "image A again", "image B")[row])
print("share of wires    always     never functional    random")
for column, (kind, model) in enumerate(small_models.items(), 1):
    rng = np.random.default_rng(0)
    first, again = (look(model, images, rng) for _ in range(2))
    for ax, ran in zip(axes[:, column], (first[0], again[0], first[1]), strict=True):
        new, gone = ran & ~first[0], first[0] & ~ran
        ax.imshow(0.55 * ran + 0.45 * new + 0.15 * gone, cmap="gray_r", vmin=0, vmax=1,
                  interpolation="nearest")
        ax.set_xlabel(f"{ran.mean():.0%} ran", fontsize=9)
    axes[0, column].set_title(kind)
    sorts = sort_wires(np.stack([look(model, digits.x_test, rng) for _ in range(2)]))
    print(f"{kind:14}" + "".join(f"{part.mean():10.3f}" for part in sorts))
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(True)

# %% [markdown]
# *Figure 3. Wires that ran, from 64 pixels (rows) to 64 neurons (columns). Grey: as at the first
# look; black: new; light: gone. Coins change their mind about one image; wires never; gates only
# for another image. The table is of all 450 test images. A gate that never opens is structural.*

# %% [markdown]
# ## Predict, then use
#
# A live wire costs one MAC per image if the neuron at its end runs; a closed neuron answers 0, so
# the wires that leave it are skipped, too. The gate itself is dense: rank times (inputs + neurons).
#
# All by name: 64 - 256 - 10, wires at 10 %, gates (rank 4) that open 45 %. RigL alone costs 10 % of
# dense. What does RigL *with a gate* cost, gate included?

# %%
my_both = None  # prediction: for instance 0.05
settings = experiment.make_settings("digits", {"epochs": 30, "wiring.density": 0.1})
print("                  accuracy (two seeds)   wires    open   MACs   MACs with gate")
for name in ("dense", "dropout", "pruned", "set", "rigl", "dynamicgate", "dynamicgate+rigl"):
    runs = [experiment.run_experiment(name, digits, settings, seed=seed, progress=False,
                                      timed=False) for seed in range(2)]
    live = sum(layer.n_in * layer.n_out if (wires := layers.wires_of(layer)) is None
               else wires.sum() for layer in runs[0].model.layers if "weight" in layer.params)
    mean = {key: np.mean([run.row[key] for run in runs])
            for key in ("accuracy", "active_ratio", "mac_ratio", "mac_ratio_with_gate")}
    pair = ", ".join(f"{run.row['accuracy']:.3f}" for run in runs)
    print(f"{name:17} {mean['accuracy']:.3f} ({pair}) {live:8,} {mean['active_ratio']:7.2f} "
          f"{mean['mac_ratio']:7.3f} {mean['mac_ratio_with_gate']:9.3f}")
print(f"you: {my_both}")

# %% [markdown]
# Dropout saves nothing: its zeros are gone when training ends. And a gate that was cheap beside a
# dense layer is expensive beside a sparse one. (Gated models keep a dense last layer: 2,560 wires.)
#
# MACs are not time. `execution.Executor` keeps live weights side by side (*compressed rows*); its
# path `"block"` multiplies the zeros, too. Times are those of your machine:

# %%
x = np.random.default_rng(0).normal(size=(64, 1024)).astype(np.float32)
for density in (0.02, 0.1, 0.5):
    layer = layers.MaskedLinear(1024, 1024, density=density)
    took = {}
    for path in ("neuron", "block"):
        runner = execution.Executor(layer, path)
        check_close(runner.predict(x), layer.forward(x)[0], f"executor, {path}", "same", 1e-4)
        each = []
        for _ in range(30):
            start = time.perf_counter()
            runner.predict(x)
            each.append(time.perf_counter() - start)
        took[path] = np.median(each) / len(x) * 1e6
    print(f"density {density:4.0%}: compressed rows {took['neuron']:6.1f} us per sample, "
          f"zeros multiplied {took['block']:6.1f} us")

# %% [markdown]
# ## What can go wrong
#
# Two accidents: a mask that nobody holds, and a RigL that never rewires.

# %%
for kind in (layers.Linear, layers.MaskedLinear):
    first = kind(64, 256)
    model = layers.Sequential(first, layers.ReLU(), layers.Linear(256, 10, seed=1))
    weight = first.params["weight"]
    weak = np.abs(weight) < np.quantile(np.abs(weight), 0.4)
    weight[weak] = 0
    if kind is layers.MaskedLinear:
        first.mask[weak] = False
    adam = learning.AdamW(model.params, 0.001)
    learning.fit(model, digits, epochs=3, batch_size=1078, progress=False, restore_best=False,
                 optimizer=adam)  # three steps of "fine-tuning"
    print(f"pruned by 40 %, {kind.__name__:12}: {np.mean(weight != 0):.0%} not 0 after three steps")
try:  # 10 epochs of 8 batches are 80 steps
    model = layers.Sequential(layers.MaskedLinear(64, 10, density=0.2))
    learning.fit(model, digits, epochs=10, batch_size=135, progress=False,
                 optimizer=learning.Adam(model.params), wiring=learning.RigL(every=400))
except errors.InputError as fault:
    print(fault)

# %% [markdown]
# > Our audit of YongilChoi/DynamicGate_MLP_Model (26 February 2026) found both: `prune.remove`
# > *before* fine-tuning, and a ratio measured on what was dense again; "RigL" with an interval of
# > 400 in a training of 80 steps, so that its rows show kind B. So count:
# > `history.rows[-1]["rewired"]`. A mistake of ours: a ReLU behind a gate. Its slope at 0 is 0, so
# > closed gates heard nothing from the task; over 40 % of them stayed shut for every image, and the
# > accuracy hardly showed it.
#
# ## Play
#
# Gates on sparse wires: when do they pay? Predict the three break-even points for rank 32.

# %%
d = np.geomspace(0.01, 0.5, 100)


def draw(rank):
    """MACs with a gate that opens 45 %, over those of the same wires without, by their density."""
    _, ax = plt.subplots(figsize=(6.6, 3.3), layout="constrained")
    for (n_in, n, n_out), style in (((64, 256, 10), "-"), ((784, 512, 10), "--"),
                                    ((4096, 4096, 10), ":")):
        ax.plot(d, 0.45 + rank * (n_in + n) / (d * n * (n_in + n_out)), style, color="black",
                label=f"{n_in} - {n} - {n_out}")
    ax.axhline(1, color="0.6", lw=1)
    ax.text(0.5, 1.04, "the gate eats what it saves", fontsize=9, color="0.3", ha="right")
    ax.set(xscale="log", xlabel="density of the wires", ylabel="with gate / without",
           ylim=(0, 2.5), xticks=[0.01, 0.03, 0.1, 0.5], xticklabels=["1 %", "3 %", "10 %", "50 %"],
           title=f"gate of rank {rank}")
    ax.minorticks_off()
    ax.legend(frameon=False)


slider(draw, 4, rank=[1, 2, 4, 8, 16, 32])

# %% [markdown]
# *Figure 4. Sparse and small: no gate. Sparse and wide: both.*
#
# > **In the literature.** Gradual pruning: Zhu and Gupta, arXiv 1710.01878 (2017). SET: Mocanu et
# > al., Nature Communications 9, 2383 (2018). RigL, and ERK: Evci et al., *Rigging the Lottery*,
# > ICML 2020 (arXiv 1911.11134).
#
# ## Ask
#
# 1. An $n \times n$ layer of density $d$ gets a gate of rank $r$ that opens a share $e$. Below
#    which $d$ does the gate cost more than it saves in this layer?
# 2. A dead weight never counts. Why must a rewiring clear the optimiser's memory all the same?
# 3. *Open.* At which density do the three kinds of figure 1 meet (`train(kind(), density)`), and
#    what would you have to change to move that point?
