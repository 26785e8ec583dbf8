# ---
# number: 5
# title: The MID-L layer
# minutes: 60
# ---

# %% [markdown]
# # 05 The MID-L layer
#
# Every neuron gets two ways to answer: a *full* one, which costs a column of weights, and a *light*
# one, nearly free. For each input a gate picks the $k$ neurons worth the full price:
#
# $$y = \text{light} + m \cdot a \cdot (\text{full} - \text{light}), \qquad
#   a = \sigma(z), \quad m = \text{TopK}(z, k), \quad z = \text{gate}(x)$$
#
# You need: the chain rule, NumPy; tutorial 01 helps. About an hour.
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

from minimidl import data, layers, measure, pictures
from minimidl.course import Unsolved, check_close, check_that, slider
from minimidl.experiment import make_settings, run_experiment
from minimidl.proof import numeric_gradient

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})
rng = np.random.default_rng(0)
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# Two ways to choose 3 of 8. *Soft*: $m = \sigma(z - \tau)$, the cut $\tau$ such that $\sum m = 3$.
# *Hard*: zeros and ones.

# %%
def sigmoid(z):
    """Written with tanh, which cannot overflow."""
    return 0.5 * (1 + np.tanh(z / 2))


def soft_topk(z, k):
    """Soft mask of sum ``k`` per row, and the distances ``z - tau`` to the cut, by bisection."""
    low, high = z.min(axis=1, keepdims=True) - 50, z.max(axis=1, keepdims=True) + 50
    for _ in range(80):
        tau = (low + high) / 2
        too_many = sigmoid(z - tau).sum(axis=1, keepdims=True) > k
        low, high = np.where(too_many, tau, low), np.where(too_many, high, tau)
    return sigmoid(z - tau), z - tau


z = np.array([[2.6, 1.9, 0.9, 0.5, -0.2, -0.9, -1.8, -2.9]])
soft = soft_topk(z, 3)[0]
d = soft[0] * (1 - soft[0])
fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 2.8), layout="constrained")
left.bar(range(8), np.arange(8) < 3, color="0.85", edgecolor="0.2", label="hard")
left.bar(range(8), soft[0], width=0.4, color="0.25", label="soft")
left.set(xlabel="neuron, best score first", ylabel="mask m")
right.bar(range(8), d * (1 - d / d.sum()), color="0.25", label="soft mask")
right.plot(range(8), np.zeros(8), "o", mfc="white", color="0.2", label="hard mask", clip_on=False)
right.set(xlabel="neuron, best score first", ylabel="slope of m by its own score", ylim=(0, 0.35))
for ax in (left, right):
    ax.legend(frameon=False)

# %% [markdown]
# *Figure 1. Left, who is chosen. Right, what a score can learn from its mask: nothing at all if
# hard; most if soft and near the cut, where the decision is open.*
#
# ## Predict
#
# The paper reports 55 % fewer active neurons. If 45 % of the neurons of a layer run, how many times
# fewer multiplications is that? The paper says 1.7 times. **Write down your number, and why.**

# %%
my_times = None  # prediction: for instance 1.5

# %% [markdown]
# ## Build and prove: choose
#
# The hard mask, and a cut $\tau$ for it: midway between the $k$-th score and the next.

# %% exercise="hard_topk"
def hard_topk(z, k):
    """Mask of exactly ``k`` ones per row, ``1 <= k < n``, and the distances ``z - tau``."""
    # >>> solution
    best_first = np.argsort(-z, axis=1, kind="stable")  # stable: ties go to the lower index
    m = np.zeros_like(z)
    np.put_along_axis(m, best_first[:, :k], 1.0, axis=1)
    tau = np.take_along_axis(z, best_first[:, k - 1:k + 1], axis=1).mean(axis=1, keepdims=True)
    return m, z - tau
    # stub: raise Unsolved("hard_topk", "the pair (mask, z - tau); np.argsort can help")
    # <<< solution

