import io
import sys

import numpy as np
import pytest

from minimidl import InputError
from minimidl.errors import require_finite
from minimidl.learning.progress import blas_threads, postfix, progress_bar, tell_divergence

ROW = {"epoch": 3, "val_loss": 0.5, "val_accuracy": 0.912, "active_ratio": 0.45}


def bar_output(progress, monkeypatch) -> str:
    stream = io.StringIO()  # no terminal
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(progress, 10) as bar:
        bar.update(3)
        bar.set_postfix_str(postfix(ROW))
    return stream.getvalue()


def test_a_bar_appears_only_where_it_is_wanted(monkeypatch):
    assert "val 91.2%, active 45%" in bar_output("always", monkeypatch)
    assert bar_output(True, monkeypatch) == "", "stderr is no terminal"
    assert bar_output(False, monkeypatch) == ""


def test_without_tqdm_there_is_silence(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)  # import raises ImportError
    assert bar_output("always", monkeypatch) == ""


def test_the_loss_stands_in_where_there_is_no_accuracy():
    assert postfix(ROW | {"val_accuracy": None}) == "epoch 3, val loss 0.5000, active 45%"


def test_blas_threads_are_held_and_given_back():
    from threadpoolctl import threadpool_info, threadpool_limits

    def now() -> list[int]:
        np.ones((2, 2)) @ np.ones((2, 2))
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    with threadpool_limits(2, user_api="blas"):
        before = now()
        with blas_threads(1):
            assert set(now()) == {1}
        with blas_threads(None):
            assert now() == before
        assert now() == before


def test_without_threadpoolctl_it_goes_on(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with blas_threads(1):
        ran = True
    assert ran


def test_not_finite_becomes_advice_on_the_learning_rate():
    with pytest.raises(InputError, match=r"learning_rate: got 5.*epoch 2.*lower it"), \
            tell_divergence(5.0, 2):
        require_finite(np.array([1.0, np.nan]), "logits")


def test_other_errors_pass_unchanged():
    with pytest.raises(InputError, match=r"^labels: wrong$"), tell_divergence(5.0, 2):
        raise InputError("labels: wrong")
