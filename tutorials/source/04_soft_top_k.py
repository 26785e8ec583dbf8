# ---
# number: 4
# title: Soft Top-k: one operator, many names
# minutes: 60
# ---

# %% [markdown]
# # 04 Soft Top-k: one operator, many names
#
# *The k best of n* is a step: it has no slope. Of the many soft versions in the literature, five
# are one equation with another letter in it. Solve it once, differentiate it once.
#
# You need: tutorial 03. About an hour.
#
# *Setting up.* In a clone of the project run `python -m pip install ".[notebooks]"` once. In a
# hosted notebook service, upload the project's wheel and `%pip install` that file in a first cell.

# %%
try:
    import minimidl
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("minimidl is not installed here: see 'Setting up' above") from missing
import math

import matplotlib.pyplot as plt
import numpy as np

from minimidl import data, gates, layers, learning
from minimidl.course import Unsolved, check_close, check_that, slider
from minimidl.proof import numeric_gradient

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# Eight scores. Give each the weight $p_i = F\left(\frac{z_i - \tau}{T}\right)$, where $F$ climbs
# from 0 to 1, and slide the *cut* $\tau$ until the weights sum to 3.

# %%
def logistic(u):
    """``F`` and its slope: 1 / (1 + exp(-u)), without overflow."""
    small = np.exp(-np.abs(u))
    return np.where(u > 0, 1, small) / (1 + small), small / (1 + small) ** 2


scores = np.array([2.9, 2.2, 1.6, 1.3, 0.4, 0.1, -0.5, -1.2])
cuts, fine = np.linspace(-2.5, 4, 200), np.linspace(-2, 3.6, 200)
_, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for cut, grey, style in ((0.2, "0.7", ":"), (1.43, "0.0", "-"), (2.5, "0.5", "--")):
    left.plot(fine, logistic((fine - cut) / 0.4)[0], style, color=grey)
    left.plot(scores, logistic((scores - cut) / 0.4)[0], "o", color=grey, ms=5,
              label=f"cut {cut}: sum {logistic((scores - cut) / 0.4)[0].sum():.1f}")
left.set(xlabel="score z", ylabel="weight p", ylim=(-0.05, 1.3), yticks=[0, 0.5, 1])
left.legend(frameon=False, fontsize=8, loc="upper left")
right.plot(cuts, [logistic((scores - cut) / 0.4)[0].sum() for cut in cuts], color="black")
right.hlines(3, -2.5, 1.43, color="0.5", ls=":")
right.vlines(1.43, 0, 3, color="0.5", ls=":")
right.set(xlabel="cut", ylabel="sum of the weights", yticks=[0, 3, 8])

# %% [markdown]
# *Figure 1. The sum falls with the cut, so exactly one cut gives 3.*
#
# ## Predict
#
# Scores $(2, 1, 1, 1, 0)$, $k = 2$. Hard Top-k takes the first and *one* of three equals. What are
# the five soft weights, for $T$ towards 0?

# %%
my_weights = None  # prediction: for instance [1, 1, 0, 0, 0]

# %% [markdown]
# ## Build and prove: the cut
#
# Halve an interval, for all rows at once: everything is open at `low`, nothing at `high`.

# %% exercise="find_cut"
def find_cut(curve, z, k, temperature=1.0):
    """``tau (rows, 1)`` with ``sum F((z - tau) / T) = k``; ``curve(u)`` is ``F`` and its slope."""
    low = z.min(axis=1, keepdims=True) - 40 * temperature
    high = z.max(axis=1, keepdims=True) + 40 * temperature
    for _ in range(100):
        middle = (low + high) / 2
        # >>> solution
        too_many = curve((z - middle) / temperature)[0].sum(axis=1, keepdims=True) > k
        low, high = np.where(too_many, middle, low), np.where(too_many, high, middle)
        # stub: raise Unsolved("find_cut", "new low and high, row by row: is the sum above k?")
        # <<< solution
    return (low + high) / 2

