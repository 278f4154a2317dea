"""A comma list of values as a sweep: one run per combination, named after it, and one table beside the runs."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from fercli.artifacts.store import Store
from fercli.artifacts.tables import records_bytes
from fercli.errors import UsageError
from fercli.records import Outcome, Table
from fercli.workflow.bp_together import Together, Work, run_together

CHOOSING = "scores on held-out rows: the best of them is not an estimate of how it would do on new rows"
SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")


def combinations(lists: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Every combination of the values, the last option fastest. UsageError for a value given twice."""
    for field, values in lists.items():
        if len(set(values)) < len(values):
            option = "--" + field.replace("_", "-")
            raise UsageError(
                f"{option}: a value is given twice", where=f"{option} {','.join(values)}", next_step="give each once"
            )
    return [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]


def sweep_name(base: str, chosen: Mapping[str, str]) -> str:
    """`NAME.OPTION-VALUE`, one part per swept option."""
    return ".".join([base, *(f"{field.replace('_', '-')}-{value}" for field, value in chosen.items())])


def run_sweep(
    store: Store,
    base: str,
    chosen: Sequence[Mapping[str, str]],
    work: Callable[[Mapping[str, str], str], Work],
    together: Together,
    *,
    dry_run: bool,
) -> Outcome:
    """Run the `work` of every combination, all of them trained as one stack, and write `runs/NAME.sweep.csv`.

    The answer is up-to-date only when every run was. Scores are those on held-out rows: choosing among the runs by
    them is choosing on the rows that are scored, and the table says so.
    """
    named = {sweep_name(base, one): one for one in chosen}
    made = run_together({name: work(one, name) for name, one in named.items()}, together)
    outcomes = [(one, made[name]) for name, one in named.items()]
    if dry_run:
        return Outcome(
            payload={
                "would_make": [outcome.payload["would_make"] for _, outcome in outcomes],
                "seconds": sum(outcome.payload["seconds"] for _, outcome in outcomes),
            },
            lines=tuple(line for _, outcome in outcomes for line in outcome.lines),
        )
    lines = [_line(one, outcome.payload) for one, outcome in outcomes]
    columns = tuple(lines[0])
    folder = store.folder("run")
    store.disk.replace_file(folder / f"{base}.sweep.csv", records_bytes(lines, columns))
    done = all(outcome.status == "up-to-date" for _, outcome in outcomes)
    return Outcome(
        status="up-to-date" if done else "done",
        payload={"runs": [dict(outcome.payload) for _, outcome in outcomes], "sweep": lines},
        tables=(
            Table(
                f"sweep {base}: {len(lines)} runs",
                columns,
                tuple(tuple(line[column] for column in columns) for line in lines),
                (*shared_notes({name: made[name] for name in named}), CHOOSING),
            ),
        ),
        lines=(f"table {folder / f'{base}.sweep.csv'}",),
    )


def shared_notes(outcomes: Mapping[str, Outcome]) -> list[str]:
    """What stands under the first table of the runs, by name: protocol, leaks, copies; by name what not all have."""
    notes = {name: outcome.tables[0].notes for name, outcome in outcomes.items()}
    every = dict.fromkeys(note for own in notes.values() for note in own)
    shared = [note for note in every if all(note in own for own in notes.values())]
    return [*shared, *(f"{name}: {note}" for name, own in notes.items() for note in own if note not in shared)]


def _line(chosen: Mapping[str, str], payload: Mapping[str, Any]) -> dict[str, Any]:
    units = payload.get("hidden_after", {"mean": None})
    return {
        "run": payload["run"],
        **chosen,
        "hidden_before": payload.get("hidden_before", payload.get("hidden")),
        "hidden_after": units["mean"],
        "train_accuracy": payload["train"]["accuracy"]["mean"],
        **{name: payload[name] for name in SCORES},
    }
