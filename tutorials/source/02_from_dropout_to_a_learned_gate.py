# ---
# number: 2
# title: From dropout to a learned gate
# minutes: 50
# ---

# %% [markdown]
# # 02 From dropout to a learned gate
#
# Multiply the hidden neurons by zeros and ones, and some of them are off. The only question is *who
# chooses*: a coin, a table learned once, or a small network that looks at the input. Three answers,
# three very different things, and only the last one is *conditional computation*.
#
# You need: tutorial 01. Less than an hour.
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

from minimidl import data, layers, learning
from minimidl.course import Unsolved, check_close, check_that, slider
from minimidl.proof import numeric_gradient

plt.rcParams.update({"figure.dpi": 110})
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# Three masks. A row is an input, a column is a neuron, black means *on*. The inputs come in four
# kinds, separated by lines.

# %%
def show_masks(masks):
    """Draw masks ``(200, neurons)`` by title, inputs sorted into four kinds of 50."""
    _, axes = plt.subplots(1, len(masks), figsize=(2.6 * len(masks), 3), layout="constrained")
    for ax, (title, mask) in zip(axes, masks.items(), strict=True):
        ax.imshow(mask, cmap="gray_r", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        ax.hlines([49.5, 99.5, 149.5], -0.5, mask.shape[1] - 0.5, color="0.6", lw=1.5)
        ax.set(title=title, xlabel="neuron", xticks=[], yticks=[25, 75, 125, 175],
               yticklabels="ABCD")
    axes[0].set_ylabel("kind of input")


rng = np.random.default_rng(4)
show_masks({"mask 1": np.kron(np.eye(4), np.ones((50, 4))),
            "mask 2": rng.random((200, 16)) < 0.25,
            "mask 3": np.tile(rng.permutation(16) < 4, (200, 1))})

# %% [markdown]
# *Figure 1. Three masks with a quarter of the neurons on. Which one is random, which one is learned
# but the same for everybody, which one depends on the input?*
#
# ## Predict
#
# The set `regimes`: an input holds four groups of numbers and a cue that says which group decides
# the label (four classes). Sixteen neurons, of which a quarter may be on. What accuracy do you
# expect if the four are *always the same*, and what if *each input chooses* its four?
# **Write both down.**

# %%
my_static, my_per_input = None, None  # predictions: for instance 0.5, 0.5

# %% [markdown]
# ## Build and prove: the coin
#
# Dropout: in training every entry is off with probability `rate`. What stays is divided by
# `1 - rate`, so that the mean does not change and evaluation needs no correction.

# %% exercise="dropout"
def dropout_forward(x, rate, rng):
    """Returns the output and ``factor``, the array that multiplied ``x``."""
    # >>> solution
    factor = (rng.random(x.shape) >= rate) / (1 - rate)
    return x * factor, factor
    # stub: raise Unsolved("dropout", "x * factor, factor; each factor is 0 or 1 / (1 - rate)")
    # <<< solution


def dropout_backward(g, factor):
    """The gradient of ``x``."""
    # >>> solution
    return g * factor
    # stub: raise Unsolved("dropout", "the gradient of x, with the same factor")
    # <<< solution

# %% check="dropout"
y, factor = dropout_forward(np.ones((300, 400)), 0.75, np.random.default_rng(0))
check_that(abs(np.mean(y == 0) - 0.75) < 0.01, f"{np.mean(y == 0):.3f} of the entries are 0",
           "about 0.75, the rate", "dropout_forward", "off with probability rate, not on")
check_that(abs(y.mean() - 1) < 0.03, f"mean {y.mean():.3f}", "about 1, as before",
           "dropout_forward on ones", "divide what stays by 1 - rate")
x, g = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
_, factor = dropout_forward(x, 0.5, np.random.default_rng(1))
numeric = numeric_gradient(  # the same seed: the same coins in each forward
    lambda x: np.sum(g * dropout_forward(x, 0.5, np.random.default_rng(1))[0]), x)
check_close(dropout_backward(g, factor), numeric, "dropout_backward",
            "the same factor as in the forward: no new coins, no forgotten scale")
check_close(dropout_forward(x, 0.0, rng)[0], x, "dropout_forward at rate 0", "nothing is off")

# %% [markdown]
# ## Build and prove: the gate
#
# Now a score $z$ decides: $p = \text{sigmoid}(z)$, $b = 1$ if $p > \tfrac12$ else $0$, $y = b\,h$.
# A step has slope 0 almost everywhere, so the loss cannot move $z$. The *straight-through* trick
# pretends, in the backward only, that $b$ were $p$; the gradient of $z$ becomes $g\,h\,p(1-p)$.
#
# What is there to prove, if it is not a derivative? It *is* the derivative of another function: put
# $b_0 + (p(z) - p_0)$ in the place of $b$, with $b_0$ and $p_0$ frozen.

# %% exercise="gate_backward"
def sigmoid(z):
    """Written with tanh, which cannot overflow."""
    return 0.5 * (1 + np.tanh(z / 2))


def gate_forward(h, z):
    """Open or closed, for every neuron of every sample; ``h`` and ``z`` are ``(batch, n)``."""
    p = sigmoid(z)
    b = (p > 0.5).astype(h.dtype)
    return b * h, (h, b, p)


def gate_backward(g, memory):
    """Gradients of ``h`` (true) and of ``z`` (straight through)."""
    h, b, p = memory
    # >>> solution
    return g * b, g * h * p * (1 - p)
    # stub: raise Unsolved("gate_backward", "the pair (gradient of h, gradient of z)")
    # <<< solution

# %% check="gate_backward"
h, z, g = rng.normal(size=(3, 5, 4))
y, (_, b0, p0) = gate_forward(h, z)
g_h, g_z = gate_backward(g, (h, b0, p0))
check_close(g_h, numeric_gradient(lambda h: np.sum(g * gate_forward(h, z)[0]), h),
            "gate_backward, gradient of h", "a closed neuron passes nothing back")
surrogate = numeric_gradient(lambda z: np.sum(g * h * (b0 + sigmoid(z) - p0)), z)
check_close(g_z, surrogate, "gate_backward, gradient of z",
            "b is replaced by p, everywhere: closed gates learn as well")
true = numeric_gradient(lambda z: np.sum(g * gate_forward(h, z)[0]), z)
print(f"largest slope by z: true {np.abs(true).max()}, straight through {np.abs(g_z).max():.2f}")

# %% [markdown]
# ## Build and prove: whose scores?
#
# *Static*: one score per neuron, learned, shared by all inputs. *Per input*: $z = xA + c$. The gate
# is the same function; only the way back from $z$ differs.

# %% exercise="scores_backward"
def static_scores(s, x):
    """One row of scores ``s (n,)`` for every sample: ``(batch, n)``."""
    return np.tile(s, (len(x), 1))


def input_scores(x, a, c):
    """Each sample its own scores."""
    return x @ a + c


def static_backward(g_z):
    """From the gradient of z, ``(batch, n)``: the gradient of s, ``(n,)``."""
    # >>> solution
    return g_z.sum(axis=0)
    # stub: raise Unsolved("scores_backward", "one number per neuron: all samples share the score")
    # <<< solution


def input_backward(g_z, x, a):
    """From the gradient of z: the gradients of x, a and c."""
    # >>> solution
    return g_z @ a.T, x.T @ g_z, g_z.sum(axis=0)
    # stub: raise Unsolved("scores_backward", "three arrays, as in the linear layer of tutorial 01")
    # <<< solution

# %% check="scores_backward"
x, s, g_z = rng.normal(size=(5, 3)), rng.normal(size=4), rng.normal(size=(5, 4))
a, c = rng.normal(size=(3, 4)), rng.normal(size=4)
check_close(static_backward(g_z), numeric_gradient(lambda s: np.sum(g_z * static_scores(s, x)), s),
            "scores_backward, static", "the score of a neuron is used once per sample: a sum")
for mine, of, name in zip(input_backward(g_z, x, a), (x, a, c), ("x", "a", "c"), strict=True):
    check_close(mine, numeric_gradient(lambda _: np.sum(g_z * input_scores(x, a, c)), of),
                f"scores_backward, per input, gradient of {name}", "z = x a + c is a linear layer")

# %% [markdown]
# ## Use
#
# This is now `minimidl.layers.Dropout` and `minimidl.layers.DynamicGate`. Same input, same numbers:

# %%
layer = layers.DynamicGate(3, 4, gate="linear", dtype=np.float64)
g = rng.normal(size=(5, 4))
output, memory = layer.forward(x)
hidden = np.maximum(x @ layer.params["weight"] + layer.params["bias"], 0)
a, c = layer.params["gate.weight"], layer.params["gate.bias"]
z = input_scores(x, a, c)
mine, kept = gate_forward(hidden, z)
check_close(output, mine, "DynamicGate against yours", "they should agree")
_, grads = layer.backward(g, memory)
check_close(grads["gate.weight"], input_backward(gate_backward(g, kept)[1], x, a)[1],
            "gradient of the gate's weights", "they should agree")
print("DynamicGate agrees with yours; gates open per sample:", kept[1].sum(axis=1))

# %% [markdown]
# Now the race on `regimes`. A penalty pulls the open share to one quarter. The static gate is a
# DynamicGate whose gate weights are held at zero: only its biases can learn.

# %%
regimes = data.load("regimes")


def build(who, seed):
    """Sixteen hidden neurons and somebody who chooses among them."""
    if who in ("nobody", "a coin"):
        hidden = [layers.Linear(36, 16, seed=seed), layers.ReLU()]
        hidden += [layers.Dropout(0.25)] if who == "a coin" else []
    else:
        hidden = [layers.DynamicGate(36, 16, gate="linear", gate_spread=0.3, open_probability=0.6,
                                     seed=seed)]
    return layers.Sequential(*hidden, layers.Linear(16, 4, seed=seed + 1))


def race(who, seed):
    """Train one model; returns it, its test accuracy and the share of neurons on in the test."""
    model, gated, groups = build(who, seed), who in ("a table", "the input"), []
    if who == "a table":  # equal scores would move as one, so they start apart
        model.params["0.gate.weight"][...] = 0
        model.params["0.gate.bias"] += 0.1 * np.random.default_rng(seed).standard_normal(16)
        groups = [learning.Group("held", lambda name: name == "0.gate.weight", 0.0)]
    learning.fit(model, regimes, epochs=60, seed=seed, progress=False, restore_best=False,
                 optimizer=learning.Adam(model.params, 0.01, groups=groups),
                 budgets=[learning.Budget("quadratic", 10, 0.25, warm_up=0.3, of="mask")] * gated)
    output, memory = model.forward(regimes.x_test)
    on = memory["0"]["decision"].active.mean() if gated else 1.0
    return model, np.mean(output.argmax(axis=1) == regimes.y_test), on


models = {}
for who in ("nobody", "a coin", "a table", "the input"):
    models[who], accuracy, on = zip(*(race(who, seed) for seed in range(3)), strict=True)
    print(f"chosen by {who:10} test accuracy {np.mean(accuracy):.2f} "
          f"({min(accuracy):.2f} to {max(accuracy):.2f}), neurons on {np.mean(on):.0%}")
print(f"your predictions: a table {my_static}, the input {my_per_input}")

# %%
order = np.concatenate([np.flatnonzero(regimes.extra["regime_test"] == r)[:50] for r in range(4)])
x = regimes.x_test[order]
coins = models["a coin"][0].forward(x, training=True, rng=rng)[1]["2"]["factor"] > 0
table, chosen = (models[who][0].forward(x)[1]["0"]["decision"].active
                 for who in ("a table", "the input"))
by_kind = chosen.reshape(4, 50, 16).mean(axis=1)  # (4 kinds, 16 neurons)
sorting = np.lexsort((-by_kind.max(axis=0), by_kind.argmax(axis=0)))
show_masks({"a coin (training)": coins, "a table": table[:, np.argsort(~table[0])],
            "the input": chosen[:, sorting]})

# %% [markdown]
# *Figure 2. The trained masks. The coin is random and gone after training: every neuron runs. The
# table is learned, and is really a smaller network. Only the right one is different work for
# different inputs; its neurons are sorted by the kind of input they serve most.*
#
# ## Play
#
# Real digits. The threshold on $p$ can be moved after training: fewer neurons, or a surer answer?

# %%
digits = data.load("digits")
model = layers.Sequential(layers.DynamicGate(64, 48, gate="linear"), layers.Linear(48, 10, seed=1))
learning.fit(model, digits, epochs=40, progress=False, restore_best=False,
             optimizer=learning.Adam(model.params, 0.005),
             budgets=[learning.Budget("quadratic", 10, target=0.3, of="mask")])


def measure(threshold):
    """Share of neurons on per digit ``(10, 48)``, and test accuracy."""
    model.state["0.threshold"][...] = threshold
    output, memory = model.forward(digits.x_test)
    active = memory["0"]["decision"].active
    on = np.stack([active[digits.y_test == digit].mean(axis=0) for digit in range(10)])
    return on, np.mean(output.argmax(axis=1) == digits.y_test)


on = measure(0.5)[0]  # neurons are drawn by the digit that uses them most, the unused ones last
order = np.argsort(np.where(on.max(axis=0) < 0.05, 10, on.argmax(axis=0)), kind="stable")


def draw(threshold):
    """Which neurons each digit switches on."""
    on, accuracy = measure(threshold)
    _, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
    image = ax.imshow(on[:, order], cmap="gray_r", vmin=0, vmax=1, aspect="auto")
    plt.colorbar(image, label="share of inputs")
    ax.set(xlabel="neuron", ylabel="digit", yticks=range(10),
           title=f"threshold {threshold:g}: {on.mean():.0%} on, test accuracy {accuracy:.1%}")


slider(draw, 0.5, threshold=[0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95])

# %% [markdown]
# *Figure 3. Which neurons run for which digit: black always, white never. The columns on the right
# serve nobody: the budget closed them for every input.*
#
# > **What can go wrong.** An audit of the public scripts behind DynamicGate (YongilChoi/
# > DynamicGate_MLP_Model, 26 February 2026) found *the reversed line* in four of them:
# > `hard + (p - hard).detach()` has the value of the soft $p$ and gradient zero. No mask was ever
# > applied and the loss never reached a gate; a replay *without any data*, from the penalty alone,
# > gave the published gate values to six digits. Of the paper's five data sets, one used a gate
# > that looks at the input. And a gate computed from a layer's *output* cannot save its work.
#
# > **In the literature.** Dropout: Srivastava et al., JMLR 15 (2014). Adaptive dropout: Ba and
# > Frey, NeurIPS 2013. Straight-through: Bengio, Leonard and Courville, arXiv 1308.3432 (2013).
# > Learned static gates: Louizos, Welling and Kingma, arXiv 1712.01312 (2018). DynamicGate: arXiv
# > 2603.16367.
#
# ## Ask
#
# 1. A paper reports "60 % fewer active neurons" for a static gate. What does the same model cost as
#    an ordinary, smaller network, and what is left of the claim?
# 2. Why may dropout not be switched on to save time when the network is used?
# 3. *Open.* Here the gate costs 36 x 16 products, as many as the layer that it switches off. How
#    cheap can a gate become before it no longer knows whom to wake?
