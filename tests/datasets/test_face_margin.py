"""The margin that makes detected faces look like FER-2013's pictures, measured on those pictures."""

import tarfile

import cv2
import numpy as np
import pytest

from fercli.config.faces import DEFAULT_MARGIN
from fercli.datasets.face_cascades import ViolaJones

PICTURES, FOUND_AT_LEAST = 200, 100


@pytest.mark.real_data
def test_the_default_margin_is_that_of_fer2013s_pictures(real_data):
    shares: list[float] = []
    looked_at = 0
    detector = ViolaJones(eyes=False)
    with tarfile.open(real_data / "fer2013-train-validation.tar.xz") as archive:
        for number, entry in enumerate(entry for entry in archive if entry.isfile() and "/train/" in entry.name):
            if number % 140 or looked_at == PICTURES:
                continue
            looked_at += 1
            data = np.frombuffer(archive.extractfile(entry).read(), np.uint8)
            large = cv2.resize(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), (192, 192), interpolation=cv2.INTER_LINEAR)
            # Around the picture its border is repeated, so that a face as wide as the picture can be found.
            faces = detector.faces(cv2.copyMakeBorder(large, 96, 96, 96, 96, cv2.BORDER_REPLICATE))
            if faces and faces[0].box[2] >= 96:
                shares.append(faces[0].box[2] / 192)
    print(f"faces in {len(shares)} of {looked_at} pictures, median width {np.median(shares):.3f} of the picture's")
    assert looked_at == PICTURES
    assert len(shares) >= FOUND_AT_LEAST
    # A box of share s needs (1/s - 1)/2 of itself on each side to become the whole picture.
    assert (1 / np.median(shares) - 1) / 2 == pytest.approx(DEFAULT_MARGIN, abs=0.02)
