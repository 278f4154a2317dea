"""What `fer export` writes: the form of the file, what a sheet is fitted on, what an exported model says of itself."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from fercli.config.base import Config
from fercli.config.preprocessing import Components
from fercli.errors import UsageError

# Format -> what it is made of and how its file ends.
FORMATS = {
    "sheet": "features as a table, .csv or .xlsx",
    "onnx": "a run's model for onnxruntime, .onnx",
    "safetensors": "a run's model as weights and JSON, .safetensors or a folder",
}
EXPORT_FORMAT = "fercli-export"
EXPORT_VERSION = 1
# The JSON in the header of an exported .safetensors file stands under this name.
HEADER_KEY = "fercli"
# Hash of the weights in a file, so that a flipped bit is no silent change of scores.
DIGEST_KEY = "weights_sha256"
# Names of inputs and outputs in an ONNX file.
PICTURES, FEATURES = "pictures", "features"
PROBABILITIES, LOGITS, LABEL = "probabilities", "logits", "label"
_FOLD = re.compile(r"(?:fold[ :-]?)?(\d+)/(\d+)")


class FoldRows(Config):
    """The training rows of one fold, both numbers counted from 0 as in `folds/R/00`."""

    repeat: int = Field(ge=0)
    fold: int = Field(ge=0)


def _rows(value: Any) -> Any:
    """`all`, `train` or `fold R/F`, as a user writes it."""
    if not isinstance(value, str) or value in ("all", "train"):
        return value
    match = _FOLD.fullmatch(value.strip())
    if not match:
        raise ValueError(f"say all, train, or 'fold R/F' such as 'fold 0/3', not {value!r}")
    return FoldRows(repeat=int(match[1]), fold=int(match[2]))


def _fold(value: Any) -> Any:
    """`R/F`, as a user writes it."""
    if not isinstance(value, str):
        return value
    match = _FOLD.fullmatch(value.strip())
    if not match:
        raise ValueError(f"say R/F such as 0/3, both counted from 0, not {value!r}")
    return FoldRows(repeat=int(match[1]), fold=int(match[2]))


class ExportConfig(Config):
    """A sheet's components and the rows they are fitted on.

    pca: components per block, a share of the variance, None for the columns as they are. fit_on: None is `train`
    where rows have splits, else `all`.
    """

    format: Literal["sheet"] = "sheet"
    pca: Components = None
    fit_on: Annotated[Literal["all", "train"] | FoldRows | None, BeforeValidator(_rows)] = None


class ModelExportConfig(Config):
    """Which model of a run becomes which file.

    fold: the model of one fold, None for the run's own. half: weights of a net as float16.
    """

    format: Literal["onnx", "safetensors"]
    fold: Annotated[FoldRows | None, BeforeValidator(_fold)] = None
    half: bool = False


class ExportedFacts(Config):
    """What an exported model says of itself, in the metadata of its file; whoever reads it checks it against this.

    model: what it is, e.g. pruned-bp or resnet18. input: `pixels` are uint8 pictures (N, H, W) or (N, H, W, 3) in RGB
    of `size` (height, width) and `channels`; `columns` are float32 rows of `columns` raw features.
    descriptors: for columns, the settings of `extract-features` that make them from pictures of `size`; None where
    somebody else made them or nobody knows. blocks: name and width of each run of columns.
    fit: how pictures of another shape got `size`; faces: margin and alignment where faces were cut out; both as
    `import-dataset` had them, None and empty where nobody knows. views: parts of each picture whose probabilities are
    averaged. run, fingerprint: where it came from.
    """

    format: Literal["fercli-export"] = "fercli-export"
    version: Literal[1] = 1
    model: str
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    input: Literal["pixels", "columns"]
    size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None
    channels: Literal[1, 3] | None = None
    columns: Annotated[int, Field(ge=1)] | None = None
    blocks: tuple[tuple[str, int], ...] = ()
    descriptors: dict[str, Any] | None = None
    fit: Literal["pad", "crop", "stretch"] | None = None
    faces: dict[str, Any] = Field(default_factory=dict)
    views: Annotated[int, Field(ge=1)] = 1
    run: str
    fingerprint: str
    fercli: str


def check_format(name: str) -> None:
    """UsageError for a format that this release does not write, naming those that it does."""
    if name not in FORMATS:
        there = ", ".join(f"{known} ({what})" for known, what in FORMATS.items())
        raise UsageError(f"--format: {name} cannot be written by this release", next_step=f"there is: {there}")
