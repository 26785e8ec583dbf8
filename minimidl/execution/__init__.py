"""Running a model through the kernels, skipping what its gates closed.

``executor.py`` has the model's own protocol. ``stages.py`` cuts a model into segments (a gated
layer and the linear layer after it: ``segment.py``, ``forms.py``, ``light.py``), chains (gated
layers in a row: ``chain.py``, ``chain_forms.py``, ``chain_crowd.py``, ``link.py``) and layers that
run as they are; ``fitness.py`` says why. ``choice.py`` measures which path is the fastest here.

Training on open neurons is ``active_only.py`` (the model), ``training.py`` (one segment) and
``places.py`` (who opened what; ``masked.py`` where nothing is compiled). ``workers.py`` shares a
batch among threads.
"""

from minimidl.execution.executor import Executor

__all__ = ["Executor"]
