"""Examples of a data set, a strip of pictures for each class: figure 1 of Du's paper."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.records import Samples
from fercli.report.figures.contact_sheet import ACROSS, Strip, contact_sheet
from fercli.report.figures.style import png_bytes, svg_bytes
from fercli.report.material import Drawing
from fercli.seeds import generator


def example_rows(samples: Samples, seed: int, across: int = ACROSS) -> dict[str, NDArray[np.int64]]:
    """Rows of each class, drawn without replacement, in the order of the file; of a smaller class all."""
    found = {}
    for place, name in enumerate(samples.classes):
        rows = np.flatnonzero(samples.targets == place)
        drawn = generator(seed, "examples", place).permutation(len(rows))[:across]
        found[name] = np.sort(rows[drawn])
    return found


def examples_drawing(name: str, pictures: Mapping[str, Sequence[NDArray[np.uint8]]], stem: str) -> list[Drawing]:
    """pictures: (H, W) or (H, W, 3) uint8 by class; a class without any is left out."""
    strips = [Strip(label, shown, [("", "")] * len(shown)) for label, shown in pictures.items() if len(shown)]
    if not strips:
        return []
    figure = contact_sheet(f"Examples of {name}", strips)
    caption = f"Examples of {name}, drawn at random from each class."
    return [Drawing(stem, caption, svg_bytes(figure), png_bytes(figure))]
