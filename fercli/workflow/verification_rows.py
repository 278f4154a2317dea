"""Data sets and features: ids once each, pictures with the content they are known by, columns that extraction gives."""

from collections import Counter

import numpy as np

from fercli.artifacts.schema import MANIFEST
from fercli.artifacts.store import Artifact
from fercli.config.descriptors import DescriptorConfig
from fercli.datasets.content import pixel_content
from fercli.datasets.mapped_rows import release
from fercli.descriptors.extraction import extract_chunks
from fercli.records import Samples
from fercli.seeds import generator
from fercli.workflow.rows import class_counts, group_count
from fercli.workflow.verification import Covered, Difference
from fercli.workflow.verification_values import difference_list

FILE = "samples.csv"
# float32 columns of another machine's arithmetic; another picture differs by far more.
TOLERANCE = 1e-5
EXTRACTED_AGAIN = 8
_RELEASED_EVERY = 4096


def rows_as_told(data: Artifact, samples: Samples, array_rows: int) -> Covered:
    """Each id once, as many rows as the array has, and the counts that the manifest states."""
    found = []
    twice = [(name, count) for name, count in Counter(samples.ids.tolist()).items() if count > 1]
    if twice:
        name, count = twice[0]
        more = f"; {len(twice):,} ids in all" if len(twice) > 1 else ""
        found.append(Difference("an id stands more than once", f"{FILE}, id {name}{more}", count, 1))
    if array_rows != len(samples):
        found.append(Difference("the array has another number of rows", FILE, len(samples), array_rows))
    content = data.content
    if "counts" in content:
        counts = class_counts(samples)
        found += difference_list("rows of a class", f"{MANIFEST}, counts", content["counts"], counts)
    if "groups" in content:
        again = {"groups": group_count(samples)}
        found += difference_list("rows have another number of", MANIFEST, content, again)
    return Covered(len(samples), "rows", found)


def pictures_as_hashed(data: Artifact, samples: Samples) -> Covered:
    """Every picture has the content hash of its row."""
    if "content" not in samples.extra:
        return Covered(0, "pictures", [Difference("rows have no content hash", f"{FILE}, column content", None, None)])
    images, stored = data.array("images.npy"), samples.extra["content"]
    off = []
    for row, content in enumerate(stored.tolist()):
        if pixel_content(images[row]) != content:
            off.append(row)
        if row % _RELEASED_EVERY == 0:
            release(images)
    if not off:
        return Covered(len(stored), "pictures")
    place = f"images.npy, {samples.ids[off[0]]}" + (f"; {len(off):,} in all" if len(off) > 1 else "")
    computed = pixel_content(images[off[0]])
    told = Difference("a picture is not the one that its row names by hash", place, str(stored[off[0]]), computed)
    return Covered(len(stored), "pictures", [told])


def columns_as_extracted(features: Artifact, samples: Samples, dataset: Artifact, seed: int) -> Covered:
    """The rows are those of the data set, and a few drawn pictures give the stored columns again."""
    found = []
    if features.file(FILE).read_bytes() != dataset.file(FILE).read_bytes():
        found.append(Difference(f"the rows are not those of {dataset.label}", FILE, None, None))
    drawn = generator(seed, "verify.extraction").permutation(len(samples))[:EXTRACTED_AGAIN]
    rows = np.sort(drawn).astype(np.int64)
    images, stored = dataset.array("images.npy"), features.array("features.npy")
    parts = [part for _, part in extract_chunks(images[rows], DescriptorConfig.of(**features.config), jobs=1)]
    again = np.concatenate(parts)
    if again.shape[1] != stored.shape[1]:
        found.append(Difference("another number of columns", "features.npy", stored.shape[1], again.shape[1]))
        return Covered(len(rows), "rows", found)
    away = ~np.isclose(stored[rows], again, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    if away.any():
        place, column = (int(number) for number in np.argwhere(away)[0])
        where = f"features.npy, {samples.ids[rows[place]]}, column {column}"
        values = float(stored[rows[place], column]), float(again[place, column])
        found.append(Difference("a picture does not give its columns", where, *values))
    return Covered(len(rows), "rows", found)
