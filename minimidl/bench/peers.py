"""Dense peers: the same widths with no gate, run by whoever is fastest at it here.

NumPy is always there; PyTorch (eager) and ONNX Runtime are used where they are installed, and only
imported when asked for. All get the same weights and run on one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minimidl.arrays import Array
from minimidl.bench.timing import alternate
from minimidl.errors import require

Affine = tuple[Array, Array]
"""``weight (n_in, n_out)`` and ``bias (n_out,)`` of one layer."""

Predict = Callable[[Array], Array]


@dataclass(frozen=True)
class DensePeer:
    """A dense network ``x -> relu(x W1 + b1) -> ... -> x Wn + bn`` in one library.

    Attributes:
        name: ``"numpy"``, ``"torch"`` or ``"onnxruntime"``.
        predict: ``(batch, n_in) -> (batch, n_out)``, NumPy in and out.
        bind: prepares a function without arguments that runs one batch again and again, without
            what a user of that library would not pay (conversion from NumPy).

    """

    name: str
    predict: Predict
    bind: Callable[[Array], Callable[[], object]]


def numpy_peer(layers: Sequence[Affine]) -> DensePeer:
    """BLAS through NumPy; the sums are made in place, as a careful user would."""
    *hidden, last = [(np.ascontiguousarray(weight), bias) for weight, bias in layers]

    def predict(x: Array) -> Array:
        for weight, bias in hidden:
            x = x @ weight
            x += bias
            np.maximum(x, 0, out=x)
        x = x @ last[0]
        x += last[1]
        return x

    return DensePeer("numpy", predict, lambda x: lambda: predict(x))


def torch_peer(layers: Sequence[Affine]) -> DensePeer:
    """PyTorch in eager mode, in inference mode; ImportError where it is not installed."""
    import torch

    modules: list[Any] = []
    for weight, bias in layers:
        linear = torch.nn.Linear(*weight.shape, dtype=getattr(torch, str(weight.dtype)))
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.T.copy()))
            linear.bias.copy_(torch.from_numpy(bias.copy()))
        modules += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1]).eval()

    def run(tensor: Any) -> Any:
        # One thread for this call only: the setting belongs to the process, so put it back.
        before = torch.get_num_threads()
        if before != 1:
            torch.set_num_threads(1)
        with torch.inference_mode():
            result = model(tensor)
        if before != 1:
            torch.set_num_threads(before)
        return result

    def bind(x: Array) -> Callable[[], object]:
        tensor = torch.from_numpy(x)
        return lambda: run(tensor)

    return DensePeer("torch", lambda x: run(torch.from_numpy(x)).numpy(), bind)


def onnx_peer(layers: Sequence[Affine]) -> DensePeer:
    """ONNX Runtime on a graph of Gemm and Relu; ImportError without ``onnx`` or the runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        onnx_graph(layers), options, providers=["CPUExecutionProvider"])

    def predict(x: Array) -> Array:
        return session.run(None, {"x": x})[0]

    return DensePeer("onnxruntime", predict, lambda x: lambda: predict(x))


def onnx_graph(layers: Sequence[Affine]) -> bytes:
    """The dense network as a serialised ONNX model with input ``x`` and output ``y``."""
    from onnx import TensorProto, helper, numpy_helper

    kind = helper.np_dtype_to_tensor_dtype(layers[0][0].dtype)
    nodes, constants, name = [], [], "x"
    for i, (weight, bias) in enumerate(layers):
        last = i == len(layers) - 1
        constants += [numpy_helper.from_array(np.ascontiguousarray(weight), f"w{i}"),
                      numpy_helper.from_array(bias, f"b{i}")]
        result = "y" if last else f"u{i}"
        nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [result]))
        if not last:
            nodes.append(helper.make_node("Relu", [result], [f"h{i}"]))
            name = f"h{i}"
    ends = [helper.make_tensor_value_info(end, kind, ["batch", width]) for end, width in
            (("x", layers[0][0].shape[0]), ("y", layers[-1][0].shape[1]))]
    assert kind in (TensorProto.FLOAT, TensorProto.DOUBLE)
    graph = helper.make_graph(nodes, "dense", ends[:1], ends[1:], constants)
    # An old opset and file version are read by every runtime that is still in use.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model.SerializeToString()


BUILDERS: dict[str, Callable[[Sequence[Affine]], DensePeer]] = {
    "numpy": numpy_peer, "torch": torch_peer, "onnxruntime": onnx_peer,
}


def dense_peers(layers: Sequence[Affine], names: Sequence[str] = ()) -> list[DensePeer]:
    """All dense peers that are installed; with ``names``, only these.

    Args:
        layers: weight and bias of every layer; ReLU stands between two layers.
        names: keys of :data:`BUILDERS`; none means all.

    Raises:
        InputError: no layers, or an unknown name.

    """
    require(len(layers) > 0, "layers", "none", "at least one (weight, bias)")
    for name in names:
        require(name in BUILDERS, "peer", repr(name), f"one of {', '.join(BUILDERS)}")
    peers = []
    for name in names or BUILDERS:
        try:
            peers.append(BUILDERS[name](layers))
        except ImportError:  # not installed: a peer less
            continue
    return peers


def best_peer(peers: Sequence[DensePeer], x: Array) -> DensePeer:
    """The fastest of ``peers`` on the batch ``x``; call it with one thread."""
    timings = alternate({peer.name: peer.bind(x) for peer in peers}, rounds=7, round_seconds=0.002)
    return min(peers, key=lambda peer: timings[peer.name].seconds)
