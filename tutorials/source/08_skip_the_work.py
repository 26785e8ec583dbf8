# ---
# number: 8
# title: Skip the work: Numba kernels
# minutes: 75
# ---

# %% [markdown]
# # 08 Skip the work: Numba kernels
#
# Counting (07) is not timing. Here the clock is the judge.
#
# You need: NumPy; tutorial 02 or 05 for gates. Numba compiles on first use: wait a little.
#
# *Setting up.* In a clone of the project run `python -m pip install ".[notebooks]"` once. In a
# hosted notebook service, upload the project's wheel and `%pip install` that file in a first cell.

# %%
try:
    from numba import njit

    import minimidl
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(f"{missing.name} is missing: see 'Setting up' above") from missing
import matplotlib.pyplot as plt
import numpy as np

from minimidl import layers, measure
from minimidl.bench.ceilings import ceilings
from minimidl.bench.timing import alternate, one_thread
from minimidl.course import Unsolved, check_close, check_that, slider
from minimidl.execution import Executor
from minimidl.kernels import reference
from minimidl.kernels.tiles import first_bit
from minimidl.layers.initial import aligned_copy  # arrays that start at a cache line

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})
print("minimidl", minimidl.__version__)

# %% [markdown]
# ## See
#
# One ReLU layer, 64 samples, a gate of rank 16 that opens single neurons. We skip in NumPy, in the
# two ways that come to mind.

# %%
BATCH, N_IN, N_UNITS, RANK, ZERO = 64, 512, 1024, 16, np.float32(0)
rng = np.random.default_rng(0)
x, weight_t = (aligned_copy(rng.standard_normal((n, N_IN)), np.float32) for n in (BATCH, N_UNITS))
bias = rng.standard_normal(N_UNITS, np.float32)
down, up = (rng.standard_normal(shape, np.float32) for shape in ((N_IN, RANK), (RANK, N_UNITS)))
up /= np.linalg.norm(up, axis=0)  # so that no neuron is everybody's favourite
scores = x @ down @ up
densities = np.array([0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 0.7, 0.85, 1.0])
cuts = np.append(np.quantile(scores, 1 - densities[:-1]), scores.min() - 1)  # open: above the cut


def race(**calls):
    """Seconds per call, one thread, in turns (A B A B). Others only add time: the low quartile."""
    with one_thread():
        times = alternate(calls, rounds=20, round_seconds=0.002)
    return {name: time.low for name, time in times.items()}


def dense_layer():
    return np.maximum(x @ weight_t.T + bias, 0)


def gathered(mask):
    return [weight_t[mine] @ row + bias[mine] for row, mine in zip(x, mask, strict=True)]


laps = [race(dense=dense_layer, masked=lambda m=scores > cut: dense_layer() * m,
             gathered=lambda m=scores > cut: gathered(m)) for cut in cuts[1::2]]
_, (left, right) = plt.subplots(1, 2, figsize=(8.4, 2.8), layout="constrained")
left.imshow(scores[:, :96] > np.quantile(scores, 0.55), cmap="gray_r", aspect="auto")
left.set(xlabel="neuron", ylabel="sample", title="black: open (45 %)")
for name, style in (("masked", "o-"), ("gathered", "s--")):
    right.plot(densities[1::2], [lap["dense"] / lap[name] for lap in laps], style, color="black",
               label=name)
right.plot(densities, 1 / densities, ":", color="black", label="ideal, free gate")
right.axhline(1, color="0.7", lw=1)
right.set(xlabel="density (share that is open)", ylabel="times as fast as dense", yscale="log",
          yticks=[0.2, 0.5, 1, 2, 5, 10, 20])
right.yaxis.set_major_formatter("{x:g}")
right.minorticks_off()
right.legend(frameon=False, fontsize=8)

# %% [markdown]
# *Figure 1. Multiplying by a mask skips nothing. Copying open rows, sample by sample, costs more
# than it saves.*
#
# ## Predict
#
# How many times faster will a Python loop get by compiling it? Below which density will your best
# kernel beat dense, gate included?

# %%
my_times, my_crossover = None, None  # predictions: for instance 10, 0.3

# %% [markdown]
# ## Build and prove: the loop
#
# Write it as you would explain it. No NumPy inside: the compiler does not mind loops.

