"""Centred Gram matrices of training rows, for blocks with more columns than rows.

All pairs of rows are multiplied once, each row centred on its own cell; a fold then takes the block of its training
rows and shifts it from the cells' means to the mean of its training rows. Nothing of a held-out row takes part.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


def centred_grams(
    features: NDArray[np.floating], rest: NDArray[np.int64], cells: Sequence[NDArray[np.int64]]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]:
    """For each cell in turn: mean (D,), centred rows X (n, D) and X Xᵀ (n, n), float64, of `rest` and the others."""
    parts = [part for part in (rest, *cells) if len(part)]
    inside = [np.asarray(features[part], dtype=np.float64) for part in parts]
    means = np.stack([part.mean(axis=0) for part in inside])
    sizes = np.array([len(part) for part in parts])
    cell_of = np.repeat(np.arange(len(parts)), sizes)
    rows = np.concatenate(inside) - means[cell_of]
    products = rows @ rows.T
    for cell in cells:
        held_out = next((number for number, part in enumerate(parts) if part is cell), -1)
        kept = np.flatnonzero(np.arange(len(parts)) != held_out)
        train = np.flatnonzero(cell_of != held_out)
        mean = np.average(means[kept], axis=0, weights=sizes[kept])
        shift = np.zeros_like(means)
        shift[kept] = means[kept] - mean
        own, of = rows[train], cell_of[train]
        cross = (own @ shift.T)[:, of]
        gram = products[np.ix_(train, train)] + cross + cross.T + (shift @ shift.T)[np.ix_(of, of)]
        yield mean, own + shift[of], gram
