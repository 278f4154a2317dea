"""What `fer bench` can measure, and how long it takes over it."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from fercli.config.base import Config
from fercli.config.resnet import Precision, Stem
from fercli.errors import UsageError

# Topic -> what stands side by side.
TOPICS = {
    "descriptors": "PHOG and LPQ beside a plain transcription and scikit-image's HOG",
    "bp": "the stack of all folds' networks beside a PyTorch loop and scikit-learn",
    "pca": "the PCA of all folds from one pass beside scikit-learn's, fold by fold",
    "resnet": "a training step beside a bare PyTorch loop, a plain torchvision loop and the device's limits",
}


class BenchConfig(Config):
    """One benchmark. quick: small data and one repeat, to see that it works; its times say little.

    repeats: of `resnet` the pairs, whose median counts. folds, components, rows: of `pca` alone; rows are those taken
    of real features, evenly spaced. variant, width, device, precision, stem, batch_size and compile: of `resnet` alone;
    width is of the variant `cnn`.
    """

    options: ClassVar[Mapping[str, str]] = {"folds": "--k"}

    topic: str
    quick: bool = False
    repeats: int = Field(default=3, ge=1, le=100)
    folds: int = Field(default=20, ge=2, le=1000)
    components: int = Field(default=20, ge=1, le=10_000)
    rows: int = Field(default=5000, ge=4)
    variant: tuple[str, ...] = Field(default=("cnn", "xu-resnet"), min_length=1)
    width: int = Field(default=16, ge=1, le=4096)
    device: str = "cpu"
    precision: Precision = "auto"
    stem: Stem | None = None
    batch_size: int = Field(default=64, ge=2, le=65_536)
    compile: bool = False
    seed: int = Field(default=0, ge=0, le=2**63 - 1)


def check_topic(name: str) -> None:
    """UsageError for a topic that there is no benchmark of."""
    if name not in TOPICS:
        raise UsageError(f"there is no benchmark called {name}", next_step=f"choose from {', '.join(TOPICS)}")
