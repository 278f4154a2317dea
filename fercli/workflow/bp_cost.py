"""What a BP run would make and how long it would take, for `--dry-run`."""

import math
import time
from dataclasses import replace

from fercli.bp.foldwise import rule_of, untrained
from fercli.bp.training import finish, train
from fercli.config.bp import PruneBPConfig, TrainBPConfig
from fercli.records import Outcome
from fercli.workflow.bp_inputs import BPInputs
from fercli.workflow.bp_together import Together

MEASURED_ROWS, MEASURED_EPOCHS = 1024, 3


def would_train(inputs: BPInputs, name: str, config: TrainBPConfig, together: Together) -> Outcome:
    """The answer to `--dry-run`: the networks, and the seconds of their training by a few steps of it.

    A round of pruning trains at most every network and its control for the epochs of retraining; how many rounds
    there will be nobody knows beforehand.
    """
    networks = len(inputs.folds)
    epoch = epoch_seconds(inputs, config, together)
    seconds = epoch * config.epochs
    payload = {"would_make": f"run/{name}", "networks": networks, "epochs": config.epochs, "seconds": seconds}
    line = (
        f"would train {networks} networks for {config.epochs} epochs into runs/{name}: "
        f"about {seconds:,.1f} s on {together.device.name}"
    )
    if isinstance(config, PruneBPConfig):
        payload["round_seconds"] = 2 * epoch * config.retrain_epochs
        line += f", and up to {payload['round_seconds']:,.1f} s for every round of pruning"
    return Outcome(payload=payload, lines=(line,))


def epoch_seconds(inputs: BPInputs, config: TrainBPConfig, together: Together) -> float:
    """Seconds of one epoch of all folds: the first fold's rows, a part of them where they are many, in every network.

    The first epoch is not counted, because it finds memory cold and tables unread.
    """
    whole = together.prepared(inputs, inputs.folds[:1], config).rows[0]
    share = min(1.0, MEASURED_ROWS / len(whole.y))
    learned, test, inner = (math.ceil(share * len(y)) for y in (whole.y, whole.test_y, whole.inner_y))
    own = replace(
        whole,
        x=whole.x[:learned],
        y=whole.y[:learned],
        test_x=whole.test_x[:test],
        test_y=whole.test_y[:test],
        inner_x=whole.inner_x[:inner],
        inner_y=whole.inner_y[:inner],
    )
    rows = [own] * len(inputs.folds)
    run = train(
        untrained(rows, len(inputs.samples.classes), config),
        rows,
        rule_of(config),
        epochs=MEASURED_EPOCHS,
        threads=together.threads,
        device=together.device.name,
    )
    marks: list[float] = []
    finish(run, lambda record: marks.append(time.perf_counter()))
    return (marks[-1] - marks[0]) / (len(marks) - 1) / share
