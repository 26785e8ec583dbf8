"""minimidl: networks that decide, for every input, which neurons to run.

Importing this package loads NumPy and nothing heavier. Numba, matplotlib and the rest are imported
by the rooms that use them, when they are used.
"""

from minimidl import gates, layers, losses
from minimidl.errors import InputError

__version__ = "0.1.0"

__all__ = ["InputError", "__version__", "gates", "layers", "losses"]
