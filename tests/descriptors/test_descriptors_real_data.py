"""On real faces: the fast forms against the plain transcription of the originals."""

import tarfile

import cv2
import numpy as np
import pytest

from fercli.benchmarks import descriptor_reference as plain
from fercli.descriptors.lpq import lpq_batch
from fercli.descriptors.phog import phog_batch

FACES = 400


@pytest.fixture(scope="module")
def faces(real_data):
    pictures = []
    with tarfile.open(real_data / "fer2013-train-validation.tar.xz") as archive:
        for member in archive:
            if member.name.endswith(".jpg"):
                encoded = np.frombuffer(archive.extractfile(member).read(), np.uint8)
                pictures.append(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))
            if len(pictures) == FACES:
                break
    return np.stack(pictures)


@pytest.mark.real_data
def test_phog_of_faces(faces):
    expected = [plain.phog(face) for face in faces]
    np.testing.assert_allclose(phog_batch(faces), expected, rtol=0, atol=1e-12)


@pytest.mark.real_data
@pytest.mark.parametrize("window", [3, 7])
def test_lpq_of_faces(faces, window):
    expected = [plain.lpq(face, window) for face in faces]
    np.testing.assert_allclose(lpq_batch(faces, window=window), expected, rtol=0, atol=1e-12)
