"""Layers: one per file, forward and backward side by side, dense with a mask."""

from minimidl.layers.activations import ACTIVATIONS, GELU, ReLU, Sigmoid, Tanh
from minimidl.layers.base import Layer
from minimidl.layers.dropout import Dropout
from minimidl.layers.dynamic_gate import DynamicGate
from minimidl.layers.gated import Gated
from minimidl.layers.gated_linear import GatedLinear
from minimidl.layers.gated_stack import GatedStack
from minimidl.layers.input_gate import InputGate
from minimidl.layers.layer_norm import LayerNorm
from minimidl.layers.linear import Linear
from minimidl.layers.midl import MIDL
from minimidl.layers.sequential import Sequential, gated_layers, leaves, memory_at

__all__ = [
    "ACTIVATIONS", "GELU", "MIDL", "Dropout", "DynamicGate", "Gated", "GatedLinear",
    "GatedStack", "InputGate", "Layer", "LayerNorm", "Linear", "ReLU", "Sequential", "Sigmoid",
    "Tanh", "gated_layers", "leaves", "memory_at",
]