# %% check="hard_topk"
m, u = hard_topk(np.array([[0.1, 3.0, 0.7, -2.0]]), 2)
check_close(m, [[0, 1, 1, 0]], "hard_topk([0.1, 3, 0.7, -2], 2), mask", "ones at the k highest")
check_close(u, [[-0.3, 2.6, 0.3, -2.4]], "hard_topk([0.1, 3, 0.7, -2], 2), distances",
            "tau is the mean of the k-th score, 0.7, and the next, 0.1")
check_close(hard_topk(np.array([[1.0, 2.0, 2.0, 2.0]]), 2)[0], [[0, 1, 1, 0]],
            "hard_topk with three equal scores", "exactly k ones; ties go to the lower index")

# %% [markdown]
# Now backward. Differentiate $\sum_i \sigma(z_i - \tau) = k$: if one score rises, the cut rises
# too, and everybody else loses a little. With $d = \sigma(u)\,\sigma(-u)$, $u = z - \tau$, and
# $\bar g = \sum_i d_i g_i / \sum_i d_i$, the gradient is $d_i\,(g_i - \bar g)$: it praises a
# neuron only for being *better than the average of its rivals*.
#
# For the hard mask the same line is a *straight-through* gradient. No derivative of the mask, but
# the derivative of a stand-in: $m_0 + s(z) - s(z_0)$, where $s$ is the soft mask through our cut.

# %% exercise="topk_backward"
def topk_backward(g, u):
    """Gradient of the scores from ``g``, the gradient of the mask; all ``(batch, n)``."""
    # >>> solution
    d = sigmoid(u) * sigmoid(-u)
    rivals = (d * g).sum(axis=1, keepdims=True) / d.sum(axis=1, keepdims=True)
    return d * (g - rivals)
    # stub: raise Unsolved("topk_backward", "d * (g - the mean of g in its row, weighted by d)")
    # <<< solution

# %% check="topk_backward"
def stand_in(z0, k):
    """What the hard choice at ``z0`` pretends to be nearby; to be used in place of it."""
    m0, u0 = hard_topk(z0, k)
    held = sigmoid(u0).sum(axis=1, keepdims=True)  # the sum that the soft mask must keep
    return lambda z, k: (m0 + soft_topk(z, held)[0] - sigmoid(u0), u0)


z, g = rng.normal(size=(2, 3, 6))
for name, choose, smooth in (("soft", soft_topk, soft_topk), ("hard", hard_topk, stand_in(z, 2))):
    numeric = numeric_gradient(lambda z, topk=smooth: np.sum(g * topk(z, 2)[0]), z)
    check_close(topk_backward(g, choose(z, 2)[1]), numeric, f"topk_backward, {name}",
                "each row has its own weighted mean, and d = sigmoid(u) sigmoid(-u)")
true = numeric_gradient(lambda z: np.sum(g * hard_topk(z, 2)[0]), z)
print("largest true slope of the hard mask:", np.abs(true).max())

# %% [markdown]
# ## Build and prove: the layer

# %% exercise="midl_forward"
def midl_forward(x, p, k, topk):
    """``(batch, n_in) -> (batch, n_units)``, and what backward needs."""
    v = x @ p["weight"] + p["bias"]
    full, light = np.maximum(v, 0), x @ p["light"]
    # >>> solution
    z = x @ p["gate"] + p["gate_bias"]
    a = sigmoid(z)
    m, u = topk(z, k)
    y = light + m * a * (full - light)
    # stub: raise Unsolved("midl_forward", "z, a, (m, u) = topk(z, k), and the output y")
    # <<< solution
    return y, (x, v, full, light, a, m, u)

# %% check="midl_forward"
toy = {"weight": np.diag([3.0, 4.0]), "bias": np.zeros(2), "light": np.eye(2),
       "gate": np.diag([0.0, 1.0]), "gate_bias": np.zeros(2)}
y, memory = midl_forward(np.array([[1.0, 2.0]]), toy, 1, hard_topk)
check_close(memory[5], [[0, 1]], "midl_forward, mask by hand", "the scores are 0 and 2, and k = 1")
check_close(y, [[1, 2 + sigmoid(2.0) * (8 - 2)]], "midl_forward by hand",
            "neuron 0 is closed: light, 1. Neuron 1: light 2, full 8, mixed by a = sigmoid(2)")

