"""FER+, JAFFE, CK+, RAF-DB and AffectNet, each on a made tree of its published form."""

import io

import cv2
import numpy as np
import pytest

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets import formats
from fercli.datasets.assembly import assemble
from fercli.datasets.ferplus import VOTED, majority
from fercli.datasets.planes import PlaneList
from fercli.datasets.sources import open_source
from fercli.errors import InputError


def png(tone):
    return cv2.imencode(".png", np.full((8, 8), tone, np.uint8))[1].tobytes()


def jpg(tone):
    return cv2.imencode(".jpg", np.full((8, 8), tone, np.uint8))[1].tobytes()


def array(value):
    stream = io.BytesIO()
    np.save(stream, np.array(value))
    return stream.getvalue()


def imported(folder, files, expected):
    """Rows as (id, label, split, group) and left-out files as (source, reason); the format must be recognised."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    source, config = open_source(folder), ImportDatasetConfig()
    assert formats.detect(source) == expected
    result = assemble(formats.read(source, config), config, PlaneList(), where=str(folder))
    samples = result.samples
    columns = (samples.ids, samples.labels, samples.splits, samples.groups)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    return rows, {item.source: item.reason for item in result.left_out}, samples


HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
PIXELS = " ".join(["7"] * 64)


def ferplus(*votes, rows=None):
    lines = [f"Training,fer{number:07d}.png,{line}\n" for number, line in enumerate(votes)]
    table = "emotion,pixels,Usage\n" + f"0,{PIXELS},Training\n" * (len(votes) if rows is None else rows)
    return {"fer2013.csv": table.encode(), "fer2013new.csv": (HEADER + "".join(lines)).encode()}


def test_ferplus_relabels_by_majority_and_keeps_the_votes(tmp_path):
    votes = ("1,6,3,0,0,0,0,0,0,0", "5,5,0,0,0,0,0,0,0,0", "0,0,0,0,0,0,0,0,1,9", "0,0,0,0,0,0,0,9,1,0")
    rows, left_out, samples = imported(tmp_path, ferplus(*votes), "ferplus")
    assert rows == [("Training_0", "happy", "train", ""), ("Training_3", "contempt", "train", "")]
    assert left_out == {
        "fer2013.csv:3": "no emotion with more than half of the votes",
        "fer2013.csv:4": "most votes for no face",
    }
    assert samples.extra["votes"][0].startswith("neutral:1 happy:6 surprise:3 sad:0 angry:0")


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ({"happiness": 5, "neutral": 5}, ""),
        ({"happiness": 5, "neutral": 4, "fear": 1}, "happy"),
        ({"happiness": 1}, ""),
        ({"unknown": 6, "sadness": 4}, ""),
        ({"anger": 10}, "angry"),
    ],
)
def test_majority_ignores_single_votes_and_wants_more_than_half(votes, label):
    found, reason = majority({name: votes.get(name, 0) for name in VOTED})
    assert found == label
    assert bool(reason) == (label == "")


@pytest.mark.parametrize(("rows", "message"), [(1, "2 rows of votes for 1 rows"), (3, "2 rows of votes for more rows")])
def test_ferplus_tables_of_different_length_are_refused(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        imported(tmp_path, ferplus("9,0,0,0,0,0,0,0,0,1", "9,0,0,0,0,0,0,0,0,1", rows=rows), "ferplus")


def test_ferplus_with_broken_votes(tmp_path):
    with pytest.raises(InputError, match="no number of votes") as caught:
        imported(tmp_path, ferplus("9,x,0,0,0,0,0,0,0,1"), "ferplus")
    assert caught.value.where == "fer2013new.csv, line 2"


def test_jaffe(tmp_path):
    tiff = cv2.imencode(".tiff", np.full((8, 8), 5, np.uint8))[1].tobytes()
    files = {
        "jaffe/KA.AN1.39.tiff": tiff,
        "jaffe/YM.SU2.60.tiff": tiff,
        "jaffe/KM.XX1.1.tiff": tiff,
        "jaffe/README": b"x",
    }
    rows, left_out, _ = imported(tmp_path, files, "jaffe")
    assert rows == [("KA.AN1.39", "angry", "", "KA"), ("YM.SU2.60", "surprise", "", "YM")]
    assert set(left_out) == {"jaffe/KM.XX1.1.tiff", "jaffe/README"}


def test_ckplus_takes_peak_and_first_frame(tmp_path):
    frames = {f"cohn-kanade-images/S005/001/S005_001_{n:08d}.png": png(n) for n in (1, 2, 3)}
    frames |= {f"cohn-kanade-images/S010/002/S010_002_{n:08d}.png": png(n) for n in (1, 2)}
    emotions = {
        "Emotion/S005/001/S005_001_00000003_emotion.txt": b"   3.0000000e+00\n",
        "Emotion/S011/001/S011_001_00000009_emotion.txt": b"   7.0000000e+00\n",
    }
    rows, left_out, _ = imported(tmp_path, frames | emotions, "ckplus")
    assert rows == [
        ("S005_001_00000001", "neutral", "", "S005"),
        ("S005_001_00000003", "disgust", "", "S005"),
    ]
    assert left_out == {
        "S005_001": "1 frames between the first and the peak",
        "S010_002": "no emotion file: 2 frames",
        "S011_001_00000009": "the labelled frame is not there",
    }


def test_ckplus_with_class_folders_and_a_broken_emotion_file(tmp_path):
    files = {"CK+48/anger/S010_004_00000017.png": png(1), "CK+48/happy/S011_006_00000012.png": png(2)}
    rows, left_out, _ = imported(tmp_path / "a", files, "ckplus")
    assert rows == [("S010_004_00000017", "angry", "", "S010"), ("S011_006_00000012", "happy", "", "S011")]
    assert left_out == {}
    files["S010_004_00000017_emotion.txt"] = b"9.0"
    with pytest.raises(InputError, match="is not 0 to 7"):
        imported(tmp_path / "b", files, "ckplus")


def test_rafdb_reads_the_aligned_form_with_the_published_list(tmp_path):
    files = {
        "basic/EmoLabel/list_patition_label.txt": b"train_00001.jpg 5\ntest_0001.jpg 1\n",
        "basic/Image/aligned/train_00001_aligned.jpg": jpg(1),
        "basic/Image/aligned/test_0001_aligned.jpg": jpg(2),
        "basic/Image/aligned/test_0002_aligned.jpg": jpg(3),
        "basic/Image/original/train_00001.jpg": jpg(4),
    }
    rows, left_out, _ = imported(tmp_path, files, "rafdb")
    assert rows == [("test_0001", "surprise", "test", ""), ("train_00001", "sad", "train", "")]
    assert left_out == {
        "basic/Image/aligned/test_0002_aligned.jpg": "not in list_patition_label.txt and in no folder named 1 to 7",
        "original": "1 pictures whose aligned form is read instead",
    }


def test_rafdb_with_numbered_folders_and_a_broken_list(tmp_path):
    rows, _, _ = imported(tmp_path / "a", {"DATASET/train/7/train_00009_aligned.jpg": jpg(1)}, "rafdb")
    assert rows == [("train_00009", "neutral", "train", "")]
    files = {"list_patition_label.txt": b"train_00001.jpg\n", "train_00001.jpg": jpg(1)}
    with pytest.raises(InputError, match=r"'train_00001\.jpg' is not NAME LABEL"):
        imported(tmp_path / "b", files, "rafdb")


def test_affectnet_by_csv(tmp_path):
    table = "subDirectory_filePath,face_x,expression,valence\n"
    files = {
        "training.csv": (table + "103/aa.jpg,1,1,0.5\n103/bb.jpg,1,9,0\n7/gone.jpg,1,2,0\n").encode(),
        "validation.csv": (table + "9/cc.jpg,1,7,0.5\n").encode(),
        "Manually_Annotated_Images/103/aa.jpg": jpg(1),
        "Manually_Annotated_Images/103/bb.jpg": jpg(2),
        "Manually_Annotated_Images/9/cc.jpg": jpg(3),
        "Manually_Annotated_Images/9/dd.jpg": jpg(4),
    }
    rows, left_out, _ = imported(tmp_path, files, "affectnet")
    assert rows == [("9/cc", "contempt", "validation", ""), ("103/aa", "happy", "train", "")]
    assert left_out == {
        "Manually_Annotated_Images/103/bb.jpg": "expression 9: uncertain",
        "Manually_Annotated_Images/9/dd.jpg": "without an annotation",
        "7/gone": "annotated, but the picture is not there",
    }


def test_affectnet_by_npy_and_an_array_that_could_run_code(tmp_path):
    files = {
        "train_set/images/7.jpg": jpg(1),
        "train_set/annotations/7_exp.npy": array("6"),
        "train_set/annotations/7_val.npy": array("0.3"),
        "val_set/images/7.jpg": jpg(2),
        "val_set/annotations/7_exp.npy": array("0"),
    }
    rows, left_out, _ = imported(tmp_path, files, "affectnet")
    assert rows == [("train_set/7", "angry", "train", ""), ("val_set/7", "neutral", "validation", "")]
    assert left_out == {}
    stream = io.BytesIO()
    np.save(stream, np.array([{"an": "object"}]), allow_pickle=True)
    with pytest.raises(InputError, match="not an array of one expression"):
        imported(tmp_path, {"train_set/annotations/7_exp.npy": stream.getvalue()}, "affectnet")


@pytest.mark.parametrize(
    "data",
    [
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '<U1', 'fortran_order': False, 'shape': (" + b" " * 64 + b"\n",
        array("6")[:-4] + b"\xff\xff\xff\xff",
        array(["6", "6"]),
        array(6)[:-1],
        b"",
    ],
    ids=["a header without an end", "no letter of any alphabet", "two", "cut short", "nothing"],
)
def test_affectnet_annotations_that_are_damaged(tmp_path, data):
    with pytest.raises(InputError, match="not an array of one expression"):
        imported(tmp_path, {"train_set/annotations/7_exp.npy": data}, "affectnet")


@pytest.mark.parametrize("value", ["6", b"6", 6, [6], np.int64(6), np.uint8(6)])
def test_affectnet_annotations_of_every_kind(tmp_path, value):
    files = {"train_set/images/7.jpg": jpg(1), "train_set/annotations/7_exp.npy": array(value)}
    assert imported(tmp_path, files, "affectnet")[0] == [("train_set/7", "angry", "train", "")]


def test_an_affectnet_row_that_names_no_file_is_left_out(tmp_path):
    table = b"subDirectory_filePath,expression\n,1\n.,2\n103/aa.jpg,1\n"
    rows, left_out, _ = imported(tmp_path, {"training.csv": table, "i/103/aa.jpg": jpg(1)}, "affectnet")
    assert rows == [("103/aa", "happy", "train", "")]
    assert left_out == {".": "annotated, but the picture is not there"}
