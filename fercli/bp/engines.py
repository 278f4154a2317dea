"""Networks that are trained together, divided into chunks: the units of arithmetic and of threads."""

from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.bp.chunk import Chunk, Member
from fercli.bp.gradients import TILE_ROWS, packed_width

CACHE_BYTES = 1 << 19
CPU = "cpu"


class AnyChunk(Protocol):
    """What training needs of a chunk, on whatever device it stands."""

    members: list[Member]

    @property
    def numbers(self) -> list[int]:
        """The numbers of its networks, in its order."""

    def work(self, done: int) -> tuple[NDArray[np.float64], ...]:
        """Train one epoch after `done`, then measure: train and test loss and accuracy, inner loss, each (S,)."""

    def weights(self, place: int) -> Any:
        """A copy of what a network has learned so far, for `write`."""

    def write(self, place: int, weights: Any = None) -> None:
        """Write these or its last weights to where the network stands."""

    def keep(self, places: NDArray[np.int64]) -> None:
        """Forget every network but those at these places (ascending)."""


def chunks_of(members: Sequence[Member], threads: int, device: str = CPU) -> list[AnyChunk]:
    """Networks of one kind together, by falling number of rows.

    On the CPU in chunks that fit the cache and feed the threads; on a device of torch all of a kind in one.
    """
    kinds: dict[tuple[Hashable, ...], list[Member]] = {}
    for member in members:
        kinds.setdefault(member.kind, []).append(member)
    chunks: list[AnyChunk] = []
    for own in kinds.values():
        ordered = sorted(own, key=lambda member: -len(member.rows.y))
        if device == CPU:
            chunks += [Chunk(part) for part in _parts(ordered, threads)]
        else:
            from fercli.bp.torch_chunk import TorchChunk

            chunks.append(TorchChunk(ordered, device))
    return chunks


def _parts(members: list[Member], threads: int) -> list[list[Member]]:
    first = members[0]
    tile = min(first.rule.batch or TILE_ROWS, TILE_ROWS)
    width = packed_width(int(first.stack.alive[first.network].sum()))
    each = tile * width * first.stack.w1.dtype.itemsize
    count = max(1, min(CACHE_BYTES // each, -(-len(members) // threads)))
    parts = np.array_split(np.arange(len(members)), -(-len(members) // count))
    return [[members[place] for place in part.tolist()] for part in parts]
