"""A file of weights that training starts from: which run of the workspace it is of, and what that run was fitted on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from fercli.artifacts.disk import sha256_of
from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.config.export import HEADER_KEY
from fercli.errors import ArtifactError, InputError, LeakRefused
from fercli.inference.model_files import WEIGHTS
from fercli.records import Notify, Samples
from fercli.workflow.model_files import FINAL_FOLDER
from fercli.workflow.parents import parent_of
from fercli.workflow.plans import Planned
from fercli.workflow.trained_rows import FITTED, INNER, fitted_rows, overlap

NO_FILE = ("none", "imagenet")
_BLOCK = 1 << 20


_START = "training starts from "


def unknown_start(weights: str) -> str:
    """The sentence for every table, where nobody can tell what the weights in a file were fitted on."""
    return (
        f"{_START}{weights}, and what that was fitted on is not known in this workspace: held-out rows may be among it"
    )


def told_of_start(config: Mapping[str, Any], content: Mapping[str, Any]) -> list[str]:
    """The sentences about its start that a run's protocol must have, by its stored config and content."""
    weights = config.get("weights", "none")
    own = [] if weights in NO_FILE or "weights_of" in content else [unknown_start(weights)]
    return [*own, *content.get("starts_of_teachers", [])]


def starts_of(teacher: Artifact) -> tuple[str, ...]:
    """What a run's tables say of its start, and of those of its own teachers: whoever learns from it says so too."""
    leaks: list[str] = teacher.json("metrics.json")["protocol"]["leaks"]
    return tuple(leak for leak in leaks if leak.startswith(_START))


def started_from(
    weights: str, planned: Planned, store: Store, dataset: Artifact, samples: Samples, notify: Notify
) -> tuple[Planned, str | None]:
    """The plan with the file as a further parent, for other contents make another run, and the run that it is of.

    Weights of a run of this workspace, copied or exported, are held against the rows that they were fitted on: raises
    LeakRefused where a held-out row is one of them or equal to one. Of any other file the protocol says that nobody
    knows. Raises InputError for a file that is missing.
    """
    path = Path(weights)
    if not path.is_file():
        raise InputError(
            "there is no such file of weights", where=f"--weights {weights}", next_step="give none, imagenet or a file"
        )
    parent = Parent(kind="source", name=path.name, fingerprint=sha256_of(path))
    planned = replace(planned, parents=(*planned.parents, parent))
    found = _origin(store, path, parent.fingerprint)
    data = None if found is None else parent_of(store, found[0], "dataset")
    if found is None or data is None or not _learned_alone(found[0]):
        # What went into a run before its own rows is not followed further back: the doubt is passed on.
        sentence = unknown_start(path.name)
        notify.warn(f"leak: {sentence}")
        protocol = replace(planned.plan.protocol, leaks=(*planned.plan.protocol.leaks, sentence))
        return replace(planned, plan=replace(planned.plan, protocol=protocol)), None
    run, folder = found
    seen = overlap(data, _rows_behind(run, folder), dataset, samples).same
    for fold in planned.plan.folds:
        held_out = int(np.count_nonzero(seen[fold.test]))
        if held_out:
            raise LeakRefused(
                f"the weights are of {run.label}, {folder}, which was fitted on {held_out:,} of the {len(fold.test):,}"
                f" rows that fold {fold.fold} of repeat {fold.repeat} holds out here",
                where=f"--weights {weights}",
                next_step="start from weights that were fitted on other rows, or learn fold by fold: --distil-from"
                f" {run.name}",
            )
    notify.say(f"  the weights are of {run.label}, {folder}, which was fitted on no row that is held out here")
    return planned, run.label


def _learned_alone(run: Artifact) -> bool:
    """Whether nothing but its own training rows went into the run, ImageNet's pictures apart."""
    return run.config.get("weights", "none") in NO_FILE and run.config.get("distil_from") is None


def _origin(store: Store, path: Path, digest: str) -> tuple[Artifact, str] | None:
    """The run of the workspace and its folder that the file is a copy or an export of."""
    exported = _exported_from(path)
    for name in store.names("run"):
        try:
            run = store.open("run", name)
        except ArtifactError:
            continue
        files = {file: entry for file, entry in run.manifest.files.items() if file.endswith(f"/{WEIGHTS}")}
        for file, entry in files.items():
            if entry.sha256 == digest:
                return run, file.removesuffix(f"/{WEIGHTS}")
        if exported is not None and run.manifest.fingerprint == exported:
            own = _tensors_digest(path)
            same = [file.removesuffix(f"/{WEIGHTS}") for file in files if _tensors_digest(run.path / file) == own]
            # Of halves the digest is another one: what was fitted on most rows is assumed.
            return run, same[0] if same else FINAL_FOLDER
    return None


def _exported_from(path: Path) -> str | None:
    """The fingerprint of the run that a file written by `fer export` names."""
    if path.suffix != ".safetensors":
        return None
    try:
        with safe_open(path, "np") as file:
            header = json.loads((file.metadata() or {}).get(HEADER_KEY, "null"))
    except (SafetensorError, OSError, ValueError, RecursionError):
        return None  # `read_weights` says what is wrong with it
    facts = header.get("export") if isinstance(header, dict) else None
    found = facts.get("fingerprint") if isinstance(facts, dict) else None
    return found if isinstance(found, str) else None


def _tensors_digest(path: Path) -> str:
    """The hash of a safetensors file without its header."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        stream.seek(8 + int.from_bytes(stream.read(8), "little"))
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _rows_behind(run: Artifact, folder: str) -> NDArray[np.int64]:
    """Rows of the run's data that the weights in one of its folders were fitted or chosen on."""
    if folder == FINAL_FOLDER:
        return fitted_rows(run, run.json("metrics.json")["protocol"]["scheme"] == "official")
    return np.flatnonzero(np.isin(run.array(f"{folder}/rows.npy"), (FITTED, INNER)))
