"""A forger for the tests of `fer verify`: files of artifacts changed, then every hash of the workspace made to fit."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from fercli.artifacts.disk import sha256_of
from fercli.artifacts.schema import FOLDERS, KINDS, MANIFEST, FileEntry, Manifest, fingerprint_of, key_of
from fercli.artifacts.tables import predictions_bytes, read_predictions
from fercli.evaluation.metrics import score
from fercli.records import Predictions


class Forger:
    """Changes what a workspace holds, and then its hashes: `with Forger(root) as forger: ...` ends with `rehash`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __enter__(self) -> "Forger":
        return self

    def __exit__(self, *exc: object) -> None:
        if exc[0] is None:
            self.rehash()

    def path(self, label: str, file: str = MANIFEST) -> Path:
        """A file of `kind/name`."""
        kind, _, name = label.partition("/")
        return self.root / FOLDERS[kind] / name / file  # type: ignore[index]

    def json(self, label: str, file: str, change: Callable[[Any], None]) -> None:
        """A JSON file, changed in place by `change`."""
        path = self.path(label, file)
        value = json.loads(path.read_text())
        change(value)
        path.write_text(json.dumps(value, indent=2) + "\n")

    def manifest(self, label: str, change: Callable[[Any], None]) -> None:
        """The manifest: config, content, parents."""
        self.json(label, MANIFEST, change)

    def tensors(self, label: str, file: str, change: Callable[[dict[str, Any]], None]) -> None:
        """A safetensors file."""
        path = self.path(label, file)
        arrays = {name: array.copy() for name, array in load_file(path).items()}
        change(arrays)
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)

    def array(self, label: str, file: str, change: Callable[[Any], Any]) -> None:
        """An NPY file."""
        path = self.path(label, file)
        array = np.load(path)
        change(array)
        np.save(path, array)

    def rows(self, label: str, file: str, change: Callable[[list[dict[str, str]]], None]) -> None:
        """A CSV file as dictionaries."""
        path = self.path(label, file)
        with path.open(newline="") as handle:
            reader = csv.DictReader(handle)
            lines, columns = list(reader), list(reader.fieldnames or ())
        change(lines)
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
        path.write_text(buffer.getvalue())

    def predictions(self, label: str, change: Callable[[Predictions], Predictions]) -> None:
        """predictions.csv, and with it every score that a reader would take from it, in metrics.json and manifest."""
        path = self.path(label, "predictions.csv")
        changed = change(read_predictions(path))
        path.write_bytes(predictions_bytes(changed))

        def restate(metrics: Any) -> None:
            metrics.update(score(changed).as_json())
            metrics["test"]["accuracy"]["pooled"] = metrics["accuracy"]
            for entry in metrics["folds"]:
                here = (changed.repeats == entry["repeat"]) & (changed.folds == entry["fold"])
                own = score(changed, here)
                entry |= {key: getattr(own, key) for key in ("rows", "accuracy", "log_loss", "macro_f1")}
            accuracies = [entry["accuracy"] for entry in metrics["folds"]]
            metrics["test"]["accuracy"] |= {
                "mean": float(np.mean(accuracies)),
                "sd": float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else None,
            }

        def retell(manifest: Any) -> None:
            told = f"accuracy {score(changed).accuracy:.4f};"
            manifest["content"]["summary"] = re.sub(r"accuracy [\d.]+;", told, manifest["content"]["summary"])

        self.json(label, "metrics.json", restate)
        self.manifest(label, retell)

    def rehash(self) -> None:
        """Sizes and hashes of all files, then keys, fingerprints and parents' fingerprints, parents first."""
        known: dict[tuple[str, str], str] = {}
        for kind in KINDS:
            folder = self.root / FOLDERS[kind]
            for path in sorted(folder.iterdir()) if folder.is_dir() else []:
                if not (path / MANIFEST).is_file():
                    continue
                manifest = Manifest.parse((path / MANIFEST).read_bytes(), where=str(path))
                files = {
                    entry.relative_to(path).as_posix(): FileEntry(sha256=sha256_of(entry), bytes=entry.stat().st_size)
                    for entry in sorted(path.rglob("*"))
                    if entry.is_file() and entry.name != MANIFEST
                }
                parents = [
                    parent.model_copy(update={"fingerprint": known.get((parent.kind, parent.name), parent.fingerprint)})
                    for parent in manifest.parents
                ]
                key = key_of(kind, manifest.algorithm, manifest.config, parents)
                fingerprint = fingerprint_of(key, manifest.content, files)
                changed = {"files": files, "parents": parents, "key": key, "fingerprint": fingerprint}
                (path / MANIFEST).write_text(manifest.model_copy(update=changed).text())
                known[kind, manifest.name] = fingerprint
