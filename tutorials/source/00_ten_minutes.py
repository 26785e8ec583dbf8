# ---
# number: 0
# title: Ten minutes: a network that chooses its neurons
# minutes: 10
# ---

# %% [markdown]
# # 00 Ten minutes: a network that chooses its neurons
#
# An ordinary network runs all of its neurons for every input. This one looks at the input first,
# runs fewer than half of them, and reads handwriting nearly as well. In ten minutes you will have
# trained it, counted its work by hand, and met its neurons one by one.
#
# You need: Python, a little NumPy. No mathematics yet.
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

from minimidl import data, measure, pictures
from minimidl.course import Unsolved, check_close, slider
from minimidl.experiment import make_settings, run_experiment

plt.rcParams.update({"figure.dpi": 110})
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# 1,797 digits written by hand, 8 x 8 pixels each. A layer of 256 hidden neurons, then ten outputs.
# A small *gate* scores the neurons for each image; the 115 with the highest scores run.

# %%
digits = data.load("digits")
settings = make_settings("digits", {"epochs": 30})
midl = run_experiment("midl", digits, settings, progress=False, timed=False).model
output, memory = midl.forward(digits.x_test)
decision = memory["0"]["decision"]  # what the gate of layer 0 decided, for 450 images
active = decision.active  # (450, 256): True where a neuron ran

taste = measure.activity_by_class(midl, digits.x_test, digits.y_test, 10)["0"]
order = np.argsort(taste[2] - taste[4])  # neurons that the fours prefer first, the twos' last
chosen = np.array([np.flatnonzero(digits.y_test == digit)[:2] for digit in (4, 2, 6)]).ravel()
fig, axes = plt.subplots(2, 6, figsize=(8.4, 3.2), layout="constrained")
for (image, mask), i in zip(axes.T, chosen, strict=True):
    image.imshow(digits.x_test[i].reshape(8, 8), cmap="gray_r")
    mask.imshow(active[i, order].reshape(16, 16), cmap="gray_r")
    mask.set_title(f"{(active[i] & active[chosen[0]]).sum()} of 115", fontsize=10)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("image")
axes[1, 0].set_ylabel("256 neurons")

# %% [markdown]
# *Figure 1. Six images the network has never seen; below each its neurons, black if they ran, those
# that fours prefer on top, those that twos prefer at the bottom. The number: how many of the 115
# also ran for the first image. The other 4 shares nearly all; two random choices would share 52.*
#
# ## Predict
#
# The unit of work is the *MAC*: one multiplication and one addition. Without a gate, an image costs
# $64 \cdot 256 + 256 \cdot 10 = 18{,}944$ of them. With 115 neurons of 256, and the gate's own work
# included: what share of that? And how many points of accuracy are lost? **Write both down.**

# %%
my_share, my_points = None, None  # predictions: for instance 0.9, 5

# %% [markdown]
# ## Build and prove: choose
#
# The whole idea in three lines: in each row of scores, switch on the `k` highest.

# %% exercise="choose"
def choose(scores, k):
    """Mask like ``scores (batch, n)``: True for the ``k`` highest of each row, exactly ``k``."""
    # >>> solution
    best_first = np.argsort(-scores, axis=1, kind="stable")  # stable: ties to the lower index
    mask = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(mask, best_first[:, :k], True, axis=1)
    return mask
    # stub: raise Unsolved("choose", "a boolean mask; np.argsort and np.put_along_axis can help")
    # <<< solution

# %% check="choose"
check_close(choose(np.array([[0.1, 3.0, -2.0, 0.7]]), 2), [[0, 1, 0, 1]],
            "choose([0.1, 3.0, -2.0, 0.7], k=2)", "the highest scores, not the lowest")
check_close(choose(np.array([[3.0, 2.0], [1.0, 4.0]]), 1), [[1, 0], [0, 1]],
            "choose, two rows", "each row chooses for itself")
