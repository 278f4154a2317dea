"""Pruning of redundant hidden units, after Xu (section 2.1.2): remove, retrain from what is left, look again."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fercli.bp.chunk import Rows, Rule
from fercli.bp.criteria import Finding, Thresholds, next_unit
from fercli.bp.losses import row_losses
from fercli.bp.network import Loss, NetworkStack, hidden_outputs, outputs_from_hidden
from fercli.bp.removal import remove
from fercli.bp.training import EpochRecord, train


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

    round: from 1. unit, partner: numbers in the unpruned network. hidden: units left after the round.
    value: see `Finding`. before, removed, retrained: scores before this unit went, right after, and after the
    round's retraining (the same for all units of a round with `all_at_once`).
    """

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
class _Removed:
    network: int
    finding: Finding
    before: Scores
    after: Scores


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


def _remove_round(stack: NetworkStack, network: int, rows: Rows, rule: PruneRule, loss: Loss) -> list[_Removed]:
    """Remove this round's unit (or all that qualify) from one network, in place."""
    removed: list[_Removed] = []
    hidden = hidden_outputs(stack, network, rows.x)
    while not removed or rule.all_at_once:
        finding = next_unit(hidden, stack.w2[network], stack.alive[network], rule.thresholds)
        if finding is None:
            break
        before = removed[-1].after if removed else _scores(stack, network, rows, loss, hidden)
        remove(stack, network, finding, hidden, absorb=rule.absorb)
        removed.append(_Removed(network, finding, before, _scores(stack, network, rows, loss, hidden)))
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
) -> Generator[EpochRecord | PruneRecord, None, Pruned]:
    """Prune trained networks, each until none of its units qualifies, and return them with their controls.

    stack, rows, rule, patience, threads: as in `train`. first_epoch: the number of the next epoch, so that the
    batches of retraining follow on from those of training. Yields an EpochRecord per epoch of retraining (arrays
    over the whole stack, NaN for networks that are done) and then the PruneRecords of that round. Criteria read the
    training rows only. A network's removals do not depend on the others in the stack.
    """
    count = len(stack)
    pruned, control = stack.take(np.arange(count)), stack.take(np.arange(count))
    rounds = np.zeros(count, dtype=np.int64)
    active: NDArray[np.int64] = np.arange(count)
    for number in range(1, how.max_rounds + 1):
        removed = [
            one for network in active for one in _remove_round(pruned, int(network), rows[network], how, rule.loss)
        ]
        active = np.unique(np.array([one.network for one in removed], dtype=np.int64))
        if not len(active):
            break
        rounds[active] = number
        both = pruned.take(active).joined(control.take(active))
        run = train(
            both,
            [rows[network] for network in active.tolist()] * 2,
            rule,
            epochs=how.retrain_epochs,
            first_epoch=first_epoch,
            patience=patience,
            threads=threads,
        )
        while True:
            try:
                record = next(run)
            except StopIteration as end:
                both = end.value.stack
                break
            yield _spread(record, active, pruned.widths)
        first_epoch += how.retrain_epochs
        pruned.put(active, both.take(np.arange(len(active))))
        control.put(active, both.take(np.arange(len(active), 2 * len(active))))
        retrained = {network: scores_of(pruned, network, rows[network], rule.loss) for network in active.tolist()}
        for one in removed:
            key, finding = rows[one.network].key, one.finding
            yield PruneRecord(
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


def _spread(record: EpochRecord, active: NDArray[np.int64], units: NDArray[np.int64]) -> EpochRecord:
    """The record of the pruned half, with its values at the networks' places in the whole stack."""
    half, count = len(active), len(units)
    trained = np.zeros(count, dtype=bool)
    trained[active] = record.trained[:half]
    columns = []
    for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "monitor_loss"):
        column = np.full(count, np.nan)
        column[active] = getattr(record, name)[:half]
        columns.append(column)
    return EpochRecord(record.epoch, units, trained, *columns)
