"""What a run got wrong: its most confident wrong answers, and which classes it takes for which."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.artifacts.store import Artifact, Store
from fercli.artifacts.tables import read_predictions
from fercli.datasets.mapped_rows import gather
from fercli.errors import ArtifactError
from fercli.evaluation.metrics import confusion_matrix
from fercli.evaluation.summary import rows_in_samples
from fercli.records import Predictions, Samples
from fercli.workflow.inputs import folds_base
from fercli.workflow.runs import score_table
from fercli.workflow.scored_runs import data_of

_STRIPS = 8


@dataclass(frozen=True)
class Wrong:
    """The wrong answers of one run. order: (n,) places in `predictions`, the most confident first.

    samples: the rows of the data, None where it changed since or is gone. rows: (n,) their rows in `samples`.
    """

    run: Artifact
    predictions: Predictions
    order: NDArray[np.int64]
    data: Artifact | None
    samples: Samples | None
    rows: NDArray[np.int64]

    @property
    def caveats(self) -> tuple[str, ...]:
        """The protocol, its known leaks and the copies, as they stand under the run's own scores."""
        return score_table(self.run, self.run.json("metrics.json")).notes

    def listed(self, limit: int) -> list[dict[str, Any]]:
        """The first `limit`: id, truth, predicted and their probabilities, the fold, and what the data knows."""
        found = []
        for place, at in enumerate(self.order[:limit].tolist()):
            it, names = self.predictions, self.predictions.classes
            truth, predicted = int(it.truth[at]), int(it.predicted[at])
            row = int(self.rows[place]) if self.samples is not None else -1
            found.append(
                {
                    "id": str(it.ids[at]),
                    "truth": names[truth],
                    "predicted": names[predicted],
                    "probability": float(it.probabilities[at, predicted]),
                    "probability_of_truth": float(it.probabilities[at, truth]),
                    "repeat": int(it.repeats[at]),
                    "fold": int(it.folds[at]),
                    "group": None if self.samples is None else str(self.samples.groups[row]) or None,
                    "source": None if self.samples is None else str(self.samples.sources[row]) or None,
                }
            )
        return found

    def confusions(self) -> list[dict[str, Any]]:
        """Pairs of truth and wrong answer, the commonest first: how often, and the share of the class's answers."""
        it = self.predictions
        labelled = it.truth >= 0
        counts = confusion_matrix(it.truth[labelled], it.predicted[labelled], len(it.classes))
        support = counts.sum(axis=1)
        pairs = [
            {
                "truth": it.classes[truth],
                "predicted": it.classes[predicted],
                "count": int(counts[truth, predicted]),
                "share": float(counts[truth, predicted] / support[truth]),
            }
            for truth, predicted in np.argwhere(counts).tolist()
            if truth != predicted
        ]
        return sorted(pairs, key=lambda pair: -pair["count"])


def wrong_predictions(store: Store, run: Artifact) -> Wrong:
    """Every wrong answer on held-out rows; of equally confident ones the first of predictions.csv first."""
    predictions = read_predictions(run.file("predictions.csv"))
    # A row without a label has no wrong answer.
    wrong = np.flatnonzero((predictions.predicted != predictions.truth) & (predictions.truth >= 0))
    sure = predictions.probabilities[wrong].max(axis=1, initial=0.0)
    order = wrong[np.argsort(-sure, kind="stable")]
    data = data_of(store, run)
    if data is None:
        return Wrong(run, predictions, order, None, None, np.empty(0, dtype=np.int64))
    samples = data.samples()
    return Wrong(run, predictions, order, data, samples, rows_in_samples(predictions, samples)[order])


def wrong_sheet(store: Store, wrong: Wrong) -> bytes:
    """PNG: a strip per common confusion, its most confident pictures; ArtifactError where pictures are not there."""
    # Only here: drawing loads matplotlib.
    from fercli.report.figures.contact_sheet import ACROSS, Strip, contact_sheet
    from fercli.report.figures.style import png_bytes

    pictures = _pictures(store, wrong)
    images, samples = pictures.array("images.npy"), pictures.samples()
    it, row_of = wrong.predictions, {name: row for row, name in enumerate(samples.ids.tolist())}
    truth, predicted = np.array(it.classes)[it.truth[wrong.order]], np.array(it.classes)[it.predicted[wrong.order]]
    strips = []
    for pair in wrong.confusions()[:_STRIPS]:
        own = wrong.order[(truth == pair["truth"]) & (predicted == pair["predicted"])]
        own = own[np.unique(it.ids[own], return_index=True)[1].argsort()] if len(np.unique(it.repeats)) > 1 else own
        shown = own[:ACROSS]
        rows = np.array([row_of[str(name)] for name in it.ids[shown]], dtype=np.int64)
        captions = [
            (f"{it.probabilities[at].max():.0%} {pair['predicted']}", str(it.ids[at])[-28:]) for at in shown.tolist()
        ]
        title = (
            f"{pair['truth']} taken for {pair['predicted']}: {pair['count']:,} ({pair['share']:.0%} of {pair['truth']})"
        )
        strips.append(Strip(title, list(gather(images, rows)), captions, more=len(own) - len(shown)))
    return png_bytes(contact_sheet(f"{wrong.run.label}: wrong, the most confident first", strips))


def _pictures(store: Store, wrong: Wrong) -> Artifact:
    """The data set of the run, or the one that its features were extracted from."""
    base = None if wrong.data is None else folds_base(wrong.data)
    if base is not None and base.kind == "dataset" and base.name in store.names("dataset"):
        dataset = store.open("dataset", base.name)
        if dataset.manifest.fingerprint == base.fingerprint:
            return dataset
    raise ArtifactError(
        f"the pictures of {wrong.run.label} are not in this workspace: its data changed, is gone, or never had any",
        where="--contact-sheet",
        next_step="leave --contact-sheet out; the ids and sources are in the list",
    )
