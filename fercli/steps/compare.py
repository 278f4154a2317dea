"""`fer compare`: paired tests between runs on the rows that they share; shows a table and writes nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.config.compare import CompareConfig
from fercli.errors import GateFailed, UsageError
from fercli.evaluation.comparison import Comparison, compare
from fercli.evaluation.pairing import Shared
from fercli.records import Notify, Outcome, Table
from fercli.report.wording import counted, leak_lines, points, protocols_of, shared_copies
from fercli.workflow.compare_words import pair_sentence
from fercli.workflow.judged_runs import judged
from fercli.workflow.request import Request
from fercli.workflow.scored_runs import run_inputs

PAIR_COLUMNS = (
    "run",
    "against",
    "points",
    "95 % interval",
    "decided by",
    "p",
    "McNemar p",
    "folds p",
    "only run right",
    "only other right",
    "Cohen's g",
    "verdict",
)


def run(config: CompareConfig, names: Sequence[str], request: Request, store: Store, notify: Notify) -> Outcome:
    """Compare the named runs with the baseline, or each with each; a gate fails after everything was shown."""
    wanted = [*names, *([config.baseline] if config.baseline is not None else [])]
    runs = list({entry.path.resolve(): entry for entry in (store.open("run", name) for name in wanted)}.values())
    if len(runs) < 2:
        raise UsageError(
            "a comparison needs at least two different runs",
            where=", ".join(wanted) or None,
            next_step=f"the runs of this workspace: {', '.join(store.names('run')) or 'none yet'}",
        )
    entries = [judged(entry) for entry in run_inputs(store, runs, notify)]
    baseline = None if config.baseline is None else store.open("run", config.baseline).name
    shared, pairs = compare(
        entries,
        baseline=baseline,
        margin=config.margin,
        common_rows=config.common_rows,
        level=config.level,
        draws=config.draws,
        seed=config.seed,
    )
    gates = _gates(pairs, config) if config.fail_if_worse else []
    return _outcome(config, runs, shared, pairs, gates)


def _gates(pairs: Sequence[Comparison], config: CompareConfig) -> list[dict[str, Any]]:
    """[{expression, value, passed}]: no run's accuracy lies further below the baseline's than is tolerated."""
    return [
        {
            "expression": f"accuracy({pair.first}) - accuracy({pair.second}) >= {-config.tolerance:g}",
            "value": pair.difference,
            # differences of shares: what is equal on paper must not fail by rounding
            "passed": pair.difference >= -config.tolerance - 1e-12,
        }
        for pair in pairs
    ]


def _outcome(
    config: CompareConfig,
    runs: Sequence[Artifact],
    shared: Shared,
    pairs: Sequence[Comparison],
    gates: Sequence[dict[str, Any]],
) -> Outcome:
    failed = [gate for gate in gates if not gate["passed"]]
    failure = None
    if failed:
        parts = ", ".join(f"{gate['expression']} (is {gate['value']:+.4f})" for gate in failed)
        failure = GateFailed(
            f"{len(failed)} of {len(gates)} runs fall behind {pairs[0].second}: {parts}",
            where="--fail-if-worse",
            next_step=f"train a better model, or tolerate more than {100 * config.tolerance:g} points with --tolerance",
        )
    repeats = len(np.unique(shared.repeats))
    notes = [_rows_note(shared, repeats)]
    notes += [
        f"{name}: {counted(count, 'scored row')} left out that not all runs scored"
        for name, count in zip(shared.names, shared.left_out, strict=True)
        if count
    ]
    if not shared.same_folds:
        notes.append("the runs divide these rows into other folds: no test over folds")
    notes += _protocol_notes(runs)
    if len(pairs) > 1:
        notes.append(f"p after Holm's correction over {len(pairs)} pairs")
    payload: dict[str, Any] = {
        "runs": [
            {"run": name, "accuracy": float(np.mean(right)), "left_out": left_out}
            for name, right, left_out in zip(shared.names, shared.right, shared.left_out, strict=True)
        ],
        "rows": shared.rows,
        "repeats": repeats,
        "groups": int(shared.units.max()) + 1 if shared.grouped else 0,
        "common_rows": config.common_rows,
        "same_folds": shared.same_folds,
        "baseline": pairs[0].second if config.baseline is not None else None,
        "pairs": [_pair_json(pair) for pair in pairs],
        "gates": list(gates),
    }
    if failure is not None:
        payload["error"] = {
            "code": int(failure.code),
            "kind": failure.kind,
            "message": failure.what,
            "where": failure.where,
            "next": failure.next_step,
        }
    return Outcome(
        status="failed" if failure else "done",
        payload=payload,
        tables=(_table(pairs, config.level, notes),),
        lines=tuple(pair_sentence(pair) for pair in pairs),
        failure=failure,
    )


def _protocol_notes(runs: Sequence[Artifact]) -> list[str]:
    """How each run divided its rows, every known leak, and the copies that the tests were made on too."""
    # the artifact's name, not the one inside: a copied run may have been renamed
    scored = [{**run.json("metrics.json"), "name": run.name} for run in runs]
    protocols = protocols_of(scored)
    notes = [f"protocol: {protocols[0]}"] if len(protocols) == 1 else [f"protocol of {line}" for line in protocols]
    notes += leak_lines({metrics["name"]: metrics["protocol"]["leaks"] for metrics in scored})
    copies = shared_copies(scored)
    return [*notes, *copies, *(["every test is on all shared rows, those copies among them"] if copies else [])]


def _rows_note(shared: Shared, repeats: int) -> str:
    parts = [counted(shared.rows, "shared row")]
    if shared.grouped:
        parts.append(counted(int(shared.units.max()) + 1, "group"))
    if repeats > 1:
        parts.append(f"{repeats} repeats (McNemar on the first)")
    return ", ".join(parts)


def _table(pairs: Sequence[Comparison], level: float, notes: Sequence[str]) -> Table:
    rows = tuple(
        (
            pair.first,
            pair.second,
            points(pair.difference),
            "–"
            if pair.bootstrap is None
            else f"{points(pair.bootstrap.interval.lower)} to {points(pair.bootstrap.interval.upper)}",
            pair.decided_by,
            pair.p_holm,
            pair.p_holm_mcnemar,
            pair.p_holm_folds,
            pair.mcnemar.only_first,
            pair.mcnemar.only_second,
            pair.cohens_g,
            pair.verdict,
        )
        for pair in pairs
    )
    columns = tuple(f"{100 * level:g} % interval" if name == "95 % interval" else name for name in PAIR_COLUMNS)
    return Table("Comparison", columns, rows, tuple(notes))


def _pair_json(pair: Comparison) -> dict[str, Any]:
    bootstrap, folds = pair.bootstrap, pair.folds
    return {
        "first": pair.first,
        "second": pair.second,
        "accuracy": {"first": pair.accuracies[0], "second": pair.accuracies[1]},
        "difference": pair.difference,
        "interval": None if bootstrap is None else bootstrap.interval.as_json(),
        "p": pair.p,
        "p_holm": pair.p_holm,
        "decided_by": pair.decided_by,
        "bootstrap_p": None if bootstrap is None else bootstrap.p,
        "permutation_p": pair.permutation,
        "mcnemar": {
            "only_first": pair.mcnemar.only_first,
            "only_second": pair.mcnemar.only_second,
            "p": pair.mcnemar.p,
            "p_holm": pair.p_holm_mcnemar,
        },
        "resampled_t": None
        if folds is None
        else {
            "difference": folds.difference,
            # a t of folds that all differ by the same is infinite, which JSON has no number for
            "t": folds.t if np.isfinite(folds.t) else None,
            "degrees": folds.degrees,
            "p": folds.p,
            "p_holm": pair.p_holm_folds,
        },
        "effect": {"cohens_g": pair.cohens_g},
        "verdict": pair.verdict,
        "margin": pair.margin,
        "non_inferior": pair.non_inferior,
        "sentence": pair_sentence(pair),
    }
