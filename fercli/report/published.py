"""What the papers print: figures of others, to stand beside ours; never a result of this package."""

from collections.abc import Mapping
from dataclasses import dataclass

from fercli.records import EXPRESSIONS


@dataclass(frozen=True)
class Published:
    """A table of a paper. precision, recall, specificity: by class. accuracy: as the text states it, None if not."""

    name: str
    source: str
    accuracy: float
    train_accuracy: float | None
    precision: Mapping[str, float]
    recall: Mapping[str, float]
    specificity: Mapping[str, float]


def _by_class(*values: float) -> dict[str, float]:
    return dict(zip(EXPRESSIONS, values, strict=True))


XU_BP = Published(
    name="Xu",
    source="Xu (ANU), table 1 and section 3.2: the BP network",
    accuracy=0.1162,
    train_accuracy=0.4136,
    precision=_by_class(0.03, 0.02, 0.14, 0.27, 0.08, 0.14, 0.05),
    recall=_by_class(0.03, 0.01, 0.16, 0.29, 0.07, 0.15, 0.06),
    specificity=_by_class(0.84, 0.92, 0.83, 0.86, 0.85, 0.84, 0.82),
)
DHALL = Published(
    name="Dhall 2011",
    source="Dhall, Goecke, Lucey and Gedeon (BeFIT, ICCV workshops 2011), table 3: SFEW's SPI protocol, two sets of "
    "disjoint persons, PHOG and LPQ, non-linear SVM",
    accuracy=0.190,
    train_accuracy=None,
    precision=_by_class(0.17, 0.15, 0.20, 0.28, 0.22, 0.16, 0.15),
    recall=_by_class(0.21, 0.13, 0.18, 0.29, 0.21, 0.16, 0.12),
    specificity=_by_class(0.48, 0.66, 0.64, 0.51, 0.61, 0.60, 0.66),
)
DHALL_NOTE = (
    "Dhall 2011: the specificities cannot follow from the recalls. Seven classes of about 100 rows each, with the "
    "precision and recall printed, leave .83 to .89; .48 to .66 is what the table prints."
)
XU_NOTE = (
    "Xu: 11.62 % lies below the 14.8 % of always naming a commonest class. Two readings give such a figure, and the "
    "text cannot decide between them: contiguous folds of a sheet sorted by label, or labels that are one class off."
)
XU_RESNET = Published(
    name="Xu",
    source="Xu (ANU), table 2 and section 3.2: the ResNet, 'around' 95 % on training and 'about' 30 % on test rows",
    accuracy=0.30,
    train_accuracy=0.95,
    precision=_by_class(0.25, 0.36, 0.20, 0.36, 0.23, 0.36, 0.47),
    recall=_by_class(0.16, 0.25, 0.62, 0.33, 0.14, 0.32, 0.32),
    specificity=_by_class(0.99, 0.99, 0.94, 0.99, 0.98, 0.98, 0.99),
)
# Du 2023, table 1: accuracy and cross entropy of each network, FER-2013, 30 epochs.
DU = {"resnet50": (0.4400, 1.47082), "du-improved-resnet50": (0.5731, 1.15563)}
