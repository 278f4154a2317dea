"""Faces and eyes by YuNet (Wu, Peng & Yu 2023), through OpenCV, with the ONNX file that the user gives."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.face_detection import Face, clipped, ordered, smallest_side
from fercli.datasets.images import as_color, fit_to, opencv
from fercli.errors import InputError

# OpenCV's own settings of its example.
_SCORE, _OVERLAP, _AT_MOST = 0.8, 0.3, 5000
# The network was trained on faces from 10 to 300 pixels: larger pictures are shrunk to this longer side.
_LONGEST = 1024


class YuNet:
    """path: of the ONNX file. smallest: side of the smallest face that counts, None as `smallest_side` has it.

    Raises InputError for a file that is not there or that OpenCV does not take for YuNet.
    """

    def __init__(self, path: str, *, smallest: int | None = None) -> None:
        self._smallest = smallest
        self._path = path
        if not Path(path).is_file():
            raise InputError(
                "there is no such file", where=f"--detector-model {path}", next_step="give YuNet's ONNX file"
            )
        cv2 = opencv()
        try:
            self._network = cv2.FaceDetectorYN.create(path, "", (320, 320), _SCORE, _OVERLAP, _AT_MOST)
        except cv2.error:
            raise self._unreadable() from None
        # The first run tells whether its outputs are YuNet's.
        self.faces(np.zeros((64, 64, 3), dtype=np.uint8))

    def faces(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """See `FaceDetector.faces`."""
        cv2 = opencv()
        height, width = pixels.shape[:2]
        scale = min(1.0, _LONGEST / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        small = fit_to(as_color(pixels, "rgb"), size, "stretch")
        self._network.setInputSize((size[1], size[0]))
        try:
            found = self._network.detect(np.ascontiguousarray(small[..., ::-1]))[1]
        except cv2.error:
            raise self._unreadable() from None
        least = smallest_side(pixels.shape, self._smallest)
        across, down = width / size[1], height / size[0]
        faces = []
        for row in [] if found is None else found.tolist():
            left, top, wide, high = row[0] * across, row[1] * down, row[2] * across, row[3] * down
            box = clipped(left, top, left + wide, top + high, pixels.shape)
            if min(box[2:]) >= 1 and max(box[2:]) >= least:
                first, second = sorted([(row[4] * across, row[5] * down), (row[6] * across, row[7] * down)])
                faces.append(Face(box, (first, second)))
        return ordered(faces)

    def _unreadable(self) -> InputError:
        return InputError(
            "OpenCV does not take this file for a YuNet network",
            where=f"--detector-model {self._path}",
            next_step="give face_detection_yunet_2023mar.onnx of OpenCV's model zoo, whole",
        )