# %% [markdown]
# Three paths lead back: through the full answer, through the light one, and through the gate. The
# last one forks: $m$ asks *who should run*, $a$ asks *how loud*.

# %% exercise="midl_backward"
def midl_backward(g, p, memory):
    """Gradient of x, and of every parameter by name, from ``g``, the gradient of y."""
    x, v, full, light, a, m, u = memory
    # >>> solution
    g_v = g * m * a * (v > 0)
    g_light = g * (1 - m * a)
    g_product = g * (full - light)  # the gradient of m * a
    g_z = topk_backward(g_product * a, u) + g_product * m * a * (1 - a)
    # stub: raise Unsolved("midl_backward", "g_v (full path), g_light, g_z (gate: through m and a)")
    # <<< solution
    grads = {"weight": x.T @ g_v, "bias": g_v.sum(axis=0), "light": x.T @ g_light,
             "gate": x.T @ g_z, "gate_bias": g_z.sum(axis=0)}
    return g_v @ p["weight"].T + g_light @ p["light"].T + g_z @ p["gate"].T, grads

# %% check="midl_backward"
x, g = rng.normal(size=(5, 4)), rng.normal(size=(5, 6))
shapes = {"weight": (4, 6), "bias": 6, "light": (4, 6), "gate": (4, 6), "gate_bias": 6}
p = {name: rng.normal(size=shape) for name, shape in shapes.items()}
smooth = {"soft": soft_topk, "hard": stand_in(x @ p["gate"] + p["gate_bias"], 2)}
hints = {"weight": "full path: what multiplied it forward, and the slope of max(v, 0)",
         "light": "light path: y holds light * (1 - m a)",
         "gate": "gate path: two terms, through m (topk_backward) and through a (slope a (1 - a))"}
for name, choose in (("soft", soft_topk), ("hard", hard_topk)):
    _, memory = midl_forward(x, p, 2, choose)
    check_that(np.abs(memory[1]).min() > 1e-3, np.abs(memory[1]).min(), "no v near 0",
               "the test point", "a difference across a kink proves nothing")
    g_x, grads = midl_backward(g, p, memory)
    for path, value in ({"x": x} | p).items():
        numeric = numeric_gradient(
            lambda _, topk=smooth[name]: np.sum(g * midl_forward(x, p, 2, topk)[0]), value)
        check_close(g_x if path == "x" else grads[path], numeric,
                    f"midl_backward, {name}, gradient of {path}",
                    hints.get(path.removesuffix("_bias"), "one of the three paths is wrong"))
print("every entry agrees: soft with real differences, hard with those of its stand-in")

# %% [markdown]
# ## Use
#
# This is now `minimidl.layers.MIDL`, its mask `minimidl.gates.topk`. Same input, same numbers:

# %%
for name, choose in (("sigmoid", soft_topk), ("hard", hard_topk)):
    layer = layers.MIDL(4, 6, keep=2, topk=name, gate="linear", light="linear", dtype=np.float64)
    names = {"weight": "weight", "bias": "bias", "light.weight": "light",
             "gate.weight": "gate", "gate.bias": "gate_bias"}
    for theirs, mine in names.items():
        layer.params[theirs][...] = p[mine]
    (y, kept), (output, memory) = midl_forward(x, p, 2, choose), layer.forward(x, training=True)
    check_close(output, y, f"MIDL against yours, {name}", "they should agree")
    (g_x, grads), (grad_x, theirs) = midl_backward(g, p, kept), layer.backward(g, memory)
    check_close(theirs["gate.weight"], grads["gate"], f"gate gradient, {name}", "should agree")
    check_close(grad_x, g_x, f"gradient of x, {name}", "they should agree")
print("MIDL agrees with yours, soft and hard")

# %% [markdown]
# Now on digits: 256 neurons, 115 run. The gate is two thin matrices (rank 4); the light path is
# zero, so that a closed neuron costs nothing in the next layer either.

