"""FER-2013's published CSV (Goodfellow et al. 2013): `emotion,pixels,Usage`, 48x48 gray values in a cell.

`icml_face_data.csv`, which writes the columns as `emotion, Usage, pixels`, is read too.
"""

from math import isqrt

import numpy as np

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets import tables
from fercli.datasets.images import as_color
from fercli.datasets.labels import canonical_split
from fercli.datasets.reading import Reading
from fercli.datasets.sources import Source
from fercli.errors import InputError
from fercli.records import LeftOut, Picture

# The numbers of the published file; they are not the order of the seven classes here.
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
LABELS = {str(number): label for number, label in enumerate(EMOTIONS)}
USAGES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
COLUMNS = {"emotion", "pixels", "usage"}


def recognises(header: str) -> bool:
    """Whether a table's header is that of the published CSV."""
    return set(tables.columns(header)) >= COLUMNS


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """Every row of the first such table; id = `Training_N` and the like, N the row's number from 0 in the whole file.

    The published rows carry no number of their own; this one is what FER+ counts by too. A row with an unknown
    emotion or usage, or pixels that are no square of values from 0 to 255, is left out with its line.
    """
    for file in tables.table_files(source):
        found = False
        for number, (line, row) in enumerate(tables.rows(file)):
            if not row.keys() >= COLUMNS:
                break
            found = True
            where = f"{file.path}:{line}"
            yield _picture(row["emotion"], row["pixels"], row["usage"].strip(), number, where, config)
        if found:
            return
    raise InputError(
        "no table with the columns emotion, pixels, Usage", where=str(source.path), next_step="check --format"
    )


def _picture(
    emotion: str, pixels: str, usage: str, number: int, where: str, config: ImportDatasetConfig
) -> Picture | LeftOut:
    split = canonical_split(usage)
    if not split:
        return LeftOut(where, f"Usage {usage!r} is none of Training, PublicTest, PrivateTest")
    # Looked up as text: what `strip` takes for a space, such as \x1f, is none to `int`.
    label = LABELS.get(emotion.strip())
    if label is None:
        return LeftOut(where, f"emotion {emotion!r} is not a number from 0 to 6")
    try:
        values = bytes(map(int, pixels.split()))
    except ValueError:
        return LeftOut(where, "pixels that are no whole numbers from 0 to 255")
    side = isqrt(len(values))
    if side == 0 or side * side != len(values):
        return LeftOut(where, f"{len(values)} pixels are no square")
    plane = np.frombuffer(values, dtype=np.uint8).reshape(side, side)
    return Picture(f"{USAGES[split]}_{number}", label, split, "", where, as_color(plane, config.color), side, side)