# %% check="find_cut"
rng = np.random.default_rng(0)
check_close(find_cut(logistic, np.zeros((1, 2)), 0.5), [[np.log(3)]], "find_cut of two zeros",
            "k = 1/2 is 1/4 each, so u = -log 3, above the scores. Sum above k: the cut must go up")
z = rng.normal(size=(4, 9))
for shift, temperature in ((0, 1.0), (1e4, 0.5)):
    u = (z + shift - find_cut(logistic, z + shift, 2.5, temperature)) / temperature
    check_close(logistic(u)[0].sum(axis=1), np.full(4, 2.5),
                f"find_cut, scores + {shift:g}, T = {temperature:g}: sum of each row",
                "each row has its own cut, and u = (z - tau) / T")

# %% [markdown]
# ## Build and prove: five letters
#
# | $F(u)$ | known as |
# |---|---|
# | $1/(1 + e^{-u})$ | sigmoid Top-k; SOFT, entropic optimal transport |
# | $e^u/2$ below 0, $1 - e^{-u}/2$ above | LapSum |
# | $u$, clipped to $[0, 1]$ | capped simplex, k-sparsemax, projection |
# | the same, cubed | p-norm Top-k, $p = 4/3$ |
# | normal distribution $\Phi(u)$ | a threshold under noise |

# %% exercise="five_curves"
def laplace(u):
    """``F`` and its slope: two exponentials, joined at 0."""
    # >>> solution
    half = 0.5 * np.exp(-np.abs(u))
    return np.where(u > 0, 1 - half, half), half
    # stub: raise Unsolved("five_curves", "laplace: (F, F'); use exp(-|u|), which cannot overflow")
    # <<< solution


def ramp(u):
    """``F`` and its slope: u clipped to [0, 1]; at the two kinks the slope is 0."""
    # >>> solution
    return np.clip(u, 0, 1), ((u > 0) & (u < 1)) * 1.0
    # stub: raise Unsolved("five_curves", "ramp: (F, F')")
    # <<< solution


def cube(u):
    """``F`` and its slope: the ramp, cubed."""
    # >>> solution
    p, inside = ramp(u)
    return p**3, 3 * p**2 * inside
    # stub: raise Unsolved("five_curves", "cube: (F, F')")
    # <<< solution


def normal(u):
    """``F`` and its slope: the normal distribution and its density."""
    return (0.5 * np.vectorize(math.erfc)(-u / math.sqrt(2)),
            np.exp(-u * u / 2) / math.sqrt(2 * math.pi))

# %% check="five_curves"
def slope_of(curve, u):
    """By differences."""
    return numeric_gradient(lambda u: curve(u)[0].sum(), u)


CURVES = {"sigmoid": logistic, "lapsum": laplace, "capped-simplex": ramp, "pnorm": cube,
          "normal": normal}
u = np.array([-900.0, -1.3, -0.2, 0.3, 0.7, 1.8, 900.0])
by_hand = {"lapsum": np.exp(-0.3) / -2 + 1, "capped-simplex": 0.3, "pnorm": 0.027}
for name, curve in CURVES.items():
    check_close(curve(u)[1], slope_of(curve, u.copy()), f"five_curves, slope of {name}",
                "F' is the derivative of F; 0 where F is flat", 1e-6)
    check_close(curve(u)[0][[0, 6]], [0, 1], f"five_curves, ends of {name}", "from 0 to 1")
    if name in by_hand:
        check_close(curve(u)[0][3], by_hand[name], f"five_curves, {name} at 0.3", "see the table")
check_close([ramp(np.array([0.0, 1.0]))[1], cube(np.array([0.0, 1.0]))[1]], np.zeros((2, 2)),
            "five_curves, slope at the kinks", "decided gates rest: 0 at u = 0 and at u = 1")

