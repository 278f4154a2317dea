"""What the facts in `artifact.json` and in `metrics.json` must be like before anything computes with them.

Hashes tell that a file is the one that was written; they do not tell that whoever wrote it knew our formats. Keys may
be absent (releases add some): `Facts` refuses them when they are asked for. Keys that are there must have the type.
"""

from typing import Any

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from fercli.errors import ArtifactError

AGAIN = "restore the folder from a copy, or make the artifact again with --force"


class _Shape(BaseModel):
    """Further keys are let be; no text is taken for a number, and no number is infinite."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, protected_namespaces=())


class _LeftOut(_Shape):
    source: str
    reason: str


class _Block(_Shape):
    name: str
    start: int
    stop: int
    columns: list[str]


class _Content(_Shape):
    """The facts of artifacts of every kind, by the names under which commands read them."""

    summary: str = ""
    rows: int = 0
    classes: list[str] = []
    size: list[int] = []
    color: str = ""
    groups: int = 0
    left_out: list[_LeftOut] = []
    counts: dict[str, dict[str, int]] = {}
    blocks: list[_Block] = []
    pca: int | float | None = None
    notes: list[str] = []
    leaks: list[str] = []
    protocol: dict[str, Any] | None = None
    balance: list[dict[str, Any]] = []
    run_kind: str = ""
    on: str = ""
    data_kind: str = ""
    protocol_line: str = ""


class _Spread(_Shape):
    mean: float | None = None
    sd: float | None = None
    pooled: float | None = None
    name: str = ""


class _Measured(_Shape):
    accuracy: _Spread
    loss: _Spread


class _Fold(_Shape):
    repeat: int
    fold: int
    rows: int
    accuracy: float | None


class _Protocol(_Shape):
    scheme: str = ""
    k: int = 0
    repeats: int = 0
    groups: int = 0
    seed: int = 0
    duplicates: str = ""
    leaks: list[str] = []


class _Metrics(_Shape):
    name: str
    kind: str
    classes: list[str]
    on: str
    rows: int
    accuracy: float | None
    balanced_accuracy: float | None
    macro_f1: float | None
    log_loss: float | None
    per_class: dict[str, dict[str, float | None]]
    confusion: list[list[int]]
    protocol: _Protocol
    train: _Measured
    test: _Measured
    folds: list[_Fold]


_ARRAYS: dict[str, tuple[str, tuple[int, ...]]] = {"images.npy": ("uint8", (3, 4)), "features.npy": ("float32", (2,))}
_FILES: dict[str, type[_Shape]] = {"metrics.json": _Metrics}


class Facts(dict[str, Any]):
    """The `content` of a manifest; a fact that is not there is an ArtifactError, not a KeyError."""

    def __init__(self, facts: dict[str, Any], *, label: str, where: str) -> None:
        super().__init__(facts)
        self._label = label
        self._where = where

    def __missing__(self, key: str) -> Any:
        raise ArtifactError(f"{self._label} does not say its {key!r}", where=self._where, next_step=AGAIN)


def check_content(content: dict[str, Any], *, where: str) -> None:
    """ArtifactError for a fact of another type than commands compute with."""
    _check(_Content, content, where=where)


def check_file(name: str, value: Any, *, where: str) -> None:
    """ArtifactError for a JSON file of a known name that does not hold what it must."""
    if name in _FILES:
        _check(_FILES[name], value, where=where)


def check_array(name: str, array: NDArray[Any], *, rows: int | None, label: str, where: str) -> None:
    """ArtifactError for an array of data of another dtype, number of axes or number of rows than it must have."""
    if name not in _ARRAYS:
        return
    dtype, axes = _ARRAYS[name]
    if array.dtype != dtype or array.ndim not in axes:
        problem = f"holds {array.dtype} of shape {array.shape}, not {dtype} with {' or '.join(map(str, axes))} axes"
        raise ArtifactError(f"{label}: {name} {problem}", where=where, next_step=AGAIN)
    check_rows(name, len(array), rows, label=label, where=where)


def check_rows(name: str, found: int, rows: int | None, *, label: str, where: str) -> None:
    """ArtifactError for a file with another number of rows than its artifact says."""
    if rows is not None and found != rows:
        raise ArtifactError(f"{label}: {name} has {found:,} rows, the artifact {rows:,}", where=where, next_step=AGAIN)


def _check(shape: type[_Shape], value: Any, *, where: str) -> None:
    try:
        shape.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise ArtifactError(f"{place}: {first['msg'].lower()}", where=where, next_step=AGAIN) from None
