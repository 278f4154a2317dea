"""Folds taken from a table that stands already."""

import numpy as np

from fercli.config.protocol import ProtocolConfig
from fercli.errors import UsageError
from fercli.protocol import leaks
from fercli.protocol.division import Division, copy_notes
from fercli.protocol.duplicates import crossing, group_numbers
from fercli.protocol.participation import contents_of, official_splits, participation
from fercli.protocol.standing import StandingFolds, aligned
from fercli.records import Samples


def given_division(samples: Samples, config: ProtocolConfig, standing: StandingFolds) -> Division:
    """The folds of a table, refused where a group or a copy crosses and neither its maker nor the user allowed it."""
    if config.scheme is not None or config.k is not None or config.repeats > 1:
        raise UsageError(
            f"the folds {standing.name} stand already, so --scheme, --k and --repeats have no meaning",
            next_step="give either --folds or --scheme, --k and --repeats",
        )
    table = aligned(standing, samples)
    made_by = standing.protocol
    duplicates = made_by.duplicates if made_by else config.duplicates
    part = participation(samples, official=False, pool_splits=True, drop=duplicates == "drop", listed=table[0] != -2)
    chosen = table[:, part.rows]
    group_of = dict(zip(standing.ids.tolist(), standing.groups.tolist(), strict=True))
    names = np.array([samples.groups[row] or group_of[str(samples.ids[row])] for row in part.rows.tolist()])
    known = names != ""
    groups, same = group_numbers(names), contents_of(samples)[part.rows]
    total = len(np.unique(groups[known]))
    cut = leaks.cut_groups(groups[known], chosen[:, known]) if np.any(known) else 0
    copied = max(len(crossing(same, row)) for row in chosen)
    if made_by is None:
        if cut and not config.allow_group_leak:
            leaks.refuse_cut_groups(cut, total, where=standing.name)
        if copied and duplicates != "keep":
            leaks.refuse_cut_copies(copied, where=standing.name)
    scheme = made_by.scheme if made_by else "imported"
    sentences = [leaks.CONTIGUOUS] if scheme == "contiguous" else []
    if cut:
        sentences.append(leaks.group_sentence(cut, total))
    if copied and scheme != "official":
        sentences.append(leaks.copy_sentence(copied))
    seed = made_by.seed if made_by else config.seed
    split = official_splits(samples) if scheme == "official" else ("train", "test")
    notes = copy_notes(same, duplicates)
    return Division(part, groups, total, scheme, duplicates, seed, chosen, tuple(sentences), notes, split)
