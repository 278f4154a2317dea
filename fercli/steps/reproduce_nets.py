"""`fer reproduce du` and `fer reproduce xu-resnet`: the page over the runs that were made for it."""

from collections.abc import Mapping, Sequence

import numpy as np

from fercli.artifacts.store import Store
from fercli.config.reproduce_nets import DU_VARIANTS, FRAME_WORDS, ReproduceDuConfig, ReproduceFramesConfig
from fercli.config.resnet import Architecture
from fercli.records import Notify, Outcome
from fercli.report.drawings import panels_drawing, run_drawings
from fercli.report.examples import example_rows, examples_drawing
from fercli.report.material import Drawing, RunMaterial
from fercli.report.published import DU_FIGURES, XU_FIGURES
from fercli.report.reproduced_nets import (
    du_lead,
    du_sheet,
    frames_class_sheet,
    frames_lead,
    frames_sheet,
    readings_sheet,
)
from fercli.report.reproduced_words import both_ends_words, extremes_words, steadiness_words
from fercli.report.reproduced_xu import SMOKE
from fercli.report.reproduction import Part, Reproduction, renamed
from fercli.workflow.drawn_networks import blocks_figure_of, structure_figure_of, structure_table_of
from fercli.workflow.reproductions import Page, write_page
from fercli.workflow.request import Request

ALGORITHM = 4  # 4: known leaks under every table
TITLES = {
    "du": "Du: facial emotions by ResNet50 with two fully connected blocks",
    "xu-resnet": "Xu: facial expressions in film frames by a ResNet of eight blocks",
}
NetsConfig = ReproduceDuConfig | ReproduceFramesConfig
Groups = Mapping[str, Sequence[RunMaterial]]


def run(
    config: NetsConfig, names: Mapping[str, Sequence[str]], request: Request, store: Store, notify: Notify
) -> Outcome:
    """Write the page over standing runs; `cli/reproduce_nets.py` made them.

    names: the runs of each of Du's variants, one per seed; or the one run of each of Xu's protocols.
    """

    def page(materials: Mapping[str, RunMaterial]) -> Page:
        groups = {key: [materials[name] for name in group] for key, group in names.items()}
        made = _frames(config, groups) if isinstance(config, ReproduceFramesConfig) else _du(config, groups, store)
        return Page(made, {"members": {key: list(group) for key, group in names.items()}})

    return write_page(
        store,
        request,
        notify,
        paper=config.paper,
        algorithm=ALGORITHM,
        config=config,
        seed=config.seed,
        runs=tuple(name for group in names.values() for name in group),
        make=page,
    )


def _du(config: ReproduceDuConfig, groups: Groups, store: Store) -> Reproduction:
    metrics = {variant: [run.metrics for run in runs] for variant, runs in groups.items()}
    firsts = [(variant, groups[variant][0]) for variant in DU_VARIANTS]
    improved = firsts[-1][1]
    architecture = _architecture(improved)
    jumps = [line for name, run in firsts for line in steadiness_words(name, run.history)]
    parts = (
        Part("Table 1: accuracy and cross entropy", (du_sheet(metrics),)),
        examples(config, improved, store),
        Part(
            "Figure 2: the structure of the improved network",
            tuple(structure_table_of(_architecture(run)) for _, run in firsts),
            structure_figure_of(architecture, "figure2", fold=True),
            paper=DU_FIGURES["figure2"],
        ),
        Part(
            "Figure 3: residual blocks",
            drawings=blocks_figure_of(architecture, "figure3"),
            paper=DU_FIGURES["figure3"],
            here=("ResNet50 has blocks of three layers; the two-layer block of the paper's figure is ResNet34's.",),
        ),
        Part(
            "Figure 4: loss and accuracy",
            drawings=tuple(panels_drawing(firsts, "figure4")),
            paper=DU_FIGURES["figure4"],
            here=(*both_ends_words(firsts), *jumps),
        ),
        Part(
            "Figure 5: confusion matrix of the improved network",
            drawings=_only(improved, "confusion", "figure5"),
            paper=DU_FIGURES["figure5"],
            here=extremes_words(improved),
        ),
        Part("What the paper leaves open, and how it is read", (readings_sheet("du"),)),
    )
    return Reproduction("du", TITLES["du"], tuple(du_lead(metrics)), parts, SMOKE if config.smoke else None)


def examples(config: ReproduceDuConfig, run: RunMaterial, store: Store) -> Part:
    """Figure 1: faces that were drawn are always shown, pictures of people only where that was asked for."""
    data = store.open("dataset", str(run.metrics["on"]))
    drawn = data.content.get("format") == "synthetic"
    heading, paper = "Figure 1: examples of the data", DU_FIGURES["figure1"]
    if not (drawn or config.with_images):
        return Part(heading, paper=paper, here=("Pictures of people are shown only with --with-images.",))
    planes, samples = data.array("images.npy"), data.samples()
    rows = example_rows(samples, config.seed)
    pictures = {label: [np.asarray(planes[row]) for row in chosen] for label, chosen in rows.items()}
    told = (f"{len(samples):,} pictures of {'drawn faces' if drawn else data.name}.",)
    return Part(heading, drawings=tuple(examples_drawing(data.name, pictures, "figure1")), paper=paper, here=told)


def _frames(config: ReproduceFramesConfig, groups: Groups) -> Reproduction:
    metrics = {key: runs[0].metrics for key, runs in groups.items()}
    named = [(FRAME_WORDS[key], runs[0]) for key, runs in groups.items()]
    architecture = _architecture(groups["random"][0])
    parts = (
        Part("Accuracy by protocol", (frames_sheet(metrics, FRAME_WORDS),)),
        Part(
            "Figure 3: the structure",
            (structure_table_of(architecture),),
            structure_figure_of(architecture, "figure3", fold=False),
            paper=XU_FIGURES["figure3"],
        ),
        Part(
            "Figures 5 and 6: loss and accuracy of the ResNet",
            drawings=tuple(one for key, runs in groups.items() for one in _only(runs[0], "curves", f"figure5-6-{key}")),
            paper=(*XU_FIGURES["figure5"], XU_FIGURES["figure6"][1]),
            here=(
                *both_ends_words(named),
                "The BP network: fer reproduce xu shows both halves.",
            ),
        ),
        Part("Table 2: precision, recall and specificity", (frames_class_sheet(metrics, FRAME_WORDS),)),
        Part("What the paper leaves open, and how it is read", (readings_sheet("xu-resnet"),)),
    )
    lead = tuple(frames_lead(metrics, FRAME_WORDS))
    return Reproduction("xu-resnet", TITLES["xu-resnet"], lead, parts, SMOKE if config.smoke else None)


def _architecture(run: RunMaterial) -> Architecture:
    return Architecture(**run.content["architecture"])


def _only(run: RunMaterial, kind: str, stem: str) -> tuple[Drawing, ...]:
    """One of the figures of a run, under the paper's number."""
    return renamed([one for one in run_drawings(run) if one.stem == f"{run.name}-{kind}"], stem)
