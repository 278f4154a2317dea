"""Write a stream of pictures as a data set artifact; importing and drawing faces both end here."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from fercli.artifacts.arrays import read_array
from fercli.artifacts.draft import Draft
from fercli.artifacts.planes import PlaneWriter
from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import samples_bytes
from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets.assembly import Assembled, assemble
from fercli.datasets.face_crops import Faceless, cropped_pictures
from fercli.records import LeftOut, Notify, Outcome, Picture, Samples
from fercli.workflow.rows import class_counts, class_table, group_count, left_out_json, left_out_table

CONTACT_SHEET = "contact-sheet.png"


def write_dataset(
    store: Store,
    draft: Draft,
    pictures: Iterable[Picture | LeftOut],
    config: ImportDatasetConfig,
    notify: Notify,
    *,
    what: str,
    where: str,
    total: int | None = None,
    facts: dict[str, Any] | None = None,
) -> Artifact:
    """Assemble `pictures` into `images.npy` and `samples.csv` of the draft and commit it."""
    started = time.perf_counter()
    with notify.progress(what, total, "images") as bar, PlaneWriter(draft, store.disk) as planes:

        def counted() -> Iterator[Picture | LeftOut]:
            for item in pictures:
                yield item
                bar.advance()

        faceless = Faceless()
        arriving = cropped_pictures(counted(), config, faceless) if config.faces == "crop" else counted()
        assembled = assemble(arriving, config, planes, where=where)
        planes.finish(assembled.order)
    if config.faces == "crop":
        # Only here: drawing loads matplotlib.
        from fercli.workflow.face_sheet import face_sheet

        # The map has no name here: none may be open when the folder takes its own, which Windows refuses.
        sheet = face_sheet(read_array(draft.file("images.npy")), assembled.samples, faceless, f"Faces of {draft.name}")
        draft.write_bytes(CONTACT_SHEET, sheet)
        facts = {**(facts or {}), "faces": {"found": _faces(assembled.samples), "without": faceless.count}}
    draft.write_bytes("samples.csv", samples_bytes(assembled.samples))
    draft.write_csv("left_out.csv", ("source", "reason"), ((item.source, item.reason) for item in assembled.left_out))
    draft.write_csv("timing.csv", ("step", "seconds"), ((what, time.perf_counter() - started),))
    return store.read(draft.commit({**_content(assembled), **(facts or {})}), "dataset")


def _faces(samples: Samples) -> int:
    """Rows that were cut to a face."""
    boxes = samples.extra.get("face")
    return 0 if boxes is None else int((boxes != "").sum())


def _content(assembled: Assembled) -> dict[str, Any]:
    samples = assembled.samples
    height, width = assembled.size
    groups = group_count(samples)
    summary = f"{len(samples):,} images of {height}x{width}, {assembled.color}, {len(samples.classes)} classes"
    return {
        "summary": summary + (f", {groups:,} groups" if groups else ""),
        "rows": len(samples),
        "classes": list(samples.classes),
        "size": [height, width],
        "color": assembled.color,
        "groups": groups,
        "left_out": left_out_json(assembled.left_out),
        "counts": class_counts(samples),
    }


def dataset_outcome(artifact: Artifact, status: str) -> Outcome:
    """What the commands that make a data set answer."""
    content = artifact.content
    left_out = [LeftOut(item["source"], item["reason"]) for item in content["left_out"]]
    tables = [class_table(content["counts"], f"{artifact.label}: {content['summary']}")]
    if left_out:
        tables.append(left_out_table(left_out))
    payload = {key: content[key] for key in ("rows", "classes", "size", "color", "groups", "left_out", "counts")}
    lines: tuple[str, ...] = ()
    if "faces" in content:
        payload["faces"] = content["faces"]
        found, without = content["faces"]["found"], content["faces"]["without"]
        lines = (
            f"{found:,} faces found, {without:,} pictures without one",
            f"look at them: {artifact.path / CONTACT_SHEET}",
        )
    return Outcome(status=status, artifact=artifact.label, payload=payload, tables=tuple(tables), lines=lines)
