"""`fer explain --picture` and `--sample`: one picture as a net or as the descriptors see it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fercli import __version__
from fercli.artifacts.store import Artifact, Store
from fercli.config.descriptors import DescriptorConfig
from fercli.config.evaluate import EvaluateConfig
from fercli.config.explain import TRUTH, ExplainConfig
from fercli.errors import ArtifactError, InputError, UsageError
from fercli.records import Notify, Outcome
from fercli.report.explain import build_explain, overlay_drawings, view_drawings
from fercli.report.material import Drawing
from fercli.workflow.descriptor_views import seen
from fercli.workflow.examined import Examined, examined
from fercli.workflow.examined_reports import net_device, net_threads, report_outcome, write_report
from fercli.workflow.inputs import input_artifact
from fercli.workflow.net_maps import looked
from fercli.workflow.one_picture import OnePicture, fitted_size, from_dataset, from_file, net_view, run_pictures
from fercli.workflow.prediction_model import cropping_of
from fercli.workflow.request import Request

ALGORITHM = 2  # 2: the face of a file, not all of it
PURPOSE = "explain --sample"
FACTS = "explain.json"


@dataclass(frozen=True)
class Asked:
    """One picture and how it is looked at. settings: of the descriptors, None for a net. run: None without one; data:
    the pictures that it was trained on. held_out: the fold's model that holds the row out."""

    picture: OnePicture
    settings: DescriptorConfig | None
    run: Artifact | None
    data: Artifact | None
    held_out: Examined | None = None


