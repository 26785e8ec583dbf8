from __future__ import annotations

import gzip
import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minimidl.data import load
from minimidl.data.raw import RawFile
from minimidl.data.scripts import load_script, script_folder
from minimidl.errors import InputError

REAL = Path(__file__).parents[3] / "shared" / "data" / "mnist"
mnist = load_script("mnist")


def idx(array: np.ndarray) -> bytes:
    return gzip.compress(b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(
        f">{array.ndim}I", *array.shape) + array.tobytes(), mtime=0)


def fakes(folder: Path, change=None) -> tuple[RawFile, ...]:
    """Write four small files of the real format; ``change`` may spoil their arrays."""
    folder.mkdir(exist_ok=True)
    arrays = []
    for n in (60, 20):
        images = np.random.default_rng(n).integers(0, 256, (n, 28, 28), dtype=np.uint8)
        arrays += [images, (np.arange(n) % 10).astype(np.uint8)]
    if change:
        change(arrays)
    files = []
    for file, array in zip(mnist.FILES, arrays, strict=True):
        (folder / file.name).write_bytes(idx(array))
        digest = hashlib.sha256((folder / file.name).read_bytes()).hexdigest()
        files.append(RawFile(file.name, digest, 1))
    return tuple(files)


def prepare(tmp_path: Path, files: tuple[RawFile, ...]) -> Path:
    return mnist.prepare(tmp_path / "raw", tmp_path / "out", files=files, n_val=10)


def test_prepared_files_load_with_every_sample_in_its_part(tmp_path):
    files = fakes(tmp_path / "raw")
    assert prepare(tmp_path, files) == tmp_path / "out" / "mnist.npz"
    dataset = load("mnist", data_dir=tmp_path / "out")
    assert dataset.counts("train") == [5] * 10
    assert dataset.counts("val") == [1] * 10
    assert dataset.counts("test") == [2] * 10
    pixels = dataset.x_test * dataset.about["std"] + dataset.about["mean"]
    original = np.random.default_rng(20).integers(0, 256, (20, 784), dtype=np.uint8)
    assert np.array_equal(np.rint(pixels), original)


def test_images_keep_their_labels_through_the_split(tmp_path):
    def number(arrays):  # the first pixel of each image is its label
        for images, labels in (arrays[:2], arrays[2:]):
            images[:, 0, 0] = labels

    prepare(tmp_path, fakes(tmp_path / "raw", number))
    dataset = load("mnist", data_dir=tmp_path / "out")
    for part in ("train", "val", "test"):
        x, y = dataset.part(part)
        first = x[:, 0] * dataset.about["std"] + dataset.about["mean"]
        assert np.array_equal(np.rint(first), y)


def set_label(arrays):
    arrays[1][7] = 10


def drop_labels(arrays):
    arrays[3] = arrays[3][:-1]


def make_flat(arrays):
    arrays[0] = arrays[0].reshape(60, -1)


@pytest.mark.parametrize(("change", "words"), [
    (set_label, "label 10 at index .* expected labels from 0 to 9"),
    (drop_labels, r"t10k files: got images \(20, 28, 28\) and labels \(19,\)"),
    (make_flat, r"train files: got images \(60, 784\)"),
])
def test_files_that_do_not_belong_together(tmp_path, change, words):
    files = fakes(tmp_path / "raw", change)
    with pytest.raises(InputError, match=words):
        prepare(tmp_path, files)
    assert not list(tmp_path.glob("out/*"))


def test_too_many_for_validation(tmp_path):
    with pytest.raises(InputError, match="n_val: got 60"):
        mnist.prepare(tmp_path / "raw", tmp_path, files=fakes(tmp_path / "raw"), n_val=60)


def spoil_checksum(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b" ")


@pytest.mark.parametrize(("spoil", "words"), [
    (Path.unlink, "t10k-images-idx3-ubyte.gz: got no such file"),
    (spoil_checksum, "t10k-images-idx3-ubyte.gz: got sha256"),
])
def test_missing_and_altered_files_write_nothing(tmp_path, spoil, words):
    files = fakes(tmp_path / "raw")
    spoil(tmp_path / "raw" / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(InputError, match=words):
        prepare(tmp_path, files)
    assert not (tmp_path / "out").exists()


def test_an_interrupt_while_writing_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(names):
        yield next(iter(names))
        raise KeyboardInterrupt

    monkeypatch.setattr(mnist, "_bar", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path, fakes(tmp_path / "raw"))
    assert os.listdir(tmp_path / "out") == []


def test_dry_run_checks_and_writes_nothing(tmp_path, capsys):
    files = fakes(tmp_path / "raw")
    mnist.prepare(tmp_path / "raw", tmp_path / "out", dry_run=True, files=files)
    assert "complete" in capsys.readouterr().out
    mnist.prepare(None, tmp_path / "out", dry_run=True)
    assert "would download 4 files, 11.6 MB" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_download_and_prepare_from_a_loopback_server(tmp_path):
    pytest.importorskip("pooch", reason="downloads need the extra [data]")
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    files = fakes(tmp_path / "served")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=tmp_path / "served")

        def log_message(self, *args):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        mnist.prepare(out=tmp_path / "out", url=f"http://127.0.0.1:{server.server_port}",
                      files=files, n_val=10)
        server.shutdown()
    assert load("mnist", data_dir=tmp_path / "out").counts("val") == [1] * 10
    assert len(os.listdir(tmp_path / "out" / "raw" / "mnist")) == 4


def test_the_script_runs_by_itself_and_fails_in_one_line(tmp_path):
    command = [sys.executable, str(script_folder() / "mnist.py")]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([*command, "--raw", str(tmp_path)], capture_output=True, text=True,
                          env=environment, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no such file" in done.stderr


def test_help_shows_an_example(capsys):
    with pytest.raises(SystemExit) as stopped:
        mnist.main(["--help"])
    assert stopped.value.code == 0
    assert "python data_scripts/mnist.py --raw" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real MNIST files are not beside this checkout")
def test_the_real_files(tmp_path):
    assert mnist.main(["--raw", str(REAL), "--out", str(tmp_path)]) == 0
    dataset = load("mnist", data_dir=tmp_path)
    assert dataset.counts("test") == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    both = np.add(dataset.counts("train"), dataset.counts("val")).tolist()
    assert both == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert sum(dataset.counts("val")) == 5000
    assert round(dataset.about["mean"] / 255, 3) == 0.131
