"""A network as an ONNX graph from pictures to probabilities, translated layer by layer from its own modules."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.nn import functional
from torchvision.ops import StochasticDepth

from fercli.config.export import LOGITS, PICTURES, PROBABILITIES
from fercli.errors import FerError
from fercli.export.graph import Graph

_LAST = -(2**62)  # "to the very first", when a slice goes backwards


class View(Protocol):
    """A part of a picture that is scored: its place and sides in pixels, and whether it is mirrored."""

    @property
    def top(self) -> int: ...
    @property
    def left(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def mirrored(self) -> bool: ...


def net_graph(
    network: nn.Module,
    *,
    size: tuple[int, int],
    channels: int,
    classes: int,
    mean: Sequence[float],
    sd: Sequence[float],
    views: Sequence[View] = (),
) -> Graph:
    """Uint8 pictures (N, H, W) or (N, H, W, 3) to float32 probabilities (N, classes), everything between inside.

    network: in evaluation mode, from (N, C, h, w) to logits; its layers must be among those that this project's
    variants are made of. mean, sd: of the pixel values 0..255, per channel. views: parts whose probabilities are
    averaged; () is the whole picture. With one view the logits are a second output.
    """
    graph = Graph()
    pictures = graph.input(PICTURES, "uint8", [*size, *([3] if channels == 3 else [])])
    planes = (
        graph.op("Transpose", pictures, perm=[0, 3, 1, 2])
        if channels == 3
        else graph.op("Unsqueeze", pictures, graph.integers(1))
    )
    raw = graph.cast(planes, "float32")
    # As the scorer does it: the reciprocal in float32, then a product.
    scale = (1 / torch.tensor(list(sd), dtype=torch.float32)).numpy()
    centred = graph.op("Sub", raw, graph.constant(_planes(mean)))
    whole = graph.op("Mul", centred, graph.constant(_planes(scale)))
    parts = [_part(graph, whole, view, size) for view in views] or [whole]
    # Views lie one after the other along the batch, so that the network stands in the file once.
    joined = parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=0)
    logits = _translated(graph, network, joined, channels)
    shares = graph.op("Softmax", logits, axis=1)
    if len(parts) > 1:
        apart = graph.op("Reshape", shares, graph.integers(len(parts), -1, classes))
        shares = graph.op("ReduceMean", apart, axes=[0], keepdims=0)
    graph.output(shares, PROBABILITIES, "float32", [classes])
    if len(parts) == 1:
        graph.output(logits, LOGITS, "float32", [classes])
    return graph


def _planes(values: Sequence[float] | NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)[None, :, None, None]


def _part(graph: Graph, pictures: str, view: View, size: tuple[int, int]) -> str:
    value = pictures
    if (view.height, view.width) != size:
        ends = (view.top + view.height, view.left + view.width)
        value = graph.sliced(value, (view.top, view.left), ends, (2, 3))
    if view.mirrored:
        places = (graph.integers(-1), graph.integers(_LAST), graph.integers(3), graph.integers(-1))
        value = graph.op("Slice", value, *places)
    return value


class _Tracer(fx.Tracer):
    """Stops at every module without children: those are the layers that are translated."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not any(True for _ in m.children())


def _translated(graph: Graph, network: nn.Module, pictures: str, channels: int) -> str:
    """The name of the logits of `network` over the value `pictures` (N, channels, h, w)."""
    values: dict[str, str] = {}
    for node in _Tracer().trace(network).nodes:
        if node.op == "output":
            return values[node.args[0].name]
        inputs = [values[one.name] for one in node.all_input_nodes]
        if node.op == "placeholder":
            values[node.name] = pictures
        elif node.op == "call_module":
            first = channels if node.args[0].op == "placeholder" else None
            values[node.name] = _module(graph, network.get_submodule(node.target), inputs[0], first)
        elif node.op == "call_function" and node.target in _FUNCTIONS:
            values[node.name] = _FUNCTIONS[node.target](graph, node, inputs)
        else:
            raise _untranslated(f"{node.op} {node.target}")
    raise _untranslated("a network without an output")


