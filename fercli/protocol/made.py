"""Folds made by a scheme: which units stay whole, what is refused, what is labelled."""

import numpy as np

from fercli.config.protocol import ProtocolConfig
from fercli.errors import InputError, UsageError
from fercli.protocol import folds, leaks
from fercli.protocol.division import Division, class_notes, copy_notes, repeat_notes
from fercli.protocol.duplicates import crossing, group_numbers, merge
from fercli.protocol.participation import contents_of, participation
from fercli.records import Samples

DEFAULT_K = 5


def made_division(samples: Samples, config: ProtocolConfig) -> Division:
    """k folds, or one per group, of the rows that `participation` leaves in; refuses what nobody allowed."""
    part = participation(samples, official=False, pool_splits=config.pool_splits, drop=config.duplicates == "drop")
    rows = part.rows
    labels = samples.targets[rows]
    has_groups = bool(np.any(samples.groups[rows] != ""))
    groups = group_numbers(samples.groups[rows])
    same = contents_of(samples)[rows]
    scheme: str = config.scheme or "auto"
    if scheme in ("grouped", "logo") and not has_groups:
        raise InputError(
            f"--scheme {scheme} needs groups, and none of the {len(rows)} rows has one",
            next_step="use --scheme stratified, or import the data with a group column",
        )
    if scheme in ("contiguous", "logo") and config.repeats > 1:
        raise UsageError(
            f"--scheme {scheme} draws nothing, so {config.repeats} repeats would be the same folds",
            where=f"--repeats {config.repeats}",
            next_step="leave --repeats away, or use --scheme auto",
        )
    if scheme == "logo" and config.k is not None:
        raise UsageError(
            "--scheme logo makes one fold per group, so --k has no meaning",
            where=f"--k {config.k}",
            next_step="leave --k away, or use --scheme grouped",
        )
    k, repeats, seed = config.k or DEFAULT_K, config.repeats, config.seed
    whole = scheme in ("grouped", "logo") or (scheme == "auto" and has_groups)
    units = groups if whole else np.arange(len(rows))
    if config.duplicates == "group":
        units = merge(units, same)
    unit_name = "groups" if whole else "rows" if len(np.unique(units)) == len(rows) else "sets of copies"
    if scheme == "contiguous":
        made = folds.contiguous(len(rows), k=k)
    elif scheme == "logo":
        made = folds.leave_one_group_out(units)
    elif scheme == "grouped":
        made = folds.grouped(units, k=k, repeats=repeats, seed=seed, unit_name=unit_name)
    else:
        made = folds.stratified_grouped(labels, units, k=k, repeats=repeats, seed=seed, unit_name=unit_name)
        scheme = "stratified-grouped" if whole else "stratified"

    known = samples.groups[rows] != ""
    cut = leaks.cut_groups(groups[known], made[:, known]) if has_groups else 0
    total = len(np.unique(groups[known]))
    sentences = [leaks.CONTIGUOUS] if scheme == "contiguous" else []
    if cut:
        if scheme == "stratified" and not config.allow_group_leak:
            leaks.refuse_cut_groups(cut, total, where="--scheme stratified")
        sentences.append(leaks.group_sentence(cut, total))
    if copied := max(len(crossing(same, row)) for row in made):
        sentences.append(leaks.copy_sentence(copied))
    notes = class_notes(samples, labels, made) + repeat_notes(made) + copy_notes(same, config.duplicates)
    return Division(part, groups, total, scheme, config.duplicates, seed, made, tuple(sentences), notes)
