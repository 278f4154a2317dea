"""Permutation importance: what a model loses when rows swap the values of some of its columns (Breiman 2001)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.bp.network import forward
from fercli.bp.network import probabilities as bp_probabilities
from fercli.inference import baseline_model, bp_model
from fercli.inference.model_files import ModelFiles
from fercli.preprocessing.foldwise import Fitted, apply
from fercli.seeds import generator


@dataclass(frozen=True)
class ColumnModel:
    """A stored model on columns, taken apart behind its preprocessing.

    scores: (n, d) fitted columns -> (n, C) float64 probabilities.
    """

    fitted: Fitted
    classes: tuple[str, ...]
    scores: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    def columns(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, d) float64 fitted columns of raw features (n, D)."""
        return apply(self.fitted, features)


@dataclass(frozen=True)
class Unit:
    """Columns that are permuted together. kind: `block` or `component`. columns: (m,) places among the fitted ones."""

    kind: str
    name: str
    block: str
    columns: NDArray[np.int64]


def column_model(files: ModelFiles) -> ColumnModel:
    """The model in a folder. Raises ArtifactError where it is missing, damaged, not stored or no model on columns."""
    if files.facts().get("kind") == bp_model.KIND:
        network = bp_model.bp_model(files)
        return ColumnModel(
            network.fitted, network.classes, lambda columns: bp_probabilities(forward(network.network, 0, columns))
        )
    yardstick = baseline_model.baseline_model(files)
    return ColumnModel(yardstick.preprocessing, yardstick.classes, yardstick.model.probabilities)


def units_of(fitted: Fitted, components: int) -> list[Unit]:
    """Every block that has columns left, then the first `components` columns of each.

    A block's raw columns reach the model through columns of its own (one PCA a block, logarithm and scale column by
    column), so that permuting rows in these is permuting them in the raw ones.
    """
    start = 0
    blocks, single = [], []
    for block, projection in zip(fitted.blocks, fitted.projections, strict=True):
        width = block.width if projection is None else len(projection.components)
        if width:
            blocks.append(Unit("block", block.name, block.name, np.arange(start, start + width)))
        for place in range(start, start + min(width, components)):
            single.append(Unit("component", fitted.names[place], block.name, np.array([place])))
        start += width
    return [*blocks, *single]


def permuted_scores(
    model: ColumnModel,
    columns: NDArray[np.float64],
    units: Sequence[Unit],
    permutations: int,
    *,
    seed: int,
    path: Sequence[str | int],
) -> Iterator[tuple[Unit, int, NDArray[np.float64]]]:
    """Yield (unit, number, (n, C) probabilities) with the unit's columns of the rows (n, d) permuted among these rows.

    The permutation is drawn from (seed, path, unit, number); path: names the rows, such as repeat and fold.
    """
    for unit in units:
        for number in range(permutations):
            random = generator(seed, "explain.permutation", *path, unit.kind, unit.name, number)
            order = random.permutation(len(columns))
            changed = columns.copy()
            changed[:, unit.columns] = columns[order][:, unit.columns]
            yield unit, number, model.scores(changed)
