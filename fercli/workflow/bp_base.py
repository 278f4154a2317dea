"""`--from RUN`: the networks, data, protocol and options of a train-bp run, to be pruned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fercli.artifacts.store import Artifact, Store
from fercli.bp.network import NetworkStack
from fercli.bp.training import Trained
from fercli.config.bp import PruneBPConfig, TrainBPConfig
from fercli.config.protocol import ProtocolConfig
from fercli.errors import ArtifactError, UsageError
from fercli.records import Fold
from fercli.workflow.bp_models import FINAL_FOLDER, read_bp_model
from fercli.workflow.runs import fold_folder


@dataclass(frozen=True)
class BaseRun:
    """A train-bp run to go on from. config: its training options with the pruning options that were asked for."""

    artifact: Artifact
    data: Artifact
    config: PruneBPConfig

    def networks(self, folds: Sequence[Fold]) -> Trained:
        """Its networks, in the order of the folds."""
        stack = self._network(folds[0])
        for fold in folds[1:]:
            stack = stack.joined(self._network(fold))
        return Trained(stack, np.array(self.artifact.json("metrics.json")["epochs"], dtype=np.int64))

    def final_network(self) -> NetworkStack | None:
        """Its model on all rows, None where it was left out."""
        if not self.artifact.has(f"{FINAL_FOLDER}/model.json"):
            return None
        return read_bp_model(self.artifact).network

    def _network(self, fold: Fold) -> NetworkStack:
        return read_bp_model(self.artifact, fold_folder(fold.repeat, fold.fold)).network


def base_run(store: Store, name: str, pruning: PruneBPConfig) -> BaseRun:
    """The run called `name` with the data it was trained on.

    Raises UsageError for a run of another command, ArtifactError when its features changed since.
    """
    artifact = store.open("run", name)
    if artifact.config.get("command") != "train-bp":
        raise UsageError(
            f"{artifact.label} is a run of {artifact.config.get('command', 'another command')}, not of train-bp",
            where=f"--from {name}",
            next_step="name a run of train-bp, or leave --from out",
        )
    parents = {parent.kind: parent for parent in artifact.manifest.parents}
    data = store.open("features", parents["features"].name)
    if data.manifest.fingerprint != parents["features"].fingerprint:
        raise ArtifactError(
            f"{data.label} changed since {artifact.label} was trained on it",
            where=str(data.path),
            next_step="train again with fer train-bp",
        )
    stored = {key: value for key, value in artifact.config.items() if key not in ("command", "device")}
    own = {key: value for key, value in pruning.stored().items() if key not in TrainBPConfig.model_fields}
    config = PruneBPConfig.of(**{**stored, **own})
    protocol = config.protocol.model_copy(update={"final_model": pruning.protocol.final_model})
    if "folds" in parents:
        # By name, so that the same folds are found however many others were made since.
        protocol = ProtocolConfig.of(**{**protocol.stored(), "folds": parents["folds"].name, "scheme": None, "k": None})
    return BaseRun(artifact, data, config.model_copy(update={"protocol": protocol}))
