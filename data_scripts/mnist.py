"""Prepare MNIST: 55,000 training, 5,000 validation and 10,000 test pictures of 28x28 pixels.

Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits, CC BY-SA 3.0.
The four original files are downloaded, or taken from a folder, checked against their published
checksums, and written as one compact file. Examples:

    python data_scripts/mnist.py                      # download, about 11 MB (needs pooch)
    python data_scripts/mnist.py --raw my/mnist       # the four files are already in my/mnist
    python data_scripts/mnist.py --raw my/mnist --dry-run
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from minimidl.arrays import Array
from minimidl.data.download import download
from minimidl.data.folders import data_folder
from minimidl.data.prepared import write
from minimidl.data.raw import RawFile, read_idx, verify_files
from minimidl.data.splits import stratified_split
from minimidl.errors import InputError, require

NAME = "mnist"
URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
FILES = (
    RawFile("train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
    RawFile("train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
    RawFile("t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
    RawFile("t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
)
N_VAL = 5000
SEED = 0
ABOUT = {
    "name": NAME,
    "class_names": list("0123456789"),
    "image_shape": [28, 28],
    "provenance": "MNIST, the four original IDX files, checked by SHA-256",
    "licence": "CC BY-SA 3.0",
    "citation": "Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits",
}


def prepare(raw: Path | None = None, out: Path | None = None, url: str = URL,
            dry_run: bool = False, files: tuple[RawFile, ...] = FILES, n_val: int = N_VAL) -> Path:
    """Write ``mnist.npz`` and return its path.

    Args:
        raw: folder with the four files; None downloads them into ``raw/mnist`` of the data folder.
        out: folder for the prepared file; None is the data folder.
        url: where to download from; the file names are added to it.
        dry_run: say what would be done, check files given with ``raw``, write nothing.
        files: the four files, training images and labels first, with their checksums.
        n_val: how many of the training pictures validate.

    Raises:
        InputError: a missing, damaged or unexpected file, or a place that cannot be written.

    """
    target = data_folder(out) / f"{NAME}.npz"
    if raw is None and dry_run:
        print(f"would download {len(files)} files, {sum(f.size for f in files) / 1e6:.1f} MB, "
              f"from {url} and write {target}")
        return target
    folder = Path(raw) if raw else download(files, url, data_folder(out) / "raw" / NAME)
    verify_files(folder, files)
    if dry_run:
        print(f"the {len(files)} files in {folder} are complete; would write {target}")
        return target
    arrays = split(*(_read(folder / file.name) for file in files), n_val=n_val)
    about = ABOUT | {"split": f"training part: stratified, {n_val} for validation, seed {SEED}"}
    return write(target, arrays, about, progress=_bar)


def split(x: Array, y: Array, x_test: Array, y_test: Array, n_val: int) -> dict[str, Array]:
    """Flatten the pictures and take ``n_val`` of the training part for validation, by class."""
    for images, labels, name in ((x, y, "train"), (x_test, y_test, "t10k")):
        require(images.ndim == 3 and labels.shape == images.shape[:1], f"{name} files",
                f"images {images.shape} and labels {labels.shape}", "(n, height, width) and (n,)")
    require(0 < n_val < len(y), "n_val", n_val, f"a count from 1 to {len(y) - 1}")
    train, val = stratified_split(y, (len(y) - n_val, n_val), np.random.default_rng(SEED))
    flat, flat_test = x.reshape(len(x), -1), x_test.reshape(len(x_test), -1)
    return {"x_train": flat[train], "y_train": y[train], "x_val": flat[val], "y_val": y[val],
            "x_test": flat_test, "y_test": y_test}


def _read(path: Path) -> Array:
    print(f"reading {path.name}", file=sys.stderr)
    return read_idx(path)


def _bar(names: Iterable[str]) -> Iterable[str]:
    """Progress bar over the arrays written."""
    from tqdm import tqdm

    bar: Iterable[str] = tqdm(list(names), desc="writing", unit="array")
    return bar


def main(argv: list[str] | None = None) -> int:
    """Parse the command line, prepare, print the name of the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raw", type=Path, metavar="DIR", help="folder with the original files")
    parser.add_argument("--out", type=Path, metavar="DIR",
                        help="folder for the prepared file (default: cache, or MINIMIDL_DATA)")
    parser.add_argument("--url", default=URL, help="download from here (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="check and tell, write nothing")
    args = parser.parse_args(argv)
    try:
        path = prepare(args.raw, args.out, args.url, args.dry_run)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    if not args.dry_run:
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
