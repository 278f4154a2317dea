"""What `fer bench resnet` measures: our training beside a bare PyTorch loop, a plain one, and the machine's limits."""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fercli import seeds
from fercli.benchmarks.descriptors import pictures
from fercli.benchmarks.resnet_ceilings import SIZE, Ceiling, ceilings
from fercli.benchmarks.resnet_reference import BareLoop, PlainLoop, write_pngs
from fercli.config.resnet import VARIANTS, Precision, ResNetConfig, Stem, variant_of
from fercli.resnet.batches import Pictures
from fercli.resnet.compiling import check_compiler
from fercli.resnet.determinism import exact, has_dropout, seeded
from fercli.resnet.devices import precision_on, resolve
from fercli.resnet.progress import EpochRecord, StepRecord, Task
from fercli.resnet.starting import start
from fercli.resnet.training import Training
from fercli.resnet.variants import build, describe

CLASSES = 7
# Of the first losses; rounded to bf16 or in another order by a compiler, the same sums differ by more.
TOLERANCE, ON_A_GPU, ROUNDED = 1e-5, 1e-4, 1e-2
# Two operations of a multiply-add, for the forward pass, the gradient of the inputs and that of the weights.
OPERATIONS = 6


@dataclass(frozen=True)
class Spread:
    """Median and range of a ratio over the pairs of one interleaved run."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class ResNetTiming:
    """One implementation on one variant in one precision: medians over `pairs` epochs of `images` pictures.

    cpu_seconds: processor time of all threads of this process. faster, faster_cpu: seconds of this implementation
    over ours in the same round; None for ours. agreement: difference of the first step's loss from ours, found before
    timing; 0 for the plain loop means that it reads the same pixels. gflops: arithmetic of ours as the definition of
    its layers counts it; of_matmul, of_convolution: over the device's; None for the others.
    """

    variant: str
    implementation: str
    precision: str
    device: str
    images: int
    batch: int
    threads: int
    workers: int
    pairs: int
    seconds: float
    cpu_seconds: float
    faster: Spread | None
    faster_cpu: Spread | None
    agreement: float | None
    gflops: float | None
    of_matmul: float | None
    of_convolution: float | None

    @property
    def images_per_second(self) -> float:
        return self.images / self.seconds


def benchmark(
    *,
    variants: Sequence[str] = ("cnn", "xu-resnet"),
    width: int = 16,
    device: str = "cpu",
    images: int | None = None,
    batch: int = 64,
    pairs: int = 5,
    threads: int = 1,
    workers: int | None = None,
    side: int | None = None,
    seed: int = 0,
    precision: Precision = "auto",
    stem: Stem | None = None,
    compile: bool = False,
) -> Iterator[Ceiling | ResNetTiming]:
    """Yield the device's three ceilings, then ours, the bare and the plain loop of every variant.

    width: of `cnn` alone. images: per epoch, default 512 on a CPU and 8,192 elsewhere. workers: processes of the plain
    loop's DataLoader, default 0 on a CPU, whose cores the network needs, and 4 elsewhere. side: of the square matrices.
    precision: of ours, the bare loop and the ceilings; the plain loop is in fp32. stem: of variants that have one.
    compile: ours alone.
    The three run in turn, epoch by epoch, so that a change of the machine's load meets all of them. Raises
    ArithmeticError when the first losses of ours and the bare loop differ by more than 1e-5 (1e-2 in bf16 or
    compiled), or the plain loop reads other pixels; UsageError for an unknown variant or device.
    """
    where = resolve(device)
    for name in variants:
        variant_of(name)
    if compile:
        check_compiler(where)
    small, precision = where.type == "cpu", precision_on(where, precision)
    count = images or (512 if small else 8192)
    workers = (0 if small else 4) if workers is None else workers
    with _threads(threads):
        found = ceilings(where, threads, side or (1536 if small else 8192), precision=precision)
        yield from found
        drawn = pictures(count, *SIZE, seed)
        targets = seeds.generator(seed, "bench.resnet").integers(0, CLASSES, count)
        for name in variants:
            options: dict[str, Any] = {"width": width, "stem": stem}
            options = {option: value for option, value in options.items() if option in VARIANTS[name].options}
            options |= {"precision": precision, "compile": compile}
            # More epochs than will run; ours never ends, and its rate hardly falls.
            config = ResNetConfig.of_recipe(variant=name, epochs=100_000, batch_size=batch, **options)
            with tempfile.TemporaryDirectory(prefix="fer-bench-") as folder:
                rivals = Rivals(drawn, targets, config, where, Path(folder), workers, seed)
                yield from rivals.timings(pairs, threads, found[0].rate, found[1].rate)


class Rivals:
    """Ours, the bare loop and the plain loop on one variant, all on the same pictures."""

    def __init__(
        self,
        images: NDArray[np.uint8],
        targets: NDArray[np.int64],
        config: ResNetConfig,
        device: torch.device,
        folder: Path,
        workers: int = 0,
        seed: int = 0,
    ) -> None:
        self.images, self.targets, self.config, self.device = images, targets, config, device
        self.workers, self.seed = workers, seed
        self.architecture = config.architecture(SIZE, 1, CLASSES)
        write_pngs(folder, images, targets, CLASSES)
        own = build(self.architecture, seed)
        self.plain = PlainLoop(folder, own, config, CLASSES, device, workers)

    def training(self) -> Training:
        """Ours, at its beginning."""
        nothing = np.arange(0)
        task = Task(self.targets, np.arange(len(self.images)), nothing, nothing, self.seed)
        return start(Pictures(self.images, self.device), task, self.config, self.architecture)

    def bare(self, training: Training) -> BareLoop:
        """The bare loop from the weights that ours begins with."""
        network = build(self.architecture, self.seed, *training.task.path)
        return BareLoop(network, self.images, self.targets, self.config, training.normalisation, self.device, self.seed)

    def first_losses(self) -> tuple[float, float]:
        """Mean loss of the first step from the same weights on the same augmented pictures: ours, the bare loop's."""
        training = self.training()
        bare = self.bare(training)
        steps = training.steps()
        record = next(steps)
        if not isinstance(record, StepRecord):
            raise ArithmeticError(f"the first step of {self.config.variant} was not made: {record}")
        ours = training.settle().totals[0] / record.pictures
        path, number = training.task.path, len(self.images)
        order = torch.from_numpy(seeds.generator(self.seed, "resnet.order", *path, 1).permutation(number))
        dropout = seeds.integer(self.seed, "resnet.dropout", *path, 1, 0, 0)
        with seeded(self.device, dropout, has_dropout(bare.network)):
            theirs = float(next(bare.steps(order, 1))) / record.pictures
        return ours, theirs

    def check(self) -> float:
        """Difference of the first losses; ArithmeticError where there is nothing to compare."""
        with exact():
            ours, theirs = self.first_losses()
        difference = abs(ours - theirs)
        rounded = self.config.precision == "bf16" or self.config.compile
        # A GPU may choose another algorithm of convolution for each of the two.
        close = TOLERANCE if self.device.type == "cpu" else ON_A_GPU
        if not difference <= (ROUNDED if rounded else close):
            raise ArithmeticError(
                f"{self.config.variant}: our first loss and that of the bare loop differ by {difference:.1e}"
            )
        pixels, labels = self.plain.pixels()
        if not (np.array_equal(pixels, self.images) and np.array_equal(labels, self.targets)):
            raise ArithmeticError(f"{self.config.variant}: the plain loop reads other pictures or labels than ours")
        return difference

    def _named(self) -> str:
        """The variant with what was changed of it."""
        config = self.config
        more = [str(config.width)] if config.width else [f"{config.stem} stem"] if config.stem else []
        return " ".join([config.variant, *more])

    def _precision(self, implementation: str) -> str:
        if implementation == "plain loop" or self.config.precision != "bf16":
            return "fp32"
        return "bf16"

    def timings(self, pairs: int, threads: int, matmul: float, convolution: float) -> Iterator[ResNetTiming]:
        """Check, then time; matmul, convolution: the device's GFLOP/s."""
        difference = self.check()
        training = self.training()
        bare, epochs, numbers = self.bare(training), training.steps(), itertools.count(1)
        ways: dict[str, Callable[[], object]] = {
            "ours": partial(_epoch, epochs),
            "bare loop": lambda: bare.epoch(next(numbers)),
            "plain loop": self.plain.epoch,
        }
        spent = interleaved(ways, pairs)
        # Equal channels are summed before the first convolution: the work is that of one channel.
        alone = self.architecture.model_copy(update={"equal_channels": False})
        adds = describe(alone).multiply_adds
        for name, taken in spent.items():
            ours = name == "ours"
            wall, cpu = ([statistics.median(column) for column in zip(*taken, strict=True)])[:2]
            rate = OPERATIONS * adds * len(self.images) / wall / 1e9
            ratios = [[a / b for a, b in zip(*pair, strict=True)] for pair in zip(taken, spent["ours"], strict=True)]
            by_clock, by_processor = (Spread.of(column) for column in zip(*ratios, strict=True))
            yield ResNetTiming(
                variant=self._named(),
                implementation="ours, compiled" if ours and self.config.compile else name,
                precision=self._precision(name),
                device=str(self.device),
                images=len(self.images),
                batch=self.config.batch_size,
                threads=threads,
                workers=self.workers if name == "plain loop" else 0,
                pairs=pairs,
                seconds=wall,
                cpu_seconds=cpu,
                faster=None if ours else by_clock,
                faster_cpu=None if ours else by_processor,
                agreement={"ours": None, "bare loop": difference}.get(name, 0.0),
                gflops=rate if ours else None,
                of_matmul=rate / matmul if ours else None,
                of_convolution=rate / convolution if ours else None,
            )


def interleaved(ways: dict[str, Callable[[], object]], pairs: int) -> dict[str, list[tuple[float, float]]]:
    """(seconds, processor seconds) of each way in each round, forwards and backwards by turns, after one run unseen."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for number in range(pairs):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            begun, cpu = time.perf_counter(), time.process_time()
            ways[name]()
            spent[name].append((time.perf_counter() - begun, time.process_time() - cpu))
    return spent


def _epoch(events: Iterator[object]) -> None:
    next(event for event in events if isinstance(event, EpochRecord))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
