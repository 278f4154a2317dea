"""The rows of an epoch cut into optimizer steps, and those into what passes through the network at a time."""

# Batch norm has no variance over a single row.
LEAST = 2


def step_slices(rows: int, batch: int, accumulate: int, least: int = LEAST) -> list[list[slice]]:
    """The micro-batches of each optimizer step of an epoch; every row once.

    A last micro-batch of fewer than `least` rows joins the one before it.
    """
    starts = list(range(0, rows, batch))
    if len(starts) > 1 and batch >= least and rows - starts[-1] < least:
        starts.pop()
    pieces = [slice(start, stop) for start, stop in zip(starts, [*starts[1:], rows], strict=True)]
    return [pieces[i : i + accumulate] for i in range(0, len(pieces), accumulate)]


def divided(pieces: list[slice], largest: int) -> list[slice]:
    """The same rows in micro-batches of `largest`, none with a single row.

    With a batch that halves evenly these are the slices that half the batch and twice the accumulation would give.
    """
    found: list[slice] = []
    for piece in pieces:
        (parts,) = step_slices(piece.stop - piece.start, largest, piece.stop)
        found += [slice(piece.start + part.start, piece.start + part.stop) for part in parts]
    return found
