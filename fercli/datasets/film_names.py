"""Names of SFEW's frames, `Film_HHMMSSmmm_NNNNNNNN`: their stored form and the film in them (Dhall et al. 2011)."""

import re

_FRAME = re.compile(r"(?P<film>.+?)[_-](?P<time>\d{9})_(?P<frame>\d{8})")
_PART = re.compile(r"(HarryPotter_Deathly_Hallows)_[12]")


def frame_id(name: str) -> str:
    """The stored id: extensions `.mat`, `.png` … dropped, runs of `_` made one."""
    bare = re.sub(r"\.(mat|png|jpe?g|bmp|tiff?)$", "", name.strip(), flags=re.IGNORECASE)
    return re.sub("_+", "_", bare)


def is_frame(name: str) -> bool:
    """Whether a name is that of a film frame."""
    return _FRAME.fullmatch(frame_id(name)) is not None


def film(name: str) -> str:
    """The film, all that stands before the time stamp; "" if there is none.

    Two repairs of the published names: the two parts of Deathly Hallows are one production with one cast, and one
    time stamp is set off by `-`.
    """
    match = _FRAME.fullmatch(frame_id(name))
    return _PART.sub(r"\1", match["film"]) if match else ""
