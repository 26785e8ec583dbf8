"""``python -m minimidl`` is the command line."""

import sys

from minimidl.cli import main

if __name__ == "__main__":
    sys.exit(main())
