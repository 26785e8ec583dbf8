# ---
# number: 3
# title: A derivative that is not one: straight-through
# minutes: 60
# ---

# %% [markdown]
# # 03 A derivative that is not one: straight-through
#
# A step has no slope, so everybody who trains gates *invents* one. How wrong is the invention? And
# would you notice if it were written the wrong way round?
#
# You need: tutorial 02. About an hour.
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

from minimidl import gates, pictures, proof
from minimidl.course import Unsolved, check_close, check_that, slider
from minimidl.proof import enumeration, gate_losses, numeric_gradient

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# A gate $b$ is open with probability $p$, the loss is $f(b) = ab^2 + cb + e$. Only $f(0)$ and
# $f(1)$ ever happen: the mean loss is the line between them. Straight-through does not know the
# other end and uses the slope of $f$ where it stands.

# %%
a, c, e = 1.7, -0.4, 0.2
line = np.linspace(-0.15, 1.15, 100)
fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.plot(line, a * line**2 + c * line + e, color="0.6", lw=1, label="f, never seen between 0 and 1")
ax.plot([0, 1], [e, a + c + e], "o-", color="black", lw=2, label="mean loss: slope f(1) - f(0)")
for b, style in ((0, ":"), (1, "--")):
    near = b + np.array([-0.15, 0.35]) * (1 if b == 0 else -1)
    ax.plot(near, a * b**2 + c * b + e + (2 * a * b + c) * (near - b), style, color="black",
            label=f"what straight-through sees at b = {b}")
ax.set(xlabel="gate b, or probability p", ylabel="loss", xticks=[0, 0.5, 1])
ax.legend(frameon=False, fontsize=8)

# %% [markdown]
# *Figure 1. The truth is the thick chord; straight-through follows one of the two tangents.*
#
# ## Predict
#
# Here $a = 1.7$, $c = -0.4$, and the gate is open 90 % of the time. What is the mean of the
# straight-through gradient, divided by the true one? And for which $p$ would it be right?

# %%
my_factor, my_right_p = None, None  # predictions: for instance 0.5, 0.0

# %% [markdown]
# ## Build and prove: the bias
#
# Let $p = \text{sigmoid}(z)$. Write the slope by $z$ of the mean loss, and the mean over $b$ of
# what straight-through returns, $f'(b)\,p(1-p)$. Their difference: $p(1-p)\,a\,(2p-1)$.

# %% exercise="bias"
def sigmoid(z):
    """Written with tanh, which cannot overflow."""
    return 0.5 * (1 + np.tanh(z / 2))


def true_gradient(z, a, c):
    """Slope by z of the mean of ``a b^2 + c b + e`` over the gate."""
    p = sigmoid(z)
    # >>> solution
    return p * (1 - p) * (a + c)
    # stub: raise Unsolved("bias", "p (1 - p) times f(1) - f(0)")
    # <<< solution


def straight_through_mean(z, a, c):
    """Mean over the gate of ``f'(b) p (1 - p)``: b = 1 with probability p, else 0."""
    p = sigmoid(z)
    # >>> solution
    return p * (1 - p) * (p * (2 * a + c) + (1 - p) * c)
    # stub: raise Unsolved("bias", "p (1 - p) times the mean of the two slopes of f")
    # <<< solution

# %% check="bias"
for z0 in (-2.0, 0.6, 2.2, 40.0):
    p = sigmoid(z0)
    true = numeric_gradient(lambda z: sigmoid(z[0]) * (a + c) + e, np.array([z0]))[0]
    check_close(true_gradient(z0, a, c), true, f"bias, true_gradient at z = {z0}",
                "the mean loss is p f(1) + (1 - p) f(0): differentiate by z")
    check_close(straight_through_mean(z0, a, c) - true, p * (1 - p) * a * (2 * p - 1),
                f"bias, at z = {z0}", "weigh f'(1) = 2a + c with p, and f'(0) = c with 1 - p")
factor = straight_through_mean(np.log(9), a, c) / true_gradient(np.log(9), a, c)
print(f"at p = 0.9 too large by {factor:.2f}; right at p = 0.5 (you: {my_factor}, {my_right_p})")

# %% [markdown]
# ## Build and prove: two lines
#
# With $h = 1[p > \tfrac12]$, and `stop` for "a constant in the backward", one of these lines is
# straight-through. The other was found in public code:
#
# `h + (p - stop(p))` and `h + stop(p - h)`
#
# Work both out: value, and derivative by $p$.

# %% exercise="two_lines"
def first_line(p):
    """``h + (p - stop(p))``: its value, and its derivative by p."""
    h = (p > 0.5) * 1.0
    # >>> solution
    return h + (p - p), np.ones_like(p)
    # stub: raise Unsolved("two_lines", "the pair (value, derivative by p); stop(p) is a constant")
    # <<< solution