def run(
    config: ExplainConfig,
    name: str | None,
    request: Request,
    store: Store,
    notify: Notify,
    *,
    file: Path | None,
    sample: str | None,
    device: str,
) -> Outcome:
    """What PHOG and LPQ see in a file or a row, or with a net's run where that net looks.

    A row is looked at by the model of the fold that holds it out, a file by `model/`. Without a run the descriptors
    have their default settings, else those of its features.
    """
    if file is not None and sample is not None:
        raise UsageError("--picture and --sample are two pictures", next_step="give one of them")
    asked = _asked(config, name, request, store, notify, file=file, sample=sample, device=device)
    report = request.name or _default_name(asked)
    if request.dry_run:
        return Outcome(
            payload={"would_make": f"report/{report}"},
            lines=(f"would look at {asked.picture.name} and write report/{report}",),
        )
    is_net = asked.settings is None
    parents = [asked.picture.parent, *([asked.run.parent()] if asked.run else [])]
    begun = store.begin(
        "report",
        report,
        algorithm=ALGORITHM,
        config={
            "picture": asked.picture.name,
            "target": config.target,
            "faces": config.faces,
            "allow_train_rows": config.allow_train_rows,
            "descriptors": None if asked.settings is None else asked.settings.stored(),
            **(net_device(device) if is_net else {}),
        },
        parents=parents,
        seed=config.seed,
        command=request.command,
        execution=request.execution(device=device),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return outcome(begun, "up-to-date")
    with begun as draft:
        if is_net:
            net_threads(request.threads)
            body, drawings = _by_net(asked, config, notify, device)
        else:
            body = {**_facts(asked), "descriptors": list(_settings(asked).descriptors)}
            drawings = view_drawings("view", asked.picture.name, seen(asked.picture.pixels, _settings(asked)))
        draft.write_json(FACTS, body)
        title = f"{asked.picture.name}, as {f'{asked.run.name} sees' if asked.run else 'the descriptors see'} it"
        write_report(draft, build_explain(title, _words(body), drawings, (), version=__version__))
        if asked.held_out is not None:
            # before the answer can be read, so that no reading goes without a line
            asked.held_out.note_test_rows(store, PURPOSE)
        path = draft.commit({"summary": title, "runs": [asked.run.name] if asked.run else []})
    return outcome(store.read(path, "report"), "done")


def outcome(artifact: Artifact, status: str) -> Outcome:
    """The answer in a sentence, and where the page lies."""
    body = artifact.json(FACTS)
    return report_outcome(artifact, status, body, lines=_words(body))


def _asked(
    config: ExplainConfig,
    name: str | None,
    request: Request,
    store: Store,
    notify: Notify,
    *,
    file: Path | None,
    sample: str | None,
    device: str,
) -> Asked:
    if name is None:
        if file is not None:
            return Asked(_file(file, config, notify, None), DescriptorConfig(), None, None)
        dataset = input_artifact(store, "dataset", request)
        return Asked(from_dataset(dataset, str(sample)), DescriptorConfig(), None, dataset)
    run = store.open("run", name)
    data, settings = run_pictures(store, run)
    if data is None:
        raise ArtifactError(
            f"the data that {run.label} was trained on is not in this workspace or has changed",
            where=str(run.path),
            next_step="bring it back, or train again",
        )
    if file is not None:
        if settings is None and config.target == TRUTH:
            raise UsageError(
                "nobody knows the true class of a file", where="--target truth", next_step="name a class with --target"
            )
        return Asked(fitted_size(_file(file, config, notify, data), data), settings, run, data)
    picture = from_dataset(data, str(sample))
    if settings is not None:
        return Asked(picture, settings, run, data)
    what = examined(store, run, EvaluateConfig(seed=config.seed), notify, wanted="pictures", device=device)
    held_out = what.only(np.flatnonzero(what.samples.ids == sample))
    if not held_out.parts:
        raise InputError(
            f"no fold of {run.label} holds out the row {sample}: it took no part, or was trained on",
            where=f"--sample {sample}",
            next_step="take another row, or give its file with --picture",
        )
    return Asked(picture, None, run, data, held_out)


def _file(path: Path, config: ExplainConfig, notify: Notify, data: Artifact | None) -> OnePicture:
    """The largest face of a file, cut as the data was, so that `explain` looks at what `predict` scores."""
    if config.faces == "whole":
        return from_file(path)
    picture = from_file(path, {} if data is None else cropping_of(data.config))
    if picture.face is None:
        notify.say(f"no face was found in {path}: the whole picture is taken")
    return picture


def _by_net(asked: Asked, config: ExplainConfig, notify: Notify, device: str) -> tuple[dict[str, Any], list[Drawing]]:
    """The net's answer, and where it looks."""
    if asked.held_out is not None:
        classes = asked.held_out.classes
        one = config.model_copy(update={"samples": max(1, config.samples)})
        shown = looked(asked.held_out, one, notify, device=device).shown[0]
    else:
        run, data = _net(asked)
        classes = tuple(run.content["classes"])
        shown = net_view(
            run, data, asked.picture, config.target, device=device, allow_train_rows=config.allow_train_rows
        )
    body = {
        **_facts(asked),
        "predicted": classes[shown.predicted],
        "probability": shown.probability,
        "truth": None if shown.truth < 0 else classes[shown.truth],
        "target": classes[shown.target],
    }
    return body, overlay_drawings(shown.picture, shown.map, shown.id, body)


def _facts(asked: Asked) -> dict[str, Any]:
    face = None if asked.picture.face is None else list(asked.picture.face)
    return {"run": asked.run.name if asked.run else None, "picture": asked.picture.name, "face": face}


def _net(asked: Asked) -> tuple[Artifact, Artifact]:
    if asked.run is None or asked.data is None:
        raise ValueError("a net comes with its run and its data")
    return asked.run, asked.data


def _settings(asked: Asked) -> DescriptorConfig:
    return asked.settings or DescriptorConfig()


def _words(body: dict[str, Any]) -> list[str]:
    left, top, width, height = body["face"] or (0, 0, 0, 0)
    where = [f"{body['picture']}: its largest face, {width}x{height} pixels at {left}, {top}"] if body["face"] else []
    if "predicted" not in body:
        return where
    truth = "" if body["truth"] is None else f", labelled {body['truth']}"
    return [f"{body['picture']}{truth}: {body['run']} answers {body['predicted']} ({body['probability']:.0%})", *where]


def _default_name(asked: Asked) -> str:
    """`RUN-explain-PICTURE`, without a run `explain-PICTURE`."""
    stem = re.sub(r"[^\w.-]+", "-", asked.picture.name).strip(".-")[:80] or "picture"
    return "-".join([*([asked.run.name] if asked.run else []), "explain", stem])
