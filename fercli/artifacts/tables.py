"""The CSV tables of the workspace: samples, folds, predictions and plain records, read and written in one form."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from fercli.errors import ArtifactError
from fercli.records import Predictions, Samples

SAMPLE_COLUMNS = ("id", "label", "split", "group", "source", "width", "height")
BLOCK_ROWS = 8192
PREDICTION_COLUMNS = ("id", "repeat", "fold", "split", "truth", "predicted")


def _cell(value: Any) -> str:
    """A number in its shortest form that reads back the same; None is an empty cell."""
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else repr(float(value))
    return str(value)


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV with header, `\\n` line ends, UTF-8; beside the bytes themselves memory holds one row at a time."""
    encoded = io.BytesIO()
    with io.TextIOWrapper(encoded, encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)
        text.flush()
        return encoded.getvalue()


def records_bytes(records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """A CSV of dictionaries; a key that a record lacks is an empty cell."""
    return csv_bytes(columns, ([record.get(column) for column in columns] for record in records))


AGAIN = "make the artifact again with --force"


def csv_rows(path: Path, required: Sequence[str] = ()) -> Iterator[list[str]]:
    """The header of a CSV artifact, then its rows one by one, all of the header's length.

    Raises ArtifactError when it is no CSV, a required column is missing or a row has another length.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            reader = csv.reader((_without_nul(line) for line in handle), strict=True)
            header = next(reader, None)
            if header is None:
                raise ArtifactError("the CSV is empty, not even a header", where=str(path), next_step=AGAIN)
            missing = [name for name in required if name not in header]
            if missing:
                lacking = ", ".join(missing)
                raise ArtifactError(f"the CSV lacks the columns {lacking}", where=str(path), next_step=AGAIN)
            yield header
            for number, row in enumerate(reader, start=2):
                if len(row) != len(header):
                    raise ArtifactError(
                        f"row {number} has {len(row)} cells, the header {len(header)}", where=str(path), next_step=AGAIN
                    )
                yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArtifactError(f"not a readable CSV: {error}", where=str(path), next_step=AGAIN) from None


def _without_nul(line: str) -> str:
    if "\0" in line:
        raise csv.Error("a NUL byte")
    return line


def read_csv(path: Path, required: Sequence[str] = ()) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV artifact, checked as `csv_rows` does."""
    rows = csv_rows(path, required)
    return next(rows), list(rows)


def samples_bytes(samples: Samples) -> bytes:
    """`samples.csv`."""
    columns = (
        samples.ids,
        samples.labels,
        samples.splits,
        samples.groups,
        samples.sources,
        samples.widths,
        samples.heights,
        *samples.extra.values(),
    )
    header = (*SAMPLE_COLUMNS, *samples.extra)
    # A block at a time: every cell of a million rows as an object of its own would take half a gigabyte.
    blocks = (slice(start, start + BLOCK_ROWS) for start in range(0, len(samples), BLOCK_ROWS))
    rows = (zip(*(column[block].tolist() for column in columns), strict=True) for block in blocks)
    return csv_bytes(header, chain.from_iterable(rows))


def read_samples(path: Path, classes: Sequence[str]) -> Samples:
    """The samples in `samples.csv`; the class order comes from the artifact, not from the rows."""
    rows = csv_rows(path, SAMPLE_COLUMNS)
    header = next(rows)
    # Columns as arrays, block by block: as one object per cell a million rows would take a gigabyte.
    columns: dict[str, list[Any]] = {name: [] for name in header}
    while block := list(islice(rows, BLOCK_ROWS)):
        for name, cells in zip(header, zip(*block, strict=True), strict=True):
            columns[name].append(np.array(cells, dtype=np.str_))

    def text(name: str) -> Any:
        parts = columns.pop(name)
        return np.concatenate(parts) if parts else np.array([], dtype=np.str_)

    try:
        widths, heights = (np.array([*map(int, text(name).tolist())], np.int64) for name in ("width", "height"))
    except (ValueError, OverflowError) as error:
        raise ArtifactError(
            f"a width or height is not a whole number: {error}", where=str(path), next_step=AGAIN
        ) from None
    return Samples(
        ids=text("id"),
        labels=text("label"),
        splits=text("split"),
        groups=text("group"),
        sources=text("source"),
        widths=widths,
        heights=heights,
        classes=tuple(classes),
        extra={name: text(name) for name in header if name not in SAMPLE_COLUMNS},
    )


def predictions_bytes(predictions: Predictions) -> bytes:
    """`predictions.csv`; probabilities with the digits that read back the same float64."""
    names = np.array(predictions.classes, dtype=object)
    header = (*PREDICTION_COLUMNS, *(f"p_{name}" for name in predictions.classes))
    rows = zip(
        predictions.ids.tolist(),
        predictions.repeats.tolist(),
        predictions.folds.tolist(),
        predictions.splits.tolist(),
        names[predictions.truth].tolist(),
        names[predictions.predicted].tolist(),
        *predictions.probabilities.T.tolist(),
        strict=True,
    )
    return csv_bytes(header, rows)


def read_predictions(path: Path) -> Predictions:
    """The predictions in `predictions.csv`; classes in the order of its probability columns."""
    header, rows = read_csv(path, PREDICTION_COLUMNS)
    probability = [index for index, name in enumerate(header) if name.startswith("p_")]
    classes = tuple(header[index][2:] for index in probability)
    place = {name: index for index, name in enumerate(classes)}
    column = {name: header.index(name) for name in PREDICTION_COLUMNS}
    try:
        return Predictions(
            ids=np.array([row[column["id"]] for row in rows], dtype=np.str_),
            repeats=np.array([int(row[column["repeat"]]) for row in rows], dtype=np.int64),
            folds=np.array([int(row[column["fold"]]) for row in rows], dtype=np.int64),
            splits=np.array([row[column["split"]] for row in rows], dtype=np.str_),
            truth=np.array([place[row[column["truth"]]] for row in rows], dtype=np.int64),
            probabilities=np.array(
                [[float(row[index]) for index in probability] for row in rows], dtype=np.float64
            ).reshape(len(rows), len(classes)),
            classes=classes,
        )
    except (ValueError, KeyError, OverflowError) as error:
        raise ArtifactError(
            f"a cell does not fit its column: {error}",
            where=str(path),
            next_step=AGAIN,
        ) from None
