"""One picture for `explain`: a file, or a row of a data set by its id."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.config.descriptors import DescriptorConfig
from fercli.config.faces import FacesConfig
from fercli.datasets.content import pixel_content
from fercli.datasets.face_crops import face_crop
from fercli.datasets.face_detection import Box, chosen, detector_of
from fercli.datasets.images import as_color, decode, fit_to
from fercli.errors import InputError, LeakRefused
from fercli.inference.scorers import scorer_of
from fercli.workflow.examined import pictures_behind
from fercli.workflow.model_files import model_files
from fercli.workflow.net_maps import Shown, target_class
from fercli.workflow.scored_runs import data_of
from fercli.workflow.sources import source_parent
from fercli.workflow.trained_rows import fitted_rows

LONGEST = 640


@dataclass(frozen=True)
class OnePicture:
    """A picture (H, W[, 3]) uint8, what it is called, and what it was taken from.

    face: the box in a file that it was cut from. whole: the file before it was cut, None where it was not.
    """

    name: str
    pixels: NDArray[np.uint8]
    parent: Parent
    face: Box | None = None
    whole: NDArray[np.uint8] | None = None


def from_file(path: Path, cropping: Mapping[str, Any] | None = None) -> OnePicture:
    """The picture in a file; one of more than `LONGEST` pixels a side is shrunk. InputError where it cannot be read.

    cropping: margin and align by which its largest face is cut out, {} for the defaults; None leaves it whole, as
    does a picture in which no face is found.
    """
    parent = source_parent(path)
    if path.is_dir():
        raise InputError("this is a folder, not a picture", where=str(path), next_step="give one file")
    pixels = decode(path.read_bytes(), source=str(path))
    if cropping is not None:
        config = FacesConfig.of(**cropping)
        found = chosen(detector_of(config).faces(pixels), "largest", pixels.shape)
        if found:
            cut = face_crop(pixels, found[0], margin=config.margin, align=config.align).pixels
            return OnePicture(path.stem, _shrunk(cut), parent, found[0].box, _shrunk(pixels))
    return OnePicture(path.stem, _shrunk(pixels), parent)


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = LONGEST / max(height, width)
    if scale >= 1:
        return pixels
    return fit_to(pixels, (max(1, round(height * scale)), max(1, round(width * scale))), "stretch")


def from_dataset(dataset: Artifact, name: str) -> OnePicture:
    """The row `name` of a data set. InputError, with the first ids, where it has none of that name."""
    samples = dataset.samples()
    found = np.flatnonzero(samples.ids == name)
    if not len(found):
        raise InputError(
            f"{dataset.label} has no row {name}",
            where=f"--sample {name}",
            next_step=f"its rows are {', '.join(samples.ids[:3].tolist())} …",
        )
    return OnePicture(name, np.asarray(dataset.array("images.npy")[found[0]]), dataset.parent())


def run_pictures(store: Store, run: Artifact) -> tuple[Artifact | None, DescriptorConfig | None]:
    """The pictures that a run was trained on, None where they are not in this workspace; and the settings of its
    descriptors, None for a net. Raises InputError for a run on a sheet that was imported."""
    data = data_of(store, run)
    if data is None or data.kind == "dataset":
        return data, None
    return pictures_behind(store, data, run.label), DescriptorConfig.of(**data.config)


def fitted_size(picture: OnePicture, dataset: Artifact) -> OnePicture:
    """The picture in the size and colours of a data set's."""
    images = dataset.array("images.npy")

    def fitted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return fit_to(
            as_color(pixels, "gray" if images.ndim == 3 else "rgb"), (images.shape[1], images.shape[2]), "pad"
        )

    whole = None if picture.whole is None else fitted(picture.whole)
    return replace(picture, pixels=fitted(picture.pixels), whole=whole)


def net_view(
    run: Artifact, data: Artifact, picture: OnePicture, target: str, *, device: str, allow_train_rows: bool
) -> Shown:
    """The map of `model/` for a picture in the size of its data. target: `predicted` or a class.

    Raises LeakRefused for a picture that the model was fitted on, by the hash of its pixels.
    """
    from fercli.inference.cam import grad_cam  # torch takes seconds to load, and models on columns do without it

    official = run.json("metrics.json")["protocol"]["scheme"] == "official"
    own = data.samples().take(fitted_rows(run, official))
    hashes = [pixel_content(pixels) for pixels in (picture.pixels, picture.whole) if pixels is not None]
    same = own.ids[np.isin(own.extra.get("content", np.array([], dtype=np.str_)), hashes)]
    if len(same) and not allow_train_rows:
        raise LeakRefused(
            f"{run.label} was fitted on this very picture, by the hash of its pixels",
            where=f"{data.label}, row {same[0]}",
            next_step=f"see it under the fold that holds it out with --sample {same[0]}, or say --allow-train-rows",
        )
    files = model_files(run)
    scores = scorer_of(files, device=device).scores(picture.pixels[None])[0]
    predicted = int(scores.argmax())
    cam = grad_cam(files, device=device)
    fixed = target_class(cam.classes, target)
    chosen = predicted if fixed is None else fixed
    found = cam.maps(picture.pixels[None], np.array([chosen]))[0]
    return Shown(picture.name, picture.pixels, found, -1, predicted, chosen, float(scores[predicted]))
