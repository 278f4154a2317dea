"""From pictures to a feature matrix: the blocks of a config, one batch, and chunks over many processes."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

import joblib
import numpy as np
from numpy.typing import NDArray

from fercli.config.descriptors import DescriptorConfig
from fercli.descriptors.pixels import gray
from fercli.descriptors.registry import kind_of
from fercli.errors import EnvironmentFailure
from fercli.records import Block

Backend = Literal["loky", "dask"]
Part = tuple[slice, NDArray[np.float32]]

CHUNK_PIXELS = 1 << 20
CHUNK_IMAGES = 256
ROUND_BYTES = 1 << 27


def blocks(config: DescriptorConfig, image_shape: tuple[int, ...]) -> tuple[Block, ...]:
    """The columns of each descriptor for pictures of `image_shape` (H, W) or (H, W, 3), in the config's order.

    Blocks are named as the descriptors, LPQ with several windows as lpq3, lpq5 and so on. Raises InputError
    where a parameter does not fit pictures of this size and UsageError for a name that no descriptor has, before
    anything is computed.
    """
    height, width = image_shape[:2]
    widths = [entry for name in config.descriptors for entry in kind_of(name).widths(config, height, width)]
    stops = np.cumsum([width for _, width in widths]).tolist()
    return tuple(
        Block(name=name, start=stop - width, stop=stop) for (name, width), stop in zip(widths, stops, strict=True)
    )


def extract(images: NDArray[np.uint8], config: DescriptorConfig) -> NDArray[np.float32]:
    """(n, D) float32 descriptors of pictures (n, H, W) or (n, H, W, 3) uint8, in the columns of `blocks`.

    A row depends on its picture alone, to the last bit. Raises InputError as `blocks` does.
    """
    columns = blocks(config, images.shape[1:])
    stack = gray(images)
    out = np.empty((len(stack), columns[-1].stop), dtype=np.float32)
    place = iter(columns)
    for name in config.descriptors:
        for values in kind_of(name).values(stack, config):
            block = next(place)
            out[:, block.start : block.stop] = values
    return out


def chunks(count: int, image_shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Slices over `count` pictures, small enough that a chunk's pixels and descriptors stay a few MiB."""
    step = max(1, min(CHUNK_IMAGES, CHUNK_PIXELS // max(1, image_shape[0] * image_shape[1])))
    return tuple(slice(start, min(start + step, count)) for start in range(0, count, step))


def extract_chunks(
    images: NDArray[np.uint8],
    config: DescriptorConfig,
    *,
    jobs: int = 1,
    backend: Backend = "loky",
    scheduler: str | None = None,
    skip: int = 0,
) -> Iterator[Part]:
    """Yield (slice, (n, D) float32) chunk by chunk, in the order of the pictures, computed by `jobs` processes.

    images: (N, H, W) or (N, H, W, 3) uint8, best a memory map: with `loky` the processes get the place of a
    chunk in the file, any other array chunk by chunk. With `dask` chunks travel as arrays (no shared file system)
    to the cluster at `scheduler`, or to the current client's. skip: the first chunks that a caller already has.
    Memory does not grow with N: a round of chunks, at most `ROUND_BYTES` of descriptors or two chunks per job, is
    handed over before the next begins. The bytes depend on none of this.
    Raises InputError as `blocks` does, and EnvironmentFailure where there is no dask or no cluster.
    """
    row_bytes = 4 * blocks(config, images.shape[1:])[-1].stop
    todo = chunks(len(images), images.shape[1:])[skip:]
    if not todo:
        return
    if backend == "loky" and jobs == 1:
        for part in todo:
            yield part, extract(images[part], config)
        return
    # joblib's generator goes on computing however slowly its results are taken: rounds hold it back.
    step = max(2 * jobs, min(16 * jobs, ROUND_BYTES // (row_bytes * (todo[0].stop - todo[0].start))))
    with _parallel(jobs, backend, scheduler) as parallel:
        for first in range(0, len(todo), step):
            parts = todo[first : first + step]
            results = parallel(
                joblib.delayed(extract)(images[part] if backend == "loky" else np.array(images[part]), config)
                for part in parts
            )
            try:
                yield from zip(parts, results, strict=True)
            finally:
                # A caller that stops early means to: joblib's warning about unused results is for others.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    results.close()


@contextmanager
def _parallel(jobs: int, backend: Backend, scheduler: str | None) -> Iterator[joblib.Parallel]:
    """joblib's pool, handing results over in order as they come; only memory maps are shared by file."""
    options = {"return_as": "generator", "pre_dispatch": "2*n_jobs", "batch_size": 1}
    if backend == "loky":
        with joblib.Parallel(n_jobs=jobs, backend="loky", max_nbytes=None, **options) as parallel:
            yield parallel
        return
    with ExitStack() as stack:
        try:
            from distributed import Client, get_client

            client = stack.enter_context(Client(scheduler, set_as_default=False)) if scheduler else get_client()
        except (ImportError, ValueError, OSError) as error:
            raise EnvironmentFailure(
                f"no Dask cluster to work on: {error}",
                where=scheduler,
                next_step="install fercli[dask] and give the address of a running scheduler",
            ) from error
        stack.enter_context(joblib.parallel_config(backend="dask", client=client))
        yield stack.enter_context(joblib.Parallel(n_jobs=jobs, **options))
