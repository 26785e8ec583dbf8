"""One environment for every test: fresh caches, one thread, no window, no luck."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

# Everything down to the blank line below must happen before NumPy or Numba is imported. The workers
# of pytest-xdist are children of this process and inherit what is set here, so they share one home.
HOME_GIVEN = "MINIMIDL_TEST_HOME" in os.environ
OWNED_HOME = "" if HOME_GIVEN else tempfile.mkdtemp(prefix="minimidl-tests-")
HOME = Path(os.environ.setdefault("MINIMIDL_TEST_HOME", OWNED_HOME))
for library in ("OPENBLAS", "MKL", "OMP", "BLIS", "VECLIB_MAXIMUM"):
    # Two workers with a thread pool each are slower than two threads, and sums may round otherwise.
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_CACHE_DIR", str(HOME / "numba"))  # a leg of CI may bring its own
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
if WORKER:
    # One folder per worker: two processes that compile the same kernel for different dtypes at the
    # same moment write the same index file, and one of them then loads the other's code.
    os.environ["NUMBA_CACHE_DIR"] = str(Path(os.environ["NUMBA_CACHE_DIR"]) / WORKER)
os.environ["MPLBACKEND"] = "Agg"
# Never the user's cache of prepared data, whatever the environment says; one folder per worker.
os.environ["MINIMIDL_DATA"] = str(HOME / f"data-{WORKER or 'main'}")

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

settings.register_profile(
    "minimidl", deadline=None, max_examples=40, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("minimidl")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the test home, in the process that made it."""
    if OWNED_HOME:
        shutil.rmtree(OWNED_HOME, ignore_errors=True)
