"""Every reader of files that somebody else made, with sound files to damage and the one call that reads them.

A reader may raise `FerError`s of kind input, artifact or usage, and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fault_files import (
    archives,
    csv_sheets,
    damaged_archive,
    fer_csv,
    fold_tables,
    pictures,
    read_dataset,
    read_folds,
    read_picture,
    read_sheet,
    xlsx_sheets,
)
from fault_mutations import Rng, damaged_bytes, damaged_json, damaged_table, damaged_zip
from fault_published import damaged_tree, published
from fault_stored import (
    arrays,
    damaged_tables,
    forged_json,
    lying_header,
    manifests,
    models,
    predictions,
    read_artifact,
    read_model,
    read_npy,
    read_predictions,
)

Damage = Callable[[Rng, bytes], bytes]


@dataclass(frozen=True)
class Reader:
    """sound: files by name, all of which `read` takes without an error. damages: one is drawn per input.

    read: (folder to write in, name of the sound file, bytes); it raises one of `EXPECTED`, or nothing.
    """

    sound: Callable[[], Mapping[str, bytes]]
    read: Callable[[Path, str, bytes], object]
    damages: tuple[Damage, ...] = (damaged_bytes,)


READERS: dict[str, Reader] = {
    "image": Reader(pictures, read_picture),
    "fer-csv": Reader(fer_csv, read_dataset, (damaged_bytes, damaged_table)),
    "published": Reader(published, read_dataset, (damaged_tree, damaged_tree, damaged_tree, damaged_bytes)),
    "archive": Reader(archives, read_dataset, (damaged_bytes, damaged_archive)),
    "sheet-csv": Reader(csv_sheets, read_sheet, (damaged_bytes, damaged_table)),
    "sheet-xlsx": Reader(xlsx_sheets, read_sheet, (damaged_zip, damaged_zip, damaged_bytes)),
    "folds": Reader(fold_tables, read_folds, (damaged_bytes, damaged_table, damaged_table)),
    "manifest": Reader(manifests, read_artifact, (damaged_bytes, damaged_json, forged_json, forged_json)),
    "model": Reader(models, read_model, (damaged_bytes, lying_header, lying_header)),
    "npy": Reader(arrays, read_npy),
    "predictions": Reader(predictions, read_predictions, (damaged_bytes, damaged_tables, damaged_tables)),
}
