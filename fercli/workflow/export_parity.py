"""Whether an exported model scores as the run does, and how fast, on rows of the run's data and on drawn ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.benchmarks.latency import Latency, latencies, one_thread
from fercli.config.export import ExportedFacts
from fercli.errors import GateFailed
from fercli.inference.scorers import ColumnScorer
from fercli.preprocessing.foldwise import Fitted
from fercli.records import Scorer
from fercli.seeds import generator
from fercli.workflow.model_export import ExportSource
from fercli.workflow.targets import ARRAYS

# Largest difference of a probability; float16 weights are rounded to 11 bits.
TOLERANCE = {"float32": 1e-4, "float16": 2e-2}
_ROWS, _DRAWN, _ALONE = 64, 32, 8
_PIXELS = 2**20


@dataclass(frozen=True)
class Parity:
    """rows: of the run's data; drawn: made up at random. difference: the largest of any probability, in one batch or
    alone. equal_labels: of rows and drawn together. tolerance: what the difference may be."""

    rows: int
    drawn: int
    difference: float
    equal_labels: int
    tolerance: float


@dataclass(frozen=True)
class Probes:
    """Inputs to compare on: the first `rows` of `inputs` are the run's, the others are drawn."""

    inputs: NDArray[Any]
    rows: int


def probes(source: ExportSource, scorer: Scorer) -> Probes:
    """Rows spread over the run's data, where that is there, and drawn ones like them; the same on every call."""
    facts = source.facts
    count, drawn = _ROWS, _DRAWN
    if facts.input == "pixels" and facts.size is not None:
        most = max(4, _PIXELS // (facts.size[0] * facts.size[1]))
        count, drawn = min(count, most), min(drawn, most)
    made = _columns(scorer.fitted, drawn) if isinstance(scorer, ColumnScorer) else _pictures(facts, drawn)
    if source.data is None:
        return Probes(made, 0)
    array = source.data.array(ARRAYS[source.data.kind])
    places = np.unique(np.linspace(0, len(array) - 1, min(count, len(array))).astype(np.int64))
    own = np.array(array[places])
    own = own[np.isfinite(own).reshape(len(own), -1).all(axis=1)]
    return Probes(np.concatenate([own, made.astype(own.dtype)]), len(own))


def parity(ours: Scorer, exported: Scorer, found: Probes, *, half: bool) -> Parity:
    """Both scored, in one batch and alone. Raises GateFailed where they differ by more than the tolerance."""
    expected = ours.scores(found.inputs)
    together = exported.scores(found.inputs)
    alone = np.concatenate([exported.scores(found.inputs[row : row + 1]) for row in _spread(len(found.inputs))])
    gaps = (np.abs(together - expected), np.abs(alone - expected[_spread(len(found.inputs))]))
    # A NaN is a difference too.
    difference = max(float(np.nan_to_num(gap, nan=np.inf).max(initial=0)) for gap in gaps)
    tolerance = TOLERANCE["float16" if half else "float32"]
    if difference > tolerance:
        worst = int(np.argmax(np.nan_to_num(gaps[0], nan=np.inf).max(axis=1)))
        raise GateFailed(
            f"the exported model differs from the run by up to {difference:.3g} in a probability; nothing was written",
            where=f"{'row' if worst < found.rows else 'drawn row'} {worst} of {len(found.inputs)}; "
            f"at most {tolerance:g} is accepted",
            next_step="leave --half out" if half else "export to safetensors, and report this with the run's variant",
        )
    equal = int(np.sum(together.argmax(axis=1) == expected.argmax(axis=1)))
    return Parity(found.rows, len(found.inputs) - found.rows, difference, equal, tolerance)


def latency(scorer: Scorer, found: Probes) -> list[Latency]:
    """Milliseconds of a sample, on one thread."""
    with one_thread():
        return latencies(scorer.scores, found.inputs)


def _spread(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(_ALONE, count)).astype(np.int64))


def _pictures(facts: ExportedFacts, count: int) -> NDArray[np.uint8]:
    shape = (count, *(facts.size or ()), *([3] if facts.channels == 3 else []))
    return generator(0, "export.pictures").integers(0, 256, shape, dtype=np.uint8)


def _columns(fitted: Fitted, count: int) -> NDArray[np.float32]:
    """Raw features that spread like the training rows along their components; a block without PCA has its columns'
    own centre and scale."""
    random = generator(0, "export.columns")
    made = np.empty((count, fitted.width))
    place = 0
    for block, projection in zip(fitted.blocks, fitted.projections, strict=True):
        if projection is None:
            part = slice(place, place + block.width)
            drawn = random.normal(size=(count, block.width)) * fitted.scaling.scale[part] + fitted.scaling.center[part]
            place += block.width
        else:
            along = random.normal(size=(count, len(projection.components))) * np.sqrt(projection.variances)
            drawn = projection.mean + along @ projection.components
            place += len(projection.components)
        made[:, block.start : block.stop] = drawn
    return made.astype(np.float32)