check_close(choose(np.ones((1, 4)), 2).sum(), 2, "choose, number chosen among four equal scores",
            "exactly k: 'score >= k-th score' lets all equal scores in")
check_close(choose(decision.scores, 115), active, "choose, on the scores of the trained gate",
            "the network chose the 115 highest of each row")

# %% [markdown]
# ## Build and prove: count
#
# Only what is executed counts: a neuron that runs multiplies its inputs, then each output
# multiplies that neuron. The gate squeezes the inputs through `rank` numbers, so it costs
# $\text{rank} \cdot (n_{in} + n_{units})$, and one product per neuron that runs.

# %% exercise="macs_by_hand"
def macs_by_hand(mask, n_in, n_out, rank):
    """MACs of each image, ``(batch,)``, from its mask ``(batch, n_units)``."""
    n_units = mask.shape[1]
    running = mask.sum(axis=1)
    # >>> solution
    hidden = n_in * running
    outputs = running * n_out
    gate = rank * (n_in + n_units) + running
    return hidden + outputs + gate
    # stub: raise Unsolved("macs_by_hand", "hidden neurons + outputs + gate, for each image")
    # <<< solution

# %% check="macs_by_hand"
two = np.array([[True, False, False], [True, True, True]])
check_close(macs_by_hand(two, n_in=2, n_out=4, rank=1), [2 + 4 + 5 + 1, 6 + 12 + 5 + 3],
            "macs_by_hand, three neurons, 2 inputs, 4 outputs, rank 1",
            "first image: 1 neuron x 2 inputs + 1 x 4 outputs + gate 1 x (2 + 3) + 1")
theirs = measure.count_macs(midl, memory).with_gate
check_close(macs_by_hand(active, 64, 10, rank=4), theirs, "macs_by_hand against minimidl.measure",
            "every image of the test part should agree")
print(f"{theirs[0]:,.0f} MACs of 18,944: {theirs[0] / 18944:.0%} (your prediction: {my_share})")

# %% [markdown]
# ## Build and prove: who fires for whom
#
# For each digit, the share of its images that run each neuron.

# %% exercise="share_by_digit"
def share_by_digit(mask, labels):
    """``(10, n_units)``: how often the images of each digit run each neuron."""
    # >>> solution
    return np.stack([mask[labels == digit].mean(axis=0) for digit in range(10)])
    # stub: raise Unsolved("share_by_digit", "ten rows, each the mean mask of one digit")
    # <<< solution

# %% check="share_by_digit"
toy = share_by_digit(np.eye(20, 3) > 0, np.arange(20) % 10)
check_close(toy[0], [0.5, 0, 0], "share_by_digit, a neuron that one zero of two runs",
            "a mean over the images of that digit only")
check_close(share_by_digit(active, digits.y_test),
            measure.activity_by_class(midl, digits.x_test, digits.y_test, 10)["0"],
            "share_by_digit against minimidl.measure", "ten rows, 256 columns")

# %% [markdown]
# ## Use
#
# This is now `minimidl.gates.topk_mask`, `minimidl.measure.count_macs` and
# `minimidl.measure.activity_by_class`. Four networks, the same widths, the same training:

# %%
results = {name: run_experiment(name, digits, settings, progress=False, timed=False)
           for name in ("dense", "dropout", "midl", "dynamicgate")}
print(f"{'model':12} {'accuracy':>8} {'neurons run':>12} {'MACs':>7} {'share of dense':>15}")
for name, result in results.items():
    row = result.row
    print(f"{name:12} {row['accuracy']:8.1%} {row['active_ratio']:12.0%} {row['macs']:7,.0f} "
          f"{row['mac_ratio_with_gate']:15.0%}")
lost = results["dense"].row["accuracy"] - results["midl"].row["accuracy"]
print(f"midl lost {100 * lost:.1f} points (your prediction: {my_points})")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
pictures.curves({name: result.history.rows for name, result in results.items()}, ax=left)
left.set_ylim(0.85, 1)
pictures.accuracy_against_cost([result.row for result in results.values()], ax=right)

