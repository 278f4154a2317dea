"""`fer reproduce xu`: the page over the runs that were made for it, Xu's numbers beside ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fercli.artifacts.store import Artifact, Store
from fercli.config.reproduce import PROTOCOLS, ProtocolKey, ReproduceXuConfig
from fercli.preprocessing.foldwise import apply, components
from fercli.records import Notify, Outcome
from fercli.report.drawings import optimizer_drawing, preparation_drawing, run_drawings
from fercli.report.material import Drawing, RunMaterial
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
from fercli.report.reproduction import Part, Reproduction
from fercli.workflow.bp_models import read_bp_model
from fercli.workflow.report_material import run_material
from fercli.workflow.reproductions import DRAWS, reproduction_outcome, write_reproduction
from fercli.workflow.request import Request
from fercli.workflow.runs import fold_folder
from fercli.workflow.scored_runs import all_parents, run_inputs

ALGORITHM = 1
DEFAULT_NAME = "xu"
TITLE = "Xu: facial expressions by a pruned BP network on PHOG and LPQ"


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
    inputs = run_inputs(store, [store.open("run", name) for name in names.all], notify)
    begun = store.begin(
        "report",
        request.name or DEFAULT_NAME,
        algorithm=ALGORITHM,
        config={"command": "reproduce xu", **config.stored()},
        parents=all_parents(inputs),
        seed=config.seed,
        command=request.command,
        execution=request.execution(),
        force=request.force,
    )
    if isinstance(begun, Artifact):
        notify.say(f"{begun.label} is up to date")
        return reproduction_outcome(begun, "up-to-date")
    with begun as draft:
        materials = {}
        with notify.progress("reading", len(inputs), "runs") as bar:
            for entry in inputs:
                materials[entry.run.name] = run_material(entry, seed=config.seed, draws=DRAWS)
                bar.advance(note=entry.run.name)
        protocols = [
            ProtocolRuns(
                key,
                PROTOCOLS[key][0],
                materials[name].metrics,
                [materials[baseline].metrics for baseline in names.baselines[key]],
            )
            for key, name in names.pruned.items()
        ]
        sheets = {"accuracy": accuracy_sheet(protocols), "offset": offset_sheet(protocols)}
        classes = class_sheet(protocols, protocols[0].pruned["classes"])
        pruned = materials[names.pruned["films"]]
        parts = (
            Part("Accuracy, and labels that are one class off", tuple(sheets.values())),
            Part("Table 1", (classes,)),
            Part(
                "Figures 1 and 2: preparation and optimizers",
                drawings=(*_preparation(store, pruned), *optimizer_drawing(_by_optimizer(names, materials))),
            ),
            Part(
                "Figures 4 to 6: pruning, loss and accuracy of the BP network, on whole films",
                drawings=tuple(run_drawings(pruned)),
            ),
            Part("What the paper leaves open, and how it is read", (readings_sheet(),)),
        )
        warning = SMOKE if config.smoke else None
        made = Reproduction("xu", TITLE, tuple(lead(protocols)), parts, warning)
        notify.say(f"drawing {len(made.drawings)} figures")
        answers = [_answer(one) for one in protocols]
        path = draft.commit({**write_reproduction(draft, made, names.all), "protocols": answers})
    outcome = reproduction_outcome(store.read(path, "report"), "done")
    return Outcome(
        status=outcome.status,
        artifact=outcome.artifact,
        payload=outcome.payload,
        tables=(*(sheet.as_table() for sheet in sheets.values()), classes.as_table()),
        lines=outcome.lines,
    )


def _by_optimizer(names: RunNames, materials: Mapping[str, RunMaterial]) -> list[tuple[str, RunMaterial]]:
    return [(optimizer, materials[name]) for optimizer, name in names.optimizers.items()]


def _preparation(store: Store, pruned: RunMaterial) -> list[Drawing]:
    """Columns of fold 0 before and after its own preparation, over its training rows."""
    run = store.open("run", pruned.name)
    data = store.open("features", str(pruned.metrics["on"]))
    folder = fold_folder(0, 0)
    rows = run.array(f"{folder}/rows.npy")
    fitted = read_bp_model(run, folder).fitted
    features = data.array("features.npy")[(rows == 1) | (rows == 2)]
    return preparation_drawing(components(fitted, features), apply(fitted, features), fitted.names)


def _answer(one: ProtocolRuns) -> dict[str, object]:
    run = one.pruned
    return {
        "protocol": one.key,
        "run": run["name"],
        "label_offset": {
            "plus_one": label_offset(run["confusion"], 1),
            "minus_one": label_offset(run["confusion"], -1),
        },
        "accuracy": run["accuracy"],
        "train_accuracy": run["train"]["accuracy"]["mean"],
        "before": run["before"]["accuracy"],
        "control": run["control"]["accuracy"],
        "hidden_before": run["hidden_before"],
        "hidden_after": run["hidden_after"]["mean"],
        "baselines": {str(entry["name"]): entry["accuracy"] for entry in one.baselines},
    }
