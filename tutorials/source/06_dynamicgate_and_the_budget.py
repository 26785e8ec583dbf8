# ---
# number: 6
# title: DynamicGate and the budget
# minutes: 60
# ---

# %% [markdown]
# # 06 DynamicGate and the budget
#
# DynamicGate opens every neuron whose probability passes a threshold: how *many* run is nobody's
# decision. A budget has to hold the number down. There are three ways to do that, and a few ways
# to be fooled by them.
#
# You need: tutorial 02; 03 helps. About an hour.
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

from minimidl import data, layers, learning, losses
from minimidl.course import Unsolved, check_close, check_that, slider
from minimidl.gates import min_keep
from minimidl.proof import numeric_gradient

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# A gate with score $z$ opens where $p = \text{sigmoid}(z / T) > \theta$. This schedule, from a
# public script, cools the temperature $T$ (decide more sharply) and raises the threshold $\theta$
# (be stricter). "5th attempt, why is the gate always 1?" says a comment in it.

# %%
epochs = np.arange(1, 11)
T_then, theta_then = np.linspace(4, 0.2, 10), np.linspace(0.45, 0.97, 10)
_, (left, right) = plt.subplots(1, 2, figsize=(7, 2.6), layout="constrained")
left.plot(epochs, T_then, "o-", color="black")
right.plot(epochs, theta_then, "s-", color="black")
left.set(xlabel="epoch", ylabel="temperature T", ylim=(0, 4.3), xticks=[1, 5, 10])
right.set(xlabel="epoch", ylabel="threshold", ylim=(0, 1.05), xticks=[1, 5, 10])

# %% [markdown]
# *Figure 1. Both knobs turn one way, from the first epoch to the last.*
#
# ## Predict
#
# In which epoch are the fewest gates open, if the scores stay as they are?

# %%
my_epoch = None  # prediction: for instance 10

# %% [markdown]
# ## Build and prove: the cut
#
# Solve $\text{sigmoid}(z/T) > \theta$ for $z$: one number on the scores, the *cut*, decides. Then
# turn it round: which $\theta$ puts the cut where you want it?

# %% exercise="cut"
def sigmoid(u):
    """Written with tanh, which cannot overflow."""
    return 0.5 * (1 + np.tanh(u / 2))


def cut_of(temperature, threshold):
    """The number that ``z`` must pass for ``sigmoid(z / T) > theta``."""
    # >>> solution
    return temperature * np.log(threshold / (1 - threshold))
    # stub: raise Unsolved("cut", "solve sigmoid(z / T) = theta for z")
    # <<< solution


def threshold_for(cut, temperature):
    """The ``theta`` that puts the cut there."""
    # >>> solution
    return sigmoid(cut / temperature)
    # stub: raise Unsolved("cut", "the other way round")
    # <<< solution

# %% check="cut"
rng = np.random.default_rng(0)
z = 2 * rng.normal(size=1000)
check_close(cut_of(2.0, 0.75), 2 * np.log(3), "cut_of(2, 0.75)", "T times log(theta / (1 - theta))")
for T, theta in ((0.5, 0.9), (3.0, 0.6), (3.0, 0.2)):
    check_close((z > cut_of(T, theta)) * 1.0, (sigmoid(z / T) > theta) * 1.0,
                f"cut: the mask at T = {T}, theta = {theta}", "the same gates must open")
    check_close(threshold_for(cut_of(T, theta), T), theta, f"threshold_for at T = {T}",
                "it undoes cut_of")
check_close(cut_of(np.array([0.2, 1, 4]), 0.5), np.zeros(3), "cut_of at theta = 1/2",
            "half is half at any temperature: T never touches the mask")
check_close(threshold_for(-500.0, 0.2), 0.0, "threshold_for a cut far below", "no overflow")

# %% [markdown]
# Two trainings on digits: the schedule of figure 1, and one that cools the same way but moves *the
# cut* in a straight line. The training loop takes the cut as a name of its own.

