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
# What the papers' figures show, in the papers' words where there are any: the figures themselves are theirs.
XU_FIGURES: Mapping[str, tuple[str, ...]] = {
    "figure1": (
        "The distribution of the data after preprocessing: the first LPQ feature is skewed, so its logarithm is taken, "
        "then all are normalised.",
    ),
    "figure2": ("SGD, SGD with momentum and Adam are compared; Adam is taken.",),
    "figure3": (
        "The total structure of the ResNet: convolution, normalisation and maximum pooling, 8 building blocks of which "
        "two are shown, global average pooling, 7 outputs; pictures of 720 x 576.",
    ),
    "figure4": ("'when we reduce the redundant hidden units and train again, the loss will not increase'",),
    "figure5": ("'for the Resnet model, the training loss is very small while the test loss is very high'",),
    "figure6": (
        "BP network: 41.36 % on training and 11.62 % on test rows, called under-fitting.",
        "ResNet: around 95 % on training, about 30 % on test rows, called over-fitting.",
    ),
}
DU_FIGURES: Mapping[str, tuple[str, ...]] = {
    "figure1": ("Examples of FER-2013: 35,887 gray pictures of 48 x 48 from image searches.",),
    "figure2": (
        "48 x 48 x 3 goes into ResNet50; maps of 2 x 2 x 2048 into two blocks of flatten (the first only), fully "
        "connected, dropout, batch normalisation and activation; then softmax.",
    ),
    "figure3": ("A basic block: H(x) = F(x, {W}) + x (equation 1).",),
    "figure4": (
        "Improved network: cross entropy falls from 5.3601 to 1.1556 while accuracy rises from 41.73 to 57.31 %.",
        "ResNet50: 'large fluctuations', a loss above 1.4 and an accuracy below 45 %.",
    ),
    "figure5": ("'disgust' is rarely recognised for lack of data, 'happy' best, because its data suffice.",),
}
