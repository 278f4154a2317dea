"""Pruning of redundant hidden units, after Xu (section 2.1.2): remove, retrain from what is left, look again."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fercli.bp.chunk import Rows, Rule
from fercli.bp.criteria import Finding, Thresholds, next_unit
from fercli.bp.engines import CPU
from fercli.bp.least_missed import least_missed
from fercli.bp.losses import row_losses
from fercli.bp.network import Loss, NetworkStack, hidden_outputs, outputs_from_hidden
from fercli.bp.removal import remove
from fercli.bp.training import EpochRecord, Trained, Training, train_together


@dataclass(frozen=True)
class Scores:
    """Mean loss and accuracy of one network on its training and held-out rows; NaN where there are none."""

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


@dataclass(frozen=True)
class PruneRecord:
    """One line of the receipt: a unit that was removed, why, and what it cost.

    network: its place in the stack. round: from 1. unit, partner: numbers in the unpruned network. hidden: units left
    after the round.
    value: see `Finding`. before, removed, retrained: scores before this unit went, right after, and after the
    round's retraining (the same for all units of a round with `all_at_once`).
    """

    network: int
    repeat: int
    fold: int
    round: int
    unit: int
    criterion: str
    value: float
    partner: int | None
    hidden: int
    before: Scores
    removed: Scores
    retrained: Scores


@dataclass(frozen=True)
class PruneRule:
    """How to prune: thresholds, epochs of retraining after each round, and the two departures from Xu."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    retrain_epochs: int = 20
    absorb: bool = False
    all_at_once: bool = False
    max_rounds: int = 1000


@dataclass(frozen=True)
class Pruned:
    """What pruning leaves. rounds: (S,) rounds of each network.

    control: the unpruned networks, trained on for as many epochs, in the same rounds and batches, with no unit
    removed: what looks like a gain from pruning is mostly the training that went with it.
    """

    stack: NetworkStack
    control: NetworkStack
    rounds: NDArray[np.int64]


@dataclass(frozen=True)
class Retraining:
    """A retraining that pruning waits for. busy: (A,) places of its networks in the pruned stack, the controls not
    counted; units: (S,) hidden units alive in that stack.
    """

    training: Training
    busy: NDArray[np.int64]
    units: NDArray[np.int64]

    def whole(self, record: EpochRecord) -> EpochRecord:
        """The record of the pruned half, with its values at the networks' places in the whole stack."""
        half, count = len(self.busy), len(self.units)
        trained = np.zeros(count, dtype=bool)
        trained[self.busy] = record.trained[:half]
        columns = []
        for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "monitor_loss"):
            column = np.full(count, np.nan)
            column[self.busy] = getattr(record, name)[:half]
            columns.append(column)
        return EpochRecord(record.epoch, self.units, trained, *columns)


@dataclass(frozen=True)
class _Removed:
    """learned: training loss before the removal, in the loss that is trained; NaN unless the unit is least missed."""

    network: int
    finding: Finding
    before: Scores
    after: Scores
    learned: float


def scores_of(stack: NetworkStack, network: int, rows: Rows, loss: Loss) -> Scores:
    """Loss and accuracy of one network on the rows it learns from and on its held-out rows."""
    return _scores(stack, network, rows, loss, hidden_outputs(stack, network, rows.x))


def _scores(stack: NetworkStack, network: int, rows: Rows, loss: Loss, hidden: NDArray[np.floating]) -> Scores:
    held_out = outputs_from_hidden(stack, network, hidden_outputs(stack, network, rows.test_x))
    return Scores(
        *_mean(outputs_from_hidden(stack, network, hidden), rows.y, loss), *_mean(held_out, rows.test_y, loss)
    )


def _mean(outputs: NDArray[np.floating], y: NDArray[np.int64], loss: Loss) -> tuple[float, float]:
    if not len(y):
        return float("nan"), float("nan")
    return float(row_losses(outputs, y, loss).mean(dtype=np.float64)), float((outputs.argmax(axis=1) == y).mean())


def _remove_round(
    stack: NetworkStack, network: int, rows: Rows, rule: PruneRule, loss: Loss, floor: int | None, shown: Loss
) -> list[_Removed]:
    """Remove this round's unit (or all that qualify) from one network, in place."""
    removed: list[_Removed] = []
    hidden = hidden_outputs(stack, network, rows.x)
    while not removed or rule.all_at_once:
        finding = next_unit(hidden, stack.w2[network], stack.alive[network], rule.thresholds)
        if finding is None and not removed and floor is not None and stack.alive[network].sum() > floor:
            finding = least_missed(stack, network, hidden, rows.y, loss, absorb=rule.absorb)
        if finding is None:
            break
        before = removed[-1].after if removed else _scores(stack, network, rows, shown, hidden)
        learned = float("nan")
        if finding.criterion == "least-missed":
            learned = before.train_loss if shown == loss else _scores(stack, network, rows, loss, hidden).train_loss
        remove(stack, network, finding, hidden, absorb=rule.absorb)
        removed.append(_Removed(network, finding, before, _scores(stack, network, rows, shown, hidden), learned))
        if finding.criterion == "least-missed":
            break
    return removed


