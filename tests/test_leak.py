"""The leak test over every trainer there is: nothing fitted for a fold depends on the rows that it holds out.

Each trainer command runs on small made data with standing folds, then again after every held-out row of fold 0 was
changed. What stands in that fold's folder, and what the run says of its training, must be the same bytes.
"""

import csv
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import samples_bytes
from fercli.config.baseline import BASELINES
from fercli.records import Samples
from fercli.seeds import generator

CLASSES = ("calm", "glad", "sore")
ROWS, GROUPS, FOLDS, SIDE = 72, 24, 3, 16
FOLD = "folds/0/00"
STANDING = ("--folds", "standing")


@dataclass(frozen=True)
class Trainer:
    """A trainer command on small data. data: the kind that it reads."""

    command: str
    options: tuple[Any, ...]
    data: str = "features"

    def __str__(self) -> str:
        return " ".join([self.command, *map(str, self.options[:2])])


BP = ("--hidden", 6, "--epochs", 4, "--pca", 2)
NET = ("--width", 4, "--epochs", 2, "--device", "cpu")
TRAINERS = (
    Trainer("train-bp", BP),
    Trainer("train-bp", ("--patience", 1, *BP)),
    Trainer("prune-bp", ("--correlated", 0.3, "--retrain-epochs", 1, *BP)),
    Trainer("prune-bp", ("--until-worse", "--inner-k", 2, "--retrain-epochs", 1, *BP)),
    Trainer("prune-bp", ("--until-worse", "--inner-k", 2, "--retrain-epochs", 1, *BP)),
    *(Trainer("train-baseline", ("--model", model, "--trees", 5, "--epochs", 5, "--pca", 2)) for model in BASELINES),
    Trainer("train-resnet", ("--variant", "cnn", *NET), "dataset"),
    Trainer("train-resnet", ("--patience", 1, "--variant", "cnn", *NET), "dataset"),
    Trainer(
        "train-resnet",
        ("--recipe", "strong", "--variant", "cnn", "--crop", 16, "--warmup", 1, "--class-weights", "balanced", *NET),
        "dataset",
    ),
)


def made_samples() -> Samples:
    """Three rows of each subject, so that folds keep whole subjects together; no two rows are equal."""
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
        extra={"content": np.array([f"content_{row:02}" for row in range(ROWS)])},
    )


def made_values(data: str) -> Any:
    """Features in two blocks, or gray pictures; what a row shows follows its label, with noise."""
    targets = np.arange(ROWS) % 3
    draw = generator(0, "leak", data)
    if data == "features":
        values = draw.normal(size=(ROWS, 8)) + 2.0 * np.eye(8)[targets]
        values[:, 3] = np.exp(values[:, 3])  # skewed, so that a logarithm is fitted as well
        return values.astype(np.float32)
    return draw.integers(0, 128, (ROWS, SIDE, SIDE)).astype(np.uint8) + (40 * targets)[:, None, None].astype(np.uint8)


def write(store: Store, data: str, values: Any, labels: Any = None, splits: Any = None) -> None:
    """The data as an artifact; `content` stays what it was, so that copies and folds stay too."""
    samples = made_samples()
    changed = {key: column for key, column in (("labels", labels), ("splits", splits)) if column is not None}
    blocks = [{"name": name, "start": at, "stop": at + 4, "columns": []} for name, at in (("a", 0), ("b", 4))]
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    begun = store.begin(
        data,  # type: ignore[arg-type]
        "made",
        algorithm=1,
        config={"values": digest},
        parents=[],
        seed=None,
        command=[],
        execution={},
        force=True,
    )
    assert isinstance(begun, Draft), "the same values twice"
    with begun as draft:
        draft.write_bytes("samples.csv", samples_bytes(replace(samples, **changed)))
        draft.write_array("features.npy" if data == "features" else "images.npy", values)
        draft.commit({"classes": list(CLASSES), "left_out": [], "blocks": blocks, "pca": None})


def train(fer: Callable[..., Any], trainer: Trainer, name: str, folds: tuple[str, ...] = STANDING) -> Any:
    """The answer of one command line."""
    jobs = ("--jobs", 1) if trainer.command == "train-baseline" else ()
    arguments = (f"--{trainer.data}", "made", *folds, "--no-final-model", "--threads", 1, *jobs, "--name", name)
    return fer(trainer.command, *trainer.options, *arguments, "--quiet")


def trained(
    fer: Callable[..., Any], store: Store, trainer: Trainer, name: str, folds: tuple[str, ...] = STANDING
) -> Artifact:
    """The run of one command line."""
    answer = train(fer, trainer, name, folds)
    assert answer.code == 0, answer.err
    return store.open("run", name)


def held_out_rows(run: Artifact) -> Any:
    return np.flatnonzero(run.array(f"{FOLD}/rows.npy") == 3)


def fitted(run: Artifact) -> dict[str, Any]:
    """Every file of fold 0, and what its history says of training rows."""
    files = {name: run.file(name).read_bytes() for name in run.manifest.files if name.startswith(f"{FOLD}/")}
    with run.file("history.csv").open(newline="") as handle:
        lines = [line for line in csv.DictReader(handle) if (line["repeat"], line["fold"]) == ("0", "0")]
    told = ("epoch", "units", "learning_rate", "train_loss", "train_accuracy", "monitor_loss", "monitor_accuracy")
    return {**files, "history.csv": [[line[key] for key in told] for line in lines]}