# %% exercise="loop"
def one_by_one(x, mask, weight_t, bias, out):
    """``out[s, n] = relu(x[s] . weight_t[n] + bias[n])`` where ``mask``; leave the rest alone."""
    for s in range(mask.shape[0]):
        for n in range(mask.shape[1]):
            # >>> solution
            if mask[s, n]:
                total = bias[n]
                for t in range(x.shape[1]):
                    total += x[s, t] * weight_t[n, t]
                out[s, n] = max(total, ZERO)
            # stub: raise Unsolved("loop", "three loops in all; ask the mask before the third")
            # <<< solution

# %% check="loop"
def prove(kernel, name, hint):
    """Equal to ``minimidl.kernels.reference`` for every kind of mask."""
    toy = np.random.default_rng(1)
    a, w, b = (toy.standard_normal(size).astype(np.float32) for size in ((7, 9), (12, 9), 12))
    coin, relu = toy.random((7, 12)) < 0.5, reference.ACTIVATION_CODES["relu"]
    one_row, one_column = np.arange(7)[:, None] == 3, np.arange(12) == 5
    for kind, mask in {"random": coin, "empty": coin & False, "full": coin | True,
                       "one sample": coin & one_row, "one neuron": coin & one_column}.items():
        needed = np.where(mask.any(axis=0)[:, None], w, np.float32(np.nan))  # NaN: nobody's weights
        out, wish = np.full((2, 7, 12), -7, np.float32)  # -7: not touched
        for s, n in np.argwhere(mask):
            wish[s, n] = reference.neuron_value(a[s], n, 1.0, w, b, b[:0], relu)
        kernel(a, mask, needed, b, out)
        check_close(out, wish, f"{name}, {kind} mask", hint, tolerance=1e-5)


prove(one_by_one, "one_by_one", "bias + sum, relu, open places only; closed weights are NaN")
REORDER = {"reassoc", "contract"}  # sums may be reordered and fused; NaN keeps its meaning
strict, reordered = njit(one_by_one), njit(one_by_one, fastmath=REORDER)
for kernel in (strict, reordered):
    prove(kernel, "one_by_one, compiled", "Numba reads types: keep to floats and loops")

# %% [markdown]
# ## Build and prove: turn the batch round
#
# Sample by sample, each weight is loaded for one sample. Gate by gate, it could serve all who want
# it. Who does? One bit per sample: 64 samples are one 64-bit word per gate.

# %% exercise="words"
@njit
def pack(scores, cut):
    """``(at most 64, n)`` to words ``(n,)``: bit s of word g is set if sample s opens gate g."""
    words = np.zeros(scores.shape[1], np.uint64)
    for s in range(scores.shape[0]):
        for g in range(scores.shape[1]):
            # >>> solution
            words[g] |= np.uint64(scores[s, g] > cut) << np.uint64(s)
            # stub: raise Unsolved("words", "shift np.uint64(open) by np.uint64(s), and 'or' it in")
            # <<< solution
    return words


@njit
def unpack(word, room):
    """Fill ``room (64,)`` with the places of the set bits, lowest first; return how many."""
    count = 0
    # >>> solution
    while word != 0:
        room[count] = first_bit(word)
        word &= word - np.uint64(1)  # clears the lowest set bit
        count += 1
    # stub: raise Unsolved("words", "first_bit(word) until none is left; w & (w - 1) clears one")
    # <<< solution
    return count

# %% check="words"
opened = np.array([[0.1, 0.9, 0.5], [0.9, 0.9, 0.5], [0.9, 0.1, 0.5]], np.float32)
check_close(pack(opened, np.float32(0.5)), [6, 3, 0], "pack, 3 samples x 3 gates",
            "gate 0: samples 1 and 2, so 2 + 4; at the cut is closed")
many = np.random.default_rng(2).random((64, 40)) < np.linspace(0, 1, 40)
many[:, 1], many[:, 2] = np.eye(64)[[0, 63]] > 0  # the first sample alone, and the last
for g, word in enumerate(pack(many * 1.0, 0.5)):
    room = np.full(64, -1)
    count = unpack(word, room)
    wish = np.flatnonzero(many[:, g])
    check_that(count == len(wish), count, len(wish), f"unpack, gate {g}: how many",
               "up to all 64; bit 63 needs np.uint64, not int")
    check_close(room[:count], wish, f"unpack, gate {g}: which", "lowest first")

# %% [markdown]
# ## Build and prove: four at once

