# ---
# number: 7
# title: Count everything
# minutes: 60
# ---

# %% [markdown]
# # 07 Count everything
#
# The MID-L abstract says: 55 % fewer active neurons, 1.7 times fewer FLOPs. But 1 / 0.45 is 2.2.
#
# You need: tutorial 05 or 06. About an hour.
#
# *Setting up.* In a clone of the project run `python -m pip install ".[notebooks]"` once. In a
# hosted notebook service, upload the project's wheel and `%pip install` that file in a first cell.

# %%
try:
    import minimidl
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("minimidl is not installed here: see 'Setting up' above") from missing
import matplotlib.pyplot as plt
import numpy as np

from minimidl import data, layers, learning, measure
from minimidl.course import Unsolved, check_close, check_shape, check_that, slider

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# A dense layer, two gated ones, ten outputs. The gates (rank 32) are held to 45 % open.

# %%
WIDTHS, RANK = (64, 256, 256, 256, 10), 32
digits = data.load("digits")
model = layers.Sequential(
    layers.Linear(64, 256, seed=0), layers.ReLU(),
    layers.DynamicGate(256, 256, gate_rank=RANK, seed=1),
    layers.DynamicGate(256, 256, gate_rank=RANK, seed=2), layers.Linear(256, 10, seed=3))
learning.fit(model, digits, epochs=30, progress=False, restore_best=False,
             optimizer=learning.Adam(model.params, 0.003),
             budgets=[learning.Budget("quadratic", 3, 0.45, of="mask")])
output, memory = model.forward(digits.x_test)
first, second = (memory[path]["decision"].active for path in ("2", "3"))  # (450, 256) each
running = first.sum(axis=1) + second.sum(axis=1)
by_cost = np.argsort(running, kind="stable")

fig = plt.figure(figsize=(8.4, 2.4), layout="constrained")
grid = fig.add_gridspec(2, 8)
dots = fig.add_subplot(grid[:, :4])
dots.plot(digits.y_test + np.linspace(-0.25, 0.25, 450), running, ".", color="0.5", ms=3)
dots.plot(range(10), [running[digits.y_test == digit].mean() for digit in range(10)], "_",
          color="black", ms=14, mew=2)
dots.set(xlabel="digit", ylabel="neurons that run, of 512", xticks=range(10))
for row, name in ((0, "fewest"), (1, "most")):
    for column in range(4):
        ax = fig.add_subplot(grid[row, 4 + column], xticks=[], yticks=[])
        i = by_cost[column if row == 0 else -1 - column]
        ax.imshow(digits.x_test[i].reshape(8, 8), cmap="gray_r")
        ax.set_title(running[i], fontsize=9)
        ax.set_ylabel(name if column == 0 else "")
print(f"test accuracy {np.mean(output.argmax(axis=1) == digits.y_test):.1%}, "
      f"neurons that run {running.mean() / 512:.1%}")

# %% [markdown]
# *Figure 1. Every image chooses how many neurons it needs; bars are means. Right: the images with
# the fewest and the most.*
#
# ## Predict
#
# You will count this network in eight ways. What do the most and the least flattering say: how many
# *times fewer* than dense?

# %%
my_most, my_least = None, None  # predictions: for instance 2, 1.5

# %% [markdown]
# ## Build and prove: count one image
#
# The unit is the MAC: one multiplication and one addition (2 FLOPs). Closed neurons answer 0, so
# the next layer, and its gate, skip them too. A gate of rank $r$ that reads $n$ numbers and scores
# $m$ neurons costs $r(n + m)$.

# %% exercise="macs"
def macs_per_image(first, second, widths=WIDTHS, rank=RANK):
    """MACs of the layers and of the gates, two arrays ``(batch,)``, from two boolean masks."""
    n_in, stem, one, two, n_out = widths
    a, b = first.sum(axis=1), second.sum(axis=1)  # neurons that run, per image
    # >>> solution
    in_layers = n_in * stem + stem * a + a * b + b * n_out
    in_gates = rank * (stem + one) + rank * (a + two)
    return in_layers, in_gates
    # stub: raise Unsolved("macs", "the pair (four layers, two gates); the second gate reads a")
    # <<< solution

