"""The workspace: what stands in it, which input a command means, and when work can be left out."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fercli.artifacts import tables
from fercli.artifacts.arrays import read_array
from fercli.artifacts.contents import Facts, check_array, check_file, check_rows
from fercli.artifacts.differences import differences, parent_differences
from fercli.artifacts.disk import Disk, sha256_of
from fercli.artifacts.draft import DRAFT_FILE, Draft, remove_hidden
from fercli.artifacts.json_text import read_json
from fercli.artifacts.locks import exclusive, if_free, is_held
from fercli.artifacts.naming import MAKE_FIRST, check_name, is_file, is_folder, size_of
from fercli.artifacts.schema import FOLDERS, KINDS, MANIFEST, UNHASHED_FILES, Kind, Manifest, Parent, key_of
from fercli.errors import ArtifactError, EnvironmentFailure, UsageError
from fercli.records import Samples

# Tables and weights are read whole anyway; hashing pictures of many gigabytes would cost more than most commands.
CHECKED_BYTES = 64_000_000
EDITED = {
    "folds.csv": "an edited table is new folds: copy it elsewhere, restore this one, fer make-folds --from the copy"
}
# How long a reader waits for a writer's swap, which takes milliseconds.
SWAP_TRIES = 20
SWAP_SECONDS = 0.02


@dataclass(frozen=True)
class Artifact:
    """A whole artifact in the store, opened."""

    path: Path
    manifest: Manifest

    @property
    def kind(self) -> Kind:
        return self.manifest.kind

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def label(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def content(self) -> dict[str, Any]:
        return Facts(self.manifest.content, label=self.label, where=str(self.path / MANIFEST))

    @property
    def config(self) -> dict[str, Any]:
        return self.manifest.config

    def parent(self) -> Parent:
        """This artifact as a parent of another."""
        return Parent(kind=self.kind, name=self.name, fingerprint=self.manifest.fingerprint)

    def file(self, name: str) -> Path:
        """Path of one of its files; ArtifactError when the artifact has none of that name, or when its bytes are not
        those that were written. Files above `CHECKED_BYTES` are taken by their size; `Store.damaged_files` reads all.
        """
        if name not in self.manifest.files:
            raise ArtifactError(
                f"{self.label} has no file {name}", where=str(self.path), next_step="make it again with --force"
            )
        path, entry = self.path / name, self.manifest.files[name]
        if entry.bytes <= CHECKED_BYTES and name not in UNHASHED_FILES and sha256_of(path) != entry.sha256:
            raise ArtifactError(
                f"{self.label} is damaged: {name} was changed after it was written",
                where=str(path),
                next_step=EDITED.get(name, "restore the file from a copy, or make the artifact again with --force"),
            )
        return path

    def has(self, name: str) -> bool:
        return name in self.manifest.files

    def array(self, name: str, *, mmap: bool = True) -> Any:
        """One of its arrays, memory-mapped read-only; ArtifactError when it is not of the kind that we write."""
        array = read_array(self.file(name), mmap=mmap)
        check_array(name, array, rows=self.manifest.content.get("rows"), label=self.label, where=str(self.path / name))
        return array

    def json(self, name: str) -> Any:
        """One of its JSON files."""
        path = self.file(name)
        try:
            value = read_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ArtifactError(
                f"not readable JSON: {error}", where=str(path), next_step="make the artifact again with --force"
            ) from None
        check_file(name, value, where=str(path))
        return value

    def samples(self) -> Samples:
        """Its `samples.csv`, with the classes in their stored order."""
        samples = tables.read_samples(self.file("samples.csv"), self.content["classes"])
        check_rows("samples.csv", len(samples), self.content.get("rows"), label=self.label, where=str(self.path))
        return samples


class Store:
    """A workspace folder. `root` need not exist until something is written."""

    def __init__(self, root: Path, *, disk: Disk | None = None, say: Callable[[str], None] | None = None) -> None:
        self.root = root
        self.disk = disk or Disk()
        self.say = say or (lambda text: None)
        # Made on the way to something else; `provisional.withdraw` takes them back where that came to nothing.
        self.provisional: list[Artifact] = []
        if root.exists() and not root.is_dir():
            raise UsageError(
                "the workspace is a file, not a folder", where=str(root), next_step="give a folder with --workspace"
            )
        self._repair()

    def folder(self, kind: Kind) -> Path:
        return self.root / FOLDERS[kind]

    def lock_path(self, kind: Kind, name: str) -> Path:
        return self.root / ".locks" / f"{kind}-{name}.lock"

    def _repair(self) -> None:
        """Finish a swap that was interrupted between its two renames."""
        for kind in KINDS:
            folder = self.folder(kind)
            if not folder.is_dir():
                continue
            for draft in folder.glob(".*.partial"):
                if draft.is_symlink() or not (draft / MANIFEST).is_file():
                    continue
                name = draft.name[1 : -len(".partial")]
                try:
                    with if_free(self.lock_path(kind, name)) as free:
                        # Asked under the lock: another process may have finished the swap, or begun anew, by now.
                        if free and (draft / MANIFEST).is_file() and not (folder / name).exists():
                            remove_hidden(draft)
                            self.disk.rename(draft, folder / name)
                except OSError:
                    continue  # a read-only workspace can still be read

    def names(self, kind: Kind) -> list[str]:
        """Names of the artifacts of a kind, sorted."""
        folder = self.folder(kind)
        if not folder.is_dir():
            return []
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))

    def interrupted(self, kind: Kind) -> list[tuple[str, bool]]:
        """Names with work begun and not finished, and whether a living process holds each."""
        folder = self.folder(kind)
        if not folder.is_dir():
            return []
        drafts = (draft for draft in folder.glob(".*.partial") if draft.is_dir() and not draft.is_symlink())
        names = sorted(draft.name[1 : -len(".partial")] for draft in drafts)
        return [(name, is_held(self.lock_path(kind, name))) for name in names]

    def resumable(self, kind: Kind, name: str) -> bool:
        """Whether work begun under this name left something that the same command goes on from."""
        return is_file(self.folder(kind) / f".{name}.partial" / DRAFT_FILE)

    def open(self, kind: Kind, name: str) -> Artifact:
        """The artifact called `name` or `KIND/name`, or at that path; its files are there with their recorded sizes."""
        if name.startswith(f"{kind}/") and name.removeprefix(f"{kind}/") in self.names(kind):
            name = name.removeprefix(f"{kind}/")
        free = False
        for _ in range(SWAP_TRIES):
            try:
                return self._opened(kind, name)
            except ArtifactError:
                # Between the two renames of a writer the name stands for nothing: look again while one is at work,
                # and once more where none is, for it may have ended in between.
                if "/" in name or os.sep in name or free:
                    break
                if is_held(self.lock_path(kind, name)):
                    time.sleep(SWAP_SECONDS)
                else:
                    free = True
        return self._opened(kind, name)

    def _opened(self, kind: Kind, name: str) -> Artifact:
        path = self.folder(kind) / name
        if not is_folder(path) and (os.sep in name or "/" in name) and is_folder(Path(name)):
            path = Path(name)
        if not is_folder(path):
            standing = self.names(kind)
            raise ArtifactError(
                f"there is no {kind} called {name}",
                where=str(self.folder(kind)),
                next_step=f"choose one of: {', '.join(standing)}" if standing else MAKE_FIRST[kind],
            )
        return self.read(path, kind)

    def read(self, path: Path, kind: Kind) -> Artifact:
        """The artifact in a folder, checked against its manifest."""
        manifest_path = path / MANIFEST
        try:
            data = manifest_path.read_bytes()
        except OSError:
            raise ArtifactError(
                f"the folder has no {MANIFEST}, so it is not a whole artifact",
                where=str(path),
                next_step="remove the folder, or make the artifact again with --force",
            ) from None
        manifest = Manifest.parse(data, where=str(manifest_path))
        if manifest.kind != kind:
            raise ArtifactError(f"this is a {manifest.kind}, not a {kind}", where=str(path), next_step=f"name a {kind}")
        for name, entry in manifest.files.items():
            file = path / name
            size = None if ".." in Path(name).parts or Path(name).is_absolute() else size_of(file)
            if size == entry.bytes:
                continue
            problem = "is missing" if size is None else f"has {size} bytes, recorded are {entry.bytes}"
            raise ArtifactError(
                f"{kind} {manifest.name} is damaged: {name} {problem}",
                where=str(file),
                next_step="restore the file from a copy, or make the artifact again with --force",
            )
        return Artifact(path, manifest)

    def damaged_files(self, artifact: Artifact) -> list[str]:
        """Names of the files whose bytes do not have their recorded hash."""
        return [
            name for name, entry in artifact.manifest.files.items() if sha256_of(artifact.path / name) != entry.sha256
        ]

    def only(self, kind: Kind, *, option: str, parent: Artifact | None = None) -> Artifact:
        """The only artifact of a kind (of one parent's data, if given): the default input. Never "the latest"."""
        found = [self.open(kind, name) for name in self.names(kind)]
        if parent is not None:
            found = [entry for entry in found if descends(entry, parent)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise ArtifactError(f"the workspace has no {kind} yet", where=str(self.root), next_step=MAKE_FIRST[kind])
        raise UsageError(
            f"the workspace has {len(found)} artifacts that could be meant by {option}",
            where=", ".join(entry.name for entry in found),
            next_step=f"name one: {option} {found[0].name}",
        )

    def begin(
        self,
        kind: Kind,
        name: str,
        *,
        algorithm: int,
        config: dict[str, Any],
        parents: Sequence[Parent],
        seed: int | None,
        command: Sequence[str],
        execution: dict[str, Any],
        force: bool = False,
    ) -> "Artifact | Draft":
        """The standing artifact when it is up to date, else a draft to write it (to be entered with `with`).

        Same key: up to date, or a draft that resumes. Same config, other parents: a draft, after saying which parent
        changed. Another config under a standing name: UsageError that lists the values that differ, unless `force`.
        """
        check_name(name)
        key = key_of(kind, algorithm, config, list(parents))
        path = self.folder(kind) / name
        standing = self._standing(path, kind, force=force)
        if standing is not None and standing.manifest.key == key:
            return standing
        with ExitStack() as stack:
            stack.enter_context(exclusive(self.lock_path(kind, name), lambda text: self.say(f"{kind}/{name}: {text}")))
            # Again, now that no other process can be writing it: one that we waited for may have finished it.
            standing = self._standing(path, kind, force=force)
            if standing is not None:
                if standing.manifest.key == key:
                    return standing
                self._explain(standing, algorithm, config, parents, force=force)
            return Draft(
                store_root=self.root,
                disk=self.disk,
                path=path,
                lock=stack.pop_all(),
                kind=kind,
                name=name,
                algorithm=algorithm,
                config=config,
                parents=list(parents),
                seed=seed,
                command=list(command),
                execution=execution,
                key=key,
            )

    def _standing(self, path: Path, kind: Kind, *, force: bool) -> Artifact | None:
        """What stands at `path`; None when nothing does, or something damaged that `force` replaces.

        With `force` every byte is read: what a message said to make again must not be called up to date.
        """
        if not path.is_dir():
            return None
        try:
            standing = self.read(path, kind)
        except ArtifactError:
            if force:
                return None
            raise
        return None if force and self.damaged_files(standing) else standing

    def _explain(
        self, standing: Artifact, algorithm: int, config: dict[str, Any], parents: Sequence[Parent], *, force: bool
    ) -> None:
        """Say why a standing artifact is replaced, or refuse."""
        differing = differences(standing.config, config)
        if force:
            self.say(f"replacing {standing.label}; the old one goes to .trash")
        elif differing and standing.kind not in ("evaluation", "report"):
            raise UsageError(
                f"{standing.label} stands with another configuration: {'; '.join(differing)}",
                where=str(standing.path),
                next_step="give the new one its own --name, or replace the old one with --force",
            )
        elif standing.manifest.algorithm != algorithm:
            self.say(f"{standing.label} was made by an older algorithm version; making it again")
        else:
            reasons = "; ".join(parent_differences(standing.manifest.parents, parents) + differing)
            self.say(f"{standing.label} is stale: {reasons}; making it again")


def descends(artifact: Artifact, ancestor: Artifact) -> bool:
    """Whether `ancestor` is a parent of `artifact`."""
    return any((parent.kind, parent.name) == (ancestor.kind, ancestor.name) for parent in artifact.manifest.parents)


def free_space_or_fail(root: Path, needed: int) -> None:
    """EnvironmentFailure when the workspace's device has fewer than `needed` bytes left."""
    probe = root
    while not probe.exists():
        probe = probe.parent
    free = shutil.disk_usage(probe).free
    if free < needed:
        raise EnvironmentFailure(
            f"the result needs about {needed / 1e9:.1f} GB and the disk has {free / 1e9:.1f} GB left",
            where=str(root),
            next_step="free some space, or choose another --workspace",
        )
