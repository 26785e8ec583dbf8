"""Cutting a model into stages."""

import numpy as np

from minimidl.execution import Executor
from minimidl.layers import MIDL, Dropout, GatedStack, InputGate, Linear, Sequential


def test_dropout_stands_in_nobodys_way():
    model = Sequential(MIDL(6, 8, keep=2), Dropout(0.5), Linear(8, 3))
    executor = Executor(model, path="neuron")
    assert [stage.segment is not None for stage in executor.stages] == [True]
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    output, memory = executor.forward(x)
    expected, model_memory = model.forward(x)
    np.testing.assert_allclose(output, expected, atol=1e-6)
    grad_output = np.ones_like(output)
    grad_x, grads = executor.backward(grad_output, memory)
    same_x, same = model.backward(grad_output, model_memory)
    np.testing.assert_allclose(grad_x, same_x, atol=1e-6)
    assert grads.keys() == same.keys()


def test_gated_layers_without_a_kernel_say_so():
    model = Sequential(InputGate(6), GatedStack(6, (8, 4)), Linear(4, 3))
    told = Executor(model).explain()
    assert "layer 0: dense (InputGate has no kernel)" in told
    assert "layer 1: dense (GatedStack has no kernel)" in told