# %% check="macs"
TOY = {"widths": (2, 3, 4, 3, 2), "rank": 1}
few = np.array([[1, 0, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]]) > 0  # the third image opens nothing
many = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0]]) > 0
pair = macs_per_image(few, many, **TOY)
check_that(isinstance(pair, tuple) and len(pair) == 2, type(pair).__name__, "a pair of arrays",
           "macs_per_image, toy", "layers and gates apart, not their sum")
check_close(pair[0], [12, 25, 6], "macs_per_image, toy, layers",
            "2 x 3 always, then 3 a + a b + 2 b, image by image")
check_close(pair[1], [11, 13, 10], "macs_per_image, toy, gates", "(3 + 4), and a inputs + 3")
count = measure.count_macs(model, memory)
check_close(sum(macs_per_image(first, second)), count.with_gate,
            "macs_per_image against minimidl.measure", "layers and gates, all 450 images")

# %% [markdown]
# ## Build and prove: share a ride
#
# A program that runs a whole batch through one smaller matrix skips only what *no* image wants.

# %% exercise="shared"
def shared(mask, size):
    """``mask (images, n)`` if every ``size`` images in a row run what any one of them opens."""
    # >>> solution
    wide = mask.copy()
    for start in range(0, len(mask), size):
        wide[start:start + size] = mask[start:start + size].any(axis=0)
    return wide
    # stub: raise Unsolved("shared", "a mask of the same shape; the last batch may be short")
    # <<< solution

# %% check="shared"
diagonal = np.eye(5) > 0
check_close(shared(diagonal, 3) * 1.0, np.kron(np.eye(2), np.ones((3, 3)))[:5, :5],
            "shared, 5 images in batches of 3", "'any' over the batch; the last has two images")
check_close(diagonal * 1.0, np.eye(5), "shared, the mask it was given", "copy it before writing")
check_close(shared(first, 1) * 1.0, first * 1.0, "shared, batches of 1", "nobody to share with")

# %% [markdown]
# ## Build and prove: eight ways

# %% exercise="eight"
WAYS = ("gated layers only, no gates", "all layers, no gates", "neurons that run",
        "layers and gates, over the same with all open", "layers and gates, over dense",
        "no gates; closing saves only the next layer's work", "batches of 64 that share a ride",
        "all weights (run all, multiply by the mask)")


def eight_ways(first, second, size=64, widths=WIDTHS, rank=RANK):
    """Eight shares, smaller is better, in the order of ``WAYS``; gates count unless it says no."""
    n_in, stem, one, two, n_out = widths
    a, b = first.sum(axis=1), second.sum(axis=1)
    in_layers, in_gates = macs_per_image(first, second, widths, rank)
    dense = n_in * stem + stem * one + one * two + two * n_out
    # >>> solution
    total = (in_layers + in_gates).mean()
    all_open = dense + rank * (stem + one + one + two)
    late = n_in * stem + stem * one + a * two + b * n_out
    ride = sum(macs_per_image(shared(first, size), shared(second, size), widths, rank))
    return np.array([
        (stem * a + a * b).mean() / (stem * one + one * two), in_layers.mean() / dense,
        (a + b).mean() / (one + two), total / all_open, total / dense,
        late.mean() / dense, ride.mean() / dense, all_open / dense])
    # stub: raise Unsolved("eight", "eight shares: average over images last; dense divides most")
    # <<< solution

# %% check="eight"
hints = ("multiply image by image, then average", "the stem counts", "of one + two neurons",
         "divide by dense plus both gates, all open", "divide by the dense twin, no gate",
         "both gated layers run whole; a and b save columns", "masks through shared(), then MACs",
         "dense plus both gates, over dense")
toy = eight_ways(few[:2], many[:2], size=2, **TOY)
check_shape(toy, (8,), "eight_ways, toy", "one number for each name in WAYS")
for got, wish, name, hint in zip(toy, (9.5 / 24, 18.5 / 36, 3.5 / 7, 30.5 / 50, 30.5 / 36, 27 / 36,
                                       38 / 36, 50 / 36), WAYS, hints, strict=True):
    check_close(got, wish, f"eight_ways, toy, '{name}'", hint)

