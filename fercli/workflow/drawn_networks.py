"""The structure of a ResNet as figures and a table, from the layers that a run trained or a config describes."""

from fercli.config.reproduce_nets import FRAME_SIZE, ReproduceFramesConfig
from fercli.config.resnet import Architecture
from fercli.records import EXPRESSIONS
from fercli.report.drawings import blocks_drawing, structure_drawing
from fercli.report.material import Drawing
from fercli.report.reproduced_nets import structure_sheet
from fercli.report.structure import Box, Part, parts_of
from fercli.report.tables import Sheet
from fercli.resnet.shortcuts import shortcuts
from fercli.resnet.variants import layers


def paper_frames() -> Architecture:
    """Xu's ResNet on frames of the paper's size."""
    width, height = FRAME_SIZE
    return ReproduceFramesConfig().training.architecture((height, width), 3, len(EXPRESSIONS))


def structure_figure_of(architecture: Architecture, stem: str, *, fold: bool) -> tuple[Drawing, ...]:
    """The whole network; fold: a residual block is one box."""
    picture, parts = _parts(architecture)
    return tuple(structure_drawing(architecture.variant, parts, Box("picture", picture), stem, fold=fold))


def blocks_figure_of(architecture: Architecture, stem: str) -> tuple[Drawing, ...]:
    """Its first residual blocks, layer by layer."""
    return tuple(blocks_drawing(architecture.variant, _parts(architecture)[1], stem))


def structure_table_of(architecture: Architecture) -> Sheet:
    """The stages of a network: a row for each part of its first level, and for each layer of Du's head."""
    rows: dict[str, list[tuple[str, str, int, int]]] = {}
    for layer in layers(architecture):
        part = layer.name if layer.name.startswith("fc") else layer.name.split(".", 1)[0]
        output = "×".join(map(str, layer.output))
        rows.setdefault(part, []).append((layer.kind, output, layer.parameters, layer.multiply_adds))
    return structure_sheet(
        architecture.variant,
        [
            (part, found[-1][0], found[-1][1], sum(one[2] for one in found), sum(one[3] for one in found))
            for part, found in rows.items()
        ],
    )


def _parts(architecture: Architecture) -> tuple[tuple[int, int, int], tuple[Part, ...]]:
    height, width = architecture.input_size
    picture = (3 if architecture.equal_channels else architecture.channels, height, width)
    return picture, parts_of(layers(architecture), shortcuts(architecture), picture)