# %% [markdown]
# *Figure 2. How they learned (left; `midl` is the lowest) and what an image costs (right; up and to
# the left is better). There are 450 test images: one is 0.2 points, and chance alone moves a result
# by almost a point.*
#
# `dropout` switches neurons off at random, in training only: it saves nothing. `midl` runs a fixed
# number, `dynamicgate` as many as it likes within a budget. Who are they?

# %%
fig, axes = plt.subplots(2, 1, figsize=(8.4, 5.2), layout="constrained")
for ax, name in zip(axes, ("midl", "dynamicgate"), strict=True):
    share = measure.activity_by_class(results[name].model, digits.x_test, digits.y_test, 10)["0"]
    pictures.activity_map(share, digits.class_names, ax, name)

# %% [markdown]
# *Figure 3. Each row a digit, each column a neuron, black if all images of that digit run it. At
# the left edge, neurons that every digit needs; then blocks that serve one digit (find those of the
# 4) or a family (2 and 3); at the right edge, neurons that nobody needs. Nobody told the network to
# divide the work so.*
#
# ## Play
#
# Meet the neurons, the choosiest first. Can you guess from its favourites what one looks for?

# %%
share = share_by_digit(active, digits.y_test)
choosiest = np.argsort(-share.std(axis=0))[:12]


def draw(rank):
    """The customers of one neuron, and the images that its gate likes best and least."""
    neuron = choosiest[rank - 1]
    order = np.argsort(-decision.scores[:, neuron])
    fig = plt.figure(figsize=(8.4, 2.4), layout="constrained")
    grid = fig.add_gridspec(2, 9)
    bars = fig.add_subplot(grid[:, :3])
    bars.bar(range(10), share[:, neuron], color="0.35")
    bars.set(title=f"neuron {neuron}", xlabel="digit", ylabel="share of images", ylim=(0, 1),
             xticks=range(10))
    for column in range(6):
        for line, i in enumerate((order[column], order[-1 - column])):
            ax = fig.add_subplot(grid[line, 3 + column], xticks=[], yticks=[])
            ax.imshow(digits.x_test[i].reshape(8, 8), cmap="gray_r")
            ax.set_ylabel(("likes", "dislikes")[line] if column == 0 else "")


slider(draw, 1, rank=list(range(1, 13)))

# %% [markdown]
# *Figure 4. One neuron: how often each digit runs it, and the test images with the highest (above)
# and the lowest scores (below).*
#
# > **What can go wrong.** *Counting what is not executed.* In a public script behind a paper on
# > gates (YongilChoi/DynamicGate_MLP_Model, `MNIST/MNIST_DataSet`, snapshot of 26 February 2026),
# > our audit found all 256 hidden gates below the threshold: the report counts zero hidden neurons
# > while the forward pass runs every one, times 0.9. *Forgetting the gate.* In
# > `MNIST/MoEvsDynamicGate` the gate alone costs 64.5 % of the network it should save, and is not
# > counted.
#
# > **In the literature.** MID-L: Shaeri and Middel, arXiv 2505.11416 (2025). DynamicGate: Choi,
# > arXiv 2603.16367 (2026). The idea of choosing neurons by a learned policy: Bengio, Bacon, Pineau
# > and Precup, arXiv 1511.06297 (2015). The digits: Alpaydin and Kaynak, doi 10.24432/C50P49, CC BY
# > 4.0.
#
# ## Ask
#
# 1. 45 % of the neurons run, but the cost is 52 %. Where do the other seven per cent go?
# 2. A neuron that every digit runs, and one that no digit runs: what would you do with each?
# 3. *Open.* An ordinary network with only 115 hidden neurons costs 45 %. When would choosing among
#    256 be worth more than simply having 115? (Tutorial 05 measures it.)
