# ---
# number: 1
# title: Backpropagation by hand, proved by differences
# minutes: 60
# ---

# %% [markdown]
# # 01 Backpropagation by hand, proved by differences
#
# A network learns from one question, asked of every weight: *if this number grew a little, what
# would the loss do?* Backpropagation answers for all weights at once. You will write it, and you
# will not believe it before a second, slower method gives the same numbers.
#
# You need: the chain rule, matrix products, NumPy. About an hour.
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

from minimidl.course import Unsolved, check_close, check_that, slider

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# A loss as a function of one weight. The slope at the dot is what we are after; a straight line
# through two points left and right of it, $h$ away, comes close.

# %%
def loss_of(w):
    """A smooth loss of one weight: fit one point, stay small."""
    return np.log1p(np.exp(-3 * w)) + w * w / 10


def slope_of(w):
    """Its derivative, by the rules of school."""
    return -3 / (1 + np.exp(3 * w)) + w / 5


w0 = 0.3
line = np.linspace(-0.8, 1.4, 200)
fig, ax = plt.subplots(figsize=(6, 3.2))
ax.plot(line, loss_of(line), color="black", lw=2, label="loss")
ax.plot(line, loss_of(w0) + slope_of(w0) * (line - w0), color="0.45", lw=1.5, label="its slope")
for h, style in ((0.9, ":"), (0.45, "--")):
    ends = np.array([w0 - h, w0 + h])
    ax.plot(ends, loss_of(ends), style, marker="s", ms=4, color="0.2", label=f"two points, h = {h}")
ax.plot(w0, loss_of(w0), "o", color="black")
ax.set(xlabel="weight w", ylabel="loss", ylim=(-0.4, 2.6))
ax.legend(frameon=False)
fig.tight_layout()

# %% [markdown]
# *Figure 1. The line through two points gets the slope of the tangent (grey) as h shrinks.*
#
# ## Predict
#
# The central difference $\frac{f(w+h)-f(w-h)}{2h}$ is wrong by about $h^2 f'''/6$. So, the smaller
# $h$, the better? In float64, which of $10^{-1}, 10^{-3}, 10^{-5}, 10^{-8}, 10^{-12}$ gives the
# smallest error? **Write it down before you go on.**

# %%
my_step = None  # prediction 1: for instance 1e-3

# %% [markdown]
# ## Build and prove: the slow, honest derivative
#
# One entry at a time: step up, step down, divide; then put the entry back.

