"""The one look at the test part: how right a trained model is, and what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.data import Dataset
from minimidl.layers import Sequential
from minimidl.measure import count_macs, macro_f1

CROWD = 256
"""Samples of the second timing: enough for a matrix product to use each weight again and again."""


def judge(
    model: Sequential, data: Dataset, *, timed: bool = True, twin: Sequential | None = None
) -> dict[str, Any]:
    """Accuracy and costs on the test part, in evaluation mode: the one look at it.

    Args:
        model: trained and chosen.
        data: only its test part is read, once.
        timed: whether to measure times and memory, too; see :func:`clock`.
        twin: what costs are relative to; None: the model's own widths, dense.

    Returns:
        ``accuracy macro_f1 active_ratio mac_ratio mac_ratio_with_gate macs``, and what
        :func:`clock` measures.

    """
    x, labels = data.part("test")
    output, memory = model.forward(x)
    answers = output.argmax(axis=1)
    count = count_macs(model, memory)
    dense = None if twin is None else count_macs(twin, twin.forward(x[:1])[1]).dense
    return {"accuracy": float((answers == labels).mean()),
            "macro_f1": macro_f1(labels, answers, data.n_classes), **count.summary(dense),
            **(clock(model, x, count.with_gate, twin) if timed else {})}


def clock(
    model: Sequential, x: Array, macs: Array, twin: Sequential | None = None
) -> dict[str, Any]:
    """This model against the best dense peer installed, one thread, and its memory.

    Args:
        model: trained.
        x: ``(n, n_in)``, the test part.
        macs: ``(n,)`` or ``(1,)``, what each sample costs.
        twin: what the dense peer runs; None: the model's own widths.

    Returns:
        ``latency_us dense_latency_us peer`` of the sample with the median number of MACs (how many
        neurons a threshold gate opens differs from sample to sample);
        ``latency_us_b256 dense_latency_us_b256 peer_b256``, microseconds *per sample*, of 256
        samples spread evenly over the part (repeated where it has fewer); ``peak_memory_bytes``
        of one prediction of these 256: see :func:`minimidl.bench.peak.prediction_peak`.

    """
    from minimidl.bench import batch1_latency  # peers are heavy: imported when asked for
    from minimidl.bench.peak import prediction_peak

    median = int(np.argsort(macs)[len(macs) // 2])
    crowd = np.ascontiguousarray(x[np.linspace(0, len(x) - 1, CROWD).astype(int)])
    many = batch1_latency(model, crowd, like=twin)
    each = {f"{name}_b{CROWD}": None if many[name] is None else many[name] / CROWD
            for name in ("latency_us", "dense_latency_us")}
    return {**batch1_latency(model, x[median:median + 1], like=twin), **each,
            f"peer_b{CROWD}": many["peer"], "peak_memory_bytes": prediction_peak(model, crowd)}