# %%
digits = data.load("digits")
COOL = learning.linear(4.0, 0.2)
PLANS = {"T and threshold": {"temperature": COOL, "threshold": learning.linear(0.45, 0.97)},
         "T and cut": {"temperature": COOL, "cut": learning.linear(-0.8, 2.0)}}
cuts = {"T and threshold": cut_of(T_then, theta_then), "T and cut": np.linspace(-0.8, 2.0, 10)}
_, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for (name, plan), style in zip(PLANS.items(), ("o-", "s--"), strict=True):
    left.plot(epochs, cuts[name], style, color="black", mfc="white", label=name)
    for gate_speed, grey in ((0.0, "black"), (1.0, "0.6")):
        model = layers.Sequential(
            layers.DynamicGate(64, 64, gate="linear", gate_spread=0.3, temperature=4.0),
            layers.Linear(64, 10, seed=1))
        adam = learning.Adam(model.params, 0.005, groups=[learning.gate_group(gate_speed)])
        rows = learning.fit(model, digits, epochs=10, progress=False, optimizer=adam,
                            state_schedules=plan).rows
        right.plot(epochs, [row["active_ratio"] for row in rows], style, color=grey, mfc="white")
left.set(xlabel="epoch", ylabel="cut on the scores", xticks=[1, 5, 10])
right.set(xlabel="epoch", ylabel="share of gates open", ylim=(0, 1), xticks=[1, 5, 10])
left.legend(frameon=False)
print(f"highest cut in epoch {epochs[cuts['T and threshold'].argmax()]} (you: {my_epoch})")

# %% [markdown]
# *Figure 2. Left: the cut climbs, turns, and comes down: for $\theta > 1/2$, cooling* opens *gates.
# Right: the share open on the validation part, with gates that keep their starting weights (black)
# and gates that learn (grey).*
#
# ## Build and prove: a penalty
#
# Now let gates learn, and pull: $L = (m - t)^2$, where $m$ is the mean of all $p$ and $t$ the
# target.

# %% exercise="penalty"
def penalty(z, temperature, target):
    """``(mean p - t)^2`` and its gradient by the scores ``z``, any shape."""
    p = sigmoid(z / temperature)
    # >>> solution
    distance = p.mean() - target
    return distance**2, 2 * distance / z.size * p * (1 - p) / temperature
    # stub: raise Unsolved("penalty", "the pair (value, gradient of z): chain rule through m and p")
    # <<< solution

# %% check="penalty"
z = rng.normal(size=(3, 4))
for T, target in ((1.0, 0.25), (0.3, 0.9)):
    check_close(penalty(z, T, target)[0], (sigmoid(z / T).mean() - target) ** 2,
                f"penalty, value at T = {T}", "the square of the distance")
    check_close(penalty(z, T, target)[1],
                numeric_gradient(lambda z, T=T, t=target: penalty(z, T, t)[0], z),
                f"penalty, gradient at T = {T}",
                "2 (m - t), over the number of gates, times p (1 - p) / T", 1e-6)
check_close(penalty(np.full(3, 900.0), 1.0, 0.25)[1], np.zeros(3), "penalty at z = 900",
            "a gate that is sure does not move, and nothing overflows")
p = sigmoid(z)
value, memory = losses.quadratic_usage(p, 0.25)
check_close(losses.quadratic_usage_backward(memory) * p * (1 - p), penalty(z, 1.0, 0.25)[1],
            "penalty against minimidl.losses.quadratic_usage", "they should agree")

# %% [markdown]
# ## Build and prove: a guard
#
# If a row has too few open gates, open its best closed ones until `k` are open. Every row; ties go
# to the lowest index; an open gate stays open.

# %% exercise="guard"
def at_least(mask, scores, k):
    """``mask (rows, n)``, booleans, with at least ``k`` open in every row."""
    # >>> solution
    open_first = np.where(mask, np.inf, scores)
    best = np.argsort(-open_first, axis=1, kind="stable")[:, :k]
    fed = mask.copy()
    np.put_along_axis(fed, best, True, axis=1)
    return fed
    # stub: raise Unsolved("guard", "order every row: open ones first, then by score; stable sort")
    # <<< solution