# %% exercise="four"
@njit(fastmath=REORDER)
def four_at_once(x, words, weight_t, bias, out):
    """As ``one_by_one``, gate by gate; four samples share every weight that is loaded."""
    room = np.empty(64, np.int64)
    for n in range(words.shape[0]):
        last = unpack(words[n], room) - 1
        for p in range(0, last + 1, 4):
            i, j = room[p], room[min(p + 1, last)]  # a rest of 1 to 3 repeats its last sample
            k, m = room[min(p + 2, last)], room[min(p + 3, last)]
            a = b = c = d = bias[n]
            # >>> solution
            for t in range(x.shape[1]):
                w = weight_t[n, t]
                a += x[i, t] * w
                b += x[j, t] * w
                c += x[k, t] * w
                d += x[m, t] * w
            # stub: raise Unsolved("four", "loop over t: load the weight once, add to four sums")
            # <<< solution
            out[i, n], out[j, n] = max(a, ZERO), max(b, ZERO)
            out[k, n], out[m, n] = max(c, ZERO), max(d, ZERO)

# %% check="four"
prove(lambda x, mask, *rest: four_at_once(x, pack(mask * 1.0, 0.5), *rest), "four_at_once",
      "i, j, k, m belong to a, b, c, d")

# %%
with one_thread():  # of this core, here and now: GFLOP/s, and GB/s from three sizes of array
    peak, *reads = ceilings((32 << 10, x.nbytes, 8 << 20), 0.003, 15)
peak = peak["gflops"]
rates = {row["array_bytes"]: row["gigabytes_per_second"] for row in reads}
cut, out = np.quantile(scores, 0.55), np.zeros((BATCH, N_UNITS), np.float32)
mask, words = scores > cut, pack(scores, cut)
laps = race(python=lambda: one_by_one(x[:1], mask[:1], weight_t, bias, out),
            strict=lambda: strict(x, mask, weight_t, bias, out),
            reordered=lambda: reordered(x, mask, weight_t, bias, out),
            four=lambda: four_at_once(x, words, weight_t, bias, out), dense=dense_layer)
flops = dict.fromkeys(laps, 2 * N_IN * mask.sum()) | {
    "python": 2 * N_IN * mask[0].sum(), "dense": 2 * N_IN * mask.size}
each = [2e9 * laps[name] / flops[name] for name in laps] + [2 / peak]  # nanoseconds per MAC
names = ("Python loop", "@njit", "sums reordered", "four at once", "dense (BLAS)", "peak")
_, ax = plt.subplots(figsize=(7.4, 2.8), layout="constrained")
ax.barh(names, each, color=["0.3"] * 4 + ["0.8"] * 2, edgecolor="black")
for place, value in enumerate(each):
    ax.text(value * 1.1, place, f"{value:.3g}", va="center")
ax.set(xscale="log", xlabel="nanoseconds per MAC, 45 % open", ylim=(5.6, -0.6),
       xlim=(each[-1] / 2, each[0] * 4))
print(f"@njit: {each[0] / each[1]:.0f} times faster; you said {my_times}")

# %% [markdown]
# *Figure 2. One line of compiler, another for permission to reorder sums (so that 8 or 16 run in
# one instruction), then fewer loads. Light: what dense reaches, and this core's peak.*
#
# ## Build and prove: predict the crossover
#
# Roofline: a kernel needs the time of its operations or of its bytes, whichever is longer. Yours
# reads a neuron's weights once, and a sample's inputs again for *every* open place; they fit only
# into the second cache.

# %% exercise="roof"
def best_seconds(density, batch, n_in, n_units, peak, bandwidth):
    """Least seconds in float32, from FLOP/s and bytes/s; density may be an array."""
    places = density * batch * n_units
    # >>> solution
    flops = 2 * n_in * places
    traffic = 4 * n_in * (n_units + places)
    return np.maximum(flops / peak, traffic / bandwidth)
    # stub: raise Unsolved("roof", "2 FLOPs per MAC, 4 bytes per number; the longer of two times")
    # <<< solution

# %% check="roof"
toy = {"batch": 10, "n_in": 100, "n_units": 20}
check_close(best_seconds(0.5, **toy, peak=1e3, bandwidth=1e9), 20, "best_seconds, bound by FLOPs",
            "100 places, 200 FLOPs each")
check_close(best_seconds(0.5, **toy, peak=1e9, bandwidth=1e3), 48, "best_seconds, bound by bytes",
            "(20 neurons + 100 places) x 400 bytes")
check_close(best_seconds(np.array([0, 1]), **toy, peak=1e3, bandwidth=4e3), [2, 40],
            "best_seconds, two densities", "each density has its own longer time")