def leaks(before: Artifact, after: Artifact) -> list[str]:
    """Names of what was fitted for fold 0 and differs between two runs."""
    first, second = fitted(before), fitted(after)
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def altered(data: str, held_out: Any) -> tuple[Any, Any]:
    """Values and labels with every held-out row changed: pixels inverted or values × 1000, labels permuted."""
    values, labels = made_values(data), made_samples().labels.copy()
    values[held_out] = 255 - values[held_out] if data == "dataset" else values[held_out] * 1000
    labels[held_out] = np.roll(labels[held_out], 1)
    return values, labels


@pytest.fixture
def begun(fer: Callable[..., Any], tmp_path: Path) -> Callable[[str], Store]:
    """A workspace with the data and standing folds of it."""

    def begin(data: str) -> Store:
        store = Store(tmp_path / "ws")
        write(store, data, made_values(data))
        answer = fer("make-folds", f"--{data}", "made", "--k", FOLDS, "--name", "standing", "--quiet")
        assert answer.code == 0, answer.err
        return store

    return begin


def test_every_trainer_has_a_leak_test():
    from fercli.cli import app, commands

    if not app.app.registered_commands:
        commands.register(app.app)
    trainers = {entry.name for entry in app.app.registered_commands if entry.rich_help_panel == "Train"}
    assert trainers == {trainer.command for trainer in TRAINERS}, "a trainer without a leak test"


@pytest.mark.parametrize("trainer", TRAINERS, ids=str)
def test_nothing_fitted_for_a_fold_depends_on_the_rows_that_it_holds_out(trainer, begun, fer):
    store = begun(trainer.data)
    before = trained(fer, store, trainer, "before")
    held_out = held_out_rows(before)
    assert len(held_out) == ROWS // FOLDS
    values, labels = altered(trainer.data, held_out)
    write(store, trainer.data, values, labels)
    after = trained(fer, store, trainer, "after")
    assert leaks(before, after) == []
    files = [name for name in fitted(before) if name.endswith((".safetensors", ".json"))]
    assert files, "the fold stores what was fitted"
    # the alteration itself arrived: the held-out rows score otherwise
    assert before.file("predictions.csv").read_bytes() != after.file("predictions.csv").read_bytes()


@pytest.mark.parametrize("trainer", [one for one in TRAINERS if one.data == "features"], ids=str)
def test_a_held_out_row_that_cannot_be_scored_is_named_and_leaves_no_run(trainer, fer, tmp_path):
    """One NaN, on the official split: with k folds the row is trained on as well, where it is refused as such.

    That it reaches nothing that is fitted is tested beside the code that fits: preprocessing, bp, baselines.
    """
    store, splits = Store(tmp_path / "ws"), np.where(np.arange(ROWS) % 4 == 0, "validation", "train")
    write(store, trainer.data, made_values(trainer.data), splits=splits)
    before = trained(fer, store, trainer, "before", folds=())
    values = made_values(trainer.data)
    values[held_out_rows(before)[1], 0] = np.nan
    write(store, trainer.data, values, splits=splits)
    answer = train(fer, trainer, "after", folds=())
    assert answer.code == 3
    assert "a held-out row has a value that is not finite, and cannot be scored" in answer.err
    assert not store.names("run") or store.names("run") == ["before"]


def planted_fit_folds(features: Any, blocks: Any, row_sets: Any, config: Any) -> Any:
    """A trainer's preprocessing as public code writes it: fitted on all rows, then divided."""
    from fercli.preprocessing.foldwise import fit_folds

    return fit_folds(features, blocks, [np.arange(len(features))] * len(row_sets), config)


def planted_fit(features: Any, blocks: Any, rows: Any, config: Any) -> Any:
    """The same for a trainer that prepares one fold at a time."""
    return planted_fit_folds(features, blocks, [rows], config)[0]


def planted_normalisation(images: Any, rows: Any) -> Any:
    """The same for a net on pictures: mean and deviation of the whole data set."""
    from fercli.resnet.batches import fit_normalisation

    return fit_normalisation(images, np.arange(len(images)))


@pytest.mark.parametrize(
    ("command", "option", "place", "planted"),
    [
        ("train-bp", "--hidden", "bp.foldwise.fit_folds", planted_fit_folds),
        ("prune-bp", "--correlated", "bp.foldwise.fit_folds", planted_fit_folds),
        ("train-baseline", "--model", "baselines.training.fit", planted_fit),
        ("train-resnet", "--variant", "resnet.training.fit_normalisation", planted_normalisation),
    ],
)
def test_a_trainer_that_fits_its_scaler_on_all_rows_is_caught(command, option, place, planted, begun, fer, monkeypatch):
    trainer = next(one for one in TRAINERS if one.command == command and one.options[0] == option)
    monkeypatch.setattr(f"fercli.{place}", planted)
    store = begun(trainer.data)
    before = trained(fer, store, trainer, "before")
    values, labels = altered(trainer.data, held_out_rows(before))
    write(store, trainer.data, values, labels)
    found = leaks(before, trained(fer, store, trainer, "after"))
    assert f"{FOLD}/{'model.json' if trainer.data == 'dataset' else 'preprocessing.safetensors'}" in found