# %% check="guard"
closed = np.zeros((2, 64), bool)
check_that((at_least(closed, np.zeros((2, 64)), 8).sum(axis=1) == 8).all(),
           f"{at_least(closed, np.zeros((2, 64)), 8).sum(axis=1)} open", "8 and 8",
           "guard, 64 equal scores", "'as good as the 8th best' is everybody: count instead")
row, s = np.array([[True, False, False, False]]), np.array([[-3.0, 1.0, 2.0, 0.0]])
for k, wish in ((0, [1, 0, 0, 0]), (1, [1, 0, 0, 0]), (2, [1, 0, 1, 0]), (4, [1, 1, 1, 1])):
    check_close(at_least(row, s, k)[0] * 1.0, wish, f"guard, k = {k}",
                "the open gate stays, though its score is the lowest; then the best closed ones")
check_close(np.flatnonzero(at_least(closed, np.zeros((2, 64)), 8)[1]), np.arange(8),
            "guard, ties", "to the lowest index")
many, s = rng.random((50, 9)) < 0.3, rng.normal(size=(50, 9))
check_close(at_least(many, s, 3) * 1.0, min_keep.at_least(many, s, 3) * 1.0,
            "guard against minimidl.gates.min_keep", "rows with enough stay as they are")

# %% [markdown]
# ## Cause a collapse, and cure it
#
# 64 *static* gates (one score each), all starting at $z = 2$; Adam on the penalty alone, as when
# the task's gradient does not reach the gates. Target 25 %, threshold ½. **Predict** the share of
# *open* gates at the end, if $m$ is the mean of $p$; and if it is the mean of the mask, straight
# through. The cure: let the gates start a little apart.

# %%
def replay(start, of_mask, keep=0, steps=300, target=0.25):
    """Share open by step, under the budget alone."""
    s, shares = {"s": start.copy()}, []
    adam = learning.Adam(s, 0.02)
    for _ in range(steps):
        p = sigmoid(s["s"])
        mask = at_least(p[None] > 0.5, s["s"][None], keep)[0]
        shares.append(mask.mean())
        m = mask.mean() if of_mask else p.mean()
        adam.step({"s": 2 * (m - target) / p.size * p * (1 - p)})
    return shares


equal, apart = np.full(64, 2.0), 2.0 + 0.5 * rng.normal(size=64)
_, axes = plt.subplots(1, 2, figsize=(8.5, 3), sharey=True, layout="constrained")
for ax, start, title in ((axes[0], equal, "equal start"), (axes[1], apart, "starting apart")):
    ax.plot(replay(start, False), ":", color="black", lw=2, label="penalty on mean p")
    ax.plot(replay(start, True), "-", color="black", lw=1, label="penalty on the mask")
    ax.plot(replay(start, False, keep=8), "--", color="0.6", label="mean p, and a guard of 8")
    ax.axhline(0.25, color="0.4", lw=0.6)
    ax.set(title=title, xlabel="step", ylim=(-0.04, 1.04), yticks=[0, 0.25, 0.5, 1])
axes[0].set_ylabel("share of gates open")
axes[1].legend(frameon=False)

# %% [markdown]
# *Figure 3. Left: equal gates get equal gradients and cross in the same step: the mean of $p$ is
# right, the share is 0 or 1. Right: starting apart, the penalty on what is executed lands on the
# target (thin line). The guard does not cure anything; it keeps the patient alive.*
#
# ## Build and prove: a price
#
# Penalties bargain: they stop above the target, where their pull equals the task's. *Dual ascent*
# adds $\mu\,(m - t)$ to the loss, with a price $\mu$ that rises while $m > t$ and falls while
# $m < t$, step by step; it is never negative.