# %% exercise="crossover"
def crossover(density, gated, dense):
    """The density at which ``gated`` (times, density rising) reaches ``dense``; 0 or 1 if none.

    Several crossings: the densest. Between two densities the time is taken to be straight.
    """
    # >>> solution
    wins = np.flatnonzero(gated < dense)
    if len(wins) == 0:
        return 0.0
    i = wins[-1]
    if i == len(density) - 1:
        return 1.0
    return np.interp(dense, gated[i:i + 2], density[i:i + 2])
    # stub: raise Unsolved("crossover", "the last density that wins, then straight to the next")
    # <<< solution

# %% check="crossover"
at = np.array([0.1, 0.3, 0.5, 1.0])
for dense, wish in ((3.0, 0.4), (0.5, 0.0), (9.0, 1.0)):
    check_close(crossover(at, np.array([1.0, 2.0, 4.0, 8.0]), dense), wish,
                f"crossover, times 1 2 4 8 against {dense:g}", "straight between neighbours")
check_close(crossover(at, np.array([2.0, 4.0, 2.0, 4.0]), 3.0), 0.75, "crossover, noisy times",
            "of several crossings the densest")

# %% [markdown]
# Now the whole gated layer against dense: scores, words, zeros, kernel.

# %%
def gated(cut):
    out = np.zeros((BATCH, N_UNITS), np.float32)
    four_at_once(x, pack(x @ down @ up, cut), weight_t, bias, out)
    return out


pairs = [race(dense=dense_layer, gated=lambda c=c: gated(c)) for c in cuts]
measured = np.array([pair["gated"] / pair["dense"] for pair in pairs])
dense, gate = laps["dense"], race(gate=lambda: pack(x @ down @ up, 0.0))["gate"]
least = best_seconds(densities, BATCH, N_IN, N_UNITS, 1e9 * peak, 1e9 * rates[x.nbytes])
predicted = (gate + least) / dense
_, ax = plt.subplots(figsize=(6.8, 3.4), layout="constrained")
ax.plot(densities, 1 / densities, ":", color="black", label="ideal, free gate")
for name, line, style in (("roofline", predicted, "--"), ("measured", measured, "o-")):
    cross = crossover(densities, line, 1)
    ax.plot(densities, 1 / line, style, color="black", label=f"{name}: {cross:.2f}")
    ax.plot(cross, 1, "s", ms=9, mfc="none", color="black", clip_on=False)
ax.axhline(1, color="0.6", lw=1)
ax.set(xscale="log", yscale="log", xlabel="density", ylabel="times as fast as dense",
       xticks=densities, xticklabels=densities, yticks=[0.5, 1, 2, 5, 10, 20])
ax.minorticks_off()
ax.yaxis.set_major_formatter("{x:g}")
ax.legend(frameon=False, title="crossover")
print(f"you said {my_crossover}")

# %% [markdown]
# *Figure 3. Speed-up, gate included; squares: crossovers. Measured can only lie below the roofline;
# the gap is work left for you.*
#
# ## Use
#
# `Executor(model).predict` does all this, and `explain()` says what it chose. Its kernels take the
# inputs in panels that fit into the *first* cache, and hold sums in registers:
# `minimidl/kernels/batch.py`.

# %%
# The library's kernels are compiled here, once: wait for half a minute.
one = race(dense=lambda: np.maximum(x[:1] @ weight_t.T + bias, 0))["dense"]
points = {  # name: FLOPs, seconds, bytes read, marker
    "dense, 1 sample": (2 * N_IN * N_UNITS, one, weight_t.nbytes, "^"),
    "dense, 64": (flops["dense"], dense, weight_t.nbytes + x.nbytes, "s"),
    "yours, 64": (flops["four"], laps["four"], 4 * N_IN * (N_UNITS + mask.sum()), "o")}
for block, name, marker in ((1, "neurons", "v"), (32, "blocks of 32", "P")):
    model = layers.Sequential(
        layers.MIDL(N_IN, N_UNITS, keep=0.45, gate_rank=RANK, block=block, seed=0),
        layers.Linear(N_UNITS, 10, seed=1))
    fast = Executor(model)
    logits, memory = model.forward(x)
    print(f"{name}: differs from forward by {np.abs(fast.predict(x) - logits).max():.0e} at most\n"
          f"{fast.explain((1, BATCH))}")
    points[f"Executor, 64, {name}"] = (
        2 * measure.count_macs(model, memory).with_gate.sum(),
        race(go=lambda fast=fast: fast.predict(x))["go"],
        x.nbytes + sum(p.nbytes for p in model.params.values()), marker)

# %%
_, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
across = np.geomspace(0.2, 60, 100)
for (size, rate), style in zip(rates.items(), ("-", "--", ":"), strict=True):
    ax.plot(across, np.minimum(peak, across * rate), style, color="0.5",
            label=f"array of {size >> 10} KiB: {rate:.0f} GB/s")
