"""YuNet's side of the seam, with a network of its form that takes bright cells for faces."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fercli.config.faces import FacesConfig
from fercli.datasets.face_detection import detector_of

SIDE = 40  # of the boxes, in pixels of what the network sees
EYES = ((10, -2), (-10, -4))  # from the middle of a cell, the one that lies right in the picture first


def convolution(name, stride, outputs, weight, bias):
    """A convolution over cells of `stride`, its channels last, as YuNet's heads give them."""
    kernel = np.full((outputs, 3, stride, stride), weight, np.float32)
    arrays = [
        numpy_helper.from_array(kernel, f"{name}_w"),
        numpy_helper.from_array(np.array(bias, np.float32), f"{name}_b"),
        numpy_helper.from_array(np.array([0, -1, outputs], np.int64), f"{name}_s"),
    ]
    nodes = [
        helper.make_node(
            "Conv", ["input", f"{name}_w", f"{name}_b"], [f"{name}_c"], strides=[stride] * 2, kernel_shape=[stride] * 2
        ),
        helper.make_node("Transpose", [f"{name}_c"], [f"{name}_t"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [f"{name}_t", f"{name}_s"], [name]),
    ]
    return nodes, arrays


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    nodes, arrays, outputs = [], [], []
    for stride in (8, 16, 32):
        # Only the finest head answers: a cell as white as paper scores 1.
        seen = 1 / (3 * stride * stride * 255) if stride == 8 else 0.0
        points = [0.5 + shift / stride for point in (*EYES, (0, 0), (0, 0), (0, 0)) for shift in point]
        box = [0.5, 0.5, np.log(SIDE / stride), np.log(SIDE / stride)]
        for head, count, weight, bias in (
            ("cls", 1, seen, [0.0]),
            ("obj", 1, seen, [0.0]),
            ("bbox", 4, 0.0, box),
            ("kps", 10, 0.0, points),
        ):
            made, stored = convolution(f"{head}_{stride}", stride, count, weight, bias)
            nodes += made
            arrays += stored
            outputs.append(helper.make_tensor_value_info(f"{head}_{stride}", TensorProto.FLOAT, [1, None, count]))
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, None, None])]
    graph = helper.make_graph(nodes, "cells", inputs, outputs, arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
    path = tmp_path_factory.mktemp("yunet") / "cells.onnx"
    onnx.save(model, path)
    return str(path)


def bright(shape, *cells, factor=1):
    pixels = np.zeros(shape, np.uint8)
    for row, column in cells:
        pixels[row * 8 * factor : (row + 1) * 8 * factor, column * 8 * factor : (column + 1) * 8 * factor] = 255
    return pixels


def test_boxes_and_eyes_in_pixels_of_the_picture(network):
    detector = detector_of(FacesConfig(detector="yunet", detector_model=network))
    (face,) = detector.faces(bright((160, 320, 3), (9, 20)))
    assert face.box == (144, 56, SIDE, SIDE)
    np.testing.assert_allclose(face.eyes, [(164 - 10, 76 - 4), (164 + 10, 76 - 2)], atol=0.01)
    assert detector.faces(bright((160, 320, 3))) == []


def test_large_pictures_are_shrunk_and_boxes_grow_again(network):
    detector = detector_of(FacesConfig(detector="yunet", detector_model=network))
    (face,) = detector.faces(bright((640, 2048), (9, 20), factor=2))
    assert face.box == (288, 112, 2 * SIDE, 2 * SIDE)


def test_several_faces_and_the_smallest_that_counts(network):
    pixels = bright((160, 320), (3, 30), (14, 0))
    found = detector_of(FacesConfig(detector="yunet", detector_model=network, min_face=20)).faces(pixels)
    # the one at the corner is cut, so it is the smaller one
    assert [face.box for face in found] == [(224, 8, 40, 40), (0, 96, 24, 40)]
    assert detector_of(FacesConfig(detector="yunet", detector_model=network, min_face=41)).faces(pixels) == []
