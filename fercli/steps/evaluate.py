"""`fer evaluate`: runs scored again from their predictions, with intervals and gates."""

from collections.abc import Sequence
from typing import Any

from fercli.artifacts.store import Artifact, Store
from fercli.config.evaluate import EvaluateConfig
from fercli.errors import GateFailed
from fercli.evaluation.gates import check_gates, parse_gates
from fercli.records import Notify, Outcome, Table
from fercli.report.tables import folds_sheet, models_sheet, per_class_sheet
from fercli.report.wording import number, ranked, verdict
from fercli.workflow.request import Request
from fercli.workflow.scored_runs import all_parents, chosen_runs, default_name, run_inputs, scored

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


def run(config: EvaluateConfig, names: Sequence[str], request: Request, store: Store, notify: Notify) -> Outcome:
    """Score the named runs, or all; the gates are checked for each, and fail after everything is shown and saved."""
    gates = parse_gates(config.require) if config.require is not None else ()
    runs = chosen_runs(store, names)
    name = request.name or default_name(names, runs)
    if request.dry_run:
        listed = [entry.name for entry in runs]
        return Outcome(
            payload={"would_make": f"evaluation/{name}", "runs": listed},
            lines=(f"would score {', '.join(listed)} and write evaluation/{name}",),
        )
    inputs = run_inputs(store, runs, notify)
    begun = store.begin(
        "evaluation",
        name,
        algorithm=ALGORITHM,
        config=config.stored(),
        parents=all_parents(inputs),
        seed=config.seed,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return outcome(begun, "up-to-date")
    with begun as draft:
        entries, answers = [], []
        with notify.progress("scoring", len(inputs), "runs") as bar:
            for entry in inputs:
                metrics = scored(entry, seed=config.seed, draws=config.draws, level=config.level)
                checked = [{**answer, "run": metrics["name"]} for answer in check_gates(gates, metrics)]
                entries.append({**metrics, "gates": checked} if gates else metrics)
                answers += checked
                bar.advance(note=str(metrics["name"]))
        draft.write_json("evaluation.json", {"runs": entries, "gates": answers})
        passed = sum(bool(answer["passed"]) for answer in answers)
        summary = f"{len(entries)} runs" + (f"; {passed} of {len(answers)} gates passed" if answers else "")
        path = draft.commit({"summary": summary, "runs": [entry["name"] for entry in entries]})
    return outcome(store.read(path, "evaluation"), "done")


def outcome(artifact: Artifact, status: str) -> Outcome:
    """Tables per set of comparable runs, the verdict on each, and the gates."""
    body = artifact.json("evaluation.json")
    tables: list[Table] = []
    lines: list[str] = []
    for members in ranked(body["runs"]):
        tables.append(models_sheet(members).as_table(*SHOWN))
        if len(body["runs"]) == 1:
            tables += [per_class_sheet(members[0]).as_table(), folds_sheet(members[0]).as_table()]
        lines += verdict(members)
    if body["gates"]:
        columns = ("run", "gate", "value", "passed")
        rows = tuple((g["run"], g["expression"], g["value"], g["passed"]) for g in body["gates"])
        tables.append(Table("Gates", columns, rows))
    failure = _failure(body["gates"])
    payload = {"runs": body["runs"], "gates": body["gates"]}
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
