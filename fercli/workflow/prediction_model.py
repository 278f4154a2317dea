"""Which model `predict` uses: a run, an exported file or the one in the box, and what pictures become for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fercli.artifacts.schema import MANIFEST
from fercli.artifacts.store import Artifact, Store
from fercli.config.descriptors import DescriptorConfig
from fercli.config.export import ExportedFacts
from fercli.config.faces import FacesConfig
from fercli.datasets.images import Color, Fit
from fercli.descriptors.extraction import blocks, extract
from fercli.errors import ArtifactError, InputError, UsageError
from fercli.inference.labelling import ModelInput
from fercli.inference.model_files import FACTS
from fercli.inference.scorers import scorer_of
from fercli.records import Scorer
from fercli.workflow.model_files import model_files
from fercli.workflow.scored_runs import data_of

ENDINGS = (".onnx", ".safetensors")
BOXED = "the model in the box"


@dataclass(frozen=True)
class PredictionModel:
    """A scorer, the pictures that it takes, its name, and how the faces that it was trained on were cut, if known."""

    name: str
    scorer: Scorer
    shape: ModelInput
    cropping: Mapping[str, Any] = field(default_factory=dict)


def prediction_model(store: Store, name: str | None, *, device: str) -> PredictionModel:
    """The model that `--model` names: a run by name or path, an exported file or folder; None = the one in the box.

    Raises ArtifactError where it is missing or damaged, InputError where pictures cannot become its input, and
    EnvironmentFailure where no model ships or the device is not there.
    """
    if name is None:
        from fercli.inference.boxed import boxed_model_files

        files = boxed_model_files()
        return PredictionModel(BOXED, scorer_of(files, device=device), _net_input(files.facts()["architecture"], None))
    path = Path(name)
    exported = path.is_file() or path.suffix.lower() in ENDINGS or (path / FACTS).is_file()
    if exported and name not in store.names("run"):
        return _exported(path, device)
    if path.is_dir() and not (path / MANIFEST).exists() and name not in store.names("run"):
        raise ArtifactError(
            "the folder is neither a run nor an exported model",
            where=name,
            next_step="name a run, or a file or folder that fer export wrote",
        )
    return _run(store, store.open("run", name.removeprefix("run/")), device)


def _run(store: Store, run: Artifact, device: str) -> PredictionModel:
    files = model_files(run)
    home = store if run.path.parent.resolve() == store.folder("run").resolve() else _home(run, store)
    data = data_of(home, run)
    scorer = scorer_of(files, device=device)
    if scorer.input == "pixels":
        config = data.config if data is not None else {}
        return PredictionModel(
            run.label, scorer, _net_input(files.facts()["architecture"], config), cropping_of(config)
        )
    if data is None:
        raise ArtifactError(
            f"the features that {run.label} was trained on are not in this workspace or have changed, "
            "so nobody can tell how its columns are computed",
            where=str(run.path),
            next_step="bring them back, or train again",
        )
    dataset = next((parent for parent in data.manifest.parents if parent.kind == "dataset"), None)
    if dataset is None:
        raise _made_elsewhere(
            f"{run.label} was trained on {data.label}, a feature sheet that somebody else made", name=run.name
        )
    pictures = home.open("dataset", dataset.name) if dataset.name in home.names("dataset") else None
    if pictures is None or pictures.manifest.fingerprint != dataset.fingerprint:
        raise ArtifactError(
            f"the pictures that {data.label} was extracted from are not in this workspace or have changed, "
            f"so nobody can tell which size the descriptors of {run.label} were computed at",
            where=f"dataset/{dataset.name}",
            next_step="bring them back, or export the run where they are: fer export RUN --format onnx",
        )
    images = pictures.array("images.npy")
    height, width = images.shape[1:3]
    color: Color = "rgb" if images.ndim == 4 else "gray"
    descriptors = DescriptorConfig.of(**data.config)
    shape = _column_input((height, width), color, _fit(pictures.config), descriptors)
    return PredictionModel(run.label, scorer, shape, cropping_of(pictures.config))


def _home(run: Artifact, store: Store) -> Store:
    """The workspace that a run named by its path lies in."""
    return Store(run.path.resolve().parent.parent, disk=store.disk, say=store.say)


def _exported(path: Path, device: str) -> PredictionModel:
    from fercli.inference.exported import exported_scorer

    scorer = exported_scorer(path, device=device)
    facts: ExportedFacts = scorer.facts
    color: Color = "rgb" if facts.channels == 3 else "gray"
    fit: Fit = facts.fit or "pad"
    cropping = _exported_cropping(facts, path)
    if facts.input == "pixels" and facts.size is not None:
        return PredictionModel(str(path), scorer, ModelInput(facts.size, color, fit), cropping)
    if facts.descriptors is None or facts.size is None:
        raise _made_elsewhere(f"{path} takes the columns of a feature sheet that somebody else made", name=str(path))
    descriptors = DescriptorConfig.of(**facts.descriptors)
    shape = _column_input(facts.size, color, fit, descriptors)
    if blocks(descriptors, facts.size)[-1].stop != facts.columns:
        raise ArtifactError(
            f"its descriptors make {blocks(descriptors, facts.size)[-1].stop:,} columns of a picture, "
            f"its model takes {facts.columns:,}",
            where=str(path),
            next_step="export the run again",
        )
    return PredictionModel(str(path), scorer, shape, cropping)


def _exported_cropping(facts: ExportedFacts, path: Path) -> Mapping[str, Any]:
    """Margin and alignment that the file states, checked: the file may be anybody's."""
    stated = {key: facts.faces[key] for key in ("margin", "align") if key in facts.faces}
    try:
        config = FacesConfig.of(**stated)
    except UsageError as error:
        raise ArtifactError(
            f"its metadata do not fit: faces: {error.what}", where=str(path), next_step="export the run again"
        ) from None
    return {key: getattr(config, key) for key in stated}


def _net_input(architecture: Mapping[str, Any], config: Mapping[str, Any] | None) -> ModelInput:
    height, width = architecture["size"]
    return ModelInput((height, width), "rgb" if architecture["channels"] == 3 else "gray", _fit(config or {}))


def _column_input(size: tuple[int, int], color: Color, fit: Fit, descriptors: DescriptorConfig) -> ModelInput:
    return ModelInput(size, color, fit, lambda planes: extract(planes, descriptors))


def _fit(config: Mapping[str, Any]) -> Fit:
    fit: Fit = config.get("fit", "pad")
    return fit


def cropping_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """How `import-dataset --faces crop` cut the data set of this config; {} where it took whole pictures."""
    return {key: config[key] for key in ("margin", "align")} if config.get("faces") == "crop" else {}


def _made_elsewhere(what: str, *, name: str) -> InputError:
    return InputError(
        f"{what}: pictures cannot become its columns",
        where=f"--model {name}",
        next_step="name a run on features of fer extract-features, or a run of train-resnet",
    )
