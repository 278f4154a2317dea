"""Tables of very many rows: written and read block by block, with the bytes of a table that was written at once."""

import csv
import io
import tracemalloc

import numpy as np
import pytest

from fercli.artifacts import tables
from fercli.artifacts.tables import SAMPLE_COLUMNS, csv_bytes, read_samples, samples_bytes
from fercli.records import Samples


def samples(count):
    numbers = [str(number) for number in range(count)]
    return Samples(
        ids=np.array([f"a, {number}" for number in numbers]),
        labels=np.array(["happy" if number.endswith("3") else "sad" for number in numbers]),
        splits=np.array(["train"] * count),
        groups=np.array(["" if number.endswith("7") else "s" * (int(number) % 40) for number in numbers]),
        sources=np.array([f'p/"{number}".png' for number in numbers]),
        widths=np.arange(count),
        heights=np.full(count, 48),
        classes=("happy", "sad"),
        extra={"film": np.array(["ä" * (int(number) % 3) for number in numbers])},
    )


@pytest.mark.parametrize("count", [0, 1, 3, 7, 9])
def test_blocks_leave_no_trace_in_the_bytes(count, monkeypatch, tmp_path):
    rows = samples(count)
    columns = [rows.ids, rows.labels, rows.splits, rows.groups, rows.sources, rows.widths, rows.heights]
    plain = io.StringIO(newline="")
    writer = csv.writer(plain, lineterminator="\n")
    writer.writerow((*SAMPLE_COLUMNS, "film"))
    writer.writerows(zip(*columns, rows.extra["film"], strict=True))
    monkeypatch.setattr(tables, "BLOCK_ROWS", 3)
    (tmp_path / "samples.csv").write_bytes(samples_bytes(rows))
    assert (tmp_path / "samples.csv").read_bytes() == plain.getvalue().encode()
    again = read_samples(tmp_path / "samples.csv", rows.classes)
    for name in ("ids", "labels", "splits", "groups", "sources", "widths", "heights"):
        ours, theirs = getattr(rows, name), getattr(again, name)
        assert ours.tolist() == theirs.tolist()
        assert ours.dtype == theirs.dtype or count == 0
    assert again.extra["film"].tolist() == rows.extra["film"].tolist()


def peak_of(work):
    tracemalloc.start()
    try:
        result = work()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_holds_the_bytes_and_no_object_per_cell(tmp_path):
    rows = samples(30_000)
    data, peak = peak_of(lambda: samples_bytes(rows))
    assert peak < 1.5 * len(data) + 8 * 2**20
    (tmp_path / "samples.csv").write_bytes(data)
    again, peak = peak_of(lambda: read_samples(tmp_path / "samples.csv", rows.classes))
    held = sum(
        column.nbytes
        for column in (again.ids, again.labels, again.splits, again.groups, again.sources, again.widths, again.heights)
    )
    assert peak < 1.5 * held + 8 * 2**20


def test_a_generated_table_is_never_held_as_rows():
    data, peak = peak_of(
        lambda: csv_bytes(("id", "value"), ((f"row {number}", number / 7) for number in range(60_000)))
    )
    assert data.count(b"\n") == 60_001
    assert peak < 1.5 * len(data) + 2**20
