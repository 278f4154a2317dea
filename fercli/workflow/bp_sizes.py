"""`--until-worse`: a size for every fold, chosen by cross validation within that fold's training rows."""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.bp.foldwise import prune_rule_of, rule_of
from fercli.bp.network import Loss
from fercli.bp.pruning import PruneRecord, pruning, scores_of
from fercli.bp.sizes import SizeChoice, choose_size, size_paths
from fercli.bp.training import EpochRecord
from fercli.config.bp import PruneBPConfig
from fercli.protocol.duplicates import group_numbers
from fercli.protocol.inner import inner_folds
from fercli.records import Fold
from fercli.workflow.bp_inputs import BPInputs
from fercli.workflow.bp_runs import BPRun
from fercli.workflow.bp_together import CHOOSING, Answer, Asked

SIZE_COLUMNS = ("repeat", "fold", "units", "log_loss", "standard_error", "best", "chosen")
# For both kinds of output units the loss `ce` is the log loss of the probabilities.
LOG_LOSS: Loss = "ce"
STEP = "choosing sizes"


def chosen_sizes(
    run: BPRun, inputs: BPInputs, folds: Sequence[Fold], config: PruneBPConfig
) -> Generator[Asked, Answer, tuple[SizeChoice, ...]]:
    """One choice per fold: its inner networks are trained like its own and pruned down to one unit.

    Rows that a fold holds out are never read: preprocessing, weights, units and scores come from its training rows.
    """
    samples, own = inputs.samples, config.protocol
    groups = _kept_whole(inputs)
    divided = [
        inner_folds(
            fold,
            samples.targets,
            groups,
            inputs.planned.plan.copies,
            k=config.inner_k,
            fraction=own.inner_fraction,
            seed=own.seed,
        )
        for fold in folds
    ]
    inner = [one for several in divided for one in several]
    run.together.notify.say(f"choosing sizes: {len(inner)} inner networks, pruned down to one unit each")
    # Inner folds are numbered like the fold they are of, so what is prepared of them is not shared.
    rows = run.together.prepared(inputs, inner, config, shared=False).rows
    trained = yield from run.train(rows, len(samples.classes), config, phase=CHOOSING, step=STEP, shared=False)
    starts = [scores_of(trained.stack, network, own, LOG_LOSS).test_loss for network, own in enumerate(rows)]
    removals: list[PruneRecord] = []
    steps = pruning(
        trained.stack,
        rows,
        rule_of(config),
        prune_rule_of(config),
        first_epoch=config.epochs,
        patience=config.patience,
        down_to=np.ones(len(rows), dtype=np.int64),
        shown_loss=LOG_LOSS,
        with_control=False,
    )

    def see(record: EpochRecord | PruneRecord) -> None:
        if isinstance(record, PruneRecord):
            removals.append(record)

    yield from run.prune(steps, see, phase=CHOOSING, step=STEP)
    run.laps.lap(STEP)
    paths = size_paths(removals, starts, config.hidden)
    ends = np.cumsum([len(several) for several in divided])[:-1]
    choices = tuple(choose_size(part, config.standard_errors) for part in np.split(paths, ends))
    warning = without_skill(choices, len(samples.classes))
    if warning is not None:
        run.together.notify.warn(warning)
    return choices


def without_skill(choices: Sequence[SizeChoice], classes: int) -> str | None:
    """A warning where in some fold no size is better than equal probabilities for all classes.

    The smallest network is then the least wrong, and its size says nothing about how many units are needed.
    """
    chance = float(np.log(classes))
    worse = [choice for choice in choices if choice.mean.min() >= chance]
    if not worse:
        return None
    return (
        f"--until-worse: in {len(worse)} of {len(choices)} folds no size has a lower inner log loss than equal "
        f"probabilities for all classes ({chance:.3f}); the sizes chosen there say nothing about what is needed"
    )


def _kept_whole(inputs: BPInputs) -> NDArray[np.int64]:
    """(N,) the group of each row; rows by themselves where the outer folds cut groups as well.

    Inner folds stand for the outer ones: whole groups would choose a size for new groups, which those never score.
    """
    groups = group_numbers(inputs.samples.groups)
    cut = any(np.isin(groups[fold.test], groups[fold.train]).any() for fold in inputs.planned.plan.folds)
    return np.arange(len(groups)) if cut else groups


def sizes_of(choices: Sequence[SizeChoice]) -> NDArray[np.int64]:
    """(S,) the chosen sizes."""
    return np.array([choice.chosen for choice in choices], dtype=np.int64)


def size_lines(choices: Sequence[SizeChoice], folds: Sequence[Fold]) -> list[dict[str, Any]]:
    """The lines of sizes.csv: every size of every fold, and which was best and which chosen."""
    return [
        {
            "repeat": fold.repeat,
            "fold": fold.fold,
            "units": units,
            "log_loss": mean,
            "standard_error": error,
            "best": int(units == choice.best),
            "chosen": int(units == choice.chosen),
        }
        for fold, choice in zip(folds, choices, strict=True)
        for units, mean, error in zip(choice.units.tolist(), choice.mean.tolist(), choice.error.tolist(), strict=True)
    ]
