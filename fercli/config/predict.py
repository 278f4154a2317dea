"""Options of `predict`: what is read, which faces are taken, and when the model abstains."""

from typing import Literal

from pydantic import Field

from fercli.config.faces import FacesConfig


class PredictConfig(FacesConfig):
    """which: of several faces in a picture. no_face: what becomes of a picture without one.

    every: each N-th frame of a video. limit: frames per video or webcam, None for all. min_confidence: the model
    abstains where its largest probability is below. max_pixels: larger pictures are refused undecoded.
    """

    faces: Literal["crop", "whole"] = "crop"
    which: Literal["all", "largest", "central"] = "all"
    no_face: Literal["keep", "skip", "fail"] = "keep"
    min_confidence: float = Field(default=0.0, ge=0, le=1)
    every: int = Field(default=1, ge=1)
    limit: int | None = Field(default=None, ge=1)
    max_pixels: int = Field(default=64_000_000, ge=1)
    batch_size: int = Field(default=64, ge=1, le=65536)
