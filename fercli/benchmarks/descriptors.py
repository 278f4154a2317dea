"""What `fer bench descriptors` measures: our PHOG and LPQ beside a plain transcription and scikit-image's HOG."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fercli.benchmarks import descriptor_reference as plain
from fercli.config.descriptors import DescriptorConfig
from fercli.descriptors.extraction import CHUNK_IMAGES, chunks, extract, extract_chunks
from fercli.descriptors.hog import hog_batch
from fercli.descriptors.lpq import lpq_batch
from fercli.descriptors.phog import phog_batch
from fercli.seeds import generator

SIZES: tuple[tuple[int, int], ...] = ((48, 48), (256, 256), (576, 720))
TOLERANCE = 1e-12
_MEGAPIXELS = 2.5
PAIRS: tuple[tuple[str, Callable[..., Any], Callable[..., Any]], ...] = (
    ("phog", phog_batch, plain.phog),
    ("lpq", lpq_batch, plain.lpq),
)
_REFERENCE_IMAGES = {(48, 48): 256, (256, 256): 24}


@dataclass(frozen=True)
class DescriptorTiming:
    """One row of the table: the best of the repeats, over `images` pictures of height x width on `jobs` cores.

    agreement: largest difference from the plain transcription, found before timing; None where there is none.
    """

    what: str
    implementation: str
    height: int
    width: int
    images: int
    jobs: int
    seconds: float
    agreement: float | None = None

    @property
    def images_per_second(self) -> float:
        return self.images / self.seconds

    @property
    def milliseconds(self) -> float:
        """Milliseconds per image and core."""
        return 1000 * self.seconds * self.jobs / self.images


@dataclass(frozen=True)
class Surroundings:
    """What a timing depends on and a reader has to know. load: 1-minute load average, None where there is none."""

    cores: int
    threads: str
    load: float | None
    machine: str
    versions: dict[str, str]


def surroundings() -> Surroundings:
    """Cores this process may use, the thread limit in force, the load and the versions that matter."""
    return Surroundings(
        cores=cores(),
        threads=os.environ.get("OMP_NUM_THREADS", "unset"),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        versions={name: version(name) for name in ("numpy", "scipy", "scikit-image", "joblib")},
    )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pictures(count: int, height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """(count, H, W) uint8 with edges at several scales, about as busy as a face: blurred noise, grain on top."""
    stack = np.empty((count, height, width), dtype=np.uint8)
    for index in range(count):
        rng = generator(seed, "bench.descriptors", height, width, index)
        scene = sum(
            (side / 48) * _unit(ndimage.gaussian_filter(rng.normal(size=(height, width)), scale))
            for side, scale in ((48, height / 8), (24, height / 20), (12, 1.5))
        )
        stack[index] = np.clip(128 + 40 * scene + rng.normal(size=(height, width)), 0, 255)
    return stack


def benchmark(
    *, sizes: tuple[tuple[int, int], ...] = SIZES, repeats: int = 3, jobs: int | None = None, seed: int = 0
) -> Iterator[DescriptorTiming]:
    """Yield one timing after the other: each implementation on one core, then ours on all.

    jobs: how many cores "all" is, None for those this process may use. Before the timings, our values are
    compared with the plain transcription's on every picture that it is timed on. Raises ArithmeticError if any
    differs by more than 1e-12, because then there is nothing to compare.
    """
    everything = cores() if jobs is None else jobs
    for height, width in sizes:
        count = max(2, int(_MEGAPIXELS * 1e6 / (height * width)))
        few = min(count, _REFERENCE_IMAGES.get((height, width), 4))
        yield from _one_size(pictures(count, height, width, seed), few, repeats, everything)


def _one_size(images: NDArray[np.uint8], few: int, repeats: int, everything: int) -> Iterator[DescriptorTiming]:
    """Timings on pictures of one size; what is slow sees only the first `few` of them."""
    count, height, width = images.shape
    some = images[:few]
    agreements = []
    for what, ours, theirs in PAIRS:
        difference = float(np.abs(ours(some) - [theirs(image) for image in some]).max())
        if difference > TOLERANCE:
            raise ArithmeticError(f"{what} at {height}x{width} differs by {difference:.3g} from the transcription")
        agreements.append(difference)
        seconds = _best(partial(ours, images), repeats)
        yield DescriptorTiming(what, "fercli", height, width, count, 1, seconds, difference)
        seconds = _best(partial(_each, theirs, some), repeats)
        yield DescriptorTiming(what, "transcription", height, width, few, 1, seconds, difference)
    seconds = _best(partial(hog_batch, some), repeats)
    yield DescriptorTiming("hog", "scikit-image", height, width, few, 1, seconds)
    config = DescriptorConfig(descriptors=("phog", "lpq"))
    seconds = _best(partial(extract, images, config), repeats)
    yield DescriptorTiming("phog+lpq", "fercli", height, width, count, 1, seconds, max(agreements))
    if everything > 1:
        yield _on_all_cores(images, config, everything, repeats)


def _on_all_cores(images: NDArray[np.uint8], config: DescriptorConfig, jobs: int, repeats: int) -> DescriptorTiming:
    """Extraction over processes that already run; enough pictures that every process gets several chunks."""
    height, width = images.shape[1:]
    wanted = 4 * jobs * chunks(CHUNK_IMAGES, (height, width))[0].stop
    many = np.concatenate([images] * -(-wanted // len(images)))[:wanted]

    def job() -> None:
        for _ in extract_chunks(many, config, jobs=jobs):
            pass

    job()
    return DescriptorTiming("phog+lpq", "fercli", height, width, len(many), jobs, _best(job, repeats))


def _each(describe: Callable[..., Any], images: NDArray[np.uint8]) -> None:
    for image in images:
        describe(image)


def _best(job: Callable[[], Any], repeats: int) -> float:
    """Seconds of the fastest of `repeats` runs: the one least disturbed by other processes."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _unit(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    return plane / plane.std()
