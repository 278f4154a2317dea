"""Workspaces for the tests of `fer verify`: made features and pictures, folds of them, and a run of every trainer."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Store
from fercli.artifacts.tables import samples_bytes
from fercli.datasets.content import pixel_content
from fercli.records import Samples
from fercli.seeds import generator
from fercli.workflow.features import RowFacts, features_content
from fercli.workflow.rows import class_counts

CLASSES = ("calm", "glad", "sore")
ROWS, GROUPS, FOLDS, SIDE = 72, 24, 3, 16
BP = ("--hidden", 8, "--epochs", 6, "--pca", 2)
PRUNE = ("--correlated", 0.6, "--retrain-epochs", 2)


def call(root: Path, *arguments: Any) -> int:
    """One command line in this process, in a workspace; its exit code."""
    from fercli.cli.app import run

    return run([str(argument) for argument in (*arguments, "-w", root)])


def made_samples(contents: list[str] | None = None) -> Samples:
    """Three rows of each subject, one of each class."""
    ids = np.array([f"row_{row:02}" for row in range(ROWS)])
    return Samples(
        ids=ids,
        labels=np.array(CLASSES)[np.arange(ROWS) % 3],
        splits=np.full(ROWS, ""),
        groups=np.array([f"subject_{row // (ROWS // GROUPS):02}" for row in range(ROWS)]),
        sources=ids,
        widths=np.zeros(ROWS, dtype=np.int64),
        heights=np.zeros(ROWS, dtype=np.int64),
        classes=CLASSES,
        extra={"content": np.array(contents or [f"content_{row:02}" for row in range(ROWS)])},
    )


def made_features() -> Any:
    """(72, 8) float32 in two blocks; some columns are skewed, so that a logarithm is fitted as well."""
    targets = np.arange(ROWS) % 3
    values = generator(0, "verify").normal(size=(ROWS, 8)) + 1.2 * np.eye(8)[targets]
    values[:, 0] = np.exp(2.5 * values[:, 0])
    return values.astype(np.float32)


def made_pictures() -> Any:
    """(72, 16, 16) uint8, brighter by class."""
    targets = np.arange(ROWS) % 3
    noise = generator(0, "verify.pictures").integers(0, 128, (ROWS, SIDE, SIDE))
    return (noise + (40 * targets)[:, None, None]).astype(np.uint8)


def _begin(store: Store, kind: Any, values: Any) -> Draft:
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    begun = store.begin(
        kind, "made", algorithm=1, config={"values": digest}, parents=[], seed=None, command=[], execution={}
    )
    assert isinstance(begun, Draft)
    return begun


def columns_workspace(root: Path) -> None:
    """features/made, folds/standing, and the runs bp, pruned, lda, knn with an evaluation of bp and lda."""
    store, values, samples = Store(root), made_features(), made_samples()
    with _begin(store, "features", values) as draft:
        draft.write_bytes("samples.csv", samples_bytes(samples))
        draft.write_array("features.npy", values)
        blocks = [_block("a", 0), _block("b", 4)]
        draft.commit(features_content(RowFacts.of_samples(samples), blocks, pca=None))
    quiet = ("--threads", 1, "--quiet")
    assert call(root, "make-folds", "--features", "made", "--k", FOLDS, "--name", "standing", "--quiet") == 0
    assert call(root, "train-bp", *BP, "--name", "bp", *quiet) == 0
    assert call(root, "prune-bp", *BP, *PRUNE, "--name", "pruned", *quiet) == 0
    for model in ("lda", "knn"):
        arguments = ("--model", model, "--name", model, "--jobs", 1)
        assert call(root, "train-baseline", *arguments, *quiet) == 0
    assert call(root, "evaluate", "bp", "lda", "--draws", 100, "--require", "accuracy>=0", "--quiet") == 0


def pictures_workspace(root: Path) -> None:
    """dataset/made, features of it, folds/standing, and the run net."""
    store, values = Store(root), made_pictures()
    samples = made_samples([pixel_content(picture) for picture in values])
    with _begin(store, "dataset", values) as draft:
        draft.write_bytes("samples.csv", samples_bytes(samples))
        draft.write_array("images.npy", values)
        draft.commit(
            {
                "summary": "made",
                "rows": ROWS,
                "classes": list(CLASSES),
                "size": [SIDE, SIDE],
                "color": "gray",
                "groups": GROUPS,
                "left_out": [],
                "counts": class_counts(samples),
            }
        )
    assert call(root, "make-folds", "--dataset", "made", "--k", FOLDS, "--name", "standing", "--quiet") == 0
    assert call(root, "extract-features", "--descriptors", "lbp", "--jobs", 1, "--quiet") == 0
    net = ("--variant", "cnn", "--width", 4, "--epochs", 2, "--device", "cpu", "--name", "net")
    assert call(root, "train-resnet", *net, "--threads", 1, "--quiet") == 0


def _block(name: str, start: int) -> Any:
    from fercli.records import Block

    return Block(name, start, start + 4, ())
