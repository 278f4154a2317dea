"""`fer remove`: artifacts go to .trash, children first; partial folders and the trash itself are deleted on request."""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from fercli.artifacts.locks import exclusive, is_held
from fercli.artifacts.schema import KINDS, MANIFEST, Kind, Manifest
from fercli.artifacts.store import Store
from fercli.errors import ArtifactError, UsageError
from fercli.records import Notify, Outcome, Table
from fercli.workflow.named import named_place
from fercli.workflow.request import Request

TRASH = ".trash"
Place = tuple[Kind, str]


def run(
    names: Sequence[str],
    request: Request,
    store: Store,
    notify: Notify,
    *,
    with_children: bool = False,
    partials: bool = False,
    empty_trash: bool = False,
) -> Outcome:
    """Move the named artifacts to the trash, with `with_children` also all that was made from them.

    partials: delete what interrupted commands left, unless a living process holds it. empty_trash: delete what lies in
    the trash, what is moved there now included. A name that no longer stands, but lies in the trash, was moved there
    before and is passed over, so that a removal which was cut short ends when the same command is run again. Raises
    UsageError, with the list, while children stand. The ledger keeps its lines.
    """
    if not names and not partials and not empty_trash:
        raise UsageError(
            "there is nothing to remove", next_step="name artifacts (see fer status), or give --partials, --empty-trash"
        )
    standing = _standing(store, names, notify)
    chosen = _chosen(store, standing, with_children=with_children)
    moved = [(f"{kind}/{name}", size_of(store.folder(kind) / name)) for kind, name in chosen]
    left = _partials(store, notify) if partials else []
    deleted = [(f"{kind}/{name}, partial", size_of(_partial(store, kind, name))) for kind, name in left]
    trashed = sorted((store.root / TRASH).glob("*")) if empty_trash else []
    old = [(f"{TRASH}/{entry.name}", size_of(entry)) for entry in trashed]
    if not request.dry_run:
        for kind, name in chosen:
            _to_trash(store, kind, name, notify)
        for kind, name in left:
            with exclusive(store.lock_path(kind, name), notify.say):
                shutil.rmtree(_partial(store, kind, name), ignore_errors=True)
        for entry in sorted((store.root / TRASH).glob("*")) if empty_trash else []:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    freed = [*(moved if empty_trash else []), *deleted, *old]
    return _outcome([] if empty_trash else moved, freed, dry_run=request.dry_run)


def _standing(store: Store, names: Sequence[str], notify: Notify) -> list[Place]:
    """The named artifacts that stand; ArtifactError for one that neither stands nor lies in the trash."""
    found: dict[Place, None] = {}
    for text in names:
        try:
            kind, name = named_place(store, text, command="fer remove")
            if name not in store.names(kind):
                raise ArtifactError(
                    f"there is no {kind} called {name}", where=str(store.folder(kind)), next_step="see fer status"
                )
        except ArtifactError:
            if not _in_trash(store, text):
                raise
            notify.say(f"{text} was removed before")
        else:
            found[kind, name] = None
    return list(found)


def _in_trash(store: Store, text: str) -> bool:
    """Whether the trash holds what `KIND/NAME`, or a bare NAME of any kind, once was."""
    kind, _, rest = text.partition("/")
    labels = [f"{kind}-{rest}"] if kind in KINDS and rest else [f"{one}-{text}" for one in KINDS]
    # The last two parts are the time and the process: see `_to_trash`.
    return any(entry.name.rsplit("-", 2)[0] in labels for entry in (store.root / TRASH).glob("*"))


