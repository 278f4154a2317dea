"""FER+ (Barsoum et al. 2016): ten votes for every row of FER-2013's CSV, in `fer2013new.csv` beside it.

Label policy, that of the authors' reader in majority mode: an emotion with a single vote counts as none, and the
label is the emotion with more than half of the votes that are left. Rows without such an emotion, and those voted
`unknown` or `NF` (no face), are left out with that reason. The votes as published stand in the column `votes`, so
that soft labels (each emotion's share of the votes) can be made from them. Contempt is an eighth class.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import PurePosixPath

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets import fer2013_csv, tables
from fercli.datasets.labels import canonical
from fercli.datasets.reading import Reading
from fercli.datasets.sources import Source
from fercli.errors import InputError
from fercli.records import LeftOut

VOTED = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "nf")
NO_EMOTION = ("unknown", "nf")


def recognises(names: Sequence[str]) -> bool:
    """Whether the published file of votes is there."""
    return any(PurePosixPath(name).name.casefold() == "fer2013new.csv" for name in names)


def read(source: Source, config: ImportDatasetConfig) -> Reading:
    """FER-2013's rows with the label that the votes give; ids, splits and numbers are those of `fer2013-csv`.

    Raises InputError where the votes are missing, are no numbers, or are not as many as the rows.
    """
    votes = list(_votes(source))
    for number, (item, cast) in enumerate(zip_longest(fer2013_csv.read(source, config), votes)):
        if item is None or cast is None:
            raise InputError(
                f"{len(votes):,} rows of votes for {'more' if cast is None else number} rows of pixels",
                where=str(source.path),
                next_step="put the published fer2013.csv and fer2013new.csv side by side",
            )
        if isinstance(item, LeftOut):
            yield item
            continue
        label, reason = majority(cast)
        if reason:
            yield LeftOut(item.source, reason)
            continue
        shown = " ".join(f"{canonical(name)}:{count}" for name, count in cast.items())
        yield replace(item, label=label, extra={**item.extra, "votes": shown})


def majority(cast: Mapping[str, int]) -> tuple[str, str]:
    """(label, "") by the policy above, or ("", why there is none)."""
    counted = {name: count for name, count in cast.items() if count > 1}
    most = max(counted, key=lambda name: counted[name], default="")
    if not most or 2 * counted[most] <= sum(counted.values()):
        return "", "no emotion with more than half of the votes"
    if most in NO_EMOTION:
        return "", "most votes for unknown" if most == "unknown" else "most votes for no face"
    return canonical(most), ""


def _votes(source: Source) -> Iterator[dict[str, int]]:
    for file in tables.table_files(source):
        if not recognises([file.path]):
            continue
        for line, row in tables.rows(file):
            try:
                yield {name: int(row[name]) for name in VOTED}
            except (KeyError, ValueError) as error:
                raise InputError(
                    f"no number of votes for {error}", where=f"{file.path}, line {line}", next_step="fetch it again"
                ) from None
        return
    raise InputError("no fer2013new.csv", where=str(source.path), next_step="put it beside fer2013.csv")