# %% exercise="numeric_gradient"
def numeric_gradient(f, x, h=1e-5):
    """Gradient of the number ``f(x)`` for every entry of the float64 array ``x``, any shape."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        # >>> solution
        before = x[index]
        x[index] = before + h
        up = f(x)
        x[index] = before - h
        down = f(x)
        x[index] = before
        gradient[index] = (up - down) / (2 * h)
        # stub: raise Unsolved("numeric_gradient", "(f(x + h) - f(x - h)) / 2h, entry by entry")
        # <<< solution
    return gradient

# %% check="numeric_gradient"
x = np.array([[1.0, -4.0, 0.7], [0.0, 3.0, -0.5]])
kept = x.copy()
check_close(numeric_gradient(lambda x: np.sum(x**3), x), 3 * kept**2,
            "numeric_gradient of sum(x**3)", "divide by 2h: the two points are 2h apart", 1e-6)
check_close(x, kept, "x after numeric_gradient",
            "put each entry back before the next one; 'x + h - h' is not always x", 0.0)

# %% [markdown]
# Now the error against the step, on logarithmic scales.

# %%
steps = np.logspace(-15, 0, 61)
fig, ax = plt.subplots(figsize=(6.2, 3.8))
for dtype, style, grey in ((np.float32, "s--", "0.6"), (np.float64, "o-", "0.0")):
    w, h = dtype(w0), steps.astype(dtype)
    apart = (w + h) - (w - h)  # the distance as the computer sees it
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.abs((loss_of(w + h) - loss_of(w - h)) / apart - slope_of(w0))
    ax.loglog(steps, error + 1e-17, style, ms=3, lw=1, color=grey, label=dtype.__name__)
ax.loglog(steps, steps**2 / 2, ":", color="0.3", label="truncation: grows as h²")
ax.loglog(steps, 2e-17 / steps, "-.", color="0.3", label="rounding: grows as 1/h")
if my_step is not None:
    ax.axvline(my_step, color="0.3", lw=1, label="my prediction")
ax.set(xlabel="step h", ylabel="error of the slope", ylim=(1e-13, 1e1))
ax.legend(frameon=False, loc="lower left", fontsize=8)
fig.tight_layout()

# %% [markdown]
# *Figure 2. The V of finite differences. To the right the curve is not a line; to the left two
# almost equal numbers are subtracted, and their rounding, about $10^{-16}$, is divided by h. The
# bottom lies near $h = \sqrt[3]{10^{-16}} \approx 5\cdot10^{-6}$ and leaves ten digits; in float32
# (grey) it lies near $5\cdot10^{-3}$ and leaves five.*
#
# Hence the house rule: **proofs in float64**, with $h$ near $10^{-5}$.
#
# ## Build and prove: three layers
#
# Each layer is a forward, and a backward that takes $g = \partial L/\partial(\text{output})$ and
# returns the gradient of every input. Rows are samples: $Y = XW + b$. Find each formula by its
# *shape* first.

# %% exercise="linear_backward"
def linear_forward(x, weight, bias):
    """``(batch, n_in) -> (batch, n_out)``."""
    return x @ weight + bias


def linear_backward(g, x, weight):
    """From ``g (batch, n_out)``: the gradients of x, weight and bias, in their shapes."""
    # >>> solution
    return g @ weight.T, x.T @ g, g.sum(axis=0)
    # stub: raise Unsolved("linear_backward", "three arrays shaped like x, weight and bias")
    # <<< solution

# %% check="linear_backward"
rng = np.random.default_rng(0)


def check_linear(batch):
    """Every entry of the three gradients, against differences of sum(g * output)."""
    g, x = rng.normal(size=(batch, 3)), rng.normal(size=(batch, 4))
    weight, bias = rng.normal(size=(4, 3)), rng.normal(size=3)
    mine = linear_backward(g, x, weight)
    for place, (name, of) in enumerate({"x": x, "weight": weight, "bias": bias}.items()):
        # The difference changes ``of`` in place, so the forward sees it whatever its argument.
        numeric = numeric_gradient(lambda _: np.sum(g * linear_forward(x, weight, bias)), of)
        check_close(mine[place], numeric, f"linear_backward, gradient of {name}, batch of {batch}",
                    "which index is summed away? Sum the same one here")


check_linear(batch=5)
check_linear(batch=1)

# %% exercise="relu_backward"
def relu_forward(x):
    """``max(x, 0)``, entry by entry."""
    return np.maximum(x, 0)


def relu_backward(g, x):
    """The gradient of ``x``: what passes where the entry was positive. At the kink, 0: nothing."""
    # >>> solution
    return g * (x > 0)
    # stub: raise Unsolved("relu_backward", "g where x > 0, else 0")
    # <<< solution

# %% check="relu_backward"
x, g = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
check_that(np.abs(x).min() > 1e-3, np.abs(x).min(), "no entry near the kink", "the test point",
           "a difference across a kink is the slope of neither side")
check_close(relu_backward(g, x), numeric_gradient(lambda x: np.sum(g * relu_forward(x)), x),
            "relu_backward", "multiply by g: the chain rule", 1e-7)
check_close(relu_backward(np.ones((1, 1)), np.zeros((1, 1))), [[0.0]],
            "relu_backward at exactly 0", "x > 0, not x >= 0")

# %% [markdown]
# The loss: softmax makes probabilities $p$ of the scores $z$; the loss is the mean of
# $-\log p_{\text{label}}$. Its gradient is the shortest formula here: $(p - \text{one-hot}) / n$.
# A score of 1000 must not break it: subtract the row's maximum first.
#
# **Prediction 2.** What is the loss of a network that knows nothing, over ten classes?

# %%
my_loss = None  # prediction 2

# %% exercise="cross_entropy"
def cross_entropy(z, labels):
    """Mean loss and its gradient by the scores ``z (batch, classes)``."""
    rows = np.arange(len(z))
    # >>> solution
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    grad = np.exp(log_p)
    grad[rows, labels] -= 1
    return -log_p[rows, labels].mean(), grad / len(z)
    # stub: raise Unsolved("cross_entropy", "the pair (mean loss, gradient)")
    # <<< solution

# %% check="cross_entropy"
z, labels = rng.normal(size=(4, 3)), np.array([0, 2, 1, 1])
check_close(cross_entropy(np.zeros((4, 2)), labels % 2)[0], np.log(2), "cross_entropy, two classes "
            "and no idea", "log 2 = 0.693: minus the logarithm of one half")
check_close(cross_entropy(z, labels)[1], numeric_gradient(lambda z: cross_entropy(z, labels)[0], z),
            "cross_entropy, gradient", "the loss is a mean: divide by the batch", 1e-7)
with np.errstate(all="ignore"):
    huge = cross_entropy(np.array([[1000.0, 0.0]]), np.array([1]))[0]
check_close(huge, 1000.0, "cross_entropy, scores 1000 and 0", "subtract each row's maximum first")

# %% [markdown]
# ## Build and prove: the whole network
#
# Forward in order, backward in reverse: each `g` is what the step after it returned.

# %% exercise="backward"
def forward(p, x):
    """Linear, ReLU, linear; returns the scores and what backward needs."""
    u = linear_forward(x, p["w1"], p["b1"])
    h = relu_forward(u)
    return linear_forward(h, p["w2"], p["b2"]), (x, u, h)


def backward(p, g, memory):
    """Gradients of w1, b1, w2, b2 from ``g``, the gradient of the scores."""
    x, u, h = memory
    # >>> solution
    g_h, g_w2, g_b2 = linear_backward(g, h, p["w2"])
    _, g_w1, g_b1 = linear_backward(relu_backward(g_h, u), x, p["w1"])
    return {"w1": g_w1, "b1": g_b1, "w2": g_w2, "b2": g_b2}
    # stub: raise Unsolved("backward", "a dict of four gradients, built with the functions above")
    # <<< solution

# %% check="backward"
def start(n_in, n_hidden, n_out, rng):
    """Small random weights (He et al. 2015), zero biases."""
    return {"w1": rng.normal(size=(n_in, n_hidden)) * np.sqrt(2 / n_in), "b1": np.zeros(n_hidden),
            "w2": rng.normal(size=(n_hidden, n_out)) * np.sqrt(1 / n_hidden), "b2": np.zeros(n_out)}


p, x = start(4, 6, 3, rng), rng.normal(size=(4, 4))
scores, memory = forward(p, x)
mine = backward(p, cross_entropy(scores, labels)[1], memory)
for name in p:
    numeric = numeric_gradient(lambda _: cross_entropy(forward(p, x)[0], labels)[0], p[name])
    check_close(mine[name], numeric, f"backward, gradient of {name}",
                "is each g the one that the later step returned?", 1e-7)

# %% [markdown]
# ## Use
#
# This is now `minimidl.layers.Linear`, `minimidl.layers.ReLU`, `minimidl.losses.cross_entropy` and
# `minimidl.proof.numeric_gradient`. Same input, same numbers:

# %%
from minimidl import data, layers, losses, proof

model = layers.Sequential(layers.Linear(4, 6, dtype=np.float64), layers.ReLU(),
                          layers.Linear(6, 3, dtype=np.float64))
for theirs, name in (("0.weight", "w1"), ("2.weight", "w2")):
    model.params[theirs][...] = p[name]  # parameters are changed in place
output, memory = model.forward(x)
value, loss_memory = losses.cross_entropy(output, labels)
_, grads = model.backward(losses.cross_entropy_backward(loss_memory), memory)
check_close(grads["0.weight"], mine["w1"], "minimidl against yours", "they should agree")
numeric = proof.numeric_gradient(lambda _: losses.cross_entropy(model.forward(x)[0], labels)[0],
                                 model.params["0.weight"])
print(f"largest difference to finite differences: {np.abs(grads['0.weight'] - numeric).max():.1e}")

# %% [markdown]
# And it learns: handwritten digits, 8 x 8 pixels, plain gradient descent with *your* functions.

# %%
digits = data.load("digits")


def train(rate, steps=150):
    """Full-batch gradient descent; returns the parameters, the losses and the test accuracy."""
    p, history = start(64, 24, 10, np.random.default_rng(1)), []
    for _ in range(steps):
        scores, memory = forward(p, digits.x_train)
        loss, g = cross_entropy(scores, digits.y_train)
        history.append(loss)
        for name, grad in backward(p, g, memory).items():
            p[name] -= rate * grad
    return p, history, np.mean(forward(p, digits.x_test)[0].argmax(axis=1) == digits.y_test)


p, history, accuracy = train(rate=0.5)
print(f"loss at the start {history[0]:.2f} (no idea: log 10 = {np.log(10):.2f}; "
      f"your prediction: {my_loss}), test accuracy {accuracy:.1%}")

own = np.eye(10)[digits.y_test]  # ask each image for the score of its own digit
x, u, h = forward(p, digits.x_test)[1]
by_pixel = linear_backward(relu_backward(linear_backward(own, h, p["w2"])[0], u), x, p["w1"])[0]
fig, axes = plt.subplots(2, 10, figsize=(8, 2), layout="constrained")
for digit, (above, below) in enumerate(axes.T):
    mine = digits.y_test == digit
    above.imshow(digits.x_test[mine].mean(axis=0).reshape(8, 8), cmap="gray", vmin=-1.6, vmax=1.6)
    slopes = by_pixel[mine].mean(axis=0)
    below.imshow(slopes.reshape(8, 8), cmap="gray", vmin=-1, vmax=1)
    above.set_title(digit)
for ax, name in zip(axes[:, 0], ("image", "slope"), strict=True):
    ax.set_ylabel(name)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)

# %% [markdown]
# *Figure 3. Backpropagation does not stop at the weights. Above, the mean test image of each digit;
# below, the mean slope of its own score by each pixel: more ink in a white pixel makes the network
# surer, more ink in a black one makes it doubt. Find the hole of the 0.*
#
# ## Play
#
# Gradients say where down is, not how far. Move the learning rate; find the edge where it breaks.

# %%
def draw(rate):
    """Training loss for one learning rate."""
    with np.errstate(all="ignore"):
        _, history, accuracy = train(rate, steps=60)
    _, ax = plt.subplots(figsize=(5, 2.6), layout="constrained")
    ax.semilogy(history, color="black")
    ax.set(xlabel="step", ylabel="training loss", title=f"rate {rate:g}: test {accuracy:.1%}")


slider(draw, 0.5, rate=[0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0])

# %% [markdown]
# > **What can go wrong.** *Proof in float32:* a correct linear layer was reported as a bug of
# > PyTorch (pytorch#5351): with a step of $10^{-6}$, differences in float32 gave 0.3576 where
# > 0.3512 was right, the left arm of the V. *Hidden state:* in micrograd, calling `backward()`
# > twice gives different gradients, since they pile up in the nodes (micrograd#53). Yours returns
# > its gradients and stores nothing.
#
# > **In the literature.** Rumelhart, Hinton and Williams, *Learning representations by
# > back-propagating errors*, Nature 323 (1986), 533-536. The same idea as reverse-mode
# > differentiation: Linnainmaa, BIT 16 (1976), 146-160. A survey: Baydin, Pearlmutter, Radul and
# > Siskind, *Automatic differentiation in machine learning*, JMLR 18 (2018).
#
# ## Ask
#
# 1. A network has a million weights. How many forward passes do central differences need for one
#    gradient, and what does backpropagation need instead?
# 2. Why does a random batch of one sample not show that the sum in the bias's gradient is missing?
# 3. *Open.* A check by differences compares your backward with your forward. Which mistakes can it
#    never find, and how would you find them?
