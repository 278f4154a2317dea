"""Pruned networks: no unit left that qualifies, receipts that add up to the saved widths, thresholds crossed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.tables import read_csv
from fercli.bp.criteria import Thresholds, next_unit
from fercli.bp.network import hidden_outputs
from fercli.config.bp import PruneBPConfig
from fercli.inference.bp_model import BPModel
from fercli.preprocessing.foldwise import apply
from fercli.workflow.bp_models import read_bp_model
from fercli.workflow.receipts import RECEIPT_COLUMNS
from fercli.workflow.runs import fold_folder
from fercli.workflow.verification import Covered, Difference
from fercli.workflow.verification_plan import RunView
from fercli.workflow.verification_predictions import METRICS
from fercli.workflow.verification_values import difference_list

FILE = "receipts.csv"
WEIGHTS = "weights.safetensors"
# A saved network has lost its removed columns, so that its float32 sums may round another way.
_SLACK = 1e-5
_AT_ONCE = 4096


def units_as_pruned(view: RunView, sampled: list[int]) -> Covered:
    """No unit of the sampled folds and of `model/` qualifies any more over its training rows."""
    config = _config(view)
    features = view.data.array("features.npy")
    strict = Thresholds(
        dead=config.dead * (1 - _SLACK),
        saturated=config.saturated * (1 + _SLACK),
        correlated=config.correlated * (1 + _SLACK),
        angle=config.angle * (1 - _SLACK),
        pairs=config.criterion,
    )
    rounds = _rounds(_receipts(view))
    models = view.models(sampled)
    found = []
    for folder, rows in models:
        model = read_bp_model(view.run, folder)
        # A final model leaves no receipts: its rounds are at most as many as the units that it has lost.
        if rounds.get(folder, config.hidden - len(model.units)) >= config.max_rounds:
            continue
        hidden = _hidden(model, features, np.unique(rows))
        left = next_unit(hidden, model.network.w2[0], model.network.alive[0], strict)
        if left is not None:
            unit = int(model.units[left.unit])
            partner = "" if left.partner is None else f" with unit {int(model.units[left.partner])}"
            what = f"a unit is left that is {left.criterion}{partner} over the {len(rows):,} training rows"
            place = f"{folder}/{WEIGHTS}, unit {unit}"
            found.append(Difference(what, place, "kept", f"{left.criterion} {left.value:.6g}"))
    return Covered(len(models), "networks", found)


def _hidden(model: BPModel, features: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.floating]:
    """(n, H) outputs of the saved units over the rows, whose wide raw columns are read a part at a time."""
    parts = [apply(model.fitted, features[rows[start : start + _AT_ONCE]]) for start in range(0, len(rows), _AT_ONCE)]
    return hidden_outputs(model.network, 0, np.concatenate(parts).astype(model.network.w1.dtype))


def receipts_as_saved(view: RunView) -> Covered:
    """Every removal crossed its threshold, and units before, removed and saved are the same units in every fold."""
    config, lines = _config(view), _receipts(view)
    found = [difference for number, line in enumerate(lines) for difference in _threshold(config, line, number + 2)]
    widths = []
    for fold in view.plan.folds:
        folder = fold_folder(fold.repeat, fold.fold)
        own = [line for line in lines if (line["repeat"], line["fold"]) == (str(fold.repeat), str(fold.fold))]
        model = read_bp_model(view.run, folder)
        widths.append(len(model.network.b1[0]))
        found += _fold_receipts(folder, own, model, view.run.json(f"{folder}/model.json"), config)
    stored = view.run.json(METRICS)
    counts = Counter(line["criterion"] for line in lines)
    again: dict[str, Any] = {
        "hidden_before": config.hidden,
        "hidden_after": {"mean": float(np.mean(widths)), "min": min(widths), "max": max(widths)},
        "removed": {name: counts[name] for name in (*stored["removed"], *counts)},
    }
    found += difference_list("a count of units is not that of receipts and weights:", METRICS, stored, again)
    return Covered(len(lines), "removals", found)


def _config(view: RunView) -> PruneBPConfig:
    config = view.bp_config
    if not isinstance(config, PruneBPConfig):
        raise TypeError(f"{view.run.label} was not pruned")
    return config


def _receipts(view: RunView) -> list[dict[str, str]]:
    header, rows = read_csv(view.run.file(FILE), RECEIPT_COLUMNS)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _rounds(lines: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """Rounds of each fold that lost a unit, by its folder."""
    rounds: dict[str, int] = {}
    for line in lines:
        folder = fold_folder(int(line["repeat"]), int(line["fold"]))
        rounds[folder] = max(rounds.get(folder, 0), int(line["round"]))
    return rounds


def _threshold(config: PruneBPConfig, line: Mapping[str, str], number: int) -> list[Difference]:
    """The value of a removal against the threshold that it is said to have crossed."""
    value, criterion = float(line["value"]), line["criterion"]
    crossed, rule = {
        "dead": (value < config.dead, f"below {config.dead:g}"),
        "saturated": (value > config.saturated, f"above {config.saturated:g}"),
        "correlated": (abs(value) > config.correlated, f"|r| above {config.correlated:g}"),
        "angle": (abs(value - 90) > 90 - config.angle, f"within {config.angle:g} degrees"),
        "least-missed": (config.until_worse, "only with --until-worse"),
    }.get(criterion, (False, "a known criterion"))
    if crossed:
        return []
    place = f"{FILE}, row {number}: fold {line['repeat']}/{line['fold']}, unit {line['unit']}"
    return [Difference(f"a unit was removed as {criterion} that did not cross the threshold", place, value, rule)]


def _fold_receipts(
    folder: str,
    lines: Sequence[Mapping[str, str]],
    model: BPModel,
    facts: Mapping[str, Any],
    config: PruneBPConfig,
) -> list[Difference]:
    removed = [int(line["unit"]) for line in lines]
    kept = model.units.tolist()
    width = len(model.network.b1[0])
    found = []
    for what, place, stored, again in (
        ("the width is not that of the weights", f"{folder}/model.json, hidden", facts["hidden"], width),
        ("units have other numbers than the weights have columns", f"{folder}/{WEIGHTS}, units", len(kept), width),
        ("the width before pruning is not --hidden", f"{folder}/model.json", facts["hidden_before"], config.hidden),
        (
            "the last receipt leaves another width than was saved",
            f"{FILE}, fold {folder.removeprefix('folds/')}",
            int(lines[-1]["units_left"]) if lines else config.hidden,
            width,
        ),
    ):
        if stored != again:
            found.append(Difference(what, place, stored, again))
    back = sorted(set(removed) & set(kept))
    if back:
        found.append(
            Difference("a removed unit is among those saved", f"{folder}/{WEIGHTS}, unit {back[0]}", "saved", "removed")
        )
    lost = sorted(set(range(config.hidden)) - set(removed) - set(kept))
    if lost:
        found.append(
            Difference("a unit is neither saved nor removed", f"{folder}/{WEIGHTS}, unit {lost[0]}", "nothing", "kept")
        )
    return found
