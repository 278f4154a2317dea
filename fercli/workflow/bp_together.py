"""Several BP runs side by side: whenever all of them wait for a training, these are trained as one stack."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from fercli.bp.foldwise import Prepared
from fercli.bp.training import EpochRecord, Trained, Training, finish, train_together
from fercli.config.bp import TrainBPConfig
from fercli.errors import FerError
from fercli.records import Fold, Notify, Outcome, Progress
from fercli.workflow.bp_devices import BPDevice
from fercli.workflow.bp_inputs import BPInputs, PreparedRows


@dataclass(frozen=True)
class Asked:
    """A training that a run waits for. phase: what the progress line calls it. see: is shown every epoch's record.

    key: what decides the training among the runs of a sweep, where data and folds are the same: of equal keys one
    is trained; None where nothing else can be equal.
    """

    training: Training
    phase: str
    see: Callable[[EpochRecord], None]
    key: str | None = None


@dataclass(frozen=True)
class Answer:
    """The networks, and their share of the seconds that training took."""

    trained: Trained
    seconds: float


# A run that asks for its trainings one after the other and ends with its outcome.
Work = Generator[Asked, Answer, Outcome]


@dataclass
class Together:
    """How runs are trained, and what they share."""

    threads: int
    notify: Notify
    device: BPDevice = field(default_factory=BPDevice)
    _prepared: PreparedRows = field(default_factory=dict)
    _known: dict[str, tuple[Trained, list[EpochRecord]]] = field(default_factory=dict)
    _phase: str = ""
    _bar: Progress | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    def prepared(
        self, inputs: BPInputs, folds: Sequence[Fold], config: TrainBPConfig, *, shared: bool = True
    ) -> Prepared:
        """Rows of these folds after their preprocessing, by all threads. shared: with runs that ask alike."""
        with threadpool_limits(self.threads, user_api="blas"):
            return inputs.prepared(folds, config, self._prepared if shared else None)

    def answers(self, waiting: Mapping[str, Asked]) -> dict[str, Answer]:
        """Train what these runs wait for; of trainings with one key only the first, and none that was done before."""
        fresh: dict[str, list[Asked]] = {}
        for name, asked in waiting.items():
            if asked.key is None or asked.key not in self._known:
                fresh.setdefault(asked.key or name, []).append(asked)
        found = self._train(fresh) if fresh else {}
        answers = {}
        for name, asked in waiting.items():
            key = asked.key or name
            if key in found:
                answers[name] = found[key]
            else:
                trained, records = self._known[key]
                for record in records:
                    asked.see(record)
                answers[name] = Answer(trained, 0.0)
        return answers

    def _train(self, fresh: Mapping[str, list[Asked]]) -> dict[str, Answer]:
        trainings = [asked[0].training for asked in fresh.values()]
        seen: list[list[EpochRecord]] = [[] for _ in fresh]
        steps = np.zeros(len(fresh))
        bar = self._progress(min(asked[0].phase for asked in fresh.values()), trainings)

        def show(records: list[EpochRecord | None]) -> None:
            losses, units = [], []
            for place, (record, several) in enumerate(zip(records, fresh.values(), strict=True)):
                if record is None:
                    continue
                if several[0].key is not None:
                    seen[place].append(record)
                for asked in several:
                    asked.see(record)
                busy = record.trained
                counts = np.array([len(rows.y) for rows in trainings[place].rows])
                steps[place] += float((counts * record.units)[busy].sum())
                losses += record.train_loss[busy].tolist()
                units += record.units[busy].tolist()
            bar.advance(1, f"train loss {np.mean(losses):.4f}, {np.mean(units):.1f} units on average")

        started = time.perf_counter()
        run = train_together(trainings, threads=self.threads, device=self.device.name)
        networks = finish(run, show)
        seconds = time.perf_counter() - started
        answers = {}
        for place, (key, several) in enumerate(fresh.items()):
            share = seconds * float(steps[place] / steps.sum()) / len(several)
            answers[key] = Answer(networks[place], share)
            if several[0].key is not None:
                self._known[key] = (networks[place], seen[place])
        return answers

    def _progress(self, phase: str, trainings: list[Training]) -> Progress:
        """The bar of a phase; rounds of pruning share one, because nobody knows how many there will be."""
        if self._bar is None or phase != self._phase or phase == TRAINING:
            self.close()
            networks = sum(len(training.rows) for training in trainings)
            total = max(training.epochs for training in trainings) if phase == TRAINING else None
            self._bar = self._open.enter_context(self.notify.progress(f"{phase} {networks} networks", total, "epochs"))
            self._phase = phase
        return self._bar

    def close(self) -> None:
        """End the progress line."""
        self._open.close()
        self._bar = None


TRAINING, PRUNING, CHOOSING = "training", "pruning", "choosing the size of"


def run_together(works: Mapping[str, Work], together: Together) -> dict[str, Outcome]:
    """Run all works to their ends, by name.

    What fails before anything is trained refuses them all; a run that fails later is named and left, and raised as
    the error of all when the others are done.
    """
    outcomes: dict[str, Outcome] = {}
    waiting: dict[str, Asked] = {}
    failures: dict[str, FerError] = {}

    def advance(name: str, answer: Answer | None) -> None:
        try:
            waiting[name] = next(works[name]) if answer is None else works[name].send(answer)
        except StopIteration as end:
            outcomes[name] = end.value
        except FerError as error:
            failures[name] = error if len(works) == 1 else _named(error, name)

    limits = ExitStack()
    try:
        # In one order everywhere, because each takes the lock of its artifact and others may sweep beside us.
        for name in sorted(works):
            advance(name, None)
            if failures:
                raise failures[name]
        # Chunks are the unit of threads: the products are small, and threads within one wait for each other.
        limits.enter_context(threadpool_limits(1, user_api="blas"))
        while waiting:
            answers = together.answers(waiting)
            waiting.clear()
            for name, answer in answers.items():
                advance(name, answer)
                if name in failures and len(works) > 1:
                    together.notify.warn(f"{name} failed, the others go on: {failures[name].what}")
    finally:
        limits.close()
        together.close()
        for work in works.values():
            work.close()
    if failures:
        raise next(iter(failures.values()))
    return {name: outcomes[name] for name in works}


def run_alone(work: Work, together: Together) -> Outcome:
    """One run by itself."""
    (outcome,) = run_together({"": work}, together).values()
    return outcome


def _named(error: FerError, name: str) -> FerError:
    """The error with the run that it befell, which names the combination of a sweep."""
    where = f"run {name}" + (f", {error.where}" if error.where else "")
    return type(error)(error.what, where=where, next_step=error.next_step)