# %% [markdown]
# ## Build and prove: one backward
#
# Do not differentiate the bisection, but the *equation* it solved. Let $d_i = F'(u_i)$ and
# $D = \sum d_i$. Move $z$ and $k$ a little; $\tau$ must follow:
#
# $$\sum_i \frac{d_i}{T}(dz_i - d\tau) = dk \quad\Rightarrow\quad
# d\tau = \frac{\sum_i d_i\,dz_i - T\,dk}{D}$$
#
# Put $d\tau$ into $dp_i = \frac{d_i}{T}(dz_i - d\tau)$, then into $dL = \sum g_i\,dp_i$, and
# collect. One number appears everywhere: $\bar g = \sum d_i g_i / D$.

# %% exercise="topk_backward"
def topk_forward(curve, z, k, temperature=1.0):
    """Weights ``(rows, n)`` that sum to k, and what the backward needs."""
    u = (z - find_cut(curve, z, k, temperature)) / temperature
    p, d = curve(u)
    return p, (d, temperature)


def topk_backward(g, memory):
    """From ``g = dL/dp (rows, n)``: gradients of the scores ``(rows, n)`` and of k (a number)."""
    d, temperature = memory
    # >>> solution
    total = np.maximum(d.sum(axis=1, keepdims=True), 1e-300)  # all decided: 0 / tiny, not 0 / 0
    mean_g = (d * g).sum(axis=1, keepdims=True) / total
    return d * (g - mean_g) / temperature, mean_g.sum()
    # stub: raise Unsolved("topk_backward", "the pair (gradient of z, gradient of k)")
    # <<< solution

# %% check="topk_backward"
def prove(name, z, k, temperature, g):
    """Both gradients of one operator against differences; ``k`` is an array of one number."""
    def value(_):
        return np.sum(g * topk_forward(CURVES[name], z, k[0], temperature)[0])

    g_z, g_k = topk_backward(g, topk_forward(CURVES[name], z, k[0], temperature)[1])
    check_close(g_z, numeric_gradient(value, z), f"topk_backward, {name}, scores",
                "d (g - mean of g weighted by d) / T, row by row", 1e-6)
    check_close(g_k, numeric_gradient(value, k)[0], f"topk_backward, {name}, k",
                "the weighted mean of g, summed over the rows: they share k", 1e-6)


z, g, T = rng.normal(size=(3, 6)), rng.normal(size=(3, 6)), 0.7
for name in CURVES:
    prove(name, z, np.array([2.3]), T, g)
with np.errstate(invalid="ignore"):
    dead, _ = topk_backward(np.ones((1, 2)), (np.zeros((1, 2)), 1.0))
check_close(dead, [[0, 0]], "topk_backward where all is decided", "D = 0: guard against 0 / 0")

# %% [markdown]
# ## Use
#
# Five names of `minimidl.gates.topk`, solved by Newton, in closed form or by a sweep, and
# differentiated by your three lines:

# %%
for name, curve in CURVES.items():
    operator = gates.topk(name)
    p, memory = operator.forward(z, 2.3, T)
    mine, kept = topk_forward(curve, z, 2.3, T)
    check_close(p, mine, f"{name} forward", "they should agree")
    check_close(operator.backward(g, memory)["scores"], topk_backward(g, kept)[0],
                f"{name} backward", "they should agree")
print("yours and the library's agree:", ", ".join(CURVES))


def temperature_for(curve, width):
    """The ``T`` at which p climbs from 1/4 to 3/4 within ``width``: makes the five comparable."""
    u = np.linspace(-4, 4, 4001)
    return width / np.diff(np.interp([0.25, 0.75], curve(u)[0], u))[0]