# %% exercise="dual"
def dual_step(price, m, target, rate):
    """The price for the next step."""
    # >>> solution
    return max(0.0, price + rate * (m - target))
    # stub: raise Unsolved("dual", "ascend by rate times how far above; never below 0")
    # <<< solution

# %% check="dual"
check_close(dual_step(0.5, 0.75, 0.25, 0.1), 0.55, "dual_step, too much open", "dearer")
check_close(dual_step(0.5, 0.15, 0.25, 1.0), 0.4, "dual_step, too little open", "cheaper")
check_close(dual_step(0.01, 0.0, 0.25, 1.0), 0.0, "dual_step, at the floor", "never below 0")
for target, m_end, price_end in ((0.25, 0.25, 0.55), (0.9, 0.8, 0.0)):
    price = 0.0
    for _ in range(400):  # a task that wants m = 0.8: the least of (m - 0.8)^2 / 2 + price m
        m = 0.8 - price
        price = dual_step(price, m, target, 0.05)
    check_close([m, price], [m_end, price_end], f"dual, a toy task with target {target}",
                "the price stops where m = t, or stays at 0 where nobody wants more", 1e-6)
print("the price 0.550 holds m = 0.250; what does a penalty hold?")
for strength in (1, 3, 30):
    m = (0.8 + 2 * strength * 0.25) / (1 + 2 * strength)  # the least of toy and penalty together
    print(f"strength {strength:2}: m = {m:.3f}, pull 2 strength (m - t) = "
          f"{2 * strength * (m - 0.25):.3f}")

# %% [markdown]
# ## Use: three ways to hold a budget
#
# `regimes` again: a cue says which of four groups of features counts. Four blocks of 16 neurons: a
# quarter is enough, if each regime gets its block. `learning.Budget` offers penalties by name
# (hinge, quadratic, keep-alive, ...); any callable that returns a value and $dL/dp$ will do:

# %%
class Dual:
    """Your price, on the executed share; the gradient reaches p straight through."""

    def __init__(self, target, rate):
        self.target, self.rate, self.price = target, rate, 0.0

    def __call__(self, gated, memory, progress):
        decision, price = memory["0"]["decision"], self.price
        m = decision.active.mean()
        self.price = dual_step(price, m, self.target, self.rate)
        p = decision.probability
        return price * (m - self.target), {"0": np.full_like(p, price / p.size)}


regimes = data.load("regimes")


def train(seed=0, **how):
    """Train one model; returns it, its share open by epoch and its test accuracy."""
    model = layers.Sequential(
        layers.DynamicGate(36, 64, block=16, gate="linear", gate_spread=0.1, open_probability=0.8,
                           seed=seed),
        layers.Linear(64, 4, seed=seed + 1))
    rows = learning.fit(model, regimes, epochs=40, progress=False, restore_best=False, seed=seed,
                        optimizer=learning.Adam(model.params, 0.005), **how).rows
    right = model.forward(regimes.x_test)[0].argmax(axis=1) == regimes.y_test
    return model, [row["active_ratio"] for row in rows], right.mean()


WAYS = {"penalty, strength 3": ("-.", "s", lambda: {"budgets": [
            learning.Budget("quadratic", 3, 0.25, of="mask")]}),
        "schedule, cut 0 to 4": (":", "^", lambda: {"state_schedules": {
            "cut": learning.linear(0.0, 4.0)}}),
        "price, dual ascent": ("-", "o", lambda: {"budgets": [Dual(0.25, 0.01)]})}
_, ax = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
ax.axhline(0.25, color="0.5", lw=0.8)
ax.annotate("target", (1, 0.255), color="0.4")
for name, (style, marker, how) in WAYS.items():
    found, shares, right = zip(*(train(seed, **how()) for seed in range(3)), strict=True)
    ax.plot(np.arange(1, 41), np.mean(shares, axis=0), style, color="black", marker=marker,
            markevery=4, mfc="white", label=name)
    print(f"{name:20} open {np.mean(shares, axis=0)[-1]:.2f}, test accuracy "
          f"{np.mean(right):.3f} ({min(right):.3f} to {max(right):.3f})")