def _module(graph: Graph, module: nn.Module, value: str, first: int | None) -> str:
    """One layer. first: channels of the pictures where the layer is the first one."""
    if isinstance(module, nn.Conv2d):
        return _convolution(graph, module, value, first)
    if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
        parts = (module.weight, module.bias, module.running_mean, module.running_var)
        constants = [graph.constant(_array(part)) for part in parts]
        return graph.op("BatchNormalization", value, *constants, epsilon=module.eps)
    if isinstance(module, nn.Linear):
        bias = () if module.bias is None else (graph.constant(_array(module.bias)),)
        return graph.op("Gemm", value, graph.constant(_array(module.weight)), *bias, transB=1)
    if isinstance(module, nn.MaxPool2d):
        shape = {"kernel_shape": _pair(module.kernel_size), "strides": _pair(module.stride)}
        return graph.op("MaxPool", value, **shape, pads=_pair(module.padding) * 2, ceil_mode=int(module.ceil_mode))
    if isinstance(module, nn.AdaptiveAvgPool2d) and _pair(module.output_size) == [1, 1]:
        return graph.op("GlobalAveragePool", value)
    if isinstance(module, nn.Dropout | nn.Identity | StochasticDepth):
        return value
    for kind, name in _POINTWISE.items():
        if isinstance(module, kind):
            return graph.op(name, value)
    raise _untranslated(type(module).__name__)


_POINTWISE: Mapping[type[nn.Module], str] = {nn.ReLU: "Relu", nn.Sigmoid: "Sigmoid"}


def _convolution(graph: Graph, module: nn.Conv2d, value: str, first: int | None) -> str:
    weight: Tensor = module.weight
    if first is not None and first != module.in_channels:
        # Gray pictures that enter as equal channels: the kernel is summed over them, as the stem does.
        weight = weight.sum(dim=1, keepdim=True)
    if isinstance(module.padding, str) or module.padding_mode != "zeros":
        raise _untranslated(f"a convolution with padding {module.padding} {module.padding_mode}")
    constants = [graph.constant(_array(part)) for part in (weight, module.bias) if part is not None]
    return graph.op(
        "Conv",
        value,
        *constants,
        kernel_shape=_pair(module.kernel_size),
        strides=_pair(module.stride),
        pads=_pair(module.padding) * 2,
        dilations=_pair(module.dilation),
        group=module.groups,
    )


def _flatten(graph: Graph, node: fx.Node, inputs: list[str]) -> str:
    start = node.args[1] if len(node.args) > 1 else node.kwargs.get("start_dim", 0)
    if start != 1:
        raise _untranslated(f"flatten from dimension {start}")
    return graph.op("Flatten", inputs[0], axis=1)


def _joined(graph: Graph, node: fx.Node, inputs: list[str]) -> str:
    axis = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
    return graph.op("Concat", *inputs, axis=axis)


def _pooled(graph: Graph, node: fx.Node, inputs: list[str]) -> str:
    size: Any = node.args[1] if len(node.args) > 1 else node.kwargs["output_size"]
    if _pair(size) != [1, 1]:
        raise _untranslated(f"average pooling to {size}")
    return graph.op("GlobalAveragePool", inputs[0])


def _twice(kind: str) -> Callable[[Graph, fx.Node, list[str]], str]:
    def translate(graph: Graph, node: fx.Node, inputs: list[str]) -> str:
        if len(inputs) == 2:
            return graph.op(kind, *inputs)
        if len(node.args) == 2 and node.args[0] is node.args[1]:
            return graph.op(kind, inputs[0], inputs[0])
        raise _untranslated(f"{kind} with {node.args}")

    return translate


_FUNCTIONS: Mapping[Any, Callable[[Graph, fx.Node, list[str]], str]] = {
    torch.flatten: _flatten,
    torch.cat: _joined,
    functional.adaptive_avg_pool2d: _pooled,
    functional.relu: lambda graph, node, inputs: graph.op("Relu", inputs[0]),
    operator.add: _twice("Add"),
    operator.iadd: _twice("Add"),
    operator.mul: _twice("Mul"),
}


def _pair(value: Any) -> list[int]:
    return [int(part) for part in value] if isinstance(value, tuple | list) else [int(value)] * 2


def _array(part: Tensor | None) -> NDArray[np.float32]:
    if part is None:
        raise _untranslated("a batch norm without weights or statistics")
    array: NDArray[np.float32] = part.detach().to(torch.float32).numpy()
    return array


def _untranslated(what: str) -> FerError:
    """Our own fault: a variant has a layer that nobody taught the exporter."""
    return FerError(f"the exporter cannot translate {what}", next_step="export to safetensors, and report this")
