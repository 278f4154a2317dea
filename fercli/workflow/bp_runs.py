"""How a BP run is made: begun, trained as it asks for it, resumed, committed."""

import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.draft import Draft
from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.bp.chunk import Rows
from fercli.bp.foldwise import Prepared, final_fold, rule_of, untrained
from fercli.bp.pruning import Pruned, PruneRecord, Retraining
from fercli.bp.training import EpochRecord, Trained, Training
from fercli.config.bp import TrainBPConfig
from fercli.errors import UsageError
from fercli.records import Outcome
from fercli.workflow.bp_cost import would_train
from fercli.workflow.bp_inputs import BPInputs
from fercli.workflow.bp_log import TrainingLog
from fercli.workflow.bp_together import PRUNING, TRAINING, Answer, Asked, Together, Work
from fercli.workflow.ledger import note_test_scoring
from fercli.workflow.request import Request

C = TypeVar("C", bound=TrainBPConfig)


class Laps:
    """Seconds by step, for `timing.csv`; a step that comes twice is added up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """The time since the last lap went into `step`."""
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._last
        self._last = now

    def instead(self, step: str, seconds: float) -> None:
        """The time since the last lap belonged to several runs; this one's share went into `step`."""
        self.seconds[step] = self.seconds.get(step, 0.0) + seconds
        self._last = time.perf_counter()


class BPRun(AbstractContextManager["BPRun"]):
    """One run while it is being made; left by a signal it saves what it has trained."""

    def __init__(self, draft: Draft, store: Store, together: Together) -> None:
        self.draft, self.together = draft, together
        self.laps = Laps()
        self._log = TrainingLog(draft, store.disk)

    def __enter__(self) -> Self:
        if self.draft.resumed:
            self.together.notify.say(f"run/{self.draft.name}: going on from what an interrupted run has trained")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Interrupted, or closed because a run beside it was: no failure of its own.
        if kind is not None and not issubclass(kind, Exception):
            self._log.save()

    def ask(
        self,
        training: Training,
        phase: str,
        see: Callable[[EpochRecord], None],
        *,
        step: str = TRAINING,
        key: str | None = None,
    ) -> Generator[Asked, Answer, Trained]:
        """Have something trained; see, phase, key: of `Asked`; step: of `timing.csv`. UsageError when it diverges."""
        known = self._log.recall(training)
        if known is not None:
            for record in known[1]:
                see(record)
            return known[0]
        records: list[EpochRecord] = []

        def shown(record: EpochRecord) -> None:
            records.append(record)
            see(record)

        self.laps.lap(step)
        answer = yield Asked(training, phase, shown, key)
        self.laps.instead(step, answer.seconds)
        _refuse_diverged(answer.trained, training)
        self._log.note(training, answer.trained, records)
        return answer.trained

    def train(
        self,
        rows: Sequence[Rows],
        classes: int,
        config: TrainBPConfig,
        see: Callable[[EpochRecord], None] = lambda record: None,
        *,
        phase: str = TRAINING,
        step: str = TRAINING,
        shared: bool = True,
    ) -> Generator[Asked, Answer, Trained]:
        """Train fresh networks over `rows`. shared: the same training of another run of the sweep will do."""
        stack = untrained(rows, classes, config)
        training = Training(stack, rows, rule_of(config), config.epochs, patience=config.patience)
        training.check()
        return (yield from self.ask(training, phase, see, step=step, key=_key(rows, config) if shared else None))

    def final_rows(self, inputs: BPInputs, config: C, epochs: NDArray[np.int64]) -> tuple[Prepared, C]:
        """All rows of the folds for one more network, and its config: the median of the folds' epochs, no stopping."""
        alone = config.model_copy(update={"epochs": max(1, round(float(np.median(epochs)))), "patience": None})
        return self.together.prepared(inputs, [final_fold(inputs.planned.plan.rows)], alone), alone

    def prune(
        self,
        steps: Generator[Retraining | PruneRecord, Trained | None, Pruned],
        see: Callable[[EpochRecord | PruneRecord], None],
        *,
        phase: str = PRUNING,
        step: str = TRAINING,
    ) -> Generator[Asked, Answer, Pruned]:
        """Have a pruning retrained as it goes; see: is shown every epoch of it, and every removal."""
        answer: Trained | None = None
        while True:
            try:
                found = steps.send(answer)
            except StopIteration as end:
                pruned: Pruned = end.value
                return pruned
            answer = None
            if isinstance(found, PruneRecord):
                see(found)
            else:
                answer = yield from self.ask(found.training, phase, _whole(found, see), step=step)


def _whole(retraining: Retraining, see: Callable[[EpochRecord], None]) -> Callable[[EpochRecord], None]:
    return lambda record: see(retraining.whole(record))


def _key(rows: Sequence[Rows], config: TrainBPConfig) -> str:
    """What decides a training within one sweep, where data and folds are the same."""
    stored = {name: value for name, value in config.stored().items() if name in TrainBPConfig.model_fields}
    return json.dumps([stored, [[own.key.repeat, own.key.fold] for own in rows]])


def _refuse_diverged(trained: Trained, training: Training) -> None:
    stack = trained.stack
    finite = [
        np.isfinite(part).reshape(len(stack), -1).all(axis=1) for part in (stack.w1, stack.b1, stack.w2, stack.b2)
    ]
    bad = np.flatnonzero(~np.all(finite, axis=0))
    if len(bad):
        key = training.rows[int(bad[0])].key
        raise UsageError(
            f"training diverged: {len(bad)} of {len(stack)} networks have weights that are no finite numbers",
            where=f"repeat {key.repeat}, fold {key.fold}, --lr {training.rule.rate:g}",
            next_step="give a smaller --lr, or scale the features with --scaling zscore",
        )


def make_run(
    command: str,
    name: str,
    algorithm: int,
    config: TrainBPConfig,
    inputs: BPInputs,
    parents: Sequence[Parent],
    request: Request,
    store: Store,
    together: Together,
    fill: Callable[[BPRun], Generator[Asked, Answer, dict[str, Any]]],
    outcome: Callable[[Artifact, str], Outcome],
) -> Work:
    """The run called `name`: up to date, or begun, filled, noted in the ledger and committed.

    fill: trains, writes files and gives back the content. outcome: the answer for an artifact and a status.
    """
    if request.dry_run:
        return would_train(inputs, name, config, together)
    begun = store.begin(
        "run",
        name,
        algorithm=algorithm,
        config={"command": command, **config.stored(), **together.device.stored},
        parents=parents,
        seed=config.protocol.seed,
        command=request.command,
        execution=request.execution(**together.device.execution),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        together.notify.say(f"{begun.label} is up to date")
        return outcome(begun, "up-to-date")
    with begun as draft, BPRun(draft, store, together) as run:
        content = yield from fill(run)
        note_test_scoring(store, inputs.planned.plan, inputs.samples, name)
        path = draft.commit(content)
        status = "resumed" if draft.resumed else "done"
    return outcome(store.read(path, "run"), status)