# %%
digits = data.load("digits")
trained = run_experiment("midl", digits, make_settings("digits", {"epochs": 30}), progress=False,
                         timed=False)
_, memory = trained.model.forward(digits.x_test)
active = memory["0"]["decision"].active.astype(float)
common = active @ active.T  # (450, 450): neurons that two images share
groups = [digits.y_test == digit for digit in range(10)]
shared = np.array([[common[np.ix_(one, two)].mean() for two in groups] for one in groups]) / 115
share = measure.activity_by_class(trained.model, digits.x_test, digits.y_test, 10)["0"]

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained",
                                  width_ratios=[2, 1])
pictures.activity_map(share, digits.class_names, left)
right.imshow(shared, cmap="gray_r", vmin=0.45, vmax=1)
for one in range(10):
    for two in range(10):
        right.text(two, one, f"{100 * shared[one, two]:.0f}", ha="center", va="center", fontsize=7,
                   color="white" if shared[one, two] > 0.72 else "black")
right.set(xticks=range(10), yticks=range(10), xlabel="digit", title="neurons in common (%)")

# %% [markdown]
# *Figure 2. Left: which neurons each digit selects (black: always). Right: how many neurons two
# images share, on average; two random choices would share 45 %. Look for 2 and 3, and for 2 and 4.*
#
# ## Count
#
# What is a MID-L layer's cost, relative to a dense one? The running neurons; a gate of rank $r$,
# which costs $r\,(n_{in} + n_{units})$; and one product $m \cdot a \cdot \text{full}$ per running
# neuron. The light path is zero.

# %% exercise="relative_macs"
def relative_macs(n_in, n_units, keep, rank):
    """Multiplications of the layer, gate included, over the ``n_in * n_units`` of a dense one."""
    # >>> solution
    running = keep * n_units
    gate = rank * (n_in + n_units) + running
    return (n_in * running + gate) / (n_in * n_units)
    # stub: raise Unsolved("relative_macs", "(running neurons + gate + products) / dense")
    # <<< solution

# %% check="relative_macs"
check_close(relative_macs(10, 20, keep=0.5, rank=2), (100 + 60 + 10) / 200,
            "relative_macs by hand", "10 inputs x 10 neurons + gate 2 x 30 + 10 products, over 200")
counted = measure.count_macs(trained.model, memory).layers[0]
check_close(relative_macs(64, 256, 115 / 256, rank=4),
            (counted.layer + counted.gate).mean() / counted.dense,
            "relative_macs against minimidl.measure", "the trained layer: 64 inputs, 256 neurons")
for rank in (0, 8, 35, 256):
    print(f"512 x 512, rank {rank:3}: {1 / relative_macs(512, 512, 0.45, rank):.2f} times fewer")

# %%
ranks = np.arange(1, 257)
fig, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
ax.semilogx(ranks, 1 / relative_macs(512, 512, 0.45, ranks), color="black", label="layer 512 x 512")
ax.semilogx(ranks, 1 / relative_macs(64, 256, 0.45, ranks), "--", color="0.4",
            label="layer 64 x 256 (digits)")
for level, text in ((1 / 0.45, "bound: a free gate"), (1.7, "the paper: 1.7"), (1, "dense")):
    ax.axhline(level, color="0.6", lw=1, ls=":")
    ax.text(300, level, text, va="center", fontsize=9)
ax.plot(256, 1 / relative_macs(512, 512, 0.45, 256), "s", color="black", label="gate: full matrix")
ax.plot(4, counted.dense / np.mean(counted.layer + counted.gate), "o", color="0.4", label="trained")
ax.set(xlabel="rank of the gate", ylabel="times fewer multiplications", xlim=(1, 270), ylim=0)
ax.set_xticks([1, 4, 16, 35, 100, 256], [1, 4, 16, 35, 100, 256])
ax.minorticks_off()
ax.legend(frameon=False, loc="lower left")
print(f"your prediction: {my_times}")

