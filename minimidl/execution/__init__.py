"""Running a model through the kernels, skipping what its gates closed."""

from minimidl.execution.executor import Executor

__all__ = ["Executor"]