for name, (work, seconds, read, marker) in points.items():
    ax.plot(work / read, work / seconds / 1e9, marker, color="black", mfc="white", ms=9, label=name)
ax.set(xscale="log", yscale="log", xlabel="FLOPs per byte read", ylabel="GFLOP/s",
       xticks=[0.25, 0.5, 1, 4, 16, 64], yticks=[10, 30, 100, 300])
ax.xaxis.set_major_formatter("{x:g}")
ax.yaxis.set_major_formatter("{x:g}")
ax.minorticks_off()
ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))

# %% [markdown]
# *Figure 4. Roofline of this machine. Slopes: how fast bytes come, by the size of the array they
# come from; flat: peak. Left points wait for bytes, right ones for the arithmetic.*
#
# ## Play
#
# Your kernel gets its inputs at the speed of the cache they fit into. First caches hold 32 to
# 64 KiB: at which width does the step come, for each batch? And what if arrays start 16 bytes
# beside a cache line, as NumPy may place them?

# %%
widths = [64, 128, 192, 256, 384, 512, 768, 1024]


def rate_of(batch, n_in, shift):
    """GFLOP/s of your kernel on half-open masks, arrays shifted by so many numbers."""
    a, w = (aligned_copy(rng.standard_normal(n * n_in + shift), np.float32)[shift:].reshape(n, n_in)
            for n in (batch, N_UNITS))
    bits, room = pack(rng.random((batch, N_UNITS)), 0.5), np.zeros((batch, N_UNITS), np.float32)
    places = sum(int(word).bit_count() for word in bits)
    return 2e-9 * n_in * places / race(go=lambda: four_at_once(a, bits, w, bias, room))["go"]


steps = {(batch, shift): [rate_of(batch, n_in, shift) for n_in in widths]
         for batch in (8, 16, 32, 64) for shift in (0, 4)}


def draw(batch):
    """Your kernel's rate by width of the input, one batch marked."""
    _, ax = plt.subplots(figsize=(6.4, 3), layout="constrained")
    for (size, shift), line in steps.items():
        if size == batch or shift == 0:
            ax.plot(widths, line, "s--" if shift else "o-", mfc="white", zorder=1 + (size == batch),
                    color="black" if size == batch else "0.8",
                    label="_" * (size != batch) + ("16 bytes off" if shift else "aligned"))
    ax.axvspan(32 * 256 / batch, 64 * 256 / batch, color="0.92", zorder=0)
    ax.set(xscale="log", xlabel="inputs", ylabel="GFLOP/s", xticks=widths, xticklabels=widths,
           ylim=0, xlim=(58, 1130))
    ax.minorticks_off()
    ax.legend(frameon=False, title=f"{batch} samples", loc="center left", bbox_to_anchor=(1, 0.5))


slider(draw, 32, batch=[8, 16, 32, 64])

# %% [markdown]
# *Figure 5. Grey band: where this batch's inputs fill 32 to 64 KiB. Pale: the other batches.*
#
# > **What can go wrong.** All seen here, or cited. *Types:* NumPy 2 keeps `float32 * 0.5` in
# > float32, Numba makes it float64 (numba#1822): hence `ZERO`. uint64 with int64 becomes float64,
# > too. *Full `fastmath`* assumes that no NaN exists: `np.isnan(nan)` is False (umap#1216). *A
# > racing scatter:* `out[i[p]] += v[p]` in `prange` was wrong in 50 of 50 runs, without a warning
# > (numba#7133): give every output one owner. *Stale cache:* `cache=True` sees no change in another
# > file (numba#1833). *Timing* A for a while, then B, measures the machine's mood; and a first call
# > compiles.
#
# > **In the literature.** Roofline: Williams, Waterman and Patterson, *CACM* 52(4), 2009. Why
# > panels and registers: Goto and van de Geijn, *Anatomy of High-Performance Matrix
# > Multiplication*, ACM TOMS 34(3), 2008. MID-L (arXiv 2505.11416; we had the abstracts only) and
# > DynamicGate (arXiv 2603.16367) count operations; time is what this tutorial adds.
#
# ## Ask
#
# 1. At batch 1 dense and gated are both bound by bytes. What is the crossover then?
# 2. NumPy's BLAS may reach half of the peak, another library 95 %. Where is your crossover then?
# 3. *Open.* Blocks of 32 are faster than neurons at equal density. What do they cost, and how would
#    you find out?
