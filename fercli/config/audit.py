"""What `fer audit` looks for, how strictly, and which findings fail it."""

from pydantic import Field

from fercli.config.base import Config
from fercli.errors import UsageError

# Finding -> what it counts, for the table of gates.
IMAGE_GATES = {
    "cross-split-duplicates": "sets of equal pictures across splits",
    "conflicting-labels": "sets of equal pictures with different labels",
    "near-duplicates": "sets of nearly equal pictures",
    "unreadable": "files that could not be read",
    "blank": "blank pictures",
}
FEATURE_GATES = {
    "cross-split-duplicates": "sets of equal rows across splits",
    "conflicting-labels": "sets of equal rows with different labels",
    "unreadable": "rows that could not be read",
}


class AuditConfig(Config):
    """Bounds of an audit; none of them changes data.

    near_threshold: largest root mean square difference of two near copies, each brought to mean 0 and standard
    deviation 1 (0 equal, 1.41 unrelated, 2 inverted; 0.4 is a correlation of 0.92). near_bits: in how many of 64 bits
    their perceptual hashes may differ; more find more and take longer. Of the pairs of FER-2013 whose difference is at
    most 0.4, 6, 7 and 8 bits find 76, 86 and 92 %; of those at most 0.2, all. blank_below, faint_below: standard
    deviations of the gray values (0 to 127.5) under which a picture is blank or nearly constant. dominant_share: the
    part of a component's variance from which one row dominates it.
    """

    fail_on: tuple[str, ...] = ()
    near_threshold: float = Field(default=0.4, ge=0, le=2)
    near_bits: int = Field(default=7, ge=0, le=8)
    blank_below: float = Field(default=1.0, ge=0, le=127.5)
    faint_below: float = Field(default=5.0, ge=0, le=127.5)
    dominant_share: float = Field(default=0.5, gt=0, le=1)


def check_gates(names: tuple[str, ...], legal: dict[str, str], *, of: str) -> None:
    """UsageError for the first of `names` that an audit `of` pictures or features cannot fail on."""
    for name in names:
        if name in legal:
            continue
        known = name in IMAGE_GATES
        raise UsageError(
            f"an audit of {of} does not look for {name}" if known else f"nothing to fail on is called {name!r}",
            where=f"--fail-on {','.join(names)}",
            next_step=f"choose from {', '.join(legal)}",
        )
