"""`fer verify`: hashes checked, metrics scored again, fits of a drawn fold computed again; nothing is changed."""

from collections.abc import Sequence

from fercli.artifacts.schema import KINDS, Kind
from fercli.artifacts.store import Artifact, Store
from fercli.config.verify import VerifyConfig
from fercli.errors import ArtifactError
from fercli.records import Notify, Outcome, Table
from fercli.workflow.named import named_place
from fercli.workflow.parents import parent_of, stale_parents
from fercli.workflow.request import Request
from fercli.workflow.targets import ARRAYS
from fercli.workflow.verification import FINE, Book, Covered, Difference
from fercli.workflow.verification_evaluations import evaluation_as_scored
from fercli.workflow.verification_files import files_as_hashed, manifest_as_hashed
from fercli.workflow.verification_folds import folds_as_drawn, folds_as_told, why_not_drawn
from fercli.workflow.verification_rows import columns_as_extracted, pictures_as_hashed, rows_as_told
from fercli.workflow.verification_runs import How, check_run


def run(
    config: VerifyConfig, names: Sequence[str], request: Request, store: Store, notify: Notify, *, device: str = "cpu"
) -> Outcome:
    """Verify the named artifacts, or all of the workspace; findings end with exit code 4 after everything is shown.

    device: of nets whose held-out rows are scored again.
    """
    places = _places(store, names)
    how, book = How(config, device, request.threads), Book()
    with notify.progress("verifying", len(places), "artifacts") as bar:
        for kind, name in places:
            _verify(store, kind, name, how, book)
            bar.advance(note=f"{kind}/{name}")
    for line in book.stale:
        notify.warn(f"stale, and no corruption: {line}")
    return _outcome(book, places)


def _places(store: Store, names: Sequence[str]) -> list[tuple[Kind, str]]:
    """What to verify, each once; ArtifactError for a name that does not stand."""
    if not names:
        return [(kind, name) for kind in KINDS for name in store.names(kind)]
    places = [named_place(store, name, command="fer verify") for name in names]
    for kind, name in places:
        if name not in store.names(kind):
            store.open(kind, name)
    return list(dict.fromkeys(places))


def _verify(store: Store, kind: Kind, name: str, how: How, book: Book) -> None:
    label = f"{kind}/{name}"
    try:
        artifact = store.open(kind, name)
    except ArtifactError as error:
        damage = Difference(error.what, error.where or label, None, None)
        book.enter(label, "files", Covered(0, "files", (damage,)))
        return
    book.attempt(label, "files", lambda: files_as_hashed(artifact))
    book.attempt(label, "key and fingerprint", lambda: manifest_as_hashed(artifact))
    changed = stale_parents(store, artifact)
    if changed:
        book.stale.append(f"{label}: {'; '.join(changed)}")
        book.skip(label, "parents", f"stale: {'; '.join(changed)}")
    else:
        own = [parent for parent in artifact.manifest.parents if parent.kind != "source"]
        book.enter(label, "parents", Covered(len(own), "parents"))
    if kind in ("dataset", "features"):
        _verify_rows(store, artifact, how, book)
    elif kind == "folds":
        _verify_folds(store, artifact, book)
    elif kind == "run":
        check_run(store, artifact, how, book)
    elif kind == "evaluation":
        if changed:
            book.skip(label, "scores, intervals, gates", "it is stale, fer evaluate makes it again")
        else:
            book.attempt(label, "scores, intervals, gates", lambda: evaluation_as_scored(store, artifact, how))


def _verify_rows(store: Store, data: Artifact, how: How, book: Book) -> None:
    def rows() -> Covered:
        return rows_as_told(data, data.samples(), len(data.array(ARRAYS[data.kind])))

    book.attempt(data.label, "rows", rows)
    if data.kind == "dataset":
        book.attempt(data.label, "pictures", lambda: pictures_as_hashed(data, data.samples()))
        return
    dataset = parent_of(store, data, "dataset")
    if dataset is not None:
        seed = how.config.seed
        book.attempt(data.label, "extraction", lambda: columns_as_extracted(data, data.samples(), dataset, seed))
    elif any(parent.kind == "dataset" for parent in data.manifest.parents):
        book.skip(data.label, "extraction", "its data set changed since or is gone")


def _verify_folds(store: Store, folds: Artifact, book: Book) -> None:
    data = parent_of(store, folds, "dataset", "features")
    if data is None:
        book.skip(folds.label, "folds", "its data changed since or are gone")
        return
    book.attempt(folds.label, "folds", lambda: folds_as_told(folds, data.samples()))
    reason = why_not_drawn(folds)
    if reason is not None:
        book.skip(folds.label, "drawn as its scheme says", reason)
    else:
        book.attempt(folds.label, "drawn as its scheme says", lambda: folds_as_drawn(folds, data.samples()))


def _outcome(book: Book, places: Sequence[tuple[Kind, str]]) -> Outcome:
    rows = tuple((one.artifact, one.check, f"{one.count:,} {one.unit}".strip(), one.result) for one in book.checks)
    table = Table(f"Verified: {len(places):,} artifacts", ("artifact", "check", "of", "result"), rows)
    payload = {
        "checked": [
            {
                "artifact": one.artifact,
                "check": one.check,
                "count": one.count,
                "unit": one.unit,
                "result": one.result,
                "passed": None if one.result.startswith("not made") else one.result == FINE,
            }
            for one in book.checks
        ],
        "findings": [finding.as_json() for finding in book.findings],
        "stale": book.stale,
    }
    failure = None
    if book.findings:
        owners = list(dict.fromkeys(finding.artifact for finding in book.findings))
        failure = ArtifactError(
            f"{len(book.findings):,} finding{'s' if len(book.findings) > 1 else ''} in {', '.join(owners[:5])}",
            where=book.findings[0].line(),
            next_step="restore the artifact from a copy, or make it again with --force",
        )
        payload["error"] = {
            "code": int(failure.code),
            "kind": failure.kind,
            "message": failure.what,
            "where": failure.where,
            "next": failure.next_step,
        }
    made = sum(not one.result.startswith("not made") for one in book.checks)
    fine = f"everything is as it says: {made:,} checks, no finding" if places else "there is nothing to verify yet"
    if made < len(book.checks):
        fine += f"; {len(book.checks) - made:,} not made"
    lines = tuple(finding.line() for finding in book.findings) or (fine,)
    return Outcome(
        status="failed" if failure else "done", payload=payload, tables=(table,), lines=lines, failure=failure
    )