_, axes = plt.subplots(2, 5, figsize=(10, 4.6), layout="constrained", sharey="row")
for (top, bottom), (name, curve) in zip(axes.T, CURVES.items(), strict=True):
    T = temperature_for(curve, 1.4)
    p, kept = topk_forward(curve, scores[None], 3, T)
    top.plot(fine, curve((fine - find_cut(curve, scores[None], 3, T)[0]) / T)[0], color="0.6")
    between = (p[0] > 0) & (p[0] < 1)
    top.plot(scores[between], p[0][between], "o", color="black", ms=5)
    top.plot(scores[~between], p[0][~between], "s", color="black", mfc="white", ms=6)
    top.set(title=f"{name}\nT = {T:.2g}", xlabel="score z")
    jacobian = np.stack([topk_backward(row[None], kept)[0][0] for row in np.eye(8)])
    image = bottom.imshow(jacobian, cmap="gray_r", vmin=-0.35, vmax=0.35, aspect="auto")
    bottom.set(xticks=[], yticks=[], xlabel="score j")
axes[0, 0].set_ylabel("weight p")
axes[1, 0].set_ylabel("weight i")
plt.colorbar(image, ax=axes[1], label="slope of p by z")

# %% [markdown]
# *Figure 2. Top: the eight weights for $k = 3$, at temperatures that make the curves equally wide;
# empty squares are exactly 0 or 1. Bottom: the Jacobian, best score first; plain grey is 0. Dark:
# my score lifts me; pale: it pushes my rivals down. Who is exactly decided moves nobody.*
#
# ## Build and prove: another name, SOFT
#
# Ship $n$ unit masses to harbour 1 (room for $k$) or 0 (room for $n - k$), at cost $(z_i - y)^2$,
# smoothed by an entropy $\varepsilon$. Sinkhorn starts at $e^{-\text{cost}/\varepsilon}$ and scales
# rows and columns in turn; $p_i$ is what $i$ sends to 1. No cut, no $F$: at which $T$ is it
# sigmoid Top-k?

# %% exercise="sinkhorn"
def sinkhorn(z, k, epsilon, rounds=2000):
    """What each of ``z (n,)`` sends to harbour 1."""
    cost = (z[:, None] - np.array([0.0, 1.0])) ** 2  # (n, 2)
    plan, room = np.exp(-cost / epsilon), np.array([len(z) - k, k])
    for _ in range(rounds):
        # >>> solution
        plan = plan / plan.sum(axis=1, keepdims=True)
        plan = plan * room / plan.sum(axis=0)
        # stub: raise Unsolved("sinkhorn", "scale each row to sum 1, then each column to its room")
        # <<< solution
    return plan[:, 1]


def matching_temperature(epsilon):
    """``T`` of the sigmoid Top-k that is the same. Hint: only the *difference* of costs counts."""
    # >>> solution
    return epsilon / 2
    # stub: raise Unsolved("sinkhorn", "T from epsilon: z^2 - (z - 1)^2 = 2 z - 1")
    # <<< solution

# %% check="sinkhorn"
for k in (3, 1, 2.5):
    sent = sinkhorn(scores, k, 0.9)
    check_close(sent.sum(), k, f"sinkhorn, k = {k}, sum", "columns last: harbour 1 holds k")
    check_close(sent, topk_forward(logistic, scores[None], k, matching_temperature(0.9))[0][0],
                f"sinkhorn, k = {k}, against sigmoid Top-k",
                "rows sum to 1; then p / (1 - p) = exp((2 z - 1) / epsilon) times a constant", 1e-6)
print("2000 rounds of Sinkhorn, or one cut: the same", sent.round(3))

# %% [markdown]
# ## Cool down
#
# Now the prediction: two equal scores can never get different weights.

# %%
tied = np.array([[2.0, 1.0, 1.0, 1.0, 0.0]])
temperatures = np.logspace(-1.5, 1.5, 80)
_, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for name, style, grey in (("sigmoid", "-", "0.0"), ("capped-simplex", "--", "0.5")):
    p = np.array([gates.topk(name).forward(tied, 2, T)[0][0] for T in temperatures])
    for who, text in ((0, "score 2"), (1, "each score 1"), (4, "score 0")):
        ax.semilogx(temperatures, p[:, who], style, color=grey, label=name if who == 0 else None)
        if name == "sigmoid":
            ax.annotate(text, (temperatures[0], p[0, who]), (0, 5), textcoords="offset points")
