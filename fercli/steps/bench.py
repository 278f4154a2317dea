"""`fer bench`: our own speed beside the obvious alternative, in one run, results checked equal before timing."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from fercli.artifacts.provenance import available_cores, environment
from fercli.artifacts.store import Store
from fercli.config.bench import TOPICS, BenchConfig
from fercli.errors import UsageError
from fercli.records import Notify, Outcome, Table
from fercli.workflow.inputs import input_artifact
from fercli.workflow.request import Request


@dataclass(frozen=True)
class Topic:
    """A benchmark: its timings one after the other, as records, and how a record becomes a row of the table."""

    timings: Callable[[BenchConfig, Request, Store], Iterable[Any]]
    columns: tuple[str, ...]
    row: Callable[[Any], tuple[Any, ...]]


def run(config: BenchConfig, request: Request, store: Store, notify: Notify) -> Outcome:
    """Measure one topic; the load average is taken before and after, because other work slows both sides unequally."""
    if request.inputs.get("features") and config.topic != "pca":
        raise UsageError(f"fer bench {config.topic} reads no features", next_step="leave --features out")
    topic = _TOPICS[config.topic]
    before = _load()
    timings = []
    with notify.progress(f"measuring {config.topic}", None, "timings") as bar:
        for timing in topic.timings(config, request, store):
            timings.append(timing)
            bar.advance(note=timing.implementation)
    after = _load()
    versions = environment()
    machine = {
        "cores": available_cores(),
        "threads": request.threads,
        "load_before": before,
        "load_after": after,
        "versions": versions,
    }
    notes = [
        f"{machine['cores']} cores, load average {_shown(before)} before and {_shown(after)} after",
        ", ".join(f"{name} {version}" for name, version in versions.items()),
    ]
    if config.quick:
        notes.insert(0, "quick: small data, one repeat; these times say little")
    table = Table(
        f"{config.topic}: {TOPICS[config.topic]}", topic.columns, tuple(map(topic.row, timings)), tuple(notes)
    )
    payload = {"topic": config.topic, "quick": config.quick, "machine": machine, "timings": list(map(_json, timings))}
    return Outcome(payload=payload, tables=(table,))


def _descriptors(config: BenchConfig, request: Request, store: Store) -> Iterator[Any]:
    from fercli.benchmarks.descriptors import SIZES, benchmark

    limits: Any = import_module("threadpoolctl")
    with limits.threadpool_limits(limits=1):  # "one core" is one: processes, not threads, take the others
        yield from benchmark(
            sizes=((48, 48),) if config.quick else SIZES,
            repeats=1 if config.quick else config.repeats,
            jobs=request.jobs,
            seed=config.seed,
        )


def _bp(config: BenchConfig, request: Request, store: Store) -> Iterator[Any]:
    from fercli.benchmarks.bp import benchmark

    size: dict[str, Any] = {"networks": 4, "hidden": (16,), "epochs": 1, "repeats": 1}
    if not config.quick:
        size = {"repeats": config.repeats, "threads": tuple(sorted({1, request.threads}))}
    yield from benchmark(seed=config.seed, **size)


def _pca(config: BenchConfig, request: Request, store: Store) -> Iterator[Any]:
    from fercli.benchmarks.pca import MADE_SHAPES, benchmark, made

    measure = partial(
        benchmark,
        folds=config.folds,
        components=config.components,
        threads=request.threads,
        repeats=1 if config.quick else config.repeats,
        seed=config.seed,
    )
    if request.inputs.get("features"):
        artifact = input_artifact(store, "features", request)
        features = artifact.array("features.npy")
        taken = np.linspace(0, len(features) - 1, min(config.rows, len(features))).astype(np.int64)
        yield from measure(artifact.label, np.asarray(features[taken]))
        return
    for rows, columns in ((300, 60), (80, 200)) if config.quick else MADE_SHAPES:
        yield from measure("made", made(rows, columns, config.seed))


def _resnet(config: BenchConfig, request: Request, store: Store) -> Iterator[Any]:
    from fercli.benchmarks.resnet import benchmark

    size: dict[str, Any] = {"images": 32, "batch": 16, "pairs": 1, "side": 256}
    if not config.quick:
        size = {"pairs": config.repeats, "batch": config.batch_size}
    yield from benchmark(
        variants=config.variant,
        width=config.width,
        device=config.device,
        precision=config.precision,
        stem=config.stem,
        compile=config.compile,
        threads=request.threads,
        seed=config.seed,
        **size,
    )


_TOPICS = {
    "descriptors": Topic(
        _descriptors,
        ("descriptor", "implementation", "size", "images", "cores", "images/s", "ms per image and core", "difference"),
        lambda t: (
            t.what,
            t.implementation,
            f"{t.height}x{t.width}",
            t.images,
            t.jobs,
            round(t.images_per_second),
            t.milliseconds,
            _small(t.agreement),
        ),
    ),
    "bp": Topic(
        _bp,
        (
            "implementation",
            "networks",
            "hidden",
            "batch",
            "epochs",
            "threads",
            "seconds",
            "ours is faster",
            "difference",
        ),
        lambda t: (
            t.implementation,
            t.networks,
            t.hidden,
            t.batch or "all rows",
            t.epochs,
            t.threads,
            t.seconds,
            f"{t.speedup:.1f} x",
            _small(t.agreement),
        ),
    ),
    "pca": Topic(
        _pca,
        (
            *("data", "implementation", "rows", "columns", "folds", "kept", "threads", "seconds", "CPU seconds"),
            *("peak MiB", "ours is faster", "difference"),
        ),
        lambda t: (
            t.data,
            t.implementation,
            t.rows,
            t.columns,
            t.folds,
            t.components,
            t.threads,
            t.seconds,
            t.cpu_seconds,
            round(t.peak_bytes / 2**20),
            f"{t.ratio:.1f} x",
            _small(t.agreement),
        ),
    ),
    "resnet": Topic(
        _resnet,
        (
            *("network", "implementation", "precision", "device", "threads", "batch", "images/s", "CPU ms per image"),
            *("ours is faster", "by CPU time", "rate", "of product", "of convolution", "difference"),
        ),
        lambda t: (
            (
                None,
                t.implementation,
                t.precision or None,
                t.device,
                t.threads,
                *(None,) * 5,
                f"{t.rate:.1f} {t.unit}",
                *(None,) * 3,
            )
            if hasattr(t, "unit")
            else (
                t.variant,
                t.implementation,
                t.precision,
                t.device,
                t.threads,
                t.batch,
                round(t.images_per_second),
                1000 * t.cpu_seconds / t.images,
                _spread(t.faster),
                _spread(t.faster_cpu),
                None if t.gflops is None else f"{t.gflops:.1f} GFLOP/s",
                None if t.of_matmul is None else f"{100 * t.of_matmul:.0f} %",
                None if t.of_convolution is None else f"{100 * t.of_convolution:.0f} %",
                _small(t.agreement),
            )
        ),
    ),
}


def _spread(ratio: Any) -> str | None:
    return None if ratio is None else f"{ratio.median:.3f} x ({ratio.low:.2f}–{ratio.high:.2f})"


def _small(value: float | None) -> str | None:
    return None if value is None else f"{value:.1e}"


def _json(timing: Any) -> dict[str, Any]:
    """The record's fields, and the derived rates where it has them."""
    derived = ("images_per_second", "milliseconds")
    return asdict(timing) | {name: getattr(timing, name) for name in derived if hasattr(timing, name)}


def _load() -> float | None:
    """1-minute load average, None where the system has none."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _shown(load: float | None) -> str:
    return "unknown" if load is None else f"{load:.2f}"
