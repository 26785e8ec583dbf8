"""How the embedded digits were made: scikit-learn's copy of the UCI test file, split once.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998, doi 10.24432/C50P49, CC BY 4.0 (1,797 samples of ``optdigits.tes``).

Readers need not run this; the file is in the package. To make it again (needs scikit-learn):

    python data_scripts/digits.py --out minimidl/data
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from minimidl.data.prepared import write
from minimidl.data.splits import stratified_split
from minimidl.errors import InputError

SIZES = (1078, 269, 450)
SEED = 0
ABOUT = {
    "name": "digits",
    "class_names": list("0123456789"),
    "image_shape": [8, 8],
    "provenance": "UCI optical handwritten digits, test file, through scikit-learn's load_digits; "
                  "doi 10.24432/C50P49",
    "licence": "CC BY 4.0",
    "citation": "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998",
    "split": f"stratified, {SIZES}, seed {SEED}",
}


def prepare(out: Path) -> Path:
    """Write ``digits.npz`` into the folder ``out`` and return its path."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x, y = bunch.data.astype(np.uint8), bunch.target.astype(np.uint8)
    arrays = {}
    parts = stratified_split(y, SIZES, np.random.default_rng(SEED))
    for part, index in zip(("train", "val", "test"), parts, strict=True):
        arrays |= {f"x_{part}": x[index], f"y_{part}": y[index]}
    return write(Path(out) / "digits.npz", arrays, ABOUT)


def main(argv: list[str] | None = None) -> int:
    """Parse the command line, make the file, print its name."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write digits.npz into")
    try:
        print(prepare(parser.parse_args(argv).out))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
