"""`fer show`: one artifact, in the words of its manifest; of a run also its layers, or what it got wrong."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fercli.artifacts.store import Artifact, Store
from fercli.errors import UsageError
from fercli.records import Notify, Outcome, Table
from fercli.workflow.named import named_artifact


def run(
    store: Store,
    name: str,
    notify: Notify,
    *,
    layers: bool = False,
    errors: int | None = None,
    contact_sheet: Path | None = None,
) -> Outcome:
    """Config, parents, content and files of the artifact `KIND/NAME`, or of the only one called NAME.

    layers: the layers of its network instead. errors: so many of a run's wrong predictions instead, the most confident
    first. contact_sheet: a PNG file for their pictures. Raises UsageError for an artifact that has none.
    """
    artifact = named_artifact(store, name, command="fer show")
    if errors is not None:
        return _errors(store, artifact, notify, errors, contact_sheet)
    if layers:
        return _layers(artifact)
    manifest = artifact.manifest
    tables = [
        Table(
            artifact.label,
            ("what", "value"),
            (
                ("command", " ".join(manifest.command)),
                ("made from", ", ".join(f"{p.kind}/{p.name}" for p in manifest.parents) or "–"),
                ("seed", str(manifest.seed) if manifest.seed is not None else "–"),
                ("fingerprint", manifest.fingerprint[:16]),
                ("finished", str(manifest.execution.get("finished", "–"))),
                *((key, _short(value)) for key, value in manifest.content.items()),
            ),
        ),
        Table("Configuration", ("option", "value"), tuple(_flat(manifest.config))),
        Table("Files", ("file", "bytes"), tuple((file, entry.bytes) for file, entry in manifest.files.items())),
    ]
    return Outcome(
        artifact=artifact.label,
        payload={"manifest": manifest.model_dump(mode="json", by_alias=True)},
        tables=tuple(tables),
    )


def _layers(artifact: Artifact) -> Outcome:
    stored = artifact.content.get("architecture")
    if stored is None:
        raise UsageError(
            f"{artifact.label} holds no network of layers",
            where="--layers",
            next_step="name a run of fer train-resnet",
        )
    from fercli.config.resnet import Architecture
    from fercli.resnet.variants import layers

    found = layers(Architecture(**stored))
    table = Table(
        f"{artifact.label}: {stored['variant']}",
        ("layer", "kind", "output", "parameters", "multiply-adds"),
        tuple((at.name, at.kind, "×".join(map(str, at.output)), at.parameters, at.multiply_adds) for at in found),
        (
            f"{sum(at.parameters for at in found):,} parameters, {sum(at.multiply_adds for at in found):,} "
            "multiply-adds a picture",
        ),
    )
    payload = {"architecture": stored, "layers": [asdict(at) for at in found]}
    return Outcome(artifact=artifact.label, payload=payload, tables=(table,))


def _errors(store: Store, artifact: Artifact, notify: Notify, limit: int, sheet: Path | None) -> Outcome:
    if artifact.kind != "run":
        raise UsageError(
            f"{artifact.label} predicts nothing", where="--errors", next_step="name a run: fer show run/NAME --errors"
        )
    if sheet is not None and sheet.suffix.lower() != ".png":
        raise UsageError("--contact-sheet is a PNG file", where=str(sheet), next_step="name it something.png")
    if sheet is not None and sheet.exists() and not _drawn_here(sheet):
        raise UsageError(
            "--contact-sheet: a file that fer has not drawn stands there, and is not replaced",
            where=str(sheet),
            next_step="give another name, or move it away",
        )
    from fercli.workflow.wrong_predictions import wrong_predictions, wrong_sheet

    wrong = wrong_predictions(store, artifact)
    if wrong.samples is None:
        notify.warn(f"{artifact.label}: its data changed since or is gone, so that groups and sources are unknown")
    listed, confusions, answers = wrong.listed(limit), wrong.confusions(), len(wrong.predictions.ids)
    told = f"{len(wrong.order):,} of {answers:,} held-out answers are wrong"
    hidden = len(wrong.order) - len(listed)
    columns = ("id", "truth", "predicted", "probability", "fold", "source")
    rows = tuple(
        (*(one[key] for key in columns[:4]), f"{one['repeat']}/{one['fold']}", one["source"]) for one in listed
    )
    pairs = tuple((one["truth"], one["predicted"], one["count"], one["share"]) for one in confusions[:limit])
    tables = (
        Table(
            f"{artifact.label}: wrong, the most confident first",
            columns,
            rows,
            (f"{told}; {hidden:,} more are not shown (--limit)" if hidden else told, *wrong.caveats),
        ),
        Table("Commonest confusions", ("truth", "taken for", "times", "share of the class"), pairs, wrong.caveats),
    )
    metrics = artifact.json("metrics.json")
    payload = {key: metrics[key] for key in ("protocol", "copies_in_training")}
    payload |= {"answers": answers, "wrong": len(wrong.order), "errors": listed, "confusions": confusions}
    if sheet is None:
        return Outcome(artifact=artifact.label, payload=payload, tables=tables)
    store.disk.replace_file(sheet, wrong_sheet(store, wrong))
    payload["contact_sheet"] = str(sheet)
    return Outcome(artifact=artifact.label, payload=payload, tables=tables, lines=(f"wrote {sheet}",))


def _drawn_here(path: Path) -> bool:
    """Whether the file is a figure of ours, by the text that `report.figures.style` writes into every PNG."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b"Software\0fercli" in file.read(256)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 300 else text[:297] + "..."


def _flat(config: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in config.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((prefix + name, _short(value)))
    return rows