def prune(
    stack: NetworkStack,
    rows: Sequence[Rows],
    rule: Rule,
    how: PruneRule,
    *,
    first_epoch: int,
    patience: int | None = None,
    threads: int = 1,
    device: str = CPU,
    down_to: NDArray[np.int64] | None = None,
    shown_loss: Loss | None = None,
    with_control: bool = True,
) -> Generator[EpochRecord | PruneRecord, None, Pruned]:
    """Prune trained networks, each until none of its units qualifies, and return them with their controls.

    stack, rows, rule, patience, threads, device: as in `train`. first_epoch: the number of the next epoch, so that the
    batches of retraining follow on from those of training. Yields an EpochRecord per epoch of retraining (arrays
    over the whole stack, NaN for networks that are done) and then the PruneRecords of that round. Criteria read the
    training rows only. A network's removals do not depend on the others in the stack.

    down_to: (S,) sizes to go on to where no unit qualifies any more, the unit least missed first, one a round. After
    such a removal a network, and its control with it, retrains only until its training loss is back at what it was
    before the first of them: with all epochs of every round a long way down would compare over-training, not sizes.
    shown_loss: the loss of the records' scores; default: the loss of `rule`, which decides about units in any case.
    with_control: without it the controls come back as they went in, in half the time.
    """
    steps = pruning(
        stack,
        rows,
        rule,
        how,
        first_epoch=first_epoch,
        patience=patience,
        down_to=down_to,
        shown_loss=shown_loss,
        with_control=with_control,
    )
    answer: Trained | None = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            pruned: Pruned = end.value
            return pruned
        answer = None
        if isinstance(step, PruneRecord):
            yield step
            continue
        together = train_together([step.training], threads=threads, device=device)
        while answer is None:
            try:
                (record,) = next(together)
            except StopIteration as end:
                (answer,) = end.value
            else:
                if record is not None:
                    yield step.whole(record)


def pruning(
    stack: NetworkStack,
    rows: Sequence[Rows],
    rule: Rule,
    how: PruneRule,
    *,
    first_epoch: int,
    patience: int | None = None,
    down_to: NDArray[np.int64] | None = None,
    shown_loss: Loss | None = None,
    with_control: bool = True,
) -> Generator[Retraining | PruneRecord, Trained | None, Pruned]:
    """`prune` without its training: yields every retraining that it needs and takes the networks by `send`.

    So the retraining of several prunings can be one stack, whatever their rules.
    """
    count = len(stack)
    pruned, control = stack.take(np.arange(count)), stack.take(np.arange(count))
    rounds = np.zeros(count, dtype=np.int64)
    goals = np.full(count, np.nan)
    shown = shown_loss or rule.loss
    floors: list[int | None] = [None] * count if down_to is None else down_to.tolist()
    active: NDArray[np.int64] = np.arange(count)
    for number in range(1, how.max_rounds + 1):
        removed = [
            one
            for network in active.tolist()
            for one in _remove_round(pruned, network, rows[network], how, rule.loss, floors[network], shown)
        ]
        active = np.unique(np.array([one.network for one in removed], dtype=np.int64))
        if not len(active):
            break
        rounds[active] = number
        for one in removed:
            if one.finding.criterion == "least-missed" and np.isnan(goals[one.network]):
                goals[one.network] = one.learned
        repaired = {
            one.network
            for one in removed
            if one.finding.criterion == "least-missed" and one.finding.value <= goals[one.network]
        }
        busy = np.array([network for network in active.tolist() if network not in repaired], dtype=np.int64)
        if len(busy):
            both = pruned.take(busy)
            if with_control:
                both = both.joined(control.take(busy))
            retraining = Training(
                both,
                [rows[network] for network in busy.tolist()] * (2 if with_control else 1),
                rule,
                how.retrain_epochs,
                first_epoch,
                patience,
                _repaired(goals[busy], with_control),
            )
            answer = yield Retraining(retraining, busy, pruned.widths)
            if answer is None:
                raise TypeError("the networks of a retraining must be sent back")
            both = answer.stack
            pruned.put(busy, both.take(np.arange(len(busy))))
            if with_control:
                control.put(busy, both.take(np.arange(len(busy), 2 * len(busy))))
        first_epoch += how.retrain_epochs
        retrained = {network: scores_of(pruned, network, rows[network], shown) for network in active.tolist()}
        for one in removed:
            key, finding = rows[one.network].key, one.finding
            yield PruneRecord(
                network=one.network,
                repeat=key.repeat,
                fold=key.fold,
                round=number,
                unit=finding.unit,
                criterion=finding.criterion,
                value=finding.value,
                partner=finding.partner,
                hidden=int(pruned.alive[one.network].sum()),
                before=one.before,
                removed=one.after,
                retrained=retrained[one.network],
            )
    return Pruned(pruned, control, rounds)


def _repaired(
    goals: NDArray[np.float64], with_control: bool
) -> Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None:
    """Which networks, and the controls after them, have their training loss back; None where no goal is set."""
    if np.isnan(goals).all():
        return None

    def enough(losses: NDArray[np.float64]) -> NDArray[np.bool_]:
        back = losses[: len(goals)] <= goals
        return np.concatenate([back, back]) if with_control else back

    return enough
