"""The form in which every yardstick keeps what it learned: arrays by name."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