ax.set(xlabel="epoch", ylabel="share of gates open", ylim=(0, 1.05))
ax.legend(frameon=False)
decided = found[0].forward(regimes.x_test)[1]["0"]["decision"].active  # dual ascent, seed 0
kind = regimes.extra["regime_test"]
print("share of inputs that open each block (columns), by regime (rows)")
print(np.round([decided[kind == r].mean(axis=0) for r in range(4)], 2))

# %% [markdown]
# *Figure 4. Mean of three seeds. The penalty stops above its target. A schedule commands the cut,
# not the share: scores run away from it. The price holds.* The table: a price holds the total, and
# divides nothing fairly; two regimes may share a block.
#
# This is now `minimidl.learning.DualAscent`, which counts what costs: multiply-accumulates, gate
# included. Its price is signed (below 0 it rewards opening), and it looks at the change of $m$
# against swinging. It needs steps: with 270 instead of the 2,040 here, it stood at 37 % for 30 %.

# %%
for target in (0.3, 0.5):
    model = layers.Sequential(layers.DynamicGate(64, 64, gate_rank=4, open_probability=0.8),
                              layers.Linear(64, 10, seed=1))
    rows = learning.fit(model, digits, epochs=60, batch_size=32, progress=False,
                        restore_best=False, optimizer=learning.Adam(model.params, 0.005),
                        budgets=[learning.DualAscent(model, target)]).rows
    print(f"digits, target {target:.0%} of the dense MACs: executed "
          f"{rows[-1]['train_mac_ratio']:.1%}, validation accuracy {rows[-1]['val_accuracy']:.1%}")

# %% [markdown]
# ## Play
#
# How fast should a price move? Predict the curve for ten times the rate.

# %%
def draw(rate):
    """Share open, and what the task makes of it."""
    _, shares, right = train(budgets=[Dual(0.25, rate)])
    _, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
    ax.plot(np.arange(1, 41), shares, "o-", color="black", ms=3)
    ax.axhline(0.25, color="0.5", lw=0.8)
    ax.set(xlabel="epoch", ylabel="share of gates open", ylim=(-0.03, 1.05),
           title=f"rate {rate:g}: test accuracy {right:.1%}")


slider(draw, 0.1, rate=[0.001, 0.003, 0.01, 0.03, 0.1])

# %% [markdown]
# *Figure 5. Too fast: the price winds up before the gates can answer, closes everything, and comes
# down slowly; the target is met in the end, and the accuracy is not what it was.*
#
# > **What can go wrong.** Our audit of YongilChoi/DynamicGate_MLP_Model (26 February 2026) found
# > the schedule of figure 1 (PBMC3k); 256 identical gates with target and threshold both at 0.90,
# > closing in one step; a guard by `probs >= k-th value` that opens 100 % instead of 20 % of equal
# > gates; and penalties on mean $p$ reported as executed. A checkpoint that restores weights but
# > not $T$ and $\theta$ tests another network.
#
# > **In the literature.** DynamicGate: arXiv 2603.16367. Lagrange multipliers for gates: Gallego-
# > Posada et al., arXiv 2208.04425 (2022). Damping by the change: Stooke, Achiam and Abbeel, ICML
# > 2020 (arXiv 2007.03964). Dual ascent: Boyd et al., Foundations and Trends in ML 3 (2011).
#
# ## Ask
#
# 1. Show that a penalty of strength $s$ rests at $m - t = \mu / 2s$, with $\mu$ the price that
#    would hold the same $m$. How strong must it be for a gap of 0.01, and what does that cost?
# 2. Adam on the budget alone moves every score by about its learning rate, whatever the strength.
#    Why, and when does nothing move at all?
# 3. *Open.* One price for all layers, or one for each? What would you measure to decide?
