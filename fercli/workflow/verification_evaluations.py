"""Evaluations: every score of `evaluation.json` taken again, with its intervals, its gates and its labels."""

from typing import Any

from fercli.artifacts.schema import MANIFEST
from fercli.artifacts.store import Artifact, Store
from fercli.config.evaluate import EvaluateConfig
from fercli.evaluation.gates import check_gates, parse_gates
from fercli.workflow.scored_runs import RunInput, data_of, scored
from fercli.workflow.verification import Covered, Difference
from fercli.workflow.verification_elsewhere import entry_elsewhere
from fercli.workflow.verification_runs import How
from fercli.workflow.verification_values import difference_list

FILE = "evaluation.json"


def evaluation_as_scored(store: Store, evaluation: Artifact, how: How) -> Covered:
    """Each run's entry from the run's own predictions, or with `--on` from those that the evaluation stored."""
    body, config = evaluation.json(FILE), EvaluateConfig.of(**_config(evaluation))
    found: list[Difference] = _runs(evaluation, body)
    for stored in body["runs"]:
        entry = _input(store, evaluation, stored["name"])
        again: dict[str, Any] | None
        if config.on is None:
            again = scored(entry, seed=config.seed, draws=config.draws, level=config.level)
        else:
            again, off = entry_elsewhere(store, evaluation, entry, config, how)
            found += off
        if again is not None:
            what = "a score is not what the predictions give:"
            found += difference_list(what, f"{FILE}, {entry.run.name}", stored, again)
    found += _gates(config, body)
    found += difference_list(
        "the manifest says otherwise than the scores:", MANIFEST, evaluation.content, _told(config, body)
    )
    return Covered(len(body["runs"]), "runs", found)


def _config(evaluation: Artifact) -> dict[str, Any]:
    return {key: value for key, value in evaluation.config.items() if key in EvaluateConfig.model_fields}


def _runs(evaluation: Artifact, body: dict[str, Any]) -> list[Difference]:
    """A run that scores too low for somebody may have been left out."""
    made_from = [parent.name for parent in evaluation.manifest.parents if parent.kind == "run"]
    stored = [entry["name"] for entry in body["runs"]]
    if sorted(stored) == sorted(made_from):
        return []
    what = "the runs are not those that the evaluation was made from"
    return [Difference(what, f"{FILE}, runs", ", ".join(stored), ", ".join(made_from))]


def _told(config: EvaluateConfig, body: dict[str, Any]) -> dict[str, Any]:
    """What a list of evaluations shows of one, by its entries and gates, which are looked at by themselves."""
    names, gates = [entry["name"] for entry in body["runs"]], body["gates"]
    summary = f"{len(names)} runs" + (f" on {config.on}" if config.on is not None else "")
    summary += f"; {sum(bool(gate['passed']) for gate in gates)} of {len(gates)} gates passed" if gates else ""
    return {"summary": summary, "runs": names}


def _input(store: Store, evaluation: Artifact, name: str) -> RunInput:
    """The run, with its data only where the evaluation had it: what came back since gives other groups."""
    run = store.open("run", name)
    data = data_of(store, run)
    had = {(parent.kind, parent.name) for parent in evaluation.manifest.parents}
    return RunInput(run, data if data is not None and (data.kind, data.name) in had else None)


def _gates(config: EvaluateConfig, body: dict[str, Any]) -> list[Difference]:
    gates = parse_gates(config.require) if config.require is not None else ()
    answers = [[{**one, "run": entry["name"]} for one in check_gates(gates, entry)] for entry in body["runs"]]
    what = "a gate is not answered by the scores:"
    found = difference_list(what, f"{FILE}, gates", body["gates"], [one for own in answers for one in own])
    for entry, own in zip(body["runs"], answers, strict=True):
        found += difference_list(what, f"{FILE}, {entry['name']}, gates", entry.get("gates", []), own)
    return found
