"""`metrics.json` of a run: what every trainer hands over, in the form that every reader stands on."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fercli.evaluation.metrics import ScoredSet, score
from fercli.records import FoldPlan, FoldProtocol, Predictions, Samples

Kind = Literal["bp", "pruned-bp", "resnet", "baseline"]
Measured = Sequence[float | None] | NDArray[np.float64]


def mean_sd(values: Measured) -> dict[str, float | None]:
    """{mean, sd} over the folds that were measured (None and NaN are not); sd has n-1, None below two."""
    kept = [float(value) for value in values if value is not None and np.isfinite(value)]
    return {
        "mean": float(np.mean(kept)) if kept else None,
        "sd": float(np.std(kept, ddof=1)) if len(kept) > 1 else None,
    }


def protocol_json(protocol: FoldProtocol) -> dict[str, Any]:
    """The protocol under the keys of the metrics contract."""
    return {
        "scheme": protocol.scheme,
        "k": protocol.k,
        "repeats": protocol.repeats,
        "groups": protocol.groups,
        "seed": protocol.seed,
        "duplicates": protocol.duplicates,
        "pooled": protocol.pooled,
        "leaks": list(protocol.leaks),
    }


def split_scored(plan: FoldPlan) -> str:
    """The official split that was scored (`validation`, `test`), or `folds` where each fold was held out."""
    return plan.split_names[1] if plan.protocol.scheme == "official" else "folds"


def rows_in_samples(predictions: Predictions, samples: Samples) -> NDArray[np.int64]:
    """(M,) index of each prediction's row in `samples`; ValueError for an id that is not there."""
    order = np.argsort(samples.ids, kind="stable")
    found = np.searchsorted(samples.ids, predictions.ids, sorter=order)
    rows = order[np.minimum(found, len(order) - 1)].astype(np.int64)
    strangers = predictions.ids[samples.ids[rows] != predictions.ids]
    if len(strangers):
        raise ValueError(f"{len(strangers)} predicted ids are not in the samples, the first: {strangers[0]}")
    return rows


def copies_in_training(predictions: Predictions, plan: FoldPlan, samples: Samples) -> NDArray[np.bool_]:
    """(M,) True where an equal copy of the held-out row stands among its own fold's training rows."""
    rows = rows_in_samples(predictions, samples)
    found = np.zeros(len(rows), dtype=np.bool_)
    for fold in plan.folds:
        here = (predictions.repeats == fold.repeat) & (predictions.folds == fold.fold)
        found[here] = np.isin(plan.copies[rows[here]], plan.copies[fold.train])
    return found


def majority_accuracy(plan: FoldPlan, samples: Samples) -> list[float | None]:
    """Per fold: the accuracy on its held-out rows of always answering its training rows' commonest class.

    Of equally common classes the first in the stored order. 0 where the folds hold out whole classes, as
    contiguous folds of a label-sorted sheet do.
    """
    targets = samples.targets
    answers: list[float | None] = []
    for fold in plan.folds:
        counts = np.bincount(targets[fold.train], minlength=len(samples.classes))
        held_out = targets[fold.test]
        answers.append(float(np.mean(held_out == np.argmax(counts))) if len(held_out) else None)
    return answers


def _pooled(per_fold: Sequence[float | None], sizes: Sequence[int], repeats: Sequence[int]) -> float | None:
    """Accuracy over all held-out rows of a repeat, as the mean over repeats."""
    means = []
    for repeat in sorted(set(repeats)):
        chosen = [index for index, other in enumerate(repeats) if other == repeat and sizes[index]]
        hits = sum((per_fold[index] or 0.0) * sizes[index] for index in chosen)
        rows = sum(sizes[index] for index in chosen)
        if rows:
            means.append(hits / rows)
    return float(np.mean(means)) if means else None


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def run_metrics(
    *,
    name: str,
    kind: Kind,
    on: str,
    samples: Samples,
    plan: FoldPlan,
    predictions: Predictions,
    train_accuracy: Measured,
    train_loss: Measured,
    test_loss: Measured,
    loss_name: str,
) -> dict[str, Any]:
    """`metrics.json` of one run, as JSON types.

    on: name of the data set or features that was scored. samples: all rows of it, to which `plan` points.
    predictions: each held-out row of `plan` once per repeat (ValueError otherwise).
    train_accuracy, train_loss, test_loss: one number per fold in the order of `plan.folds`, None or NaN where
    not measured; the losses are those that were trained with, named `loss_name`, mean per row.

    Beside the contract's keys: `chance` (1 / classes); `majority {accuracy {mean, sd, pooled}}`;
    `copies_in_training` (held-out ids whose copy stands in their fold's training rows) and `without_copies`
    (the scored set without them, None where there are none); and per fold `majority`, `train_accuracy`,
    `train_loss`, `test_loss`, `macro_f1`.
    """
    for what, values in (
        ("train_accuracy", train_accuracy),
        ("train_loss", train_loss),
        ("test_loss", test_loss),
    ):
        if len(values) != len(plan.folds):
            raise ValueError(f"{what} has {len(values)} numbers for {len(plan.folds)} folds")
    per_fold = [_held_out(predictions, plan, index) for index in range(len(plan.folds))]
    if sum(entry.rows for entry in per_fold) != len(predictions.ids):
        raise ValueError("there are predictions of folds that the plan does not hold")
    whole = score(predictions)
    majority = majority_accuracy(plan, samples)
    sizes = [entry.rows for entry in per_fold]
    copies = copies_in_training(predictions, plan, samples)
    return {
        "name": name,
        "kind": kind,
        "classes": list(predictions.classes),
        "on": on,
        "split": split_scored(plan),
        "protocol": protocol_json(plan.protocol),
        **whole.as_json(),
        "train": {"accuracy": mean_sd(train_accuracy), "loss": mean_sd(train_loss)},
        "test": {
            "accuracy": {**mean_sd([entry.accuracy for entry in per_fold]), "pooled": whole.accuracy},
            "loss": {**mean_sd(test_loss), "name": loss_name},
        },
        "folds": [
            {
                "repeat": fold.repeat,
                "fold": fold.fold,
                "rows": entry.rows,
                "accuracy": entry.accuracy,
                "log_loss": entry.log_loss,
                "macro_f1": entry.macro_f1,
                "majority": majority[index],
                "train_accuracy": _number(train_accuracy[index]),
                "train_loss": _number(train_loss[index]),
                "test_loss": _number(test_loss[index]),
            }
            for index, (fold, entry) in enumerate(zip(plan.folds, per_fold, strict=True))
        ],
        "chance": 1.0 / len(predictions.classes),
        "majority": {
            "accuracy": {
                **mean_sd(majority),
                "pooled": _pooled(majority, sizes, [fold.repeat for fold in plan.folds]),
            }
        },
        "copies_in_training": len(np.unique(predictions.ids[copies])),
        "without_copies": score(predictions, ~copies).as_json() if copies.any() else None,
    }


def _held_out(predictions: Predictions, plan: FoldPlan, index: int) -> ScoredSet:
    """The scored set of one fold, after a look at whether exactly its rows were predicted."""
    fold = plan.folds[index]
    here = (predictions.repeats == fold.repeat) & (predictions.folds == fold.fold)
    entry = score(predictions, here)
    if entry.rows != len(fold.test) or int(here.sum()) != len(fold.test):
        raise ValueError(
            f"repeat {fold.repeat} fold {fold.fold} holds out {len(fold.test)} rows, {int(here.sum())} were predicted"
        )
    return entry
