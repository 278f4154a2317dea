"""Which artifact a command reads: the one that was named, else the only one of its kind."""

from fercli.artifacts.schema import Kind, Parent
from fercli.artifacts.store import Artifact, Store
from fercli.workflow.request import Request

OPTIONS: dict[Kind, str] = {"dataset": "--dataset", "features": "--features", "folds": "--folds", "run": "--model"}


def input_artifact(store: Store, kind: Kind, request: Request) -> Artifact:
    """The artifact that `--dataset`, `--features` … names; without it the only one of that kind."""
    named = request.inputs.get(kind)
    if named is not None:
        return store.open(kind, named)
    return store.only(kind, option=OPTIONS[kind])


def folds_base(data: Artifact) -> Parent:
    """What folds of this data are made of: the data set behind extracted features, so that a net on the pictures
    and a classifier on the features run on the same folds; else the data itself."""
    for parent in data.manifest.parents:
        if data.kind == "features" and parent.kind == "dataset":
            return parent
    return data.parent()