# %%
shares = eight_ways(first, second)
_, ax = plt.subplots(figsize=(8.4, 3.8), layout="constrained")
ax.barh(WAYS, shares, color=["black" if i == 4 else "0.75" for i in range(8)])
for i, share in enumerate(shares):
    text = f"{1 / share:.2f} times fewer" if share < 1 else f"{share:.2f} times as many"
    ax.text(share + 0.015, i, text, va="center", fontsize=9,
            weight="bold" if i == 4 else "normal", bbox={"color": "white", "pad": 0.5})
for level, text, side in ((0.45, "55 % fewer ", "right"), (1 / 1.7, " 1.7 times", "left"),
                          (1, " dense", "left")):
    ax.axvline(level, color="0.3", lw=1, ls="--", zorder=0)
    ax.text(level, -0.7, text, ha=side, fontsize=9)
ax.set(xlabel="share of what it is compared with", xlim=(0, 1.7), ylim=(7.6, -1))
print(f"your predictions: {my_most} and {my_least}")

# %% [markdown]
# *Figure 2. One network. Each bar answers some question; only the black one says what an image
# costs, compared with the network you would have used instead. Dashed: the paper's two claims.*
#
# Why *below* 45 % without gates? Between gated layers, only open rows meet open columns:
# $0.45^2 = 0.20$.
#
# ## Build and prove: reconcile
#
# Of the dense MACs a share $s$ can be saved by gates; of it a share $e$ runs; gates (and light
# paths) cost $\gamma$ per MAC of it: $1/\text{times} = (1 - s) + s\,(e + \gamma)$. Which $\gamma$?

# %% exercise="room"
def gate_price(times, runs, gated):
    """``gamma`` from ``times``, ``e`` and ``s``; negative: impossible, even with a free gate."""
    # >>> solution
    return (1 / times - (1 - gated)) / gated - runs
    # stub: raise Unsolved("room", "solve the equation for gamma; no clipping")
    # <<< solution

# %% check="room"
check_close(gate_price(1.7, 0.45, 1.0), 1 / 1.7 - 0.45, "gate_price(1.7, 0.45, 1)", "all is gated")
check_close(gate_price(1.0, 0.45, 0.6), 0.55, "gate_price(1, 0.45, 0.6), break-even",
            "the gate eats what the closed neurons save, whatever s is")
check_close(gate_price(2.0, 0.5, 0.8), 0.3 / 0.8 - 0.5, "gate_price(2, 0.5, 0.8)", "negative here")
dense = count.dense
s = (dense - 64 * 256) / dense  # all but the first layer
e = (count.without_gate.mean() - 64 * 256) / (s * dense)
gamma = macs_per_image(first, second)[1].mean() / (s * dense)
check_close(gate_price(1 / shares[4], e, s), gamma, "gate_price against the trained network",
            "its own s, e and times must give back its own gates")

# %%
gated = np.linspace(0.6, 1, 100)
_, ax = plt.subplots(figsize=(6.6, 3.6), layout="constrained")
ax.plot(gated, gate_price(1.7, 0.45, gated), "-", color="black", label="1.7 times, e = 0.45")
ax.plot(gated, gate_price(1.7, e, gated), "--", color="black", label=f"1.7 times, e = {e:.2f}")
ax.axhline(0.55, color="0.5", lw=1, ls=":", label="break-even, e = 0.45")
ax.plot(1, gate_price(1.7, 0.45, 1), "o", color="black", ms=8, clip_on=False)
ax.plot(0.75, gate_price(1.7, 0.45, 0.75), "^", color="black", ms=8, clip_on=False)
ax.plot(s, gamma, "s", color="black", mfc="white", ms=9)
for x, y, text in ((1.0, 0.165, "rank 35 in 512 x 512"), (0.745, 0.03, "free gate"),
                   (s - 0.012, gamma + 0.02, "this network, rank 32")):
    ax.text(x, y, text, ha="right", fontsize=9)
ax.set(xlabel="s, share of the MACs that is gated", ylabel="γ, price of the gates", ylim=(0, 0.62))
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 0.88))