def second_line(p):
    """``h + stop(p - h)``: its value, and its derivative by p."""
    h = (p > 0.5) * 1.0
    # >>> solution
    return h + (p - h), np.zeros_like(p)
    # stub: raise Unsolved("two_lines", "the pair (value, derivative by p); h is a step: slope 0")
    # <<< solution

# %% check="two_lines"
p = np.array([0.1, 0.5, 0.7])
hard = np.array([0.0, 0.0, 1.0])  # frozen constants, as the tape of a framework would hold them
for name, mine, wish, total in (
        ("first_line", first_line, hard, lambda q: np.sum(hard + (q - p))),
        ("second_line", second_line, p, lambda q: np.sum(hard + (p - hard)))):
    value, slope = mine(p.copy())
    check_close(value, wish, f"two_lines, value of {name}", "stop changes no value")
    check_close(slope, numeric_gradient(total, p.copy()), f"two_lines, slope of {name}",
                "what stands inside stop has slope 0, and so has h")
print("only the first is hard forward and alive backward:", first_line(p), second_line(p))

# %% [markdown]
# Would you notice in training? Twelve inputs, one gate each; the last six inputs are noise. The
# loss wants to predict $y$; a penalty on the mean $p$ wants to close gates.

# %%
def train(gate, steps=900, rate=0.5, beta=0.3):
    """Gate scores ``(steps, 12)`` and the last error; ``gate`` is one of the two lines."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(64, 12)), 0.5 * rng.normal(size=12)
    y = x[:, :6] @ np.array([1.0, -1.0, 0.8, -0.8, 0.6, -0.6])
    z, path = np.linspace(0.5, 1.5, 12)[[0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]], []
    for _ in range(steps):
        p = sigmoid(z)
        value, slope = gate(p)
        wrong = (x * value) @ w - y
        pull = x.T @ wrong / len(x)  # gradient of the products value * w
        z = z - rate * (pull * w * slope + beta / 12) * p * (1 - p)
        w = w - 0.2 * pull * value
        path.append(z)
    return np.array(path), np.mean(wrong**2)


paths = {"first": train(first_line), "second": train(second_line)}
for name, (path, error) in paths.items():
    print(f"{name:6} line: error {error:.2f} (predicting 0: 3.78), "
          f"gates with p > 1/2: {np.sum(path[-1] > 0)} of 12")

# %% [markdown]
# The second reports *no gate open* and still predicts: impossible for a hard mask. The proof: if
# the loss never reaches the gates, they can be computed **without any data**.

# %% exercise="replay"
def replay(z, steps=900, rate=0.5, beta=0.3):
    """Scores after gradient descent on the penalty ``beta * mean(p)`` alone; z is ``(12,)``."""
    for _ in range(steps):
        p = sigmoid(z)
        # >>> solution
        z = z - rate * beta / len(z) * p * (1 - p)
        # stub: raise Unsolved("replay", "one step down the slope of beta * mean(sigmoid(z)) by z")
        # <<< solution
    return z

# %% check="replay"
begin = np.linspace(0.5, 1.5, 12)
slope = numeric_gradient(lambda z: 0.3 * np.mean(sigmoid(z)), begin.copy())
check_close(replay(begin, steps=1), begin - 0.5 * slope, "replay, one step",
            "down, not up; the mean divides by 12; p has slope p (1 - p)")
path = paths["second"][0]
check_close(replay(path[0], steps=899), path[-1], "replay of the second line",
            "the same number of steps, from the same start, must end at the same scores")
print("largest error of the replay without data, in p:", *(
    f"{name} line {np.abs(sigmoid(replay(path[0], 899)) - sigmoid(path[-1])).max():.1e}"
    for name, (path, _) in paths.items()))

# %%
fig, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
for ax, (name, (path, _)) in zip(axes, paths.items(), strict=True):
    useful = ax.plot(sigmoid(path[:, :6]), color="black", lw=1.2)
    noise = ax.plot(sigmoid(path[:, 6:]), "--", color="0.55", lw=1.2)
    when = np.arange(0, 900, 100)
    dots = ax.plot(when, [sigmoid(replay(path[0], t)) for t in when], ".", color="0.2", ms=4)
    ax.axhline(0.5, color="0.7", lw=0.8)
    ax.set(title=f"{name} line", xlabel="step", ylim=(0, 1))
axes[0].set_ylabel("probability p of each gate")
axes[1].legend([useful[0], noise[0], dots[0]], ["useful input", "noise", "replay without data"],
               frameon=False)

# %% [markdown]
# *Figure 2. Left: useful gates stay, hovering at the cut; noise is closed. Right: all sink alike,
# on the dots that never saw the data.*
#
# ## Build and prove: other inventions
#
# For one draw $b$ with loss $f$ and slope $f'$, gate by gate:
#
# | | gradient of $z$ |
# |---|---|
# | straight-through | $f'\,p(1-p)$ |
# | REINFORCE, baseline $f_0$ | $(f - f_0)(b - p)$ |
# | ReinMax: the mean of both tangents | $\tfrac12 f'(1-p)$ if $b = 1$, $\tfrac12 f'p$ if $b = 0$ |
#
# Sum over all $2^m$ outcomes of $m$ gates: no sampling, no doubt.

# %% exercise="estimators"
def outcomes(z):
    """All masks ``(2^m, m)``, and the chance ``(2^m,)`` of each."""
    masks = enumeration.masks(len(z))
    return masks, np.where(masks == 1, sigmoid(z), sigmoid(-z)).prod(axis=1)


def straight(f, slope, b, p, f0):
    """Straight-through; ``f (rows,)``, ``slope`` and ``b`` are ``(rows, m)``, ``p`` is ``(m,)``."""
    # >>> solution
    return slope * p * (1 - p)
    # stub: raise Unsolved("estimators", "straight-through, one gradient (m,) for each row")
    # <<< solution


def reinforce(f, slope, b, p, f0):
    """REINFORCE with a baseline: it never looks at the slope."""
    # >>> solution
    return (f - f0)[:, None] * (b - p)
    # stub: raise Unsolved("estimators", "REINFORCE, one gradient (m,) for each row")
    # <<< solution


def reinmax(f, slope, b, p, f0):
    """ReinMax: the unlikely outcome counts more."""
    # >>> solution
    return 0.5 * slope * np.where(b == 1, 1 - p, p)
    # stub: raise Unsolved("estimators", "ReinMax, one gradient (m,) for each row")
    # <<< solution

# %% check="estimators"
def mean_of(estimator, loss, z):
    """Mean of an estimator over all outcomes, and the truth by differences."""
    masks, chance = outcomes(z)
    g = estimator(*loss(masks), masks, sigmoid(z), loss(sigmoid(z)[None])[0][0])
    return chance @ g, numeric_gradient(lambda z: outcomes(z)[1] @ loss(masks)[0], z)


z = np.array([0.6, -1.0, 2.0, 0.1])
curved = gate_losses.quadratic(np.diag([1.7, -1.0, 0.5, 2.0]), np.array([-0.4, 0.3, 1.0, 0.0]))
network = gate_losses.small_network(4, seed=1)  # a tanh network, its hidden neurons gated
check_close(mean_of(straight, curved, z)[0], straight_through_mean(
    z, np.array([1.7, -1.0, 0.5, 2.0]), np.array([-0.4, 0.3, 1.0, 0.0])),
    "estimators, straight", "each gate: its own slope times p (1 - p)")
for name, estimator, loss in (("reinforce", reinforce, network), ("reinmax", reinmax, curved)):
    check_close(*mean_of(estimator, loss, z), f"estimators, {name}",
                "its mean must be the true gradient here: compare with the table")
one = np.ones(1)
check_close(reinforce(3 * one, one[None], one[None], 0.25 * one, 1.0), [[1.5]],
            "estimators, reinforce by hand", "(f - f0)(b - p) = (3 - 1)(1 - 0.25)")
for name, mine in (("straight", straight), ("reinforce", reinforce), ("reinmax", reinmax)):
    got, true = mean_of(mine, network, z)
    print(f"{name:10} bias on the network {np.linalg.norm(got - true) / np.linalg.norm(true):.1%}")

# %% [markdown]
# ## Use
#
# These are now `minimidl.gates.ESTIMATORS` and `SCORE_FUNCTIONS`. More there: ARM evaluates the
# loss at two opposite masks, DisARM averages ARM further, Concrete takes a smooth sample's slope.

# %%
shown = {name: gates.ESTIMATORS[name]
         for name in ("identity-probability", "identity-score", "concrete", "reinmax")}
z = np.array([0.6, -1.0, 2.0, 0.1, 1.2, -0.4])
network = gate_losses.small_network(6, seed=1)
rows = proof.bias_variance(network, z, shown, gates.SCORE_FUNCTIONS)
for name, mine in (("identity-probability", straight), ("reinmax", reinmax),
                   ("reinforce-baseline", reinforce)):
    known = next(row for row in rows if row["estimator"] == name)
    check_close(mean_of(mine, network, z)[0], known["expectation"], name, "they should agree")
_, ax = plt.subplots(figsize=(7, 4.4), layout="constrained")
pictures.bias_variance(rows, ax)

# %% [markdown]
# *Figure 3. Bias (dark) and spread (hatched), exact, for six gates; 1 is as large as the true
# gradient. Freedom from bias is paid for with spread.*
#
# Who learns best? Gradient descent on the six scores, *one* sample per step, 20 runs.

# %%
EVERYONE = {name: enumeration.pathwise(one) for name, one in shown.items()}
EVERYONE |= {name: enumeration.score_function(gates.SCORE_FUNCTIONS[name])
             for name in ("reinforce", "arm")}
best = network(outcomes(z)[0])[0].min()


def descend(estimate, seed, steps=300):
    """How far the exact mean loss is above that of the best mask, before every fifth step."""
    rng, scores, curve = np.random.default_rng(seed), np.zeros((1, 6)), []
    for step in range(steps):
        if step % 5 == 0:
            curve.append(enumeration.mean_loss(network, scores[0]) - best)
        scores = scores - estimate(network, scores, rng.random((1, 6)))
    return curve


def looks(i):
    """Line and marker of estimator i: black if it uses slopes, grey if only values."""
    return {"linestyle": ["-", "--", "-.", ":"][i % 4], "color": "black" if i < 4 else "0.55",
            "marker": "os^vDPX*"[i], "ms": 4, "lw": 1.5}


_, axes = plt.subplots(1, 2, figsize=(8.5, 3.4), sharey=True, layout="constrained")
for i, (name, one) in enumerate(EVERYONE.items()):
    runs = np.array([descend(one, seed) for seed in range(20)])
    for ax, curve in zip(axes, (runs.mean(axis=0), runs.max(axis=0)), strict=True):
        ax.semilogy(np.arange(0, 300, 5), curve, label=name, markevery=(2 * i, 12), **looks(i))
for ax, title in zip(axes, ("mean of 20 runs", "worst of 20 runs"), strict=True):
    ax.set(xlabel="step", title=title)
axes[0].set_ylabel("mean loss above the best mask")
axes[1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))

# %% [markdown]
# *Figure 4. Bias makes straight-through slow and pins the raw score to a floor; variance makes
# REINFORCE's worst run bad. ReinMax pays for neither here, which is one network, not a law.*
#
# ## Play
#
# Averaging $S$ samples divides the spread by $\sqrt S$, but not the bias. When does an unbiased
# estimator win? `decided` scales the scores: at 0 every gate is a fair coin.
# (No slider? Call `draw(decided=3)`.)

# %%
samples = np.logspace(0, 4, 50)


def draw(decided):
    """Error of the mean of S samples, for every estimator."""
    found = proof.bias_variance(network, decided * z, shown, gates.SCORE_FUNCTIONS)
    _, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for i, row in enumerate(found):
        ax.loglog(samples, np.hypot(row["bias"], row["spread"] / np.sqrt(samples)),
                  label=row["estimator"], markevery=(i, 8), **looks(i))
    ax.set(xlabel="samples S", ylabel="error / true gradient", title=f"decided = {decided:g}")
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


slider(draw, 1.0, decided=[0, 0.5, 1.0, 2.0, 3.0])

# %% [markdown]
# *Figure 5. Biased estimators (black) reach a floor; unbiased ones (grey) fall for ever.*
#
# > **What can go wrong.** *The reversed line.* Four scripts of YongilChoi/DynamicGate_MLP_Model
# > (as of 26 February 2026) hold `hard + (probs - hard).detach()`, your second line. By our audit,
# > a replay from the penalty alone gives the gate values of its published `Result` to within
# > $10^{-6}$, and epochs 4 and 5 list *no* active neuron at 97.4 % accuracy.
#
# > **In the literature.** Straight-through: Bengio, Leonard and Courville, arXiv 1308.3432 (2013).
# > REINFORCE: Williams, Machine Learning 8 (1992). ARM: Yin and Zhou, arXiv 1807.11143. DisARM:
# > Dong, Mnih and Tucker, arXiv 2006.10680. Concrete: Maddison, Mnih and Teh, arXiv 1611.00712;
# > Jang, Gu and Poole, arXiv 1611.01144. ReinMax: Liu, Dong, Yu and Gao, arXiv 2304.08612.
#
# ## Ask
#
# 1. In figure 1, why is the mean of the two tangents right for every parabola, and for which curve
#    would it fail?
# 2. Name two tests, without data, that tell your two lines apart in somebody's repository.
# 3. *Open.* A layer of 1,000 gates and one loss per batch: what becomes of REINFORCE, and does
#    straight-through's bias grow as well?
