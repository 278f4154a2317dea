"""Every writing command with a small input, as data: what to run, and what it leaves.

`{src}` is the folder of sources, `{ws}` the workspace, `{out}` a folder beside it.
"""

import csv
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from fault_files import SHEET, encoded

FAST = ("--k", "3", "--threads", "1")
NET = ("--variant", "cnn", "--width", "4", "--device", "cpu", "--threads", "1")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "FERCLI_FAULTS": "1"}


@dataclass(frozen=True)
class Case:
    """One command. quick: done in a second or two, for the short tests. timed: artifacts in which seconds are shown.

    spent: the exit code that the command, run again, leaves with when it had finished and nothing is left to do.
    rows: of the file outside the workspace a signal leaves the rows so far, and SIGKILL a hidden part of it.
    """

    name: str
    arguments: tuple[str, ...]
    quick: bool = False
    timed: tuple[str, ...] = ()
    spent: int = 0
    rows: bool = False

    def line(self, src: Path, ws: Path, out: Path) -> list[str]:
        """The command line after `fer`."""
        places = {"src": str(src), "ws": str(ws), "out": str(out)}
        return [*(argument.format(**places) for argument in self.arguments), "-w", str(ws)]


CASES = (
    Case("synthesize", ("synthesize", "--subjects", "40", "--images", "14", "--size", "32", "--name", "k"), quick=True),
    Case("import-dataset", ("import-dataset", "{src}/pictures.zip", "--name", "k"), quick=True),
    Case("import-features", ("import-features", "{src}/sheet.csv", "--name", "k"), quick=True),
    Case("make-folds", ("make-folds", "--dataset", "faces", "--k", "2", "--name", "k"), quick=True),
    Case(
        "extract-features",
        ("extract-features", "--dataset", "faces", "--descriptors", "phog,lpq", "--jobs", "1", "--name", "k"),
    ),
    Case("train-bp", ("train-bp", "--features", "faces", "--epochs", "200", *FAST, "--name", "k"), quick=True),
    Case(
        "train-bp sweep",
        ("train-bp", "--features", "faces", "--epochs", "40", *FAST, "--lr", "0.1,0.01", "--name", "k"),
    ),
    Case("prune-bp", ("prune-bp", "--features", "faces", "--epochs", "40", *FAST, "--name", "k")),
    Case(
        "train-baseline",
        (
            "train-baseline",
            "--features",
            "faces",
            "--model",
            "forest",
            "--trees",
            "40",
            "--jobs",
            "1",
            *FAST,
            "--name",
            "k",
        ),
    ),
    Case("train-resnet", ("train-resnet", "--dataset", "faces", "--epochs", "3", *NET, "--k", "3", "--name", "k")),
    Case("evaluate", ("evaluate", "bp", "lda", "--draws", "2000", "--name", "k")),
    Case("evaluate --on", ("evaluate", "net", "--on", "more", "--draws", "200", "--name", "k", "--threads", "1")),
    Case("report", ("report", "bp", "lda", "--draws", "100", "--name", "k")),
    Case("audit --out", ("audit", "--dataset", "faces", "--out", "{out}")),
    Case("export sheet", ("export", "faces", "--format", "sheet", "--pca", "2", "--out", "{out}/sheet.csv", "--force")),
    Case("export model", ("export", "net", "--format", "safetensors", "--out", "{out}/net.safetensors", "--force")),
    Case(
        "predict --out",
        ("predict", "{src}/pictures", "--model", "net", "--faces", "whole", "--out", "{out}/p.csv"),
        rows=True,
    ),
    Case(
        "explain",
        ("explain", "net", "--samples", "1", "--limit", "7", "--device", "cpu", "--threads", "1", "--name", "k"),
    ),
    Case(
        "robustness",
        ("robustness", "net", "--kinds", "noise", "--limit", "14", "--draws", "100", "--device", "cpu", "--name", "k"),
    ),
    Case("show --errors", ("show", "run/net", "--errors", "--contact-sheet", "{out}/wrong.png")),
    Case(
        "remove",
        ("remove", "run/bp", "features/faces", "dataset/faces", "--with-children", "--empty-trash"),
        quick=True,
        spent=4,
    ),
    Case(
        "reproduce",
        ("reproduce", "xu", "--smoke", "--features", "faces", "--jobs", "1", "--threads", "1", "--name", "k"),
        timed=("report/k",),
    ),
    Case(
        "demo",
        ("demo", "--subjects", "20", "--epochs", "1", "--jobs", "1", "--threads", "1"),
        timed=("report/demo",),
    ),
)
BASE = (
    ("synthesize", "--subjects", "8", "--images", "7", "--size", "24", "--name", "faces"),
    ("synthesize", "--subjects", "4", "--images", "7", "--size", "24", "--seed", "1", "--name", "more"),
    ("extract-features", "--dataset", "faces", "--descriptors", "lbp", "--jobs", "1"),
    ("train-bp", "--features", "faces", "--epochs", "5", *FAST, "--name", "bp"),
    ("train-baseline", "--features", "faces", "--model", "lda", "--jobs", "1", *FAST, "--name", "lda"),
)
NET_RUN = ("train-resnet", "--dataset", "faces", "--epochs", "1", *NET, "--k", "3", "--name", "net")


def fer(*line: str) -> list[str]:
    """A command line as a process of its own."""
    return [sys.executable, "-m", "fercli", *line]


def sources(folder: Path) -> Path:
    """Pictures in class folders, the same as a zip, and a feature sheet of some thousand rows."""
    for index in range(120):
        place = folder / "pictures" / ("happy", "sad", "fear")[index % 3] / f"{index}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encoded(".png", side=24))
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        for place in sorted((folder / "pictures").rglob("*.png")):
            archive.write(place, place.relative_to(folder / "pictures"))
    header, *rows = csv.reader(SHEET.splitlines())
    with (folder / "sheet.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows([f"{row[0]}-{copy}", *row[1:4], copy, *row[5:]] for copy in range(500) for row in rows)
    return folder


def base_workspace(root: Path, *, net: bool = True) -> Path:
    """A workspace with two data sets, features, folds and three runs."""
    for line in (*BASE, *((NET_RUN,) if net else ())):
        subprocess.run(fer(*line, "-w", str(root)), env=ENVIRONMENT, check=True, capture_output=True)
    shutil.rmtree(root / ".locks", ignore_errors=True)
    return root
