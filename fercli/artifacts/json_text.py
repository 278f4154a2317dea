"""JSON as our writers write it, and nothing else that Python's reader would also take."""

import json
import math
from typing import Any


def read_json(data: bytes) -> Any:
    """The value in `data`. ValueError, in one line, for other encodings, NaN, infinities, endless nesting or digits."""
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large for a number")
    return value
