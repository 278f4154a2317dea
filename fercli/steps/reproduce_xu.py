"""`fer reproduce xu`: the page over the runs that were made for it, Xu's numbers beside ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fercli.artifacts.store import Store
from fercli.config.reproduce import PROTOCOLS, ProtocolKey, ReproduceXuConfig
from fercli.config.reproduce_nets import FRAME_WORDS
from fercli.preprocessing.foldwise import apply, components
from fercli.records import Notify, Outcome
from fercli.report.drawings import comparison_drawing, optimizer_drawing, preparation_drawing, run_drawings
from fercli.report.material import Drawing, RunMaterial
from fercli.report.published import XU_FIGURES
from fercli.report.reproduced_nets import frames_class_sheet
from fercli.report.reproduced_words import ends_words, optimizer_words, preparation_words, pruning_words
from fercli.report.reproduced_xu import (
    SMOKE,
    ProtocolRuns,
    accuracy_sheet,
    class_sheet,
    label_offset,
    lead,
    offset_sheet,
    readings_sheet,
)
from fercli.report.reproduction import Part, Reproduction, renamed
from fercli.report.tables import Sheet
from fercli.report.wording import percent
from fercli.workflow.bp_models import read_bp_model
from fercli.workflow.drawn_networks import paper_frames, structure_figure_of
from fercli.workflow.reproductions import Page, write_page
from fercli.workflow.request import Request
from fercli.workflow.runs import fold_folder

ALGORITHM = 3  # 3: known leaks under every table
DEFAULT_NAME = "xu"
TITLE = "Xu: facial expressions by a pruned BP network on PHOG and LPQ"
NO_RESNET = "The ResNet is not here: fer reproduce xu-resnet FRAMES in this workspace trains it, then this again."


@dataclass(frozen=True)
class RunNames:
    """Which runs the page is about. pruned: by protocol. baselines: by protocol. optimizers: by optimizer."""

    pruned: Mapping[ProtocolKey, str]
    baselines: Mapping[ProtocolKey, Sequence[str]]
    optimizers: Mapping[str, str]

    @property
    def all(self) -> tuple[str, ...]:
        """Every run, each once."""
        yardsticks = [name for names in self.baselines.values() for name in names]
        return tuple(dict.fromkeys([*self.pruned.values(), *yardsticks, *self.optimizers.values()]))


def run(config: ReproduceXuConfig, names: RunNames, request: Request, store: Store, notify: Notify) -> Outcome:
    """Write the page over standing runs; `cli/reproduce_xu.py` made them."""
    nets = _resnet_runs(store, smoke=config.smoke)
    return write_page(
        store,
        request,
        notify,
        paper=DEFAULT_NAME,
        algorithm=ALGORITHM,
        config=config,
        seed=config.seed,
        runs=(*names.all, *nets.values()),
        make=lambda materials: _page(config, names, nets, materials, store),
    )


def _resnet_runs(store: Store, *, smoke: bool) -> dict[str, str]:
    """By protocol, the runs of the paper's other half, where `fer reproduce xu-resnet` has made them here."""
    name = "xu-resnet-smoke" if smoke else "xu-resnet"
    if name not in store.names("report"):
        return {}
    members = store.open("report", name).content.get("members", {})
    runs = {str(key): str(group[0]) for key, group in members.items()}
    return runs if set(store.names("run")).issuperset(runs.values()) else {}


