"""`fer evaluate`: runs scored again from their predictions, or their models on other data, with intervals and gates."""

from collections.abc import Sequence
from typing import Any

from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import predictions_bytes
from fercli.config.evaluate import EvaluateConfig
from fercli.errors import GateFailed
from fercli.evaluation.gates import check_gates, parse_gates
from fercli.records import Notify, Outcome, Table
from fercli.report.tables import folds_sheet, models_sheet, per_class_sheet
from fercli.report.wording import number, ranked, verdict
from fercli.workflow.evaluation_tables import details_table, elsewhere_lines, elsewhere_tables
from fercli.workflow.ledger import append_scoring, scorings_so_far
from fercli.workflow.other_data import Planned, planned, score_planned
from fercli.workflow.request import Request
from fercli.workflow.scored_runs import RunInput, all_parents, chosen_runs, data_of, default_name, run_inputs, scored

ALGORITHM = 1
SHOWN = (
    "run",
    "kind",
    "folds",
    "accuracy",
    "accuracy_lower",
    "accuracy_upper",
    "fold_mean",
    "fold_sd",
    "macro_f1",
    "balanced_accuracy",
    "log_loss",
    "train_accuracy",
    "majority",
)


def run(
    config: EvaluateConfig,
    names: Sequence[str],
    request: Request,
    store: Store,
    notify: Notify,
    *,
    details: bool = False,
    device: str = "cpu",
) -> Outcome:
    """Score the named runs, or all: their own held-out rows, or with `config.on` their models on other data.

    The gates are checked for each run, and fail after everything is shown and saved. details: also show the scores
    that do not fit into the first table. device: of nets that are scored on other data.
    """
    gates = parse_gates(config.require) if config.require is not None else ()
    runs = chosen_runs(store, names)
    name = request.name or _default_name(config, names, runs)
    plans: list[Planned] = []
    if config.on is None:
        inputs = run_inputs(store, runs, notify)
        parents = all_parents(inputs)
    else:
        inputs = [RunInput(entry, data_of(store, entry)) for entry in runs]
        plans = [planned(store, entry, config, notify, device=device) for entry in inputs]
        parents = list({(p.kind, p.name): p for plan in plans for p in plan.parents}.values())
    if request.dry_run:
        return _would_score(name, runs, plans)
    begun = store.begin(
        "evaluation",
        name,
        algorithm=ALGORITHM,
        config=_stored(config, plans, device),
        parents=parents,
        seed=config.seed,
        command=request.command,
        execution=request.execution(device=device),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return outcome(begun, "up-to-date", details=details, test_scorings=_scorings(store, plans))
    if any(plan.scorer.input == "pixels" for plan in plans):
        from fercli.resnet.starting import use_threads  # torch is loaded by now, and only then

        use_threads(request.threads)
    with begun as draft:
        entries = []
        if config.on is None:
            with notify.progress("scoring", len(inputs), "runs") as bar:
                for entry in inputs:
                    entries.append(scored(entry, seed=config.seed, draws=config.draws, level=config.level))
                    bar.advance(note=entry.run.name)
        for plan in plans:
            metrics, predictions = score_planned(plan, config=config, jobs=request.jobs, notify=notify)
            draft.write_bytes(f"predictions/{plan.run.name}.csv", predictions_bytes(predictions))
            entries.append(metrics)
        answers = [
            [{**answer, "run": metrics["name"]} for answer in check_gates(gates, metrics)] for metrics in entries
        ]
        if gates:
            entries = [{**metrics, "gates": own} for metrics, own in zip(entries, answers, strict=True)]
        every = [answer for own in answers for answer in own]
        draft.write_json("evaluation.json", {"runs": entries, "gates": every})
        passed = sum(bool(answer["passed"]) for answer in every)
        summary = f"{len(entries)} runs" + (f" on {config.on}" if config.on is not None else "")
        summary += f"; {passed} of {len(every)} gates passed" if every else ""
        for plan in plans:
            # before the scores can be read, so that no reading goes without a line
            if plan.test_rows:
                append_scoring(store, plan.run.name, f"evaluate --on {plan.target.artifact.name}", plan.test_rows)
        path = draft.commit({"summary": summary, "runs": [entry["name"] for entry in entries]})
    artifact = store.read(path, "evaluation")
    return outcome(artifact, "done", details=details, test_scorings=_scorings(store, plans))


def _stored(config: EvaluateConfig, plans: Sequence[Planned], device: str) -> dict[str, Any]:
    """Every value in force; the type of device too where a net is scored, whose last digits depend on it."""
    if not any(plan.scorer.input == "pixels" for plan in plans):
        return config.stored()
    from fercli.resnet import devices

    return {**config.stored(), "device": devices.resolve(device).type}


def _default_name(config: EvaluateConfig, names: Sequence[str], runs: Sequence[Artifact]) -> str:
    """`RUNS`, on other data `RUNS-on-DATA` and the split: each a standing evaluation of its own."""
    name = default_name(names, runs)
    if config.on is None:
        return name
    return "-".join([name, "on", config.on.rstrip("/").split("/")[-1], *([config.split] if config.split else [])])


def _would_score(name: str, runs: Sequence[Artifact], plans: Sequence[Planned]) -> Outcome:
    listed = [entry.name for entry in runs]
    rows = [f"{plan.run.name}: {len(plan.rows):,} rows of {plan.target.artifact.label}" for plan in plans]
    return Outcome(
        payload={"would_make": f"evaluation/{name}", "runs": listed},
        lines=(f"would score {', '.join(listed)} and write evaluation/{name}", *rows),
    )


def _scorings(store: Store, plans: Sequence[Planned]) -> int | None:
    """How often a test split was scored in this workspace; None where none was read here."""
    return scorings_so_far(store) if any(plan.test_rows for plan in plans) else None


def outcome(artifact: Artifact, status: str, *, details: bool = False, test_scorings: int | None = None) -> Outcome:
    """Tables per set of comparable runs, the verdict on each, and the gates."""
    body = artifact.json("evaluation.json")
    runs = body["runs"]
    tables: list[Table] = []
    lines: list[str] = []
    if artifact.config.get("on") is not None:
        tables += elsewhere_tables(runs)
        lines += elsewhere_lines(runs, test_scorings)
    else:
        for members in ranked(runs):
            tables.append(models_sheet(members).as_table(*SHOWN))
            lines += verdict(members)
    if len(runs) == 1:
        tables.append(per_class_sheet(runs[0]).as_table())
        if artifact.config.get("on") is None:
            tables.append(folds_sheet(runs[0]).as_table())
    if details or len(runs) == 1:
        tables.append(details_table(runs))
    if body["gates"]:
        columns = ("run", "gate", "value", "passed")
        rows = tuple((g["run"], g["expression"], g["value"], g["passed"]) for g in body["gates"])
        tables.append(Table("Gates", columns, rows))
    failure = _failure(body["gates"])
    payload = {"runs": runs, "gates": body["gates"]}
    if test_scorings is not None:
        payload["test_scorings"] = test_scorings
    if failure is not None:
        # the result and the failure are one JSON object: what was scored is saved, and the gates did not hold
        status = "failed"
        payload["error"] = {
            "code": int(failure.code),
            "kind": failure.kind,
            "message": failure.what,
            "where": failure.where,
            "next": failure.next_step,
        }
    return Outcome(
        status=status,
        artifact=artifact.label,
        payload=payload,
        tables=tuple(tables),
        lines=tuple(lines),
        failure=failure,
    )


def _failure(gates: Sequence[dict[str, Any]]) -> GateFailed | None:
    failed = [gate for gate in gates if not gate["passed"]]
    if not failed:
        return None
    parts = [f"{gate['run']}: {gate['expression']} (is {number(gate['value'], 4)})" for gate in failed]
    return GateFailed(
        f"{len(failed)} of {len(gates)} gates failed: {'; '.join(parts)}",
        where="--require",
        next_step="the scores above are saved; train a better model or lower the gate",
    )
