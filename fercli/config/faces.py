"""How faces are found and cut out: what `import-dataset --faces crop` and `predict` have in common."""

from typing import Literal, Self

from pydantic import Field, model_validator

from fercli.config.base import Config

DetectorName = Literal["viola-jones", "yunet"]
# Share of the box added on each side. FER-2013's pictures, which the network in the package was trained on, are cut
# so: in 166 of 200 of them, enlarged, the cascade finds a face whose box has 97 % of the picture's width (median), as
# a test of the real pictures prints.
DEFAULT_MARGIN = 0.02


class FacesConfig(Config):
    """margin: share of the box added on each side, negative to cut closer. align: turned until the eyes are level.

    detector_model: YuNet's ONNX file. min_face: smallest face in pixels, None for a twentieth of the picture's
    shorter side (24 at least).
    """

    detector: DetectorName = "viola-jones"
    detector_model: str | None = None
    margin: float = Field(default=DEFAULT_MARGIN, ge=-0.3, le=2)
    align: bool = True
    min_face: int | None = Field(default=None, ge=10, le=8192)

    @model_validator(mode="after")
    def _model_of_the_detector(self) -> Self:
        if self.detector == "yunet" and self.detector_model is None:
            raise ValueError("--detector yunet needs its network: give --detector-model FILE.onnx")
        if self.detector != "yunet" and self.detector_model is not None:
            raise ValueError("--detector-model is YuNet's network: say --detector yunet")
        return self


FACE_FIELDS = frozenset(FacesConfig.model_fields)