def _page(
    config: ReproduceXuConfig,
    names: RunNames,
    nets: Mapping[str, str],
    materials: Mapping[str, RunMaterial],
    store: Store,
) -> Page:
    protocols = [
        ProtocolRuns(
            key,
            PROTOCOLS[key][0],
            materials[name].metrics,
            [materials[baseline].metrics for baseline in names.baselines[key]],
        )
        for key, name in names.pruned.items()
    ]
    pruned = materials[names.pruned["films"]]
    optimizers = [(optimizer, materials[name]) for optimizer, name in names.optimizers.items()]
    compared = [("BP network", pruned)]
    compared += [(f"ResNet, {FRAME_WORDS[key]}", materials[name]) for key, name in nets.items()]
    missing = () if nets else (NO_RESNET,)
    own = {one.stem.removeprefix(f"{pruned.name}-"): one for one in run_drawings(pruned)}
    parts = (
        Part("Accuracy, and labels that are one class off", (accuracy_sheet(protocols), offset_sheet(protocols))),
        _preparation(store, pruned),
        Part(
            "Figure 2: three optimizers",
            drawings=renamed(optimizer_drawing(optimizers), "figure2"),
            paper=XU_FIGURES["figure2"],
            here=optimizer_words(optimizers),
        ),
        Part(
            "Figure 3: the structure of the ResNet",
            drawings=structure_figure_of(paper_frames(), "figure3", fold=False),
            paper=XU_FIGURES["figure3"],
            here=("Drawn from the layers of --variant xu-resnet on frames of the paper's size.",),
        ),
        Part(
            "Figure 4: loss as hidden units go",
            drawings=(*renamed(_of(own, "units"), "figure4"), *_of(own, "removals", "activations")),
            paper=XU_FIGURES["figure4"],
            here=(*pruning_words(pruned), _against_control(pruned)),
        ),
        _compared("Figure 5", "figure5", "loss", compared, missing),
        _compared("Figure 6", "figure6", "accuracy", compared, missing),
        Part("Table 1: the BP network", (class_sheet(protocols, protocols[0].pruned["classes"]),)),
        Part("Table 2: the ResNet", _frames(nets, materials), here=missing),
        Part("Confusion and reliability on whole films", drawings=_of(own, "confusion", "reliability")),
        Part("What the paper leaves open, and how it is read", (readings_sheet(),)),
    )
    made = Reproduction("xu", TITLE, tuple(lead(protocols)), parts, SMOKE if config.smoke else None)
    return Page(made, {"protocols": [_answer(one) for one in protocols]})


def _of(drawings: Mapping[str, Drawing], *kinds: str) -> tuple[Drawing, ...]:
    return tuple(drawings[kind] for kind in kinds if kind in drawings)


def _frames(nets: Mapping[str, str], materials: Mapping[str, RunMaterial]) -> tuple[Sheet, ...]:
    if not nets:
        return ()
    return (frames_class_sheet({key: materials[name].metrics for key, name in nets.items()}, FRAME_WORDS),)


def _compared(
    title: str,
    stem: str,
    quantity: Literal["loss", "accuracy"],
    runs: Sequence[tuple[str, RunMaterial]],
    missing: tuple[str, ...],
) -> Part:
    ends = [line for name, run in runs for line in ends_words(name, run, quantity)]
    return Part(
        f"{title}: {quantity} of BP network and ResNet",
        drawings=tuple(comparison_drawing(runs, quantity, stem)),
        paper=XU_FIGURES[stem],
        here=(*ends, *missing),
    )


def _preparation(store: Store, pruned: RunMaterial) -> Part:
    """Columns of fold 0 before and after its own preparation, over its training rows."""
    run = store.open("run", pruned.name)
    data = store.open("features", str(pruned.metrics["on"]))
    folder = fold_folder(0, 0)
    rows = run.array(f"{folder}/rows.npy")
    fitted = read_bp_model(run, folder).fitted
    features = data.array("features.npy")[(rows == 1) | (rows == 2)]
    drawn = preparation_drawing(components(fitted, features), apply(fitted, features), fitted.names, "figure1")
    logged = [name for name, way in zip(fitted.names, fitted.log.direction.tolist(), strict=True) if way]
    return Part(
        "Figure 1: the data after preparation",
        drawings=tuple(drawn),
        paper=XU_FIGURES["figure1"],
        here=preparation_words(fitted.names, logged),
    )


def _against_control(pruned: RunMaterial) -> str:
    run = pruned.metrics
    return (
        f"Held-out accuracy {percent(run['before']['accuracy'])} % before, {percent(run['accuracy'])} % after; not "
        f"pruned but trained as long: {percent(run['control']['accuracy'])} %."
    )


def _answer(one: ProtocolRuns) -> dict[str, object]:
    run = one.pruned
    return {
        "protocol": one.key,
        "run": run["name"],
        "label_offset": {
            "plus_one": label_offset(run["confusion"], 1),
            "minus_one": label_offset(run["confusion"], -1),
        },
        "leaks": list(one.leaks),
        "copies_in_training": run["copies_in_training"],
        "accuracy": run["accuracy"],
        "train_accuracy": run["train"]["accuracy"]["mean"],
        "before": run["before"]["accuracy"],
        "control": run["control"]["accuracy"],
        "hidden_before": run["hidden_before"],
        "hidden_after": run["hidden_after"]["mean"],
        "baselines": {str(entry["name"]): entry["accuracy"] for entry in one.baselines},
    }
