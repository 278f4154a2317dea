"""The drawn structure of Xu's and Du's networks: its boxes are the layers that are trained."""

from collections import namedtuple

import pytest

from fercli.config.resnet import Architecture
from fercli.report.drawings import blocks_drawing
from fercli.report.figures.structure import stage_title, structure_figure, written
from fercli.report.figures.style import png_bytes, svg_bytes
from fercli.report.structure import Box, folded, parts_of
from fercli.resnet.shortcuts import shortcuts
from fercli.resnet.variants import layers

Layer = namedtuple("Layer", "name kind output parameters")


def parts(variant, channels, size=(48, 48)):
    architecture = Architecture.of_variant(variant, size, 1, 7)
    return parts_of(layers(architecture), shortcuts(architecture), (channels, *size))


@pytest.fixture(scope="module")
def xu():
    return parts("xu-resnet", 1)


@pytest.fixture(scope="module")
def du():
    return parts("du-improved-resnet50", 3)


def rows(part):
    return [(box.label, written(box.output), box.parameters) for box in part.boxes]


def test_xus_blocks(xu):
    assert rows(xu[0]) == [("7×7 conv /2, BN, ReLU", "24×24×64", 3264), ("max pooling /2", "12×12×64", 0)]
    found = [(part.stage, part.times, part.shortcut) for part in xu]
    later = [(f"layer{stage}", 1, kind) for stage in (2, 3, 4) for kind in ("projection", "identity")]
    assert found == [("", 1, None), ("layer1", 2, "identity"), *later, ("", 1, None)]
    second = xu[2]
    assert rows(second) == [("3×3 conv /2, BN, ReLU", "6×6×128", 73_984), ("3×3 conv, BN", "6×6×128", 147_712)]
    assert second.projection == Box("1×1 conv /2, BN", (128, 6, 6), 8448, "convolution")
    assert second.activated
    assert rows(xu[-1]) == [("global average pooling", "1×1×512", 0), ("fully connected", "7", 3591)]


def test_dus_head_has_one_identity_shortcut_and_it_is_around_block_2(du):
    one, two, output = du[-3:]
    assert [row[:2] for row in rows(one)] == [
        ("flatten", "8192"),
        ("dropout", "8192"),
        ("fully connected, BN, ReLU", "64"),
    ]
    assert rows(two) == [("dropout", "64", 0), ("fully connected, BN, ReLU", "64", 4224)]
    assert rows(output) == [("fully connected", "7", 455)]
    head = [(part.stage, part.shortcut, part.activated) for part in du[-3:]]
    assert head == [("fc.block1", None, False), ("fc.block2", "identity", False), ("fc", None, False)]


def test_dus_stages_fold_into_a_projection_and_the_blocks_after_it(du):
    stages = [(part.stage, part.times, part.shortcut) for part in du[1:-3]]
    expected = ((1, 2), (2, 3), (3, 5), (4, 2))
    assert stages == [
        one
        for stage, times in expected
        for one in ((f"layer{stage}", 1, "projection"), (f"layer{stage}", times, "identity"))
    ]
    assert rows(folded(du[3])) == [("1×1, 3×3, 1×1 conv /2", "6×6×512", 247_296)]
    assert folded(du[-2]) == du[-2]
    assert folded(du[0]) == du[0]


@pytest.mark.parametrize("variant", ["xu-resnet", "du-improved-resnet50", "resnet50", "cnn", "resnext50_32x4d"])
def test_no_parameter_is_left_out(variant):
    counted = sum(layer.parameters for layer in layers(Architecture.of_variant(variant, (48, 48), 1, 7)))
    channels = 3 if "50" in variant else 1
    assert sum(part.parameters * part.times for part in parts(variant, channels)) == counted


def test_a_kernel_that_the_counts_do_not_tell_is_not_invented():
    (part,) = parts_of([Layer("conv", "Conv2d", (8, 4, 4), 36)], {}, (8, 4, 4))
    assert [box.label for box in part.boxes] == ["conv"]


def test_names_and_shapes_in_words():
    assert [stage_title(name) for name in ("layer3", "fc.block2", "fc", "")] == ["stage 3", "block 2", "", ""]
    assert (written((2048, 2, 2)), written((7,))) == ("2×2×2048", "7")


def test_the_drawing_says_what_the_boxes_say_and_has_the_same_bytes_each_time(du):
    picture, softmax = Box("picture", (3, 48, 48)), Box("softmax", (7,))
    drawn = [structure_figure(picture, [folded(part) for part in du], softmax) for _ in range(2)]
    svg, again = (svg_bytes(figure) for figure in drawn)
    assert svg == again
    assert png_bytes(drawn[0]) == png_bytes(drawn[1])
    for words in (">48×48×3<", ">2×2×2048<", ">524,416<", ">×5<", ">block 2<", ">softmax<", ">projection shortcut<"):
        assert words in svg.decode(), words
    head = svg_bytes(structure_figure(picture, du[-3:], softmax)).decode()
    assert "identity shortcut" in head
    assert "projection shortcut" not in head


def test_words_stay_in_the_column_and_off_each_other(xu, du):
    large = parts("xu-resnet", 3, (2200, 2400))
    for network in (xu, [folded(part) for part in du], large):
        figure = structure_figure(Box("picture", (3, 2200, 2400)), network, Box("softmax", (7,)))
        (axes,) = figure.axes
        width, height = figure.bbox.size
        places = [text.get_window_extent() for text in axes.texts]
        for text, place in zip(axes.texts, places, strict=True):
            assert place.x0 >= 0, text
            assert place.x1 <= width, text
            assert place.y0 >= 0, text
            assert place.y1 <= height, text
            assert place.count_overlaps(places) == 1, text


def test_the_residual_blocks_of_the_first_stage(du):
    (drawing,) = blocks_drawing("du-improved-resnet50", du, "figure3")
    svg = drawing.svg.decode()
    assert svg.count(">3×3 conv, BN, ReLU<") == 2
    assert ">stage 2<" not in svg
    assert blocks_drawing("cnn", parts("cnn", 1), "figure3") == []
