"""`fer reproduce du` and `fer reproduce xu-resnet`: the page over the runs that were made for it."""

from collections.abc import Mapping, Sequence

from fercli.artifacts.store import Artifact, Store
from fercli.config.reproduce_nets import FRAME_PROTOCOLS, ReproduceDuConfig, ReproduceFramesConfig
from fercli.config.resnet import Architecture
from fercli.records import Notify, Outcome
from fercli.report.drawings import blocks_drawing, panels_drawing, run_drawings, structure_drawing
from fercli.report.material import Drawing, RunMaterial
from fercli.report.reproduced_nets import (
    du_lead,
    du_sheet,
    frames_class_sheet,
    frames_lead,
    frames_sheet,
    readings_sheet,
    structure_sheet,
)
from fercli.report.reproduced_xu import SMOKE
from fercli.report.reproduction import Part, Reproduction
from fercli.report.structure import Box, parts_of
from fercli.report.tables import Sheet
from fercli.resnet.shortcuts import shortcuts
from fercli.resnet.variants import layers
from fercli.workflow.report_material import run_material
from fercli.workflow.reproductions import DRAWS, reproduction_outcome, write_reproduction
from fercli.workflow.request import Request
from fercli.workflow.scored_runs import all_parents, run_inputs

ALGORITHM = 2
TITLES = {
    "du": "Du: facial emotions by ResNet50 with two fully connected blocks",
    "xu-resnet": "Xu: facial expressions in film frames by a ResNet of eight blocks",
}
NetsConfig = ReproduceDuConfig | ReproduceFramesConfig


def run(
    config: NetsConfig, names: Mapping[str, Sequence[str]], request: Request, store: Store, notify: Notify
) -> Outcome:
    """Write the page over standing runs; `cli/reproduce_nets.py` made them.

    names: the runs of each of Du's variants, one per seed; or the one run of each of Xu's protocols.
    """
    everything = tuple(name for group in names.values() for name in group)
    inputs = run_inputs(store, [store.open("run", name) for name in everything], notify)
    begun = store.begin(
        "report",
        request.name or config.paper,
        algorithm=ALGORITHM,
        config={"command": f"reproduce {config.paper}", **config.stored()},
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
        groups = {key: [materials[name] for name in group] for key, group in names.items()}
        made = _du(config, groups) if config.paper == "du" else _frames(config, groups)
        notify.say(f"drawing {len(made.drawings)} figures")
        path = draft.commit(write_reproduction(draft, made, everything))
    outcome = reproduction_outcome(store.read(path, "report"), "done")
    return Outcome(
        status=outcome.status,
        artifact=outcome.artifact,
        payload=outcome.payload,
        tables=tuple(sheet.as_table() for sheet in made.sheets if not sheet.name.startswith(("structure", "readings"))),
        lines=outcome.lines,
    )


def _du(config: NetsConfig, groups: Mapping[str, Sequence[RunMaterial]]) -> Reproduction:
    metrics = {variant: [run.metrics for run in runs] for variant, runs in groups.items()}
    firsts = [(variant, runs[0]) for variant, runs in groups.items()]
    improved = groups["du-improved-resnet50"][0]
    whole, blocks = _drawn_structure(improved, "figure2", "figure3", fold=True)
    parts = (
        Part("Table 1", (du_sheet(metrics),)),
        Part("Figure 2: the structure", tuple(_structure(run) for _, run in firsts), whole),
        Part("Figure 3: residual blocks", drawings=blocks),
        Part("Figure 4: loss and accuracy", drawings=tuple(panels_drawing(firsts, "figure4"))),
        Part("Figure 5: confusion matrix of the improved network", drawings=_only(improved, "confusion", "figure5")),
        Part("What the paper leaves open, and how it is read", (readings_sheet("du"),)),
    )
    return Reproduction("du", TITLES["du"], tuple(du_lead(metrics)), parts, SMOKE if config.smoke else None)


def _frames(config: NetsConfig, groups: Mapping[str, Sequence[RunMaterial]]) -> Reproduction:
    metrics = {key: runs[0].metrics for key, runs in groups.items()}
    words = {str(key): text for key, (text, _) in FRAME_PROTOCOLS.items()}
    random = groups["random"][0]
    whole, _ = _drawn_structure(random, "figure3", fold=False)
    parts = (
        Part("Accuracy by protocol", (frames_sheet(metrics, words),)),
        Part("Figure 3: the structure", (_structure(random),), whole),
        Part(
            "Figures 5 and 6: loss and accuracy of the ResNet",
            drawings=tuple(one for key, runs in groups.items() for one in _only(runs[0], "curves", f"figure5-6-{key}")),
        ),
        Part("Table 2", (frames_class_sheet(metrics, words),)),
        Part("What the paper leaves open, and how it is read", (readings_sheet("xu-resnet"),)),
    )
    title = TITLES["xu-resnet"]
    return Reproduction("xu-resnet", title, tuple(frames_lead(metrics, words)), parts, SMOKE if config.smoke else None)


def _only(run: RunMaterial, kind: str, stem: str) -> tuple[Drawing, ...]:
    """One of the figures of a run, under the paper's number."""
    return tuple(
        Drawing(stem, one.caption, one.svg, one.png) for one in run_drawings(run) if one.stem == f"{run.name}-{kind}"
    )


def _drawn_structure(
    run: RunMaterial, stem: str, blocks_stem: str = "", *, fold: bool
) -> tuple[tuple[Drawing, ...], tuple[Drawing, ...]]:
    """The network that was trained, and its first residual blocks where they are asked for."""
    architecture = Architecture(**run.content["architecture"])
    picture = (3 if architecture.equal_channels else architecture.channels, *architecture.size)
    parts = parts_of(layers(architecture), shortcuts(architecture), picture)
    whole = structure_drawing(architecture.variant, parts, Box("picture", picture), stem, fold=fold)
    blocks = blocks_drawing(architecture.variant, parts, blocks_stem) if blocks_stem else []
    return tuple(whole), tuple(blocks)


def _structure(run: RunMaterial) -> Sheet:
    """The stages of a network: a row for each part of its first level, and for each layer of Du's head."""
    architecture = Architecture(**run.content["architecture"])
    rows: dict[str, list[tuple[str, str, int, int]]] = {}
    for layer in layers(architecture):
        part = layer.name if layer.name.startswith("fc") else layer.name.split(".", 1)[0]
        output = "×".join(map(str, layer.output))
        rows.setdefault(part, []).append((layer.kind, output, layer.parameters, layer.multiply_adds))
    return structure_sheet(
        architecture.variant,
        [
            (part, found[-1][0], found[-1][1], sum(one[2] for one in found), sum(one[3] for one in found))
            for part, found in rows.items()
        ],
    )
