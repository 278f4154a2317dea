"""One small zip for each published form of a data set that has tables or meaningful names, and damage to both."""

import io
import zipfile
from functools import lru_cache

import numpy as np
from fault_files import encoded
from fault_mutations import CELLS, Rng, damaged_bytes, damaged_table

_VOTES = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
_TABLES = (".csv", ".txt")


def _trees() -> dict[str, dict[str, bytes]]:
    """Form -> the files of its tree."""
    png, jpg, tiff = encoded(".png", side=8), encoded(".jpg", side=8), encoded(".tiff", side=8)
    pixels = " ".join(["7"] * 64)
    expression = io.BytesIO()
    np.save(expression, np.array("6"))
    return {
        "ferplus": {
            "fer2013.csv": f"emotion,pixels,Usage\n0,{pixels},Training\n3,{pixels},PublicTest\n".encode(),
            "fer2013new.csv": (
                f"Usage,Image name,{_VOTES}\nTraining,fer0000000.png,1,6,3,0,0,0,0,0,0,0\n"
                "PublicTest,fer0000001.png,9,0,0,0,0,0,0,0,0,1\n"
            ).encode(),
        },
        "fer2013-folders": {
            f"train/{label}/Training_{number}.png": png for number, label in enumerate(("happy", "sad"))
        },
        "sfew": {
            "Train/Angry/Hangover_001949614_00000089.png": png,
            "Val/Happy/Film_000519240_00000005.png": png,
        },
        "jaffe": {"jaffe/KA.AN1.39.tiff": tiff, "jaffe/YM.SU2.60.tiff": tiff},
        "ckplus": {
            **{f"cohn-kanade-images/S005/001/S005_001_{number:08d}.png": png for number in (1, 2, 3)},
            "Emotion/S005/001/S005_001_00000003_emotion.txt": b"   3.0000000e+00\n",
        },
        "rafdb": {
            "basic/EmoLabel/list_patition_label.txt": b"train_00001.jpg 5\ntest_0001.jpg 1\n",
            "basic/Image/aligned/train_00001_aligned.jpg": jpg,
            "basic/Image/aligned/test_0001_aligned.jpg": jpg,
        },
        "affectnet": {
            "training.csv": b"subDirectory_filePath,face_x,expression\n103/aa.jpg,1,1\n103/bb.jpg,1,9\n",
            "Manually_Annotated_Images/103/aa.jpg": jpg,
            "Manually_Annotated_Images/103/bb.jpg": jpg,
        },
        "affectnet-npy": {
            "train_set/images/7.jpg": jpg,
            "train_set/annotations/7_exp.npy": expression.getvalue(),
        },
        "csv": {
            "list.csv": b"path,label,split,group\na.png,happy,train,g0\nb.png,sad,test,g1\n",
            "a.png": png,
            "b.png": png,
        },
    }


@lru_cache
def published() -> dict[str, bytes]:
    """Zips by name, all of which are read without an error."""
    found = {}
    for name, files in _trees().items():
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for path, data in files.items():
                archive.writestr(path, data)
        found[f"{name}.zip"] = out.getvalue()
    return found


def damaged_tree(rng: Rng, data: bytes) -> bytes:
    """One to three of the members damaged, renamed, left out or given twice before the zip is packed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    for _ in range(int(rng.integers(1, 4))):
        # Tables decide most.
        tables = [at for at, (name, _) in enumerate(members) if name.endswith(_TABLES)]
        pool = tables if tables and rng.random() < 0.6 else list(range(len(members)))
        if not pool:
            break
        at = pool[int(rng.integers(len(pool)))]
        name, body = members[at]
        kind = int(rng.integers(8))
        if kind == 0:
            del members[at]
        elif kind == 1:
            parts = name.split("/")
            parts[int(rng.integers(len(parts)))] = CELLS[int(rng.integers(len(CELLS)))].replace("\0", "")
            members[at] = ("/".join(parts) or "x", body)
        elif kind == 2:
            members[at] = (damaged_bytes(rng, name.encode()).decode("utf-8", "replace").replace("\0", "") or "x", body)
        elif name.endswith(_TABLES) and kind < 7:
            try:
                members[at] = (name, damaged_table(rng, body))
            except (UnicodeDecodeError, IndexError):
                members[at] = (name, damaged_bytes(rng, body))
        else:
            members[at] = (name, damaged_bytes(rng, body))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        for name, body in dict(members).items():
            changed.writestr(name, body)
    return out.getvalue()
