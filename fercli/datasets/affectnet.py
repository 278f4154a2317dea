"""AffectNet (Mollahosseini et al. 2017), its two published forms.

CSV: `training.csv` and `validation.csv` with `subDirectory_filePath` and `expression`, pictures below any folder.
NPY: `train_set/images/7.jpg` with `train_set/annotations/7_exp.npy`. Expressions 0 to 7 are read (7 is contempt);
8 none, 9 uncertain and 10 no face are left out with that reason.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets import tables
from fercli.datasets.image_headers import is_image_name
from fercli.datasets.labels import canonical_split
from fercli.datasets.reading import Reading, picture
from fercli.datasets.sources import Source
from fercli.errors import InputError
from fercli.records import LeftOut

# NumPy evaluates the header of an NPY file as Python's literals, and stumbles over some; this one is matched.
_ONE_VALUE = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<>|])([biufUS])([0-9]{1,4})', 'fortran_order': (?:False|True), "
    rb"'shape': \((?:1,? ?)*\), *\} *\n",
    re.DOTALL,
)
EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
NO_EMOTION = {"8": "expression 8: none", "9": "expression 9: uncertain", "10": "expression 10: no face"}
PATH, EXPRESSION = "subdirectory_filepath", "expression"
_NPY = "_exp.npy"


def recognises(names: Sequence[str], header: str) -> bool:
    """Whether a table has AffectNet's columns, or annotations lie beside pictures as in its NPY form."""
    by_table = {PATH, EXPRESSION} <= set(tables.columns(header))
    return by_table or any(name.endswith(_NPY) and "annotations" in name for name in names)


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """Every labelled picture; a first pass reads the labels. id = path without extension as the table writes it
    (CSV), or SET/N (NPY, `train_set/7`).

    Raises InputError where neither form is found or an annotation is no such array.
    """
    labels = _labels(source)
    if not labels:
        raise InputError(
            "neither a table with subDirectory_filePath and expression nor annotations/N_exp.npy",
            where=str(source.path),
            next_step="check --format",
        )
    for file in source.files():
        if not is_image_name(file.path):
            continue
        found = _key(file.path, labels)
        if found is None:
            yield LeftOut(file.path, "without an annotation")
            continue
        split, expression = labels.pop(found)
        if expression not in map(str, range(len(EMOTIONS))):
            yield LeftOut(file.path, NO_EMOTION.get(expression, f"expression {expression!r} is not 0 to 10"))
            continue
        yield picture(file, config, id=found, label=EMOTIONS[int(expression)], split=split)
    yield from (LeftOut(name, "annotated, but the picture is not there") for name in labels)


def _key(path: str, labels: dict[str, tuple[str, str]]) -> str | None:
    """The annotation of a picture: its last two folders decide, whatever lies above them."""
    parts = PurePosixPath(path).with_suffix("").parts
    if parts[-2:-1] == ("images",):
        parts = (*parts[:-2], parts[-1])
    return next((key for count in (2, 1) if (key := "/".join(parts[-count:])) in labels), None)


def _labels(source: Source) -> dict[str, tuple[str, str]]:
    """(split, expression) by picture, without extension."""
    labels: dict[str, tuple[str, str]] = {}
    for file in source.files():
        path = PurePosixPath(file.path)
        if file.path.endswith(_NPY):
            set_name = path.parts[-3] if len(path.parts) > 2 else ""
            key = "/".join(filter(None, (set_name, path.name.removesuffix(_NPY))))
            labels[key] = (canonical_split(set_name.removesuffix("_set")), _expression(file.read(), file.path))
        elif tables.is_table_name(file.path):
            for _, row in tables.rows(file):
                if PATH not in row or EXPRESSION not in row:
                    break
                name = PurePosixPath(row[PATH].replace("\\", "/"))
                # A cell that names no file is left out below, as one that names a file which is not there.
                key = str(name.with_suffix("") if name.name else name)
                labels[key] = (canonical_split(path.stem), row[EXPRESSION].strip())
    return labels


def _expression(data: bytes, path: str) -> str:
    """The number in an annotation: an array of one string or number, never a pickle."""
    found = _ONE_VALUE.match(data)
    try:
        if found is None:
            raise ValueError
        order, kind, body = found[1].decode(), found[2].decode(), data[found.end() :]
        if kind == "U":
            return body.decode("utf-32-be" if order == ">" else "utf-32-le").strip("\0").strip()
        if kind == "S":
            return body.decode("ascii").strip("\0").strip()
        return str(np.frombuffer(body, np.dtype(order + kind + found[3].decode()), 1)[0])
    except (ValueError, TypeError):
        raise InputError("not an array of one expression", where=path, next_step="fetch the file again") from None