ax.set(xlabel="temperature T", ylabel="weight", yticks=[0, 1 / 3, 0.4, 1], ylim=(-0.05, 1.13),
       yticklabels=["0", "1/3", "2/5", "1"])
ax.legend(frameon=False, loc="upper right")
print("cold:", gates.topk("sigmoid").forward(tied, 2, 0.01)[0][0].round(3), "you:", my_weights)
print("hard:", gates.topk("hard").forward(tied, 2)[0][0])

# %% [markdown]
# *Figure 3. Hot: everybody gets $k/n$. Cold: hard Top-k, but ties share. The capped simplex
# (dashed) arrives at a finite temperature.*
#
# Does the letter matter? A MID-L layer on digits, 16 of 64 neurons, with each of them (one seed: a
# difference of a point is noise):

# %%
digits = data.load("digits")
for name in CURVES:
    model = layers.Sequential(layers.MIDL(64, 64, keep=0.25, topk=name, temperature=0.5),
                              layers.Linear(64, 10, seed=1))
    learning.fit(model, digits, epochs=10, progress=False, restore_best=False,
                 optimizer=learning.Adam(model.params, 0.005))
    output, memory = model.forward(digits.x_test)
    print(f"{name:15} test accuracy {np.mean(output.argmax(axis=1) == digits.y_test):.1%}")

# %% [markdown]
# ## Play
#
# Let $k$ grow from 0 to 8: one gate after the other opens. Predict the picture for $T = 0.05$.
# (No slider? Call `draw(T=0.05)`.)

# %%
budgets = np.linspace(0, 8, 161)


def draw(T):
    """Every weight against the budget, for three operators."""
    _, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
    for ax, name in zip(axes, ("sigmoid", "capped-simplex", "pnorm"), strict=True):
        p = np.concatenate([gates.topk(name).forward(scores[None], k, T)[0] for k in budgets])
        for i in range(8):
            ax.plot(budgets, p[:, i], ["-", "--", "-.", ":"][i % 4], color=str(0.09 * i), lw=1.3)
        ax.set(title=f"{name}, T = {T:g}", xlabel="budget k")
    axes[0].set_ylabel("weight p")


slider(draw, 0.5, T=[0.05, 0.2, 0.5, 1.0, 2.0, 5.0])

# %% [markdown]
# *Figure 4. The eight weights, best score darkest. The slope of each curve is its share $d_i / D$
# of one more unit of budget.*
#
# > **What can go wrong.** *Ties by comparison.* `p >= (k-th largest p)` looks like Top-k. Gates
# > that start equal all pass: in YongilChoi/DynamicGate_MLP_Model a guard meant to keep 20 % opens
# > 100 % (our audit of the scripts of 26 February 2026). *Subtraction.* In float32, $p(1 - p)$ is 0
# > once $p$ rounds to 1; `logistic` above never subtracts.
#
# > **In the literature.** SOFT: Xie et al., NeurIPS 2020 (arXiv 2002.06504). Capped simplex:
# > Malaviya, Ferreira and Martins, ACL 2018 (arXiv 1805.08241). p-norm: Sander et al., ICML 2023
# > (arXiv 2302.01425). LapSum: Struski et al., ICML 2025 (arXiv 2503.06242). Sinkhorn for
# > machines: Cuturi, NeurIPS 2013 (arXiv 1306.0895).
#
# ## Ask
#
# 1. Show from your backward that shifting all scores changes nothing, and that the gradient of the
#    scores sums to 0. What does that mean for the gate's bias?
# 2. A gate at exactly 0 saves its neuron's work, and gets no gradient. Which of the five would you
#    train with, and what would you do about gates that never wake up?
# 3. *Open.* Invent a sixth $F$. What must it fulfil, and what would make it better than these?
