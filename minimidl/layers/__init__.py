"""Layers: one per file, forward and backward side by side, dense with a mask."""

from minimidl.layers.activations import ACTIVATIONS, GELU, ReLU, Sigmoid, Tanh
from minimidl.layers.base import Layer
from minimidl.layers.dropout import Dropout
from minimidl.layers.dynamic_gate import DynamicGate
from minimidl.layers.experts import Experts
from minimidl.layers.gated import Gated
from minimidl.layers.gated_linear import GatedLinear
from minimidl.layers.gated_stack import GatedStack
from minimidl.layers.input_gate import InputGate
from minimidl.layers.layer_norm import LayerNorm
from minimidl.layers.linear import Linear
from minimidl.layers.masked import Masked, MaskedLinear
from minimidl.layers.masked_gates import MaskedDynamicGate, MaskedMIDL
from minimidl.layers.midl import MIDL
from minimidl.layers.open_dropout import (
    OpenDropout,
    OpenDropoutDynamicGate,
    OpenDropoutMIDL,
)
from minimidl.layers.random_gate import RandomGate
from minimidl.layers.sequential import Sequential, gated_layers, leaves, memory_at
from minimidl.layers.weight_gate import WeightGate
from minimidl.layers.wires import masked_layers, wires_of

__all__ = [
    "ACTIVATIONS", "GELU", "MIDL", "Dropout", "DynamicGate", "Experts", "Gated", "GatedLinear",
    "GatedStack", "InputGate", "Layer", "LayerNorm", "Linear", "Masked", "MaskedDynamicGate",
    "MaskedLinear", "MaskedMIDL", "OpenDropout", "OpenDropoutDynamicGate", "OpenDropoutMIDL",
    "RandomGate", "ReLU", "Sequential", "Sigmoid", "Tanh", "WeightGate", "gated_layers",
    "leaves", "masked_layers", "memory_at", "wires_of",
]
