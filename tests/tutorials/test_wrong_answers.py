"""The checks have teeth: for every exercise, plausible wrong answers fail with the right words."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from minimidl.course.checks import CheckFailed
from minimidl.course.exercises import pair_up, solved
from minimidl.course.percent import Cell, read_source

SOURCE = Path(__file__).resolve().parents[2] / "tutorials" / "source"

# (right line, wrong line, words of the message); a wrong answer differs from the solution by this.
WRONG: dict[str, dict[str, list[tuple[str, str, str]]]] = {
    "00_ten_minutes": {
        "choose": [
            ("argsort(-scores", "argsort(scores", "not the lowest"),
            ("best_first[:, :k]", "best_first[:1, :k]", "each row chooses"),
            ("    return mask", "    return scores >= -np.sort(-scores)[:, k - 1:k]", "exactly k"),
        ],
        "macs_by_hand": [
            (" + gate", "", "gate 1 x"),
            ("running * n_out", "n_units * n_out", "1 x 4 outputs"),
            ("(n_in + n_units) + running", "(n_in + n_units)", "three neurons"),
        ],
        "share_by_digit": [
            (".mean(axis=0)", ".sum(axis=0)", "a mean over"),
            ("mask[labels == digit].mean(axis=0)", "mask.mean(axis=0)", "that digit only"),
        ],
    },
    "01_backpropagation_by_hand": {
        "numeric_gradient": [
            ("/ (2 * h)", "/ h", "divide by 2h"),
            ("        x[index] = before\n", "", "x after numeric_gradient"),
            ("x[index] = before\n", "x[index] += h\n", "x after numeric_gradient"),
        ],
        "linear_backward": [
            ("x.T @ g, g.sum(axis=0)", "x.T @ g, g.sum(axis=1)", "gradient of bias"),
            ("x.T @ g, g.sum(axis=0)", "x.T @ g, g", r"got:      shape \(5, 3\)"),
            ("x.T @ g,", "x.T @ g / len(g),", "gradient of weight"),
        ],
        "relu_backward": [
            ("g * (x > 0)", "g * (x >= 0)", "at exactly 0"),
            ("g * (x > 0)", "1.0 * (x > 0)", "multiply by g"),
            ("g * (x > 0)", "g * (g > 0)", "relu_backward, entry"),
        ],
        "cross_entropy": [
            ("    z = z - z.max(axis=1, keepdims=True)\n", "", "scores 1000"),
            ("grad / len(z)", "grad", "divide by the batch"),
            (".mean()", ".sum()", "log 2"),
        ],
        "backward": [
            ("relu_backward(g_h, u)", "g_h", "gradient of w1"),
            ("relu_backward(g_h, u)", "relu_backward(g_h, g_h)", "gradient of w1"),
        ],
    },
    "02_from_dropout_to_a_learned_gate": {
        "dropout": [
            (">= rate)", "< rate)", "off with probability rate"),
            (" / (1 - rate)", " * 1.0", "divide what stays"),
            ("return g * factor", "return g * (factor > 0)", "dropout_backward"),
            ("return g * factor", "return g", "dropout_backward"),
        ],
        "gate_backward": [
            ("g * b, g * h", "g, g * h", "gradient of h"),
            ("g * b, g * h * p", "g * b, g * h * b * p", "closed gates learn as well"),
            ("g * h * p * (1 - p)", "g * h", "gradient of z"),
            ("g * h * p * (1 - p)", "0 * z", "gradient of z"),
        ],
        "scores_backward": [
            ("return g_z.sum(axis=0)", "return g_z.mean(axis=0)", "static"),
            ("return g_z.sum(axis=0)", "return g_z", r"got:      shape \(5, 4\)"),
            ("x.T @ g_z, g_z.sum(axis=0)", "x.T @ g_z, g_z.sum(axis=1)", "gradient of c"),
            ("g_z @ a.T, x.T", "0 * x, x.T", "gradient of x"),
        ],
    },
    "03_a_derivative_that_is_not_one": {
        "bias": [
            ("(a + c)\n", "(2 * a * p + c)\n", "differentiate by z"),
            ("return p * (1 - p) * (a + c)", "return a + c", "differentiate by z"),
            ("p * (2 * a + c) + (1 - p) * c", "2 * a + c", "weigh f'"),
            ("p * (2 * a + c) + (1 - p) * c", "a + c", "weigh f'"),
        ],
        "two_lines": [
            ("h + (p - p), np.ones", "p, np.ones", "value of first_line"),
            ("h + (p - p), np.ones_like(p)", "h, np.zeros_like(p)", "slope of first_line"),
            ("h + (p - h), np.zeros", "h, np.zeros", "value of second_line"),
            ("(p - h), np.zeros_like(p)", "(p - h), np.ones_like(p)", "slope of second_line"),
        ],
        "replay": [
            ("z - rate", "z + rate", "down, not up"),
            (" / len(z)", "", "mean divides by 12"),
            (" * p * (1 - p)", "", "p has slope"),
        ],
        "estimators": [
            ("slope * p * (1 - p)", "slope * p", "estimators, straight"),
            ("slope * p * (1 - p)", "slope", "estimators, straight"),
            ("* (b - p)", "* (p - b)", "reinforce"),
            ("* (b - p)", "* b", "reinforce"),
            ("(f - f0)[:, None]", "f[:, None]", "reinforce by hand"),
            ("(b == 1, 1 - p, p)", "(b == 1, p, 1 - p)", "reinmax"),
            ("0.5 * slope", "slope", "reinmax"),
        ],
    },
    "04_soft_top_k": {
        "find_cut": [
            ("(too_many, middle, low)", "(too_many, low, middle)", "find_cut of"),
            (".sum(axis=1, keepdims=True) > k", ".sum() > k * len(z)", "each row has its own"),
            ("(z - middle) / temperature", "z - middle", r"T = 0\.5"),
        ],
        "five_curves": [
            ("1 - half, half), half", "1 - half, half), 2 * half", "slope of lapsum"),
            ("np.where(u > 0, 1 - half, half), half", "half, half", "slope of lapsum"),
            ("(u > 0) & (u < 1)", "u > 0", "slope of capped-simplex"),
            ("(u > 0) & (u < 1)", "(u >= 0) & (u <= 1)", "slope at the kinks"),
            ("3 * p**2 * inside", "3 * p**2", "slope of pnorm"),
        ],
        "topk_backward": [
            ("d * (g - mean_g) / t", "d * g / t", "topk_backward, sigmoid, scores"),
            (") / temperature, mean", "), mean", "topk_backward, sigmoid, scores"),
            ("(d * g).sum(axis=1, keepdims=True) / total", "g.mean(axis=1, keepdims=True)",
             "topk_backward, sigmoid, scores"),
            ("mean_g.sum()", "mean_g.mean()", "topk_backward, sigmoid, k"),
            ("np.maximum(d.sum(axis=1, keepdims=True), 1e-300)", "d.sum(axis=1, keepdims=True)",
             "guard against 0 / 0"),
        ],
        "sinkhorn": [
            ("        plan = plan / plan.sum(axis=1, keepdims=True)\n", "", "against sigmoid"),
            ("plan * room / plan.sum(axis=0)", "plan / plan.sum(axis=0)", "harbour 1 holds k"),
            ("return epsilon / 2", "return epsilon", "against sigmoid"),
        ],
    },
    "05_the_mid_l_layer": {
        "hard_topk": [
            ("best_first[:, :k], 1.0", "best_first[:, -k:], 1.0", "ones at the k highest"),
            ("k - 1:k + 1", "k - 1:k", "the mean of the k-th score"),
            ("return m, z - tau", "return (z > tau) * 1.0, z - tau", "exactly k ones"),
        ],
        "topk_backward": [
            ("d * (g - rivals)", "d * g", "topk_backward, soft"),
            ("axis=1, keepdims=True) / d", "keepdims=True) / d", "each row has its own"),
            ("sigmoid(u) * sigmoid(-u)", "sigmoid(u)", "topk_backward, soft"),
        ],
        "midl_forward": [
            ("light + m * a", "m * a", "neuron 0 is closed"),
            ("light + m * a", "light + m", "mixed by a"),
            ("topk(z, k)", "topk(-z, k)", "mask by hand"),
        ],
        "midl_backward": [
            ("g * m * a * (v > 0)", "g * m * a", "soft, gradient of x"),
            ("g * (1 - m * a)", "g * (1 - m)", "gradient of"),
            ("topk_backward(g_product * a, u) + ", "", "gradient of"),
            (" + g_product * m * a * (1 - a)", "", "gradient of"),
            ("topk_backward(g_product * a, u)", "g_product * a", "gradient of"),
        ],
        "relative_macs": [
            (" + gate", "", "by hand"),
            ("(n_in + n_units) + running", "n_in * n_units", "by hand"),
            (" + running\n", "\n", "by hand"),
        ],
    },
    "06_dynamicgate_and_the_budget": {
        "cut": [
            ("temperature * np.log", "np.log", r"cut_of\(2"),
            ("threshold / (1 - threshold)", "threshold", r"cut_of\(2"),
            ("threshold / (1 - threshold)", "(1 - threshold) / threshold", r"cut_of\(2"),
            ("sigmoid(cut / temperature)", "sigmoid(cut * temperature)", "it undoes cut_of"),
            ("sigmoid(cut / temperature)", "1 / (1 + cut / temperature)", "it undoes cut_of"),
        ],
        "penalty": [
            ("distance**2, 2", "distance, 2", "penalty, value"),
            ("2 * distance / z.size", "2 * distance", "penalty, gradient"),
            (" * p * (1 - p)", "", "penalty, gradient"),
            ("(1 - p) / temperature", "(1 - p)", r"gradient at T = 0\.3"),
            ("2 * distance", "2 * abs(distance)", "penalty, gradient"),
        ],
        "guard": [
            ("np.put_along_axis(fed, best, True, axis=1)",
             "fed |= scores >= np.take_along_axis(scores, best[:, -1:], 1)", "count instead"),
            ("np.where(mask, np.inf, scores)", "scores", "the open gate stays"),
            ("fed = mask.copy()", "fed = np.zeros_like(mask)", "the open gate stays"),
            ("argsort(-open_first", "argsort(open_first", "the open gate stays"),
            ("(-open_first, axis=1, kind=\"stable\")[:, :k]",
             "(open_first, axis=1, kind=\"stable\")[:, ::-1][:, :k]", "to the lowest index"),
        ],
        "dual": [
            ("rate * (m - target)", "rate * (target - m)", "too much open"),
            ("max(0.0, price + rate * (m - target))", "price + rate * (m - target)",
             "never below 0"),
            ("max(0.0, price + rate * (m - target))", "price + rate * max(0.0, m - target)",
             "too little open"),
            ("price + rate", "rate", "too much open"),
        ],
    },
    "07_count_everything": {
        "macs": [
            ("stem * a + a * b", "stem * a.mean() + a.mean() * b.mean()", "image by image"),
            ("n_in * stem + stem * a", "stem * a", "2 x 3 always"),
            ("b * n_out", "two * n_out", "2 b"),
            ("rank * (a + two)", "rank * (one + two)", "a inputs"),
            ("return in_layers, in_gates", "return in_layers + in_gates", "not their sum"),
        ],
        "shared": [
            ("wide = mask.copy()", "wide = mask", "copy it"),
            (".any(axis=0)", ".all(axis=0)", "'any' over the batch"),
            ("range(0, len(mask), size)", "range(0, len(mask) - size, size)", "shared, 5 images"),
            ("len(mask), size", "len(mask)", "shared, 5 images"),
        ],
        "eight": [
            ("(stem * a + a * b).mean()", "(stem * a.mean() + a.mean() * b.mean())", "image by"),
            ("in_layers.mean() / dense", "(in_layers.mean() - n_in * stem) / dense", "stem counts"),
            ("(a + b).mean() / (one", "(a + b).mean() / (stem + one", r"one \+ two neurons"),
            ("total / all_open", "total / dense", "with all open"),
            ("a * two + b", "a * b + b", "run whole"),
            ("shared(first, size), shared(second, size)", "first, second", "share a ride"),
            ("all_open / dense]", "1.0]", "all weights"),
            (", all_open / dense]", "]", r"got:      shape \(7,\)"),
        ],
        "room": [
            ("1 / times", "times", "all is gated"),
            (" / gated", "", "break-even"),
            ("return (1 / times - (1 - gated)) / gated - runs",
             "return max(0.0, (1 / times - (1 - gated)) / gated - runs)", "negative here"),
        ],
    },
    "08_skip_the_work": {
        "loop": [
            ("if mask[s, n]:", "if True:", "one_by_one, random mask"),
            ("total = bias[n]", "total = ZERO", "bias [+] sum"),
            ("max(total, ZERO)", "total", "one_by_one, random mask"),
            ("weight_t[n, t]", "weight_t[s, t]", "one_by_one, random mask"),
            ("out[s, n] = max(total, ZERO)", "out[s, n] += max(total, ZERO)", "random mask"),
        ],
        "words": [
            ("> cut", ">= cut", "at the cut is closed"),
            ("words[g] |=", "words[g] =", "gate 0: samples 1 and 2"),
            ("<< np.uint64(s)", "<< np.uint64(g)", "gate 0: samples 1 and 2"),
            ("while word != 0:", "while word > 1:", "unpack, gate"),
            ("room[count] = first_bit(word)", "room[count] = first_bit(word) + 1", "which"),
            ("room[count] = first_bit(word)", "room[63 - count] = first_bit(word)", "which"),
        ],
        "four": [
            ("b += x[j, t] * w", "b += x[i, t] * w", "four_at_once, random mask"),
            ("                d += x[m, t] * w\n", "", "four_at_once, random mask"),
            ("w = weight_t[n, t]", "w = weight_t[n, t] * ZERO", "four_at_once, random mask"),
        ],
        "roof": [
            ("2 * n_in * places", "n_in * places", "bound by FLOPs"),
            ("(n_units + places)", "places", "bound by bytes"),
            ("(n_units + places)", "(n_units + n_units * density)", "bound by bytes"),
            ("4 * n_in", "8 * n_in", "bound by bytes"),
            ("np.maximum(flops / peak, traffic / bandwidth)",
             "flops / peak + traffic / bandwidth", "bound by FLOPs"),
            ("np.maximum(flops / peak, traffic / bandwidth)",
             "max(np.sum(flops) / peak, np.sum(traffic) / bandwidth)", "two densities"),
        ],
        "crossover": [
            ("i = wins[-1]",
             "i = np.flatnonzero([*(gated >= dense), True])[0] - 1", "noisy times"),
            ("    if len(wins) == 0:\n        return 0.0\n", "    wins = [*wins] or [0]\n",
             "against 0.5"),
            ("        return 1.0\n", "        return 0.0\n", "against 9"),
            ("return np.interp(dense, gated[i:i + 2], density[i:i + 2])", "return density[i]",
             "straight between"),
        ],
    },
    "10_sparse_wiring": {
        "masked": [
            ("x @ (W * M) + b", "x @ W + b", "though here it is a million"),
            ("g @ (W * M).T", "g @ W.T", "gradient of x"),
            ("M * dense, g", "dense, g", "gradient of W"),
            ("g.sum(axis=0), dense", "g.sum(axis=0), M * dense", "not on the dense one"),
            ("g.sum(axis=0)", "g.mean(axis=0)", "gradient of b"),
        ],
        "rigl": [
            ("n, ~kept)", "n, ~mask)", "may grow again"),
            ("np.abs(dense)", "dense", "by hand, mask"),
            ("np.abs(weight)", "weight", "by hand, mask"),
            ("mask.sum() - n, mask)", "mask.sum() - n, mask | True)", "only live ones"),
            ("(weight, *slots)", "(weight,)", "by hand, slots"),
            ("(weight, *slots)", "slots", "by hand, weight"),
            ("changed = mask != after", "changed = ~kept", "keeps its -0.1"),
            ("changed = mask != after", "changed = after & ~mask", "born and gone"),
            ("mask[...] = after", "mask = after", "by hand, mask"),
        ],
        "erk": [
            ("full |= d > 1", "return np.minimum(d, 1)", "solve again"),
            (" - size[full].sum()", "", "solve again"),
            ("(d <= 1 + 1e-12).all()", "True", "more wires than places"),
            ("    while True:\n", "    return np.full(len(size), density)\n    while True:\n",
             "erk, two layers"),
            ("max((raw * size)[~full].sum(), 1e-300) * raw", "size.sum() * np.sqrt(raw)",
             "erk, two layers"),
        ],
        "kinds": [
            ("ran.all(axis=(0, 1))", "ran[0].all(axis=0)", "in every look"),
            ("~ran.any(axis=(0, 1))", "~ran.all(axis=(0, 1))", "in no look at any"),
            ("(ran != ran[0])", "(ran != ran[:, :1])", "wire 2 ran for A"),
            ("~(always | never | chance)", "~(always | never)", "wire 2 ran for A"),
        ],
    },
    "11_experts_are_big_blocks": {
        "route": [
            ("argsort(-z, axis=1", "argsort(z, axis=1", "lowest index of the best"),
            ("np.put_along_axis(chosen, np.argsort(-z, axis=1, kind=\"stable\")[:, :k], True,"
             " axis=1)", "chosen = z >= -np.sort(-z, axis=1)[:, k - 1:k]",
             "exactly one per row"),
            (" if shared else v", " if shared else chosen * 1.0", "P where chosen"),
            ("v / v.sum(axis=1, keepdims=True) if shared else v", "v", "sums to 1"),
            ("g_P = g * chosen", "g_P = g", "route_backward, k = 1, raw"),
            ("    return P * (g_P - (g_P * P).sum(axis=1, keepdims=True))", "    return P * g_P",
             "route_backward, k = 1, raw"),
            ("keepdims=True) / total) / total", "keepdims=True) / total)", "k = 2, shared"),
            ("    if shared:\n        total", "    if False:\n        total", "k = 2, shared"),
        ],
        "balance": [
            ("n_experts * (f @", "(f @", "balance, all even"),
            ("P.mean(axis=0)", "f", "shares sum to 1"),
            ("P.mean(axis=0)", "P.sum(axis=0)", "balance, all even"),
            ("(f - (P @ f)[:, None])", "f", "even load"),
            ("n_experts / len(z) * P", "n_experts * P", "gradient, three empty"),
            ("len(z) * P * (f", "len(z) * (f", "gradient, three empty"),
            ("    return value,", "    return max(1.0, value),", "balance, "),
        ],
        "places": [
            ("<= C", "< C", "places, by order"),
            ("np.cumsum(chosen, axis=0)", "np.cumsum(chosen, axis=1)", "places, by order"),
            ("chosen & (np.cumsum", "(np.cumsum", "not touched"),
            ("rank = np.argsort(order, axis=0)", "rank = order", "places, by probability"),
            ("chosen & (rank < C)", "rank < C", "places, by probability"),
            ("-np.where(chosen, P, -1.0)", "np.where(chosen, P, 2.0)", "places, by probability"),
            ("np.where(chosen, P, -1.0)", "P", "against minimidl"),
            ("order = np.argsort(-np.where(chosen, P, -1.0), axis=0, kind=\"stable\")",
             "order = np.argsort(np.where(chosen, P, -1.0), axis=0, kind=\"stable\")[::-1]",
             "the earlier one"),
        ],
        "mixture": [
            (" + b[e]", "", "mixture against"),
            ("np.maximum(x[mine] @ W[e] + b[e], 0)", "x[mine] @ W[e] + b[e]", "mixture against"),
            ("w[mine, e:e + 1] * ", "", "mixture against"),
            ("y[mine] += ", "y[mine] = ", "mixture against"),
            ("mine = np.flatnonzero(chosen[:, e])", "mine = np.arange(len(x))", "do not run it"),
        ],
    },
    "12_what_do_the_neurons_know": {
        "count": [
            ("np.count_nonzero(share) - rows", "share.size - rows", "that occur"),
            ("rows, columns = np.count_nonzero(share.sum(axis=1)), "
             "np.count_nonzero(share.sum(axis=0))", "rows, columns = share.shape", "that occur"),
            ("/ (2 * n)", "/ n", "an even table"),
            ("plug_in - (", "plug_in + (", "an even table"),
            ("np.log(", "np.log2(", "empty cells"),
            ("return plug_in, plug_in", "return plug_in", "plug-in and corrected"),
        ],
        "neighbours": [
            ("np.where(same, far, np.inf)", "far", "within the digit"),
            ("[:, [k]]  # place", "[:, [k - 1]]  # place", "place 0 is i itself"),
            ("(far < r)", "(far <= r)", "strictly closer"),
            ("same.sum(axis=1)", "same.sum(axis=1) - 1", "against minimidl"),
        ],
        "slices": [
            (" / np.sqrt(n_slices)", "", "root of their number"),
            ("np.sqrt(n_slices)", "n_slices", "root of their number"),
            ("x @ rng.standard_normal(x.shape[1])", "x @ np.ones(x.shape[1])",
             "a fresh normal direction"),
            ("        view = spread(x @ rng.standard_normal(x.shape[1]), rng)",
             "        rng = np.random.default_rng(0)\n"
             "        view = spread(x @ rng.standard_normal(x.shape[1]), rng)", "slices"),
            ("about_a_label(view, labels, k)", "max(0, about_a_label(view, labels, k))",
             "none cut"),
        ],
        "luck": [
            ("(1 + np.sum(null", "(np.sum(null", "luck"),
            (">=", ">", "includes equal"),
            ("rng.permutation(labels)", "labels", "shuffle before"),
            ("rng.permutation(labels)", "rng.choice(labels, len(labels))", "as many of each"),
            ("value_of(rng.permutation(labels))", "(rng.shuffle(labels), value_of(labels))[1]",
             "leave them in order"),
        ],
        "paired": [
            ("who(x) != who(noisy)", "who(x)[1:] != who(noisy)[:-1]", "against itself"),
            ("    noisy = x + sigma", "    noisy = x\n    noisy += sigma", "to a copy"),
            ("sigma * rng", "sigma**2 * rng", "closed form"),
            ("(who(x) != who(noisy))", "((who(x) != who(noisy)).any(axis=1))", "closed form"),
        ],
    },
}


def complaint(code: str, namespace: dict[str, Any]) -> str:
    """What the check says of this code."""
    try:
        exec(code, namespace)
    except CheckFailed as fault:
        return str(fault)
    return "nothing: the check lets it pass"


def needs_numba(name: str) -> None:
    """Skip where the tutorial needs what is not there."""
    if "from numba import" in (SOURCE / f"{name}.py").read_text(encoding="utf-8"):
        pytest.importorskip("numba", reason="this tutorial is about Numba")


def cells_of(name: str) -> list[Cell]:
    source = read_source((SOURCE / f"{name}.py").read_text(encoding="utf-8"))
    return [cell for cell in source.cells if not cell.prose]


def attempts(cells: list[Cell]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Run a tutorial; stop at each exercise with (name, solution, check, names so far)."""
    checks = {cell.labels["check"]: cell.text for cell in cells if "check" in cell.labels}
    last = max(i for i, cell in enumerate(cells) if "check" in cell.labels)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells[:last + 1]:
        name = cell.labels.get("exercise")
        if name is not None:
            yield name, solved(cell), checks[name], dict(namespace)
        exec(solved(cell) if name is not None else cell.text, namespace)
        mpl.pyplot.close("all")


@pytest.mark.parametrize("name", sorted(path.stem for path in SOURCE.glob("*.py")))
def test_every_exercise_has_wrong_answers(name: str) -> None:
    assert set(WRONG.get(name, {})) == set(pair_up(cells_of(name)))


@pytest.mark.slow
@pytest.mark.tutorials
@pytest.mark.parametrize("name", sorted(WRONG))
def test_wrong_answers_fail(name: str) -> None:
    mpl.use("Agg")
    needs_numba(name)
    for exercise, solution, check, namespace in attempts(cells_of(name)):
        for right, wrong, told in WRONG[name][exercise]:
            assert right in solution, f"{exercise}: update the wrong answer"
            # Checks draw their test points from the tutorial's generator: every attempt its own.
            attempt = dict(namespace) | {"rng": np.random.default_rng(0)}
            message = complaint(solution.replace(right, wrong, 1) + "\n" + check, attempt)
            assert re.search(told, message), f"{exercise}, {wrong!r}: {message}"
