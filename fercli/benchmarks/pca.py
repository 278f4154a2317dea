"""What `fer bench pca` measures: the PCA of all folds from one pass beside scikit-learn's, fold by fold."""

import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.preprocessing.pca import Projection, fit_projections
from fercli.seeds import generator

TOLERANCE = 1e-8
# Components of less than this part of the first variance are not compared: their direction is rounding.
COMPARED = 1e-8
MADE_SHAPES = ((4000, 400), (600, 1500))
# Products of a full decomposition, roughly: above this it takes a minute per fold on one core.
LARGEST_FULL = 2e10
_LATENT = 60
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class PCATiming:
    """One row of the table: the best of the repeats, for the PCAs of all folds together.

    peak_bytes: largest sum of arrays held at once, beside the features. agreement: largest difference of an entry of
    a unit-length component, or of a variance relative to the first, from ours over all folds; None for ours. exact:
    whether that solver is meant to be exact. ratio: its seconds over ours.
    """

    data: str
    implementation: str
    rows: int
    columns: int
    folds: int
    components: int
    threads: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    agreement: float | None
    exact: bool
    ratio: float


def made(rows: int, columns: int, seed: int = 0) -> NDArray[np.float32]:
    """(rows, columns) float32 with variances that fall by a tenth from one component to the next, and noise."""
    rng = generator(seed, "bench.pca", rows, columns)
    scores = rng.normal(size=(rows, _LATENT)) * 0.9 ** np.arange(_LATENT)
    basis = rng.normal(size=(_LATENT, columns)) / np.sqrt(columns)
    return (scores @ basis + 1e-3 * rng.normal(size=(rows, columns)) + 0.1).astype(np.float32)


def training_rows(rows: int, folds: int, seed: int = 0) -> list[Rows]:
    """Training rows of each of `folds` shuffled folds."""
    order = generator(seed, "bench.pca.folds", rows, folds).permutation(rows)
    return [np.setdiff1d(np.arange(rows), held_out) for held_out in np.array_split(order, folds)]


def benchmark(
    data: str,
    features: NDArray[np.floating],
    *,
    folds: int = 20,
    components: int = 20,
    threads: int = 1,
    repeats: int = 3,
    seed: int = 0,
) -> Iterator[PCATiming]:
    """Yield ours and scikit-learn's `solvers`, of which the default may be a randomised one.

    features: (N, D). All of them are first run once untimed, for the agreement and the memory. Raises ArithmeticError
    when an exact solver differs from ours by more than 1e-8, because then there is nothing to compare.
    """
    limits: Any = import_module("threadpoolctl")  # comes with scikit-learn, has no type stubs
    sets = training_rows(len(features), folds, seed)
    with limits.threadpool_limits(limits=threads):
        sklearn(features[:4], np.arange(4), 1, "full")  # so that its import counts for nobody's memory
        one_pass = partial(fit_projections, features, sets, components)
        ours, peak = _peak(one_pass)
        found: list[tuple[str, Callable[[], object], int, float | None, bool]] = [
            ("fercli", one_pass, peak, None, True)
        ]
        for solver in solvers(len(sets[0]), features.shape[1], components):
            differences, peaks, used = [], [], solver
            for rows, projection in zip(sets, ours, strict=True):
                (theirs, used), held = _peak(partial(sklearn, features, rows, components, solver))
                differences.append(difference(projection, theirs))
                peaks.append(held)
            agreement, exact = max(differences), used != "randomized"
            if exact and agreement > TOLERANCE:
                raise ArithmeticError(
                    f"{data}: our components and those of scikit-learn's {used} differ by {agreement:.1e}"
                )
            if solver == "auto" and used in {name.removeprefix("scikit-learn ") for name, *_ in found}:
                continue  # the default is what was run already
            name = f"scikit-learn {solver}" if solver != "auto" else f"scikit-learn default ({used})"
            found.append((name, _loop(features, sets, components, solver), max(peaks), agreement, exact))
        seconds = {name: _best(way, repeats) for name, way, *_ in found}
    for name, _, held, agreement_, exact in found:
        yield PCATiming(
            data=data,
            implementation=name,
            rows=len(features),
            columns=features.shape[1],
            folds=folds,
            components=components,
            threads=threads,
            seconds=seconds[name][0],
            cpu_seconds=seconds[name][1],
            peak_bytes=held,
            agreement=agreement_,
            exact=exact,
            ratio=seconds[name][0] / seconds["fercli"][0],
        )


def solvers(rows: int, columns: int, components: int) -> tuple[str, ...]:
    """scikit-learn's solvers to stand beside ours: the reference, its fastest exact one for the shape, its default.

    The reference is left out where one fold of it takes a minute; the other exact one is then what ours must equal.
    """
    small = rows * columns * min(rows, columns) <= LARGEST_FULL
    rival = "covariance_eigh" if columns <= rows else "arpack"
    if rival == "arpack" and components >= min(rows, columns):
        return ("full", "auto")
    return (*(("full",) if small else ()), rival, "auto")


def sklearn(features: NDArray[np.floating], rows: Rows, components: int, solver: str) -> tuple[Projection, str]:
    """scikit-learn's PCA of features[rows] in float64, as anyone would call it, and the solver that it took."""
    from sklearn.decomposition import PCA

    part = np.asarray(features[rows], dtype=np.float64)
    model = PCA(min(components, *part.shape), svd_solver=solver, random_state=0).fit(part)
    total = float(model.explained_variance_.sum() / model.explained_variance_ratio_.sum())
    return Projection(model.mean_, model.components_, model.explained_variance_, total), model._fit_svd_solver


def difference(ours: Projection, theirs: Projection) -> float:
    """Largest difference of means, unit-length components up to sign, and variances relative to the first."""
    first = theirs.variances[0]
    kept = int(np.sum(theirs.variances > COMPARED * first))
    if len(ours.variances) < kept:
        return float("inf")
    signs = np.sign(np.sum(ours.components[:kept] * theirs.components[:kept], axis=1, keepdims=True))
    return max(
        float(np.abs(ours.components[:kept] - signs * theirs.components[:kept]).max()),
        float(np.abs(ours.variances[:kept] - theirs.variances[:kept]).max() / first),
        float(np.abs(ours.mean - theirs.mean).max()),
    )


def _loop(features: NDArray[np.floating], sets: Sequence[Rows], components: int, solver: str) -> Callable[[], object]:
    def run() -> None:
        for rows in sets:
            sklearn(features, rows, components, solver)

    return run


def _peak(job: Callable[[], Any]) -> tuple[Any, int]:
    """What a job gives, and the most bytes that it held at once."""
    tracemalloc.start()
    try:
        result = job()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _best(job: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Seconds and processor seconds of the fastest run: the one least disturbed by other processes."""
    taken = []
    for _ in range(repeats):
        started, cpu = time.perf_counter(), time.process_time()
        job()
        taken.append((time.perf_counter() - started, time.process_time() - cpu))
    return min(taken)