# %% [markdown]
# *Figure 3. 55 % fewer neurons can never be more than 1/0.45 = 2.22 times fewer multiplications.
# 1.7 times means 0.59 = 0.45 + 0.14: room for a gate (and light path) of rank about 35 in a layer
# of 512 x 512. A gate that is a full matrix costs as much as the layer: slower than dense.*
#
# The same 1.7 would follow from a free gate in layers that hold 75 % of the work
# ($0.25 + 0.75 \cdot 0.45 = 0.59$). Both are our reconciliations; the abstracts do not say.
#
# ## Play
#
# How few neurons are enough? And the uncomfortable comparison: a *small dense* network of equal
# cost.

# %%
def average(model, **options):
    """Mean cost (in thousands) and accuracy (in %) of three seeds, and one trained model."""
    runs = [run_experiment(model, digits, make_settings("digits", {"epochs": 20} | options),
                           seed=seed, progress=False, timed=False) for seed in range(3)]
    cost, accuracy = ([run.row[column] for run in runs] for column in ("macs", "accuracy"))
    return np.mean(cost) / 1000, 100 * np.mean(accuracy), runs[0].model


gated = {keep: average("midl", keep=keep) for keep in (0.05, 0.1, 0.2, 0.45, 0.8)}
small = [average("dense", width=(width,)) for width in (12, 26, 52, 115, 256)]


def draw(keep):
    """Accuracy against cost with one keep marked, and what its digits select."""
    _, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained",
                                    width_ratios=[1, 1.5])
    left.plot(*np.transpose([one[:2] for one in small]), "s--", color="0.5", label="small dense")
    left.plot(*np.transpose([one[:2] for one in gated.values()]), "o-", color="black",
              label="MID-L, 256 neurons")
    left.plot(*gated[keep][:2], "o", ms=14, mfc="none", color="black")
    left.set(xlabel="thousand MACs per image, gate included", ylabel="test accuracy (%)",
             title=f"keep {keep:g}")
    left.legend(frameon=False)
    share = measure.activity_by_class(gated[keep][2], digits.x_test, digits.y_test, 10)["0"]
    pictures.activity_map(share, digits.class_names, right)


slider(draw, 0.1, keep=list(gated))

# %% [markdown]
# *Figure 4. Left: accuracy against cost, mean of three seeds; the ring marks `keep`. Right: who
# selects whom.*
#
# > **Whose words.** The paper's: two paths interpolated by a learned, input-dependent gating
# > vector; *differentiable Top-k masking* (arXiv) or *Top-k masking with straight-through gradient
# > estimation* (workshop); 55 %, 1.7 times. We had the abstracts only. Ours: closed neurons fall
# > back to the light path, the mask is computed on the scores, and the soft mask stands in for the
# > hard one.
#
# > **What can go wrong.** *A gate that cannot learn.* Normalise the gate values of the chosen to
# > sum 1, choose one, and the value is 1 whatever the score: its gradient is zero. Found in
# > davidmrau/mixture-of-experts#27, and again in jingyaogong/minimind#858, where the experts stayed
# > alike and the big model was worse than the dense one. A hard Top-k with no stand-in and no $a$
# > does the same: by our audit the hard gate of `Learning_Inference_Concurrency`, in
# > YongilChoi/DynamicGate_MLP_Model, never learned.
#
# > **In the literature.** MID-L: Shaeri and Middel, arXiv 2505.11416 (2025); workshop version:
# > OpenReview ops57uDuJV. Soft Top-k as optimal transport: Xie et al., NeurIPS 2020 (arXiv
# > 2002.06504). Straight-through: Bengio, Leonard and Courville, arXiv 1308.3432 (2013). A
# > threshold in the place of k: DynamicGate, Choi, arXiv 2603.16367 (2026).
#
# ## Ask
#
# 1. Replace $m \cdot a$ by $m$ alone. Which of the three paths back changes, and what does the gate
#    still learn if the mask has no stand-in?
# 2. In `midl_backward`, the gate's gradient needs `full` of *closed* neurons too. What does that
#    mean for a program that skips them in training?
# 3. *Open.* On digits a small dense network does as well at equal cost. What would a data set look
#    like on which choosing wins? (Tutorial 02 has one; can you make it harder?)
