"""`fer robustness`: one run on pictures made worse by known amounts."""

from typing import Any

import numpy as np

from fercli import __version__
from fercli.artifacts.store import Artifact, Store
from fercli.config.evaluate import EvaluateConfig
from fercli.config.robustness import Kind, RobustnessConfig
from fercli.datasets.images import fit_to
from fercli.evaluation.metrics import score
from fercli.inference.corruptions import corrupted
from fercli.records import Notify, Outcome
from fercli.report.robustness import build_robustness, robustness_sheet, worst_words
from fercli.seeds import generator
from fercli.workflow.corrupted_scores import Scored, curves, scored_levels, seconds_per_picture
from fercli.workflow.examined import Examined, chosen_run, examined
from fercli.workflow.examined_reports import begun_report, facts_of, is_net, net_threads, report_outcome, write_report
from fercli.workflow.request import Request

ALGORITHM = 2  # 2: copies among the training rows are counted
PURPOSE = "robustness"
# Sides of the example's pictures: 42 whole frames would make a page of many megabytes.
LONGEST = 160
SHOWN = (
    "kind",
    "level",
    "strength",
    "accuracy",
    "accuracy_lower",
    "accuracy_upper",
    "lost",
    "lost_lower",
    "lost_upper",
    "macro_f1",
    "log_loss",
)


def run(
    config: RobustnessConfig, name: str | None, request: Request, store: Store, notify: Notify, *, device: str
) -> Outcome:
    """Curves of one run over kinds and levels of corruption, as a report artifact with figures and tables.

    Without `config.on` each fold's model scores the rows it held out, and level 0 must give the run's own predictions.
    """
    chosen = chosen_run(store, name)
    on = EvaluateConfig(
        on=config.on, split=config.split, allow_train_rows=config.allow_train_rows, draws=config.draws, seed=config.seed
    )
    everything = examined(store, chosen, on, notify, wanted="pictures", device=device)
    what = everything.limited(config.limit, config.seed)
    report = request.name or _default_name(chosen.name, config)
    if request.dry_run:
        return _would(report, what, config, device=device, request=request)
    begun = begun_report(store, report, what, config, request, algorithm=ALGORITHM, device=device)
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return outcome(begun, "up-to-date")
    if is_net(chosen):
        net_threads(request.threads)
    with begun as draft:
        notify.say(
            f"{what.run.label}: {len(what.rows):,} rows of {what.data.label}; {len(config.kinds)} kinds at levels "
            f"{', '.join(map(str, (0, *config.graded)))}"
        )
        scored = scored_levels(what, config, notify, device=device, jobs=request.jobs)
        metrics = chosen.json("metrics.json")
        body = {
            **facts_of(what, everything, config),
            "without_copies": _without_copies(what, scored),
            "chance": 1 / len(what.classes),
            "majority": metrics["majority"]["accuracy"]["pooled"] if what.is_own else None,
            "check": None if scored.largest is None else {"largest_difference": scored.largest, "same_labels": True},
            **curves(what, scored, config),
        }
        draft.write_json("robustness.json", body)
        pictures, example = _example(what, config)
        page = build_robustness(body, pictures, example, version=__version__)
        write_report(draft, page)
        # before the scores can be read, so that no reading goes without a line
        what.note_test_rows(store, PURPOSE)
        path = draft.commit({"summary": f"{chosen.name} on {what.on}: robustness", "runs": [chosen.name]})
    return outcome(store.read(path, "report"), "done")


def _without_copies(what: Examined, scored: Scored) -> dict[str, Any] | None:
    """Scores on the clean pictures without those whose copy was trained on; None where there are none."""
    if not what.copies:
        return None
    found = score(scored.clean, ~what.copied)
    return {"rows": found.rows, "accuracy": found.accuracy, "macro_f1": found.macro_f1}


def outcome(artifact: Artifact, status: str) -> Outcome:
    """The table of all levels, what each kind costs, and where the page lies."""
    body = artifact.json("robustness.json")
    table = robustness_sheet(body).as_table(*SHOWN)
    return report_outcome(artifact, status, body, tables=(table,), lines=worst_words(body))


def _default_name(run_name: str, config: RobustnessConfig) -> str:
    """`RUN-robustness`, on other data `RUN-robustness-on-DATA` and the split."""
    parts = [run_name, "robustness"]
    if config.on is not None:
        parts += ["on", config.on.rstrip("/").split("/")[-1], *([config.split] if config.split else [])]
    return "-".join(parts)


def _would(report: str, what: Examined, config: RobustnessConfig, *, device: str, request: Request) -> Outcome:
    """What it would make, and how long that would take by a few pictures of it."""
    scored = sum(len(part.rows) for part in what.parts) * (1 + len(config.kinds) * len(config.graded))
    if is_net(what.run):
        net_threads(request.threads)
    seconds = scored * seconds_per_picture(what, config, device=device)
    return Outcome(
        payload={"would_make": f"report/{report}", "rows": len(what.rows), "pictures": scored, "seconds": seconds},
        lines=(
            f"would score {scored:,} pictures, {len(what.rows):,} rows of {what.data.label} at "
            f"{len(config.kinds)} kinds of {len(config.graded)} levels and clean, about "
            f"{seconds / 60:,.1f} minutes in one process on {device}, and write report/{report}",
        ),
    )


def _example(what: Examined, config: RobustnessConfig) -> tuple[dict[tuple[Kind, int], Any], str]:
    """One drawn row at every kind and level, small enough for a page, and its id."""
    rows = what.rows
    row = int(rows[generator(config.seed, "robustness.example").integers(len(rows))])
    name = str(what.samples.ids[row])
    clean = np.asarray(what.data.array("images.npy")[row : row + 1])
    height, width = clean.shape[1:3]
    scale = min(1.0, LONGEST / max(height, width))
    size = (max(1, round(scale * height)), max(1, round(scale * width)))
    found = {
        (kind, level): fit_to(corrupted(clean, [name], kind, level, seed=config.seed)[0], size, "stretch")
        for kind in config.kinds
        for level in (0, *config.graded)
    }
    return found, name
