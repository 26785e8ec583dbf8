"""What is proved: everything that has a backward. A backward without an entry fails the suite.

This is the one file of the room that knows the library. The lists of entries are handed the rooms
they prove, so that nothing else here can lean on the code under proof.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence

from minimidl import execution, gates, layers, losses
from minimidl.proof.entries import (
    chooser_entries,
    estimator_entries,
    execution_entries,
    expert_entries,
    gate_entries,
    layer_entries,
    loss_entries,
    option_entries,
    ranking_entries,
    router_entries,
    routing_entries,
    sampling_entries,
    simplex_entries,
    stack_entries,
    threshold_entries,
    wiring_entries,
)
from minimidl.proof.entry import Proof

ROOMS = ("minimidl.layers", "minimidl.gates", "minimidl.losses", "minimidl.execution")


def catalogue() -> list[Proof]:
    """All proofs: layers, gates, losses, the executor."""
    proofs = [*layer_entries.proofs(layers), *option_entries.proofs(layers, gates),
              *stack_entries.proofs(layers), *wiring_entries.proofs(layers, gates),
              *chooser_entries.proofs(gates), *gate_entries.proofs(gates, layers),
              *threshold_entries.proofs(gates), *simplex_entries.proofs(gates),
              *ranking_entries.proofs(gates),
              *sampling_entries.proofs(gates), *estimator_entries.proofs(gates),
              *router_entries.proofs(gates), *expert_entries.proofs(layers, gates),
              *routing_entries.proofs(losses),
              *loss_entries.proofs(losses), *execution_entries.proofs(execution, layers)]
    names = [proof.name for proof in proofs]
    assert len(set(names)) == len(names), "two proofs share a name"
    return proofs


def uncovered(proofs: Sequence[Proof] | None = None) -> list[str]:
    """Names of everything in :data:`ROOMS` that has a backward and no proof; empty is good."""
    covered = {thing for proof in (catalogue() if proofs is None else proofs)
               for thing in proof.covers}
    return sorted(f"{thing.__module__}.{thing.__qualname__}" for thing in things_with_backward()
                  if thing not in covered)


def things_with_backward() -> Iterator[Callable[..., object]]:
    """Concrete classes with a ``backward`` method and functions named ``*_backward``."""
    for module_name in (name for room in ROOMS for name in modules(room)):
        module = importlib.import_module(module_name)
        for name, thing in vars(module).items():
            own = getattr(thing, "__module__", None) == module_name
            if own and (is_proved_class(thing) or is_backward_function(name, thing)):
                yield thing


def modules(room: str) -> list[str]:
    """The room itself and every module in it, nested ones too."""
    package = importlib.import_module(room)
    inner = pkgutil.walk_packages(package.__path__, f"{room}.")
    return [room, *(module.name for module in inner)]


def is_proved_class(thing: object) -> bool:
    """A class that can be built; abstract ones and protocols are proved by their heirs."""
    return (inspect.isclass(thing) and inspect.isfunction(getattr(thing, "backward", None))
            and not inspect.isabstract(thing) and not getattr(thing, "_is_protocol", False))


def is_backward_function(name: str, thing: object) -> bool:
    """A function whose name says that it is the second of a pair."""
    return inspect.isfunction(thing) and name.endswith("_backward")
