"""The figures of the bench show the rows they are given, and say what their axes are."""

from __future__ import annotations

from minimidl.pictures.roofline import roofline, size_in_words
from minimidl.pictures.speed import density_figure, speed_against_batch, speed_against_density

BASE = {"n_in": 4, "n_units": 8, "n_out": 2, "spread_low": 0.4, "spread_high": 9.0, "ideal": 2.0,
        "flops_per_byte": 0.5, "gflops_executed": 20.0}


def row(case="random per-neuron", granularity="neuron", batch=1, density=0.5, ratio=1.5, **more):
    return BASE | {"case": case, "granularity": granularity, "batch": batch, "density": density,
                   "ratio": ratio} | more


def test_one_line_per_case_and_batch_sorted_by_density():
    rows = [row(density=0.9, ratio=0.8, ideal=1.1), row(density=0.1, ratio=4.0, ideal=8.0),
            row("trained per-neuron", batch=64)]
    ax = speed_against_density(rows, [row(density=0.8)])
    lines = {box.get_label(): box[0] for box in ax.containers}
    assert list(lines) == ["random per-neuron, batch 1", "trained per-neuron, batch 64"]
    assert list(lines["random per-neuron, batch 1"].get_ydata()) == [4.0, 0.8]
    assert lines["trained per-neuron, batch 64"].get_linestyle() == "--"
    by_label = {line.get_label(): line for line in ax.lines}
    assert list(by_label["ideal: MACs, gate included"].get_xdata()) == [0.1, 0.5, 0.9]
    assert list(by_label["crossover: as fast as dense"].get_xdata()) == [0.8]
    assert "density" in ax.get_xlabel()
    assert "fastest dense" in ax.get_ylabel()


def test_panels_by_shape_and_kind_of_mask():
    rows = [row(), row(granularity="block:32"), row(n_units=16), {"case": "ceiling", "gflops": 1.0}]
    panels = density_figure(rows).axes
    assert [ax.get_title() for ax in panels if ax.get_visible()] == [
        "4-8-2, per-neuron masks", "4-8-2, blocks of neurons", "4-16-2, per-neuron masks"]
    assert len(panels) == 4


def test_speed_against_batch_marks_the_targets():
    ax = speed_against_batch([row(batch=256, target=1.7), row(batch=2, ratio=3.0, target=None)])
    by_label = {line.get_label(): line for line in ax.lines}
    assert list(by_label["4-8-2, random per-neuron"].get_xdata()) == [2, 256]
    assert list(by_label["4-8-2, random per-neuron"].get_ydata()) == [3.0, 1.5]
    assert list(by_label["target"].get_xdata()) == [256]
    assert ax.get_xscale() == "log"


def test_the_roofline_has_a_roof_slopes_and_points():
    rows = [row(), row(batch=64, granularity="block:32", flops_per_byte=32.0), row(batch=7),
            {"case": "ceiling multiply-add", "gflops": 200.0},
            {"case": "ceiling read", "gigabytes_per_second": 100.0, "array_bytes": 1 << 20}]
    ax = roofline(rows)
    by_label = {line.get_label(): line for line in ax.lines}
    assert list(by_label["batch 64, block:32"].get_xdata()) == [32.0]
    slope = by_label["read 1 MiB: 100 GB/s"]
    assert list(slope.get_xdata())[1] == 2.0  # 200 GFLOP/s over 100 GB/s
    assert list(slope.get_ydata()) == [12.5, 200.0]  # from a quarter of the least intensity
    assert [text.get_text() for text in ax.texts] == ["multiply-add from registers: 200 GFLOP/s"]
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_a_roofline_without_ceilings_shows_the_points():
    ax = roofline([row()])
    assert [line.get_label() for line in ax.lines] == ["batch 1, neuron"]
    assert size_in_words(32 << 10) == "32 KiB"
