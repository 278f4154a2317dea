"""What a reproduction finds at each of the papers' figures, in sentences computed from the runs."""

from collections.abc import Sequence

from fercli.report.history import Columns, Curve, carried_mean, loss_over_units, mean_curve
from fercli.report.material import RunMaterial
from fercli.report.wording import NONE, few, number, percent


def preparation_words(names: Sequence[str], logged: Sequence[str]) -> tuple[str, ...]:
    """logged: of the columns `names`, those whose logarithm was taken, in the fold that is drawn."""
    which = few(logged) if logged else "none of them"
    return (
        f"Of the {len(names)} columns the logarithm is taken of {which}, then z-scores. Both are fitted on the "
        "training rows of the fold that is drawn.",
    )


def optimizer_words(runs: Sequence[tuple[str, RunMaterial]]) -> tuple[str, ...]:
    """Loss and accuracy that each optimizer ends with."""
    lines = []
    for name, run in runs:
        loss = number(run.metrics["train"]["loss"]["mean"])
        lines.append(f"{name}: training loss {loss}, held-out accuracy {percent(run.metrics['accuracy'])} %")
    return tuple(lines)


def pruning_words(run: RunMaterial) -> tuple[str, ...]:
    """Loss before the first and after the last removal, mean over the folds that lost a unit."""
    if run.receipts is None or not run.receipts.rows:
        return ("No unit qualified for removal in any fold.",)
    lines = []
    for which, rows in (("train", "training"), ("test", "held-out")):
        curve = carried_mean(loss_over_units(run.receipts, which))
        if curve is not None:
            lines.append(
                f"{rows} rows: loss {number(curve.mean[0])} with {curve.x[0]:.0f} units, {number(curve.mean[-1])} with "
                f"{curve.x[-1]:.0f}, mean over the folds that lost a unit"
            )
    return tuple(lines)


def ends_words(name: str, run: RunMaterial, quantity: str) -> tuple[str, ...]:
    """Where a curve starts and ends on training and held-out rows."""
    if run.history is None:
        return ()
    training = run.history.where(run.history.text("phase") == "train")
    parts = []
    for which, rows in (("train", "training rows"), ("test", "held-out rows")):
        curve = mean_curve(training, "epoch", f"{which}_{quantity}")
        if curve is not None:
            parts.append(f"{_ends(curve, quantity)} on {rows}")
    return (f"{name}: {quantity} {' and '.join(parts)}",) if parts else ()


def both_ends_words(runs: Sequence[tuple[str, RunMaterial]]) -> tuple[str, ...]:
    """Where loss and accuracy of each run start and end."""
    return tuple(
        line for name, run in runs for quantity in ("loss", "accuracy") for line in ends_words(name, run, quantity)
    )


def steadiness_words(name: str, history: Columns | None) -> tuple[str, ...]:
    """How far the held-out loss jumps from one epoch to the next, the largest rise."""
    if history is None:
        return ()
    curve = mean_curve(history.where(history.text("phase") == "train"), "epoch", "test_loss")
    if curve is None or len(curve.mean) < 2:
        return ()
    rise = float(max(0.0, (curve.mean[1:] - curve.mean[:-1]).max()))
    return (f"{name}: the largest rise of the held-out loss between two epochs is {number(rise)}",)


def extremes_words(run: RunMaterial) -> tuple[str, ...]:
    """The classes that are recognised best and worst."""
    recalls = {name: entry["recall"] for name, entry in run.metrics["per_class"].items() if entry["recall"] is not None}
    if not recalls:
        return (NONE,)
    best, worst = max(recalls, key=lambda name: recalls[name]), min(recalls, key=lambda name: recalls[name])
    support = run.metrics["per_class"]
    return tuple(
        f"{which}: {name}, {percent(recalls[name])} % of its {support[name]['support']:,} rows"
        for which, name in (("recognised best", best), ("recognised worst", worst))
    )


def _ends(curve: Curve, quantity: str) -> str:
    first, last = curve.mean[0], curve.mean[-1]
    if quantity == "accuracy":
        return f"from {percent(first)} to {percent(last)} %"
    return f"from {number(first)} to {number(last)}"
