"""Which features count: permutation importance of a run's blocks and components over the rows that it is judged on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config.explain import ExplainConfig
from fercli.errors import ArtifactError, InputError
from fercli.evaluation.elsewhere import by_name
from fercli.evaluation.metrics import log_losses
from fercli.evaluation.row_means import row_means
from fercli.inference.permutation import ColumnModel, Unit, column_model, permuted_scores, units_of
from fercli.records import Notify
from fercli.workflow.examined import Examined, Part
from fercli.workflow.model_files import model_files
from fercli.workflow.targets import Target

CLOSE = 1e-5
SCORES = ("accuracy", "log_loss")


def importance(what: Examined, config: ExplainConfig, notify: Notify, *, jobs: int) -> dict[str, Any]:
    """`clean` and `importance` of the JSON answer.

    For each block and component: `accuracy` lost and `log_loss` risen when it is permuted within the rows that one
    model is judged on; `mean` over rows and permutations, `sd` over permutations, `interval` over rows or groups.
    A component counts as unchanged in folds that keep fewer. Raises ArtifactError where the rows do not give the run's
    own predictions.
    """
    models = [(part, _model(what, part)) for part in what.parts]
    units: dict[tuple[str, str], Unit] = {}
    for _, model in models:
        for unit in units_of(model.fitted, config.components):
            units.setdefault((unit.kind, unit.name), unit)
    place = {key: index for index, key in enumerate(units)}
    rows = sum(len(part.rows) for part in what.parts)
    clean = np.zeros((rows, 2))
    # what is lost of being right, and added to the loss: per row over the permutations, per permutation over the rows
    by_row = np.zeros((rows, len(units), 2))
    by_number = np.zeros((config.permutations, len(units), 2))
    start = 0
    with notify.progress(f"permuting {what.run.name}", len(units) * len(models), "units") as bar:
        for part, model in models:
            stop = start + len(part.rows)
            columns = model.columns(_inputs(what, part, jobs))
            truth = what.truth(part.rows)
            own = units_of(model.fitted, config.components)
            probabilities = by_name(model.scores(columns), len(what.classes))
            _refuse_other(what, part, probabilities)
            clean[start:stop] = _judged(probabilities, truth)
            path = (part.repeat, part.fold)
            drawn = permuted_scores(model, columns, own, config.permutations, seed=config.seed, path=path)
            for unit, number, scores in drawn:
                judged = _judged(by_name(scores, len(what.classes)), truth)
                index = place[unit.kind, unit.name]
                worse = (clean[start:stop] - judged) * (1.0, -1.0)
                by_row[start:stop, index] += worse / config.permutations
                by_number[number, index] += worse.sum(axis=0) / rows
                if number == config.permutations - 1:
                    bar.advance(note=unit.name)
            start = stop
    return {"clean": _clean(what, clean), "importance": _entries(what, config, list(units.values()), by_row, by_number)}


def _model(what: Examined, part: Part) -> ColumnModel:
    return column_model(model_files(what.run, part.folder))


def _inputs(what: Examined, part: Part, jobs: int) -> NDArray[np.float32]:
    """(n, D) raw features of the part's rows."""
    batches = list(Target(what.data, what.descriptors).batches(part.rows, jobs))
    features: NDArray[np.float32] = np.concatenate(batches)
    broken = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(broken):
        raise InputError(
            f"{len(broken):,} rows hold values that are not finite",
            where=f"{what.data.label}, row {what.samples.ids[part.rows[broken[0]]]}",
            next_step="leave the rows out, or repair them; `fer audit` lists such rows",
        )
    return features


def _judged(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, 2): 1 where a row is right, and its log loss."""
    right = probabilities.argmax(axis=1) == truth
    return np.stack([right.astype(np.float64), log_losses(probabilities, truth)], axis=1)


def _refuse_other(what: Examined, part: Part, found: NDArray[np.float64]) -> None:
    if part.stored is None or np.abs(found - part.stored).max(initial=0.0) <= CLOSE:
        return
    raise ArtifactError(
        f"{part.folder} does not give the predictions of {what.run.label} on the rows that it held out",
        where=str(what.run.path / "predictions.csv"),
        next_step="train the run again with --force",
    )


def _clean(what: Examined, clean: NDArray[np.float64]) -> dict[str, Any]:
    accuracy, loss = clean.mean(axis=0).tolist()
    return {"rows": len(what.rows), "accuracy": accuracy, "log_loss": loss}


def _entries(
    what: Examined,
    config: ExplainConfig,
    units: list[Unit],
    by_row: NDArray[np.float64],
    by_number: NDArray[np.float64],
) -> list[dict[str, Any]]:
    rows = np.concatenate([part.rows for part in what.parts])
    sure = row_means(
        by_row.reshape(len(rows), -1),
        what.samples.ids[rows],
        what.groups,
        seed=config.seed,
        draws=config.draws,
        level=config.confidence,
    )
    spread = by_number.std(axis=0, ddof=1)
    entries = []
    for index, unit in enumerate(units):
        entry: dict[str, Any] = {"kind": unit.kind, "name": unit.name, "block": unit.block}
        for score, name in enumerate(SCORES):
            mean, interval = sure[2 * index + score]
            entry[name] = {
                "mean": mean,
                "sd": float(spread[index, score]),
                "interval": interval and interval.as_json(),
            }
        entries.append(entry)
    return entries
