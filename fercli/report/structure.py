"""A network's layer records as the boxes of a drawing: what is drawn is what is trained."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import isqrt, prod
from typing import Literal, Protocol

Shape = tuple[int, ...]
Sort = Literal["convolution", "pooling", "connected", "other"]
_LATER = {"BatchNorm2d": "BN", "BatchNorm1d": "BN", "ReLU": "ReLU"}
_SORTS: Mapping[str, tuple[str, Sort]] = {
    "MaxPool2d": ("max pooling", "pooling"),
    "AdaptiveAvgPool2d": ("global average pooling", "pooling"),
    "Dropout": ("dropout", "other"),
    "Linear": ("fully connected", "connected"),
    "Output": ("fully connected", "connected"),
}
_CONVOLUTIONS = ("Conv2d", "Stem")


class LayerRecord(Protocol):
    """One layer in the order of the forward pass; output is (C, H, W) or (width,), without the batch."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def output(self) -> Shape: ...
    @property
    def parameters(self) -> int: ...


class ShortcutRecord(Protocol):
    """A shortcut around a block; activated: a ReLU follows the sum."""

    @property
    def kind(self) -> Literal["identity", "projection"]: ...
    @property
    def activated(self) -> bool: ...


@dataclass(frozen=True)
class Box:
    """One or several layers that are drawn together; output is (C, H, W) or (width,)."""

    label: str
    output: Shape
    parameters: int = 0
    sort: Sort = "other"


@dataclass(frozen=True)
class Part:
    """Boxes in a row, with at most one shortcut around them all; `times` equal parts are folded into one.

    stage: the part's outer name ("layer2"; "fc.block1" in a head), "" outside of any. projection: the box on the
    shortcut, None where it is the identity or there is none. activated: a ReLU follows the sum. Parameters are
    those of one of the `times` parts.
    """

    stage: str
    boxes: tuple[Box, ...]
    shortcut: Literal["identity", "projection"] | None = None
    projection: Box | None = None
    activated: bool = False
    times: int = 1

    @property
    def parameters(self) -> int:
        """Of one of the folded parts, its shortcut's included."""
        return sum(box.parameters for box in self.boxes) + (self.projection.parameters if self.projection else 0)


def parts_of(
    layers: Iterable[LayerRecord], shortcuts: Mapping[str, ShortcutRecord], picture: Shape
) -> tuple[Part, ...]:
    """The parts of a network in the order of its forward pass, equal neighbours folded.

    shortcuts: by the name of the block. picture: (C, H, W) of the input. The softmax, which networks leave to the
    loss, is no part.
    """
    parts: list[Part] = []
    shape = picture
    for name, group in groupby(layers, key=lambda layer: _block(layer.name, shortcuts)):
        part = _part(name, list(group), shortcuts.get(name), shape)
        if not part.boxes:
            continue
        shape = part.boxes[-1].output
        if parts and replace(part, times=parts[-1].times) == parts[-1] and part.shortcut:
            parts[-1] = replace(parts[-1], times=parts[-1].times + 1)
        else:
            parts.append(part)
    return tuple(parts)


def folded(part: Part) -> Part:
    """The convolutions of a residual block as one box; any other part as it is."""
    if part.shortcut is None or any(box.sort != "convolution" for box in part.boxes):
        return part
    kernels = [box.label.split(" ", 1)[0] for box in part.boxes]
    halved = " /2" if any("/2" in box.label for box in part.boxes) else ""
    inside = sum(box.parameters for box in part.boxes)
    box = Box(f"{', '.join(kernels)} conv{halved}", part.boxes[-1].output, inside, "convolution")
    return replace(part, boxes=(box,))


def _block(name: str, shortcuts: Mapping[str, ShortcutRecord]) -> str:
    """The block that a layer is in: the one with a shortcut if there is one, otherwise its parent."""
    owners = (block for block in shortcuts if name.startswith(f"{block}."))
    return next(owners, name.rpartition(".")[0])


def _part(name: str, layers: Sequence[LayerRecord], shortcut: ShortcutRecord | None, shape: Shape) -> Part:
    beside = [layer for layer in layers if ".downsample." in layer.name]
    inside = [layer for layer in layers if ".downsample." not in layer.name]
    if shortcut is not None and shortcut.activated:
        inside = inside[:-1]
    projection = _boxes(beside, shape)
    head, _, last = name.rpartition(".")
    return Part(
        stage=head if last.isdigit() else name,
        boxes=_boxes(inside, shape),
        shortcut=None if shortcut is None else shortcut.kind,
        projection=projection[0] if projection else None,
        activated=shortcut is not None and shortcut.activated,
    )


def _boxes(layers: Sequence[LayerRecord], shape: Shape) -> tuple[Box, ...]:
    """Batch norm and ReLU join the box before them; a flattening, which is no layer, gets its own."""
    boxes: list[Box] = []
    for layer in layers:
        if layer.kind == "Identity":
            continue
        if layer.kind in _LATER and boxes:
            box = boxes[-1]
            joined = f"{box.label}, {_LATER[layer.kind]}"
            boxes[-1] = replace(box, label=joined, parameters=box.parameters + layer.parameters)
            continue
        if len(shape) == 3 and len(layer.output) == 1 and prod(shape[1:]) > 1:
            shape = (prod(shape),)
            boxes.append(Box("flatten", shape))
        label, sort = _named(layer, shape)
        boxes.append(Box(label, layer.output, layer.parameters, sort))
        shape = layer.output
    return tuple(boxes)


def _named(layer: LayerRecord, shape: Shape) -> tuple[str, Sort]:
    step = f" /{round(shape[-1] / layer.output[-1])}" if len(layer.output) == 3 else ""
    step = "" if step == " /1" else step
    if layer.kind in _CONVOLUTIONS:
        # Exact where no kernel is shared by groups of channels; those have no side that squares to it.
        weights, rest = divmod(layer.parameters, shape[0] * layer.output[0])
        side = isqrt(weights)
        square = f"{side}×{side} " if not rest and side and side**2 == weights else ""
        return f"{square}conv{step}", "convolution"
    label, sort = _SORTS.get(layer.kind, (layer.kind, "other"))
    return (label if layer.kind == "AdaptiveAvgPool2d" else label + step), sort