def _chosen(store: Store, chosen: Sequence[Place], *, with_children: bool) -> list[Place]:
    """What goes, children before their parents, so that an interruption leaves nothing without its parents."""
    parents = _parents(store)
    children = _children(parents, chosen)
    if children and not with_children:
        listed = ", ".join(f"{kind}/{name}" for kind, name in children)
        raise UsageError(
            f"{len(children)} artifact{'s' if len(children) > 1 else ''} made from what would go still stand",
            where=listed,
            next_step="remove those first, or all of them with --with-children",
        )
    everything = [*chosen, *children]
    ordered: list[Place] = []
    while everything:
        # Nobody's parent among what is left; where manifests name each other in a circle, the first.
        leaf = next(
            (one for one in everything if not any(one in parents.get(o, ()) for o in everything)), everything[0]
        )
        ordered.append(leaf)
        everything.remove(leaf)
    return ordered


def _parents(store: Store) -> dict[Place, list[Place]]:
    """The parents that each artifact names; of one whose manifest cannot be read, none."""
    found: dict[Place, list[Place]] = {}
    for kind in KINDS:
        for name in store.names(kind):
            path = store.folder(kind) / name / MANIFEST
            try:
                manifest = Manifest.parse(path.read_bytes(), where=str(path))
            except (OSError, ArtifactError):
                continue
            found[kind, name] = [(p.kind, p.name) for p in manifest.parents if p.kind != "source"]
    return found


def _children(parents: dict[Place, list[Place]], chosen: Sequence[Place]) -> list[Place]:
    """All that was made from the chosen, directly or not, and is not chosen itself."""
    found: list[Place] = []
    waiting = list(chosen)
    while waiting:
        parent = waiting.pop()
        for child, own in parents.items():
            if parent in own and child not in chosen and child not in found:
                found.append(child)
                waiting.append(child)
    return sorted(found, key=lambda place: (KINDS.index(place[0]), place[1]))


def _partial(store: Store, kind: Kind, name: str) -> Path:
    return store.folder(kind) / f".{name}.partial"


def _partials(store: Store, notify: Notify) -> list[Place]:
    found: list[Place] = []
    for kind in KINDS:
        for name, held in store.interrupted(kind):
            if held:
                notify.say(f"{kind}/{name} is being written by another process, and stays")
            else:
                found.append((kind, name))
    return found


def _to_trash(store: Store, kind: Kind, name: str, notify: Notify) -> None:
    if is_held(store.lock_path(kind, name)):
        notify.say(f"{kind}/{name} is being written by another process; waiting")
    with exclusive(store.lock_path(kind, name), lambda text: None):
        trash = store.root / TRASH
        store.disk.make_folder(trash)
        # The name that a replaced artifact gets there as well.
        store.disk.rename(store.folder(kind) / name, trash / f"{kind}-{name}-{time.time_ns()}-{os.getpid()}")


def size_of(path: Path) -> int:
    """Bytes of the files in a folder, or of a file."""
    if not path.is_dir():
        return path.stat().st_size
    return sum(entry.stat().st_size for entry in path.rglob("*") if entry.is_file() and not entry.is_symlink())


def _outcome(moved: list[tuple[str, int]], freed: list[tuple[str, int]], *, dry_run: bool) -> Outcome:
    would = "would be " if dry_run else ""
    rows = tuple((label, size, f"{would}moved to {TRASH}") for label, size in moved)
    rows += tuple((label, size, f"{would}deleted") for label, size in freed)
    bytes_moved, bytes_freed = sum(size for _, size in moved), sum(size for _, size in freed)
    lines = []
    if moved:
        lines.append(f"{would}moved to {TRASH}: {bytes_moved:,} bytes, which fer remove --empty-trash frees")
    if freed or not moved:
        lines.append(f"{would}freed: {bytes_freed:,} bytes")
    payload = {
        "dry_run": dry_run,
        "moved": [{"what": label, "bytes": size} for label, size in moved],
        "deleted": [{"what": label, "bytes": size} for label, size in freed],
        "bytes_moved": bytes_moved,
        "bytes_freed": bytes_freed,
    }
    tables = (Table("Removed" if not dry_run else "To remove", ("what", "bytes", "how"), rows),) if rows else ()
    return Outcome(payload=payload, tables=tables, lines=tuple(lines))
