"""A plan in words and numbers: the line every command prints, and how even the folds came out."""

from dataclasses import dataclass

import numpy as np

from fercli.records import FoldPlan, Samples


@dataclass(frozen=True)
class Balance:
    """How even one repeat's folds are.

    rows_min, rows_max: held-out rows of the smallest and largest fold. deviation: the largest difference, over
    folds and classes, between a class's share of a fold and its share of all rows (0 to 1). fold, name: where.
    """

    repeat: int
    rows_min: int
    rows_max: int
    deviation: float
    fold: int
    name: str


def describe(plan: FoldPlan) -> str:
    """One line that names the protocol: scheme, folds, rows, groups, copies, seed."""
    protocol = plan.protocol
    if protocol.scheme == "official":
        held_out = plan.folds[0].test
        text = f"official split: {len(plan.folds[0].train):,} {plan.split_names[0]} rows, "
        return text + f"scored on {len(held_out):,} {plan.split_names[1]} rows"
    repeats = f" x {protocol.repeats} repeats" if protocol.repeats > 1 else ""
    groups = f" in {protocol.groups:,} groups" if protocol.groups else ""
    pooled = ", validation and test rows pooled with the training rows" if protocol.pooled else ""
    return (
        f"{protocol.scheme}, {protocol.k} folds{repeats} of {len(plan.rows):,} rows{groups}{pooled}, "
        f"duplicates {protocol.duplicates}, seed {protocol.seed}"
    )


def balances(plan: FoldPlan, samples: Samples) -> tuple[Balance, ...]:
    """The balance of every repeat of a plan."""
    targets = samples.targets
    count = len(samples.classes)
    overall = np.bincount(targets[plan.rows], minlength=count) / len(plan.rows)
    found = []
    for repeat in range(plan.protocol.repeats):
        held_out = [fold.test for fold in plan.folds if fold.repeat == repeat]
        shares = np.stack([np.bincount(targets[rows], minlength=count) / len(rows) for rows in held_out])
        away = np.abs(shares - overall)
        fold, label = np.unravel_index(np.argmax(away), away.shape)
        sizes = [len(rows) for rows in held_out]
        name = str(samples.classes[int(label)])
        found.append(Balance(repeat, min(sizes), max(sizes), float(away[fold, label]), int(fold), name))
    return tuple(found)
