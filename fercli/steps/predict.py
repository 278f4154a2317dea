"""`fer predict`: faces of pictures, videos and a camera get labels, a row each."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fercli.artifacts.store import Store
from fercli.config.predict import PredictConfig
from fercli.datasets.face_detection import detector_of
from fercli.datasets.images import opencv
from fercli.errors import InputError, Interrupted, UsageError
from fercli.inference import labelling
from fercli.inference.labelling import LabelledFrame, labelled_frames
from fercli.inference.streams import Found, Frame, Reading, found_sources, frames, webcam
from fercli.records import LeftOut, Notify, Outcome, Table
from fercli.report.wording import counted
from fercli.workflow.annotated_files import AnnotatedFiles
from fercli.workflow.prediction_model import PredictionModel, prediction_model
from fercli.workflow.predictions_out import PredictionsFile, header_text, row_json, rows_text
from fercli.workflow.request import Request

# Files that are named one by one; all are counted, and all have their row.
LISTED = 20
BAD = (labelling.UNREADABLE, labelling.TOO_LARGE)


@dataclass
class _Tally:
    """What was met so far, in numbers: memory does not grow with the rows."""

    pictures: int = 0
    faces: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    predicted: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    first: dict[str, str] = field(default_factory=dict)
    problems: list[LeftOut] = field(default_factory=list)

    def skip(self, name: str) -> None:
        """A file that is no picture by its name."""
        self.skipped += 1
        self.first.setdefault("skipped", name)

    def add(self, labelled: LabelledFrame, notify: Notify) -> None:
        """One picture with its rows; what could not be read is told."""
        frame = labelled.frame
        self.pictures += 1
        for row in labelled.rows:
            self.statuses[row.status] += 1
            self.first.setdefault(row.status, frame.source)
            self.faces += row.face > 0
            if row.predicted is not None:
                self.predicted[row.predicted] += 1
        if frame.problem and len(self.problems) < LISTED:
            # Why: a folder of a million broken files must not become a million lines; every one has its row.
            notify.warn(f"{frame.source}: {frame.problem}")
            self.problems.append(LeftOut(frame.source, frame.problem))

    @property
    def bad(self) -> int:
        """Files that could not be read, or were too large to be."""
        return sum(self.statuses[status] for status in BAD)


def run(
    sources: Sequence[str],
    camera: int | None,
    config: PredictConfig,
    request: Request,
    store: Store,
    notify: Notify,
    *,
    model: str | None = None,
    out: Path | None = None,
    annotate: Path | None = None,
    device: str = "cpu",
    write: Callable[[str], None] | None = None,
    keep_rows: bool = False,
) -> Outcome:
    """Label every face of `sources`, or of a camera until it is stopped.

    write: takes the CSV as it comes where there is no `out`. keep_rows: the rows come back under `faces`, too. What
    could not be read has its row like the rest, and is a failure at the end.
    """
    if bool(sources) == (camera is not None):
        raise UsageError(
            "give pictures or a camera, not both" if sources else "there is nothing to predict",
            next_step="name files, folders, globs, archives or videos; or a camera with --webcam 0",
        )
    found = found_sources(sources)
    chosen = prediction_model(store, model, device=device)
    config = _as_trained(config, chosen, notify)
    detector = detector_of(config) if config.faces == "crop" else None
    if request.dry_run:
        return _would(found, camera, chosen, out, annotate)
    _use_threads(request.threads)
    notify.say(f"scoring with {chosen.name}: {', '.join(chosen.scorer.classes)}")
    tally = _Tally()
    how = Reading(config.every, config.limit, config.max_pixels, tally.skip, notify.warn)
    kept: list[dict[str, Any]] = []
    with ExitStack() as stack:
        if out is not None:
            stack.push(partial(_tell_what_stays, out, notify))
        pictures = None if annotate is None else AnnotatedFiles(annotate, found, store.disk, chosen.scorer.classes)
        file = None if out is None else stack.enter_context(PredictionsFile(out, store.disk))
        put = file.write if file is not None else write or (lambda text: None)
        put(header_text(chosen.scorer.classes))
        bar = stack.enter_context(notify.progress("predicting", None, "pictures"))
        for labelled in labelled_frames(
            _stream(found, camera, how),
            detector,
            chosen.scorer,
            chosen.shape,
            config,
            keep_pixels=annotate is not None,
            at_once=camera is not None,
        ):
            tally.add(labelled, notify)
            rows = [row for row in labelled.rows if config.no_face != "skip" or row.status != labelling.NO_FACE]
            put(rows_text(rows, chosen.scorer.classes))
            if keep_rows:
                kept += [row_json(row, chosen.scorer.classes) for row in rows]
            if pictures is not None:
                pictures.write(labelled)
            bar.advance()
    return _outcome(config, chosen, tally, out, annotate, kept if keep_rows else None, notify)


def _tell_what_stays(out: Path, notify: Notify, kind: type[BaseException] | None, *rest: object) -> None:
    if kind is not None and issubclass(kind, Interrupted):
        notify.say(f"the rows until here are in {out}")


def _stream(found: Sequence[Found], camera: int | None, how: Reading) -> Iterator[Frame]:
    return frames(found, how) if camera is None else webcam(camera, how)


def _as_trained(config: PredictConfig, model: PredictionModel, notify: Notify) -> PredictConfig:
    """Faces are cut as those that the model was trained on, where that is known and nothing else was asked for."""
    if config.faces != "crop":
        return config
    own = {key: value for key, value in model.cropping.items() if key not in config.model_fields_set}
    changed = {key: value for key, value in own.items() if value != getattr(config, key)}
    if changed:
        words = ", ".join(f"{key} {value}" for key, value in changed.items())
        notify.say(f"faces are cut as the model's own data set was: {words}")
    return config.model_copy(update=own)


def _use_threads(threads: int) -> None:
    opencv().setNumThreads(threads)
    if "torch" in sys.modules:  # an exported model does without it
        from fercli.resnet.starting import use_threads

        use_threads(threads)


def _outcome(
    config: PredictConfig,
    model: PredictionModel,
    tally: _Tally,
    out: Path | None,
    annotate: Path | None,
    kept: list[dict[str, Any]] | None,
    notify: Notify,
) -> Outcome:
    if tally.skipped:
        notify.warn(f"{tally.skipped:,} files are no pictures by their names, the first: {tally.first['skipped']}")
    if tally.bad > LISTED:
        notify.warn(f"and {tally.bad - LISTED:,} more that could not be read; every one has its row")
    failure = _failure(config, tally)
    counts = {status: tally.statuses[status] for status in labelling.STATUSES}
    predicted = {name: tally.predicted[name] for name in model.scorer.classes}
    payload: dict[str, Any] = {
        "model": model.name,
        "classes": list(model.scorer.classes),
        "pictures": tally.pictures,
        "face_count": tally.faces,
        "counts": counts,
        "predicted": predicted,
        "problems": [{"source": item.source, "reason": item.reason} for item in tally.problems],
        "skipped": tally.skipped,
        "out": None if out is None else str(out),
        "annotate": None if annotate is None else str(annotate),
    }
    if kept is not None:
        payload["faces"] = kept
    if failure is not None:
        payload["error"] = {
            "code": int(failure.code),
            "kind": failure.kind,
            "message": failure.what,
            "where": failure.where,
            "next": failure.next_step,
        }
    said = f"{counted(tally.pictures, 'picture')}, {counted(tally.faces, 'face')}" + "".join(
        f", {counts[status]:,} {status}" for status in labelling.STATUSES[1:] if counts[status]
    )
    status = "done" if failure is None else "failed"
    if out is None:
        notify.say(said)
        return Outcome(status=status, payload=payload, failure=failure)
    table = Table(said, ("predicted", "faces"), tuple(predicted.items()))
    lines = (f"wrote {out}", *([f"wrote pictures into {annotate}"] if annotate is not None else []))
    return Outcome(status=status, payload=payload, tables=(table,), lines=lines, failure=failure)


def _would(
    found: Sequence[Found], camera: int | None, chosen: PredictionModel, out: Path | None, annotate: Path | None
) -> Outcome:
    """What would be read and written; how long it takes lies in the pictures, which are not opened."""
    read = f"camera {camera}" if camera is not None else counted(len(found), "source")
    places = [str(place) for place in (out, annotate) if place is not None]
    return Outcome(
        payload={"would_read": len(found), "would_write": places, "model": chosen.name},
        lines=(
            f"would read {read}, score every face with {chosen.name}, and write to {' and '.join(places) or 'stdout'}",
        ),
    )


def _failure(config: PredictConfig, tally: _Tally) -> InputError | None:
    if not tally.pictures:
        return InputError(
            f"there is no picture in the sources; {tally.skipped:,} files are none by their names",
            next_step="name pictures, videos, or folders and archives that hold some",
        )
    if tally.bad:
        first = next(tally.first[status] for status in BAD if status in tally.first)
        large = tally.statuses[labelling.TOO_LARGE]
        return InputError(
            f"{tally.bad:,} of {tally.pictures:,} pictures could not be read"
            + (f", {large:,} of them too large" if large else ""),
            where=f"the first: {first}",
            next_step=f"mend them{', leave them out, or raise --max-pixels' if large else ' or leave them out'}; "
            "every other row is written",
        )
    faceless = tally.statuses[labelling.NO_FACE]
    if config.no_face == "fail" and faceless:
        return InputError(
            f"{faceless:,} of {tally.pictures:,} pictures show no face",
            where=f"the first: {tally.first[labelling.NO_FACE]}",
            next_step="look for smaller faces with --min-face, or take --no-face keep; every row is written",
        )
    return None