# %% [markdown]
# *Figure 3. Every point on a black line agrees with both claims. Solid: a closed neuron saves its
# own work (single layers, or a light path that fills the zeros). Dashed: the next layer's too.*
#
# We chose rank 32 to land there. The abstract does not say where MID-L does.
#
# ## Use
#
# `measure.count_macs` counts any model; `measure.gate_prices` says what one more open neuron costs.

# %%
for layer in count.layers:
    print(f"layer {layer.path}: dense {layer.dense:6,}, runs {layer.layer.mean():6,.0f}, "
          f"gate {layer.gate.mean():6,.0f}")
print({name: round(value, 3) for name, value in count.summary().items()})
prices = measure.gate_prices(model, memory)
a, b = first.sum(axis=1), second.sum(axis=1)
check_close(prices["2"][:, 0], 256 + b + RANK, "price, first", "its row, its columns, a gate's row")
check_close(prices["3"][:, 0], a + 10, "price, second", "open inputs and ten outputs")
print({path: f"{price.mean():.0f} MACs per neuron" for path, price in prices.items()})

# %% [markdown]
# ## Play
#
# How many can share a ride? Predict the two other curves: all of one digit, and coin flips.

# %%
sizes = [1, 2, 4, 8, 16, 32, 64, 128]
orders = {"as they come": ("o-", np.arange(450)),
          "sorted by digit": ("s--", np.argsort(digits.y_test, kind="stable"))}
curves = {name: [eight_ways(first[order], second[order], size)[6] for size in sizes]
          for name, (_, order) in orders.items()}
coins = np.random.default_rng(0).random((2, 450, 256)) < 0.45
curves["coin flips"] = [eight_ways(*coins, size)[6] for size in sizes]


def draw(size):
    """Share of dense by batch size, one size marked."""
    _, ax = plt.subplots(figsize=(6.4, 3), layout="constrained")
    for (name, line), style in zip(curves.items(), ("o-", "s--", "^:"), strict=True):
        ax.plot(sizes, line, style, color="black", mfc="white", label=name)
        ax.annotate(f"{line[sizes.index(size)]:.2f}", (size, line[sizes.index(size)]),
                    (0, -14), textcoords="offset points", ha="center", fontsize=8)
    ax.axvline(size, color="0.7", lw=6, zorder=0)
    ax.axhline(1, color="0.5", lw=0.8)
    ax.set_xscale("log", base=2)
    ax.set(xlabel="images that share a ride", ylabel="share of dense", ylim=(0.5, 1.3),
           xticks=sizes, xticklabels=sizes)
    ax.legend(frameon=False, loc="lower right")


slider(draw, 16, size=sizes)

# %% [markdown]
# *Figure 4. Gates included; above 1, dense is cheaper. Sorting keeps the saving longer, but a
# program would have to sort by something it knows: the masks, not the digits.*
#
# > **What can go wrong.** Our audit of YongilChoi/DynamicGate_MLP_Model (26 February 2026) found
# > eight formulas for the relative cost, among them: the mean mask for a whole model (our third
# > bar); the mean *probability* times everything; a first layer that never shrinks (0.862 at least,
# > like our sixth); products of batch means for gates that choose per sample. In
# > `MNIST/MoEvsDynamicGate` the gate reads what the layer has already computed: it can save 1.26 %
# > and costs 64.5 %, uncounted. In `MNIST/MNIST_DataSet` "FLOPs" counts no hidden neuron; the
# > forward runs all.
#
# > **In the literature.** MID-L: Shaeri and Middel, arXiv 2505.11416 (2025); we had the abstracts
# > only. DynamicGate: Choi, arXiv 2603.16367 (2026). What is not gated bounds the gain: Amdahl,
# > AFIPS Spring Joint Computer Conference (1967). How cost indicators contradict each other:
# > Dehghani et al., *The Efficiency Misnomer*, ICLR 2022 (arXiv 2110.12894).
#
# ## Ask
#
# 1. When is the mean of $|S_1| \cdot |S_2|$ larger than the product of the means? Smaller?
# 2. Someone compares their MACs with your FLOPs. Which ninth bar is that?
# 3. *Open.* A smaller dense network with the same accuracy: is that the right thing to divide by?
