"""Workspaces that somebody else prepared: every hash is right, and what the hashes vouch for is not."""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from fault_mutations import damaged_json, rng_of
from fault_stored import resigned
from hostile_files import BAD_INPUT, Hostile, object_array

REFUSED = frozenset({4})
USE_OR_REFUSE = frozenset({0, 2, 3, 4})
# What reads each artifact; `{ws}` holds features `sheet`, folds `f`, a run `bp` and the data set `faces`.
FEATURES = ("train-bp", "--features", "sheet", "--epochs", "1", "--k", "2", "--threads", "1", "--name", "new")
DATASET = ("extract-features", "--dataset", "faces", "--descriptors", "lbp", "--jobs", "1", "--name", "new")
FOLDS = ("train-bp", "--features", "sheet", "--folds", "f", "--epochs", "1", "--threads", "1", "--name", "new")
RUN = ("evaluate", "bp", "--draws", "100", "--name", "new")
MODEL = ("evaluate", "bp", "--on", "sheet", "--allow-train-rows", "--draws", "100", "--name", "new", "--threads", "1")


def forge(place: Path, file: str | None = None, data: bytes = b"", change: Callable[[Any], Any] | None = None) -> None:
    """Replace a file of an artifact, or change its manifest, and make every hash fit."""
    path = place / "artifact.json"
    manifest = json.loads(path.read_text())
    if file is not None:
        (place / file).write_bytes(data)
        manifest["files"][file] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    if change is not None:
        manifest = change(manifest) or manifest
    path.write_bytes(resigned(json.dumps(manifest).encode()))


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _safetensors(header: Any, body: bytes = bytes(64)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def _case(
    label: str, where: str, command: tuple[str, ...], do: Callable[[Path], None], codes: frozenset[int] = REFUSED
) -> Hostile:
    def make(folder: Path) -> list[str]:
        do(folder / "ws" / where)
        return list(command)

    return Hostile(f"{where}: {label}", make, codes)


def hostile_artifacts(seed: int, root: Path) -> Iterator[Hostile]:
    """root: a sound workspace, to take files from."""
    yield from _manifests(seed, root)
    yield from _arrays()
    yield from _tables(root)
    yield from _models()
    yield from _places()


def _manifests(seed: int, root: Path) -> Iterator[Hostile]:
    future = lambda manifest: {**manifest, "schema": 99}  # noqa: E731
    parts = (("features/sheet", FEATURES), ("datasets/faces", DATASET), ("folds/f", FOLDS), ("runs/bp", RUN))
    for where, command in parts:
        yield _case("of a future version", where, command, lambda place: forge(place, change=future))
        texts: dict[str, bytes] = {
            "empty": b"",
            "null": b"null",
            "a list": b"[]",
            "cut": b'{"schema": 1',
            "NaN": b'{"schema": NaN}',
            "nested 100,000 deep": b"[" * 100_000,
            "a number of 5000 digits": b'{"schema": ' + b"9" * 5000 + b"}",
            "not UTF-8": b'{"schema": "\xff"}',
        }
        for what, data in texts.items():
            yield _case(
                f"manifest {what}",
                where,
                command,
                lambda place, data=data: (place / "artifact.json").write_bytes(data) and None,
            )
        for number in range(8):

            def damage(place: Path, where: str = where, number: int = number) -> None:
                data = (place / "artifact.json").read_bytes()
                forged = resigned(damaged_json(rng_of(seed, "manifest", where, number), data))
                (place / "artifact.json").write_bytes(forged)

            yield _case(f"manifest forged, {number}", where, command, damage, USE_OR_REFUSE)
        for name in ("../../../../etc/passwd", "/etc/passwd", "x" * 3000, "a\0b", ""):

            def add(manifest: Any, name: str = name) -> None:
                manifest["files"][name] = {"sha256": "0" * 64, "bytes": 0}

            yield _case(
                f"lists the file {name[:30]!r}", where, command, lambda place, add=add: forge(place, change=add)
            )


def _arrays() -> Iterator[Hostile]:
    rows = np.ones((12, 3), np.float32)
    arrays = {
        "float64": _npy(rows.astype(np.float64)),
        "complex": _npy(rows.astype(np.complex64)),
        "texts": _npy(np.array([["a"] * 3] * 12)),
        "one axis": _npy(rows[:, 0]),
        "three axes": _npy(rows[..., None]),
        "no axis": _npy(np.float32(1)),
        "fewer rows": _npy(rows[:5]),
        "fewer columns": _npy(rows[:, :2]),
        "NaN": _npy(rows * np.nan),
        "pickled objects": object_array(),
        "an NPZ": _npz(rows),
        "cut": _npy(rows)[:150],
        "a header that lies": _npy(rows).replace(b"(12, 3)", b"(9**9,)"),
        "a header of 10^18 rows": _npy(rows).replace(b"(12, 3), }      ", b"(" + b"9" * 10 + b", 3)}"),
        "a header that is code": _npy(rows).replace(b"(12, 3)", b"(exit())"[:7]),
        "empty": b"",
    }
    for what, data in arrays.items():
        codes = frozenset({3, 4}) if what in ("NaN", "fewer columns") else REFUSED
        yield _case(
            f"features.npy {what}", "features/sheet", FEATURES, lambda p, d=data: forge(p, "features.npy", d), codes
        )
    images = {"float32": np.zeros((56, 24, 24), np.float32), "two axes": np.zeros((56, 24), np.uint8)}
    for what, array in {**images, "fewer pictures": np.zeros((5, 24, 24), np.uint8)}.items():
        data = _npy(array)
        yield _case(f"images.npy {what}", "datasets/faces", DATASET, lambda p, d=data: forge(p, "images.npy", d))


def _npz(rows: np.ndarray[Any, Any]) -> bytes:
    out = io.BytesIO()
    np.savez(out, rows)
    return out.getvalue()


def _tables(root: Path) -> Iterator[Hostile]:
    samples = (root / "features/sheet/samples.csv").read_bytes()
    head, first, *rest = samples.split(b"\n")
    tables = {
        "empty": b"",
        "no rows": head,
        "a row short": b"\n".join([head, b"a,b", *rest]),
        "NUL": samples.replace(b"p1", b"\0"),
        "not UTF-8": samples.replace(b"p1", b"\xff"),
        "no id": samples.replace(b"id,", b"no,", 1),
        "a width that is text": b"\n".join([head, first.replace(b",0,", b",x,"), *rest]),
        "a width of 400 digits": b"\n".join([head, first.replace(b",0,", b"," + b"9" * 400 + b","), *rest]),
        "a row less": b"\n".join([head, *rest]),
        "a label outside the classes": samples.replace(b"happy", b"joyful", 1),
        "an id twice": samples.replace(b"p1-", b"p0-", 1),
        "a split that is none": samples.replace(b"train", b"never", 1),
    }
    for what, data in tables.items():
        codes = (
            USE_OR_REFUSE if what in ("a label outside the classes", "an id twice", "a split that is none") else REFUSED
        )
        yield _case(
            f"samples.csv {what}", "features/sheet", FEATURES, lambda p, d=data: forge(p, "samples.csv", d), codes
        )
    folds = (root / "folds/f/folds.csv").read_bytes()
    tables = {
        "empty": b"",
        "no rows": b"id,group,repeat,fold\n",
        "a fold of 400 digits": folds.replace(b",0,1\n", b",0," + b"9" * 400 + b"\n", 1),
        "fold -5": folds.replace(b",0,1\n", b",0,-5\n", 1),
        "an unknown id": folds.replace(b"p1", b"zz", 1),
        "NUL": folds.replace(b"p1", b"\0"),
    }
    for what, data in tables.items():
        yield _case(
            f"folds.csv {what}", "folds/f", FOLDS, lambda p, d=data: forge(p, "folds.csv", d), REFUSED | BAD_INPUT
        )
    predictions = (root / "runs/bp/predictions.csv").read_bytes()
    header, one, *others = predictions.split(b"\n")
    cells = one.split(b",")
    tables = {
        "empty": b"",
        "no rows": header,
        "a probability NaN": b"\n".join([header, b",".join([*cells[:-1], b"NaN"]), *others]),
        "a probability of 7": b"\n".join([header, b",".join([*cells[:-1], b"7"]), *others]),
        "a class that is none": b"\n".join([header, b",".join([*cells[:4], b"nobody", *cells[5:]]), *others]),
        "a fold of 400 digits": b"\n".join([header, b",".join([*cells[:2], b"9" * 400, *cells[3:]]), *others]),
        "a row twice": b"\n".join([header, one, one, *others]),
        "other scores": b"\n".join([header, *others]),
        "no probability": b"id,repeat,fold,split,truth,predicted\n",
    }
    for what, data in tables.items():
        yield _case(f"predictions.csv {what}", "runs/bp", RUN, lambda p, d=data: forge(p, "predictions.csv", d))
    metrics = json.loads((root / "runs/bp/metrics.json").read_text())
    documents: dict[str, Any] = {
        "a list": [],
        "null": None,
        "no folds": {**metrics, "folds": None},
        "folds of text": {**metrics, "folds": ["x"]},
        "accuracy of text": {**metrics, "accuracy": "high"},
        "accuracy 1": {**metrics, "accuracy": 1.0, "test": 3},
        "other classes": {**metrics, "classes": ["a", "b"]},
        "no classes": {k: v for k, v in metrics.items() if k != "classes"},
    }
    for what, value in documents.items():
        data = json.dumps(value).encode()
        yield _case(f"metrics.json {what}", "runs/bp", RUN, lambda p, d=data: forge(p, "metrics.json", d))
    yield _case("metrics.json NaN", "runs/bp", RUN, lambda p: forge(p, "metrics.json", b'{"accuracy": NaN}'))


def _models() -> Iterator[Hostile]:
    whole = {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}
    files = {
        "empty": b"",
        "a header of 2^62 bytes": (2**62).to_bytes(8, "little") + b"{}",
        "a header that is no JSON": _safetensors(b"{not json"),
        "a header that is a list": _safetensors([]),
        "offsets beyond the file": _safetensors({"w1": {**whole, "data_offsets": [0, 2**40]}}),
        "offsets backwards": _safetensors({"w1": {**whole, "data_offsets": [64, 0]}}),
        "a shape of 2^62": _safetensors({"w1": {**whole, "shape": [2**62]}}),
        "an unknown dtype": _safetensors({"w1": {**whole, "dtype": "PYTHON"}}),
        "a dtype that NumPy lacks": _safetensors({"w1": {**whole, "dtype": "BF16", "shape": [32]}}),
        "overlapping tensors": _safetensors({"w1": whole, "w2": whole}),
        "no tensor": _safetensors({}, b""),
        "one tensor of five": _safetensors({"w1": whole}),
        "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    }
    for name in ("weights", "preprocessing"):
        for what, data in files.items():
            file = f"model/{name}.safetensors"
            yield _case(f"{file} {what}", "runs/bp", MODEL, lambda p, d=data, f=file: forge(p, f, d))
    documents = {"null": b"null", "a list": b"[]", "no kind": b"{}", "an unknown kind": b'{"kind": "oracle"}'}
    documents |= {"only its kind": b'{"kind": "bp"}', "another kind": b'{"kind": "baseline", "model": "os.system"}'}
    for what, data in documents.items():
        yield _case(f"model.json {what}", "runs/bp", MODEL, lambda p, d=data: forge(p, "model/model.json", d))


def _places() -> Iterator[Hostile]:
    def elsewhere(place: Path) -> None:
        place.rename(place.parents[2] / "moved")
        place.symlink_to(place.parents[2] / "moved")

    def outside(place: Path) -> None:
        (place / "samples.csv").unlink()
        (place / "samples.csv").symlink_to("/etc/passwd")

    def loop(place: Path) -> None:
        shutil.rmtree(place)
        place.symlink_to(place.name)

    def file(place: Path) -> None:
        shutil.rmtree(place)
        place.write_text("not a folder")

    def pipe(place: Path) -> None:
        (place / "samples.csv").unlink()
        os.mkfifo(place / "samples.csv")

    yield _case("is a link to another place", "features/sheet", FEATURES, elsewhere, frozenset({0}))
    yield _case("samples.csv is a link out", "features/sheet", FEATURES, outside)
    yield _case("is a link to itself", "features/sheet", FEATURES, loop)
    yield _case("is a file", "features/sheet", FEATURES, file)
    yield _case("a file is a pipe", "features/sheet", FEATURES, pipe)
    yield _case("has nothing in it", "features/sheet", FEATURES, lambda p: shutil.rmtree(p) or p.mkdir())
    for label, text in (("a cut line", '{"run": '), ("no JSON", "x"), ("a list", "[]"), ("NUL", "\0")):

        def ledger(place: Path, text: str = text) -> None:
            (place.parents[1] / "ledger.jsonl").write_text(text + "\n")

        yield _case(f"ledger with {label}", "runs/bp", ("report", "bp", "--draws", "100", "--name", "new"), ledger)
