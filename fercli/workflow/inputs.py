"""Which artifact a command reads: the one that was named, else the only one of its kind."""

from fercli.artifacts.schema import Kind, Parent
from fercli.artifacts.store import Artifact, Store
from fercli.errors import UsageError
from fercli.workflow.request import Request

OPTIONS: dict[Kind, str] = {"dataset": "--dataset", "features": "--features", "folds": "--folds", "run": "--model"}


def input_artifact(store: Store, kind: Kind, request: Request) -> Artifact:
    """The artifact that `--dataset`, `--features` … names; without it the only one of that kind."""
    named = request.inputs.get(kind)
    if named is not None:
        return store.open(kind, named)
    return store.only(kind, option=OPTIONS[kind])


def data_artifact(store: Store, request: Request) -> Artifact:
    """For commands that take either: the named input; else the only data set, else the only features."""
    if request.inputs.get("features") and request.inputs.get("dataset"):
        raise UsageError("--dataset and --features are two inputs", next_step="give one of them")
    if request.inputs.get("features"):
        return store.open("features", str(request.inputs["features"]))
    if request.inputs.get("dataset"):
        return store.open("dataset", str(request.inputs["dataset"]))
    if store.names("dataset") or not store.names("features"):
        return store.only("dataset", option="--dataset")
    return store.only("features", option="--features")


def folds_base(data: Artifact) -> Parent:
    """What folds of this data are made of: the data set behind extracted features, so that a net on the pictures
    and a classifier on the features run on the same folds; else the data itself."""
    for parent in data.manifest.parents:
        if data.kind == "features" and parent.kind == "dataset":
            return parent
    return data.parent()
