"""Sound files as somebody else would bring them (pictures, archives, tables, sheets), and the calls that read them."""

import io
import tarfile
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from fault_mutations import Rng, damaged_bytes, damaged_zip

from fercli import seeds


def faces(count: int = 6, side: int = 12, *, color: bool = False) -> np.ndarray[Any, Any]:
    """(count, side, side[, 3]) uint8, structured and noisy."""
    shape = (count, side, side, 3) if color else (count, side, side)
    return seeds.generator(0, "faults.faces").integers(0, 256, shape, dtype=np.uint8)


def encoded(suffix: str, *, color: bool = False, side: int = 12) -> bytes:
    """One picture as a file of that ending."""
    from fercli.datasets.images import opencv

    done, data = opencv().imencode(suffix, faces(1, side, color=color)[0])
    assert done
    return bytes(data)


GIF = (
    b"GIF89a\x04\x00\x04\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x04\x00\x04\x00\x00\x02\x05\x84"
    b"\x1d\x99\xa7\x05\x00;"
)


@lru_cache
def pictures() -> dict[str, bytes]:
    found = {f"a{suffix}": encoded(suffix) for suffix in (".png", ".jpg", ".bmp", ".webp", ".tiff", ".pgm")}
    return {
        **found,
        "c.png": encoded(".png", color=True),
        "c.jpg": encoded(".jpg", color=True),
        "c.ppm": encoded(".ppm", color=True),
    }


def read_picture(folder: Path, name: str, data: bytes) -> object:
    from fercli.datasets.images import decode, fit_to

    return fit_to(decode(data, source=name), (8, 8))


@lru_cache
def fer_csv() -> dict[str, bytes]:
    usages = ("Training", "PublicTest", "PrivateTest")
    planes = faces(6, 4).reshape(6, -1)
    lines = [f"{row % 7},{' '.join(map(str, plane))},{usages[row % 3]}" for row, plane in enumerate(planes.tolist())]
    return {"fer2013.csv": "\n".join(["emotion,pixels,Usage", *lines, ""]).encode()}


def imported(path: Path) -> object:
    from fercli.config.import_dataset import ImportDatasetConfig
    from fercli.datasets import formats
    from fercli.datasets.assembly import assemble
    from fercli.datasets.planes import PlaneList
    from fercli.datasets.sources import open_source

    config = ImportDatasetConfig(size=(8, 8))
    return assemble(formats.read(open_source(path), config), config, PlaneList(), where=str(path))


def read_dataset(folder: Path, name: str, data: bytes) -> object:
    path = folder / name
    path.write_bytes(data)
    return imported(path)


@lru_cache
def archives() -> dict[str, bytes]:
    files = {f"set/{label}/{index}.png": encoded(".png") for label in ("happy", "sad") for index in range(2)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        archive.writestr("set/list.csv", b"path,label\nhappy/0.png,happy\n")
    found = {"set.zip": packed.getvalue()}
    for mode in ("", "gz", "bz2", "xz"):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=f"w:{mode}") as tar:
            for path, data in files.items():
                entry = tarfile.TarInfo(path)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        found[f"set.tar{'.' + mode if mode else ''}"] = out.getvalue()
    return found


def damaged_archive(rng: Rng, data: bytes) -> bytes:
    """A zip whose members were damaged before packing; any other archive byte by byte."""
    return damaged_zip(rng, data) if data.startswith(b"PK") else damaged_bytes(rng, data)


SHEET = "id,label,split,group,lpq.1,lpq.2,phog.1\n" + "".join(
    f"p{row},{('happy', 'sad')[row % 2]},{('train', 'test')[row // 4]},g{row % 3},{row / 8},{-row},{row}e-3\n"
    for row in range(6)
)
SFEW = (
    ',label,"First 5 Principal Components of (LPQ)\nfeatures",,,,,First 5 Components of (PHOG),,,,\n'
    ",,1,2,3,4,5,1,2,3,4,5\nFilm_000519240_00000005.mat,1,0,1,2,3,4,5,6,7,8,9\n"
    "Hangover_001949614_00000089.mat,3,0,1,2,3,4,NaN,NaN,NaN,NaN,NaN\n"
)
EXPORTED = 'Features: nothing was fitted,"1 happy, 2 sad",,\nname,label,lpq.1,lpq.2\na,1,0.5,1\nb,2,0.25,2\n'


@lru_cache
def csv_sheets() -> dict[str, bytes]:
    return {"plain.csv": SHEET.encode(), "sfew.csv": SFEW.encode(), "exported.csv": EXPORTED.encode()}


@lru_cache
def xlsx_sheets() -> dict[str, bytes]:
    import csv

    import openpyxl

    found = {}
    for name, data in csv_sheets().items():
        book = openpyxl.Workbook()
        for row in csv.reader(io.StringIO(data.decode(), newline="")):
            book.active.append([_number(cell) for cell in row])
        out = io.BytesIO()
        book.save(out)
        found[name.replace(".csv", ".xlsx")] = out.getvalue()
    return found


def _number(cell: str) -> float | str | None:
    try:
        return float(cell)
    except ValueError:
        return cell or None


def read_sheet(folder: Path, name: str, data: bytes) -> object:
    from fercli.datasets.feature_sheets import read_sheet as read

    path = folder / name
    path.write_bytes(data)
    return read(path)


@lru_cache
def fold_tables() -> dict[str, bytes]:
    lines = [f"p{row},g{row % 3},{repeat},{row % 3}" for repeat in range(2) for row in range(6)]
    return {
        "folds.csv": "\n".join(["id,group,repeat,fold", *lines, ""]).encode(),
        "short.csv": b"id,fold\np0,0\np1,1\n",
    }


@lru_cache
def fold_samples() -> Any:
    from fercli.datasets.feature_rows import FeatureRows
    from fercli.records import Block

    rows = FeatureRows("made", ("a",))
    for row in range(6):
        rows.add(row, [float(row)], id=f"p{row}", label=("happy", "sad")[row % 2], group=f"g{row % 3}")
    return rows.sheet((Block("a", 0, 1, ("a",)),)).samples


def read_folds(folder: Path, name: str, data: bytes) -> object:
    from fercli.config.protocol import ProtocolConfig
    from fercli.datasets.folds_sheet import read_folds_sheet
    from fercli.protocol.resolve import resolve

    path = folder / name
    path.write_bytes(data)
    return resolve(fold_samples(), ProtocolConfig(folds=str(path)), standing=read_folds_sheet(path))
