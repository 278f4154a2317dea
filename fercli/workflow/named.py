"""The artifact that an argument names, of whatever kind."""

from collections.abc import Sequence

from fercli.artifacts.schema import KINDS, Kind
from fercli.artifacts.store import Artifact, Store
from fercli.errors import ArtifactError, UsageError


def named_artifact(store: Store, name: str, *, command: str, kinds: Sequence[Kind] = KINDS) -> Artifact:
    """The artifact meant by `KIND/NAME`, or by a bare NAME that only one of `kinds` has.

    command: what the user called, for the message.
    """
    return store.open(*named_place(store, name, command=command, kinds=kinds))


def named_place(store: Store, name: str, *, command: str, kinds: Sequence[Kind] = KINDS) -> tuple[Kind, str]:
    """Kind and name of the artifact that `named_artifact` means, which need not be whole."""
    kind, _, rest = name.partition("/")
    if kind in KINDS and rest:
        return kind, rest
    found: list[Kind] = [kind for kind in kinds if name in store.names(kind)]
    if len(found) == 1:
        return found[0], name
    if not found:
        what = "artifact" if len(kinds) == len(KINDS) else " or ".join(kinds)
        raise ArtifactError(f"there is no {what} called {name}", where=str(store.root), next_step="see fer status")
    raise UsageError(
        f"{len(found)} artifacts are called {name}",
        where=", ".join(found),
        next_step=f"say which: {command} {found[0]}/{name}",
    )
