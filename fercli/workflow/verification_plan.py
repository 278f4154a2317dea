"""The folds of a run as its data and folds artifact give them, against the roles of the rows that the run stored."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.schema import MANIFEST
from fercli.artifacts.store import Artifact
from fercli.bp.foldwise import learned_from
from fercli.config.bp import PruneBPConfig, TrainBPConfig
from fercli.config.preprocessing import PreprocessingConfig
from fercli.config.protocol import ProtocolConfig
from fercli.config.resnet import ResNetConfig
from fercli.errors import ArtifactError
from fercli.protocol.participation import participation
from fercli.protocol.resolve import left_out, resolve
from fercli.records import Fold, FoldPlan, LeftOut, Samples
from fercli.seeds import generator
from fercli.workflow.model_files import FINAL_FOLDER
from fercli.workflow.plans import row_roles, standing_folds
from fercli.workflow.rows import left_out_json
from fercli.workflow.runs import fold_folder
from fercli.workflow.trained_rows import HELD_OUT
from fercli.workflow.verification import Covered, Difference

_ROLES = ("not used", "fitted on", "inner", "held out")


@dataclass(frozen=True)
class RunView:
    """A run with the data it was trained on and the folds that follow from its parents, none of it taken on trust."""

    run: Artifact
    data: Artifact
    samples: Samples
    plan: FoldPlan
    left_out: tuple[LeftOut, ...]

    @property
    def command(self) -> str:
        """The trainer: `train-bp`, `prune-bp`, `train-baseline`, or `train-resnet`, which stores none."""
        return str(self.run.config.get("command", "train-resnet"))

    @property
    def preprocessing(self) -> PreprocessingConfig:
        """How its columns were to be fitted."""
        return PreprocessingConfig.of(**self.run.config["preprocessing"])

    @property
    def bp_config(self) -> TrainBPConfig:
        """The options of a BP run."""
        kind = PruneBPConfig if self.command == "prune-bp" else TrainBPConfig
        return kind.of(**{key: value for key, value in self.run.config.items() if key in kind.model_fields})

    def learned(self, fold: Fold) -> NDArray[np.int64]:
        """(n,) the rows that a fold's columns and weights were to be fitted on."""
        if self.command in ("train-bp", "prune-bp"):
            return learned_from(fold, self.bp_config)
        return fold.fit

    def models(self, sampled: list[int]) -> list[tuple[str, NDArray[np.int64]]]:
        """(folder, rows to fit on) of the sampled folds, and of `model/` where the run has it."""
        folds = [self.plan.folds[number] for number in sampled]
        found = [(fold_folder(fold.repeat, fold.fold), self.learned(fold)) for fold in folds]
        if self.run.has(f"{FINAL_FOLDER}/model.json"):
            official = self.plan.protocol.scheme == "official"
            found.append((FINAL_FOLDER, self.learned(self.plan.folds[0]) if official else self.plan.rows))
        return found

    def sampled(self, count: int | None, seed: int) -> list[int]:
        """Which folds are fitted again: `count` drawn from the seed and the run's name, all for None."""
        total = len(self.plan.folds)
        if count is None or count >= total:
            return list(range(total))
        drawn = generator(seed, "verify.folds", self.run.name).permutation(total)[:count]
        return sorted(drawn.tolist())


def run_view(run: Artifact, data: Artifact, folds: Artifact | None) -> RunView:
    """Resolve the run's protocol from its data, and from the folds that it names as a parent.

    Raises ArtifactError where neither folds nor an official split are there, InputError for folds that do not fit.
    """
    samples = data.samples()
    stored: dict[str, Any] = dict(run.config["protocol"])
    if folds is not None:
        stored |= {"folds": folds.name, "scheme": None, "k": None}
    config = ProtocolConfig.of(**stored)
    standing = None if folds is None else standing_folds(folds)
    plan = resolve(samples, config, standing=standing)
    if folds is None and plan.protocol.scheme != "official":
        raise ArtifactError(
            f"{run.label} names no folds among its parents, and its rows have no official split",
            where=str(run.path),
            next_step="train it again with --force",
        )
    view = RunView(run, data, samples, plan, left_out(samples, config, standing=standing))
    if _without_inner(view):
        none = np.empty(0, dtype=np.int64)
        plan = replace(plan, folds=tuple(replace(fold, inner=none) for fold in plan.folds))
    return replace(view, plan=plan)


def _without_inner(view: RunView) -> bool:
    """Whether the trainer fits on the inner rows too, since nothing chooses by them."""
    if view.command == "train-baseline":
        return True
    if view.command != "train-resnet":
        return False
    values = {key: value for key, value in view.run.config.items() if key in ResNetConfig.model_fields}
    return not ResNetConfig(**values).chooses and view.run.config["protocol"]["monitor"] == "inner"


def roles_as_planned(view: RunView) -> Covered:
    """`rows.npy` of every fold: each row fitted on, inner or held out, as data and folds give it; the rest left out."""
    found = []
    before = list(view.data.content.get("left_out", []))
    expected, told = left_out_json(view.left_out) + before, view.run.content["left_out"]
    if told != expected and told != left_out_json(_left_out_by_making(view)) + before:
        what, place = "the rows left out are not those that data and protocol leave out", f"{MANIFEST}, left_out"
        found.append(Difference(what, place, len(told), len(expected)))
    for number, fold in enumerate(view.plan.folds):
        file = f"{fold_folder(fold.repeat, fold.fold)}/rows.npy"
        stored, planned = view.run.array(file), row_roles(view.plan, number, len(view.samples))
        if stored.shape != planned.shape:
            found.append(Difference("another number of rows than the data", file, stored.shape[0], len(planned)))
            continue
        off = np.flatnonzero(stored != planned)
        if len(off):
            # A row held out on one side only weighs more than one that moved to or from the inner part.
            row = int(off[np.argmax((stored[off] == HELD_OUT) | (planned[off] == HELD_OUT))])
            more = f"; {len(off):,} rows in all" if len(off) > 1 else ""
            place = f"{file}, {view.samples.ids[row]}{more}"
            found.append(
                Difference("a row does not have its role in the fold", place, _role(stored[row]), _role(planned[row]))
            )
    return Covered(len(view.plan.folds), "folds", found)


def _left_out_by_making(view: RunView) -> tuple[LeftOut, ...]:
    """The same rows with the reasons of a run that made its folds, which knows more of them than that its table lacks
    a row: the split that it is of, the row that it is a copy of."""
    asked = ProtocolConfig.of(**view.run.config["protocol"])
    if asked.folds is not None:
        return view.left_out
    drop = asked.duplicates == "drop"
    reasons = participation(view.samples, official=False, pool_splits=asked.pool_splits, drop=drop).left_out(
        view.samples
    )
    same = {one.source for one in reasons} == {one.source for one in view.left_out}
    return reasons if same else view.left_out


def _role(number: Any) -> str:
    return _ROLES[int(number)] if 0 <= int(number) < len(_ROLES) else str(number)
