"""`fer explain`: where a net looks, which features count, what the descriptors see."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fercli import __version__
from fercli.artifacts.draft import Draft
from fercli.artifacts.store import Artifact, Store
from fercli.config.descriptors import DescriptorConfig
from fercli.config.evaluate import EvaluateConfig
from fercli.config.explain import ExplainConfig
from fercli.errors import UsageError
from fercli.records import Notify, Outcome, Table
from fercli.report.explain import (
    build_explain,
    importance_drawings,
    importance_sheet,
    importance_words,
    maps_drawings,
    maps_words,
    mass_sheet,
    view_drawings,
)
from fercli.report.figures.cam import Overlay
from fercli.report.material import Drawing
from fercli.report.tables import Sheet
from fercli.seeds import generator
from fercli.workflow.descriptor_views import seen
from fercli.workflow.examined import Examined, Wanted, chosen_run, examined, pictures_behind, rows_of
from fercli.workflow.examined_reports import begun_report, facts_of, is_net, net_threads, report_outcome, write_report
from fercli.workflow.importance import importance
from fercli.workflow.net_maps import Shown, looked, mass, target_class
from fercli.workflow.request import Request

ALGORITHM = 2  # 2: copies among the training rows are counted
PURPOSE = "explain"
FACTS = "explain.json"


@dataclass(frozen=True)
class Explained:
    """What an explanation came to: the JSON answer, and the parts of its page."""

    body: dict[str, Any]
    drawings: list[Drawing]
    sheets: list[Sheet]
    words: list[str]


def run(
    config: ExplainConfig, name: str | None, request: Request, store: Store, notify: Notify, *, device: str
) -> Outcome:
    """Explain one run, as a report artifact: maps of a net, permutation importance of a model on columns.

    Without `config.on` each fold's model is looked at on the rows that it held out.
    """
    chosen = chosen_run(store, name)
    on = EvaluateConfig(on=config.on, split=config.split, allow_train_rows=config.allow_train_rows, seed=config.seed)
    wanted: Wanted = "pictures" if is_net(chosen) else "inputs"
    everything = examined(store, chosen, on, notify, wanted=wanted, device=device)
    _refuse_idle(config, chosen)
    if is_net(chosen):
        target_class(everything.classes, config.target)
    what = everything.limited(config.limit, config.seed)
    report = request.name or _default_name(chosen.name, config)
    if request.dry_run:
        return Outcome(
            payload={"would_make": f"report/{report}", "rows": len(what.rows)},
            lines=(f"would look at {len(what.rows):,} rows of {what.data.label} and write report/{report}",),
        )
    begun = begun_report(store, report, what, config, request, algorithm=ALGORITHM, device=device)
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return outcome(begun, "up-to-date")
    if is_net(chosen):
        net_threads(request.threads)
    facts = facts_of(what, everything, config)
    with begun as draft:
        notify.say(f"{chosen.label}: {len(what.rows):,} rows of {what.data.label}")
        if is_net(chosen):
            found = _maps(facts, what, config, draft, notify, device)
        else:
            found = _importance(facts, what, config, store, notify, request.jobs)
        draft.write_json(FACTS, found.body)
        title = f"{chosen.name}: what it goes by on {what.on}"
        write_report(draft, build_explain(title, found.words, found.drawings, found.sheets, version=__version__))
        # before the scores can be read, so that no reading goes without a line
        what.note_test_rows(store, PURPOSE)
        path = draft.commit({"summary": f"{chosen.name} on {what.on}: explanation", "runs": [chosen.name]})
    return outcome(store.read(path, "report"), "done")


def _refuse_idle(config: ExplainConfig, chosen: Artifact) -> None:
    """UsageError for an option of nets beside a model on columns, and the other way round."""
    idle, what = (
        (("permutations", "components"), "net") if is_net(chosen) else (("target", "samples"), "model on columns")
    )
    for name in idle:
        if getattr(config, name) != ExplainConfig.model_fields[name].default:
            raise UsageError(
                f"--{name} has nothing to act on: {chosen.label} is a {what}",
                where=f"--{name}",
                next_step=f"leave --{name} out",
            )


def outcome(artifact: Artifact, status: str) -> Outcome:
    """Tables and sentences of the explanation, and where the page lies."""
    body = artifact.json(FACTS)
    tables: list[Table] = []
    words: list[str] = []
    if "mass" in body:
        tables.append(mass_sheet(body).as_table())
        words = maps_words(body)
    elif "importance" in body:
        tables.append(importance_sheet(body).as_table())
        words = importance_words(body)
    return report_outcome(artifact, status, body, tables=tables, lines=words)


def _default_name(run_name: str, config: ExplainConfig) -> str:
    """`RUN-explain`, on other data `RUN-explain-on-DATA` and the split."""
    parts = [run_name, "explain"]
    if config.on is not None:
        parts += ["on", config.on.rstrip("/").split("/")[-1], *([config.split] if config.split else [])]
    return "-".join(parts)


def _maps(
    facts: dict[str, Any], what: Examined, config: ExplainConfig, draft: Draft, notify: Notify, device: str
) -> Explained:
    found = looked(what, config, notify, device=device)
    body = {**facts, "target": config.target, "mass": mass(found, what.classes)}
    draft.write_array("average.npy", found.averages.astype(np.float32))
    shown = {}
    for index, name in enumerate(what.classes):
        own = [entry for entry in found.shown if entry.truth == index]
        right = [overlay(entry, what.classes) for entry in own if entry.predicted == index]
        shown[name] = (right, [overlay(entry, what.classes) for entry in own if entry.predicted != index])
    drawings = maps_drawings(body, found.faces, found.averages, shown)
    return Explained(body, drawings, [mass_sheet(body)], maps_words(body))


def overlay(entry: Shown, classes: tuple[str, ...]) -> Overlay:
    """A picture with its map and the model's answer."""
    about = "" if entry.target == entry.predicted else f" → {classes[entry.target]}"
    caption = f"{classes[entry.predicted]} {entry.probability:.0%}{about}"
    return Overlay(entry.picture, entry.map, caption, entry.id)


def _importance(
    facts: dict[str, Any], what: Examined, config: ExplainConfig, store: Store, notify: Notify, jobs: int
) -> Explained:
    single = [part.fold for part in what.parts if len(part.rows) < 2]
    if single:
        notify.warn(f"{len(single)} folds hold out one row, within which nothing can be permuted: they lose nothing")
    body = {**facts, "permutations": config.permutations, **importance(what, config, notify, jobs=jobs)}
    drawings = importance_drawings(body)
    drawings += _example(what, config, store)
    return Explained(body, drawings, [importance_sheet(body)], importance_words(body))


def _example(what: Examined, config: ExplainConfig, store: Store) -> list[Drawing]:
    """What the run's PHOG and LPQ see in one drawn row; nothing where its columns did not come from pictures here."""
    settings, dataset = what.descriptors, what.data
    if settings is None:
        if not any(parent.kind == "dataset" for parent in what.data.manifest.parents):
            return []
        settings = DescriptorConfig.of(**what.data.config)
        dataset = pictures_behind(store, what.data, what.run.label)
    if not {"phog", "lpq"} & set(settings.descriptors):
        return []
    random = generator(config.seed, "explain.example")
    name = what.samples.ids[what.rows[random.integers(len(what.rows))]]
    (row,) = rows_of(dataset.samples(), np.array([name]), dataset)
    return view_drawings("example", str(name), seen(np.asarray(dataset.array("images.npy")[row]), settings))
