"""Every importer on a made tree or table, in every container, and the assembly of their pictures."""

import io
import tarfile
import zipfile

import cv2
import numpy as np
import pytest

from fercli.config.import_dataset import ImportDatasetConfig
from fercli.datasets import formats
from fercli.datasets.assembly import assemble, natural, unique_ids
from fercli.datasets.content import pixel_content
from fercli.datasets.planes import PlaneList
from fercli.datasets.sources import open_source
from fercli.errors import InputError, UsageError

RNG = np.random.default_rng(3)


def png(tone, shape=(8, 8)):
    return cv2.imencode(".png", np.full(shape, tone, np.uint8))[1].tobytes()


def folder_of(path, files):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def containers(tmp_path, files):
    """The same files as a folder, a zip and a tar, the archives in reverse order and below a folder of their own."""
    yield folder_of(tmp_path / "folder", files)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name, data in reversed(files.items()):
            archive.writestr(f"packed/{name}", data)
    yield tmp_path / "x.zip"
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        for name, data in reversed(files.items()):
            entry = tarfile.TarInfo(f"packed/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    yield tmp_path / "x.tar.gz"


def imported(path, **options):
    config = ImportDatasetConfig.of(**options)
    source, sink = open_source(path), PlaneList()
    result = assemble(formats.read(source, config), config, sink, where=str(path))
    return result, sink.stacked(result.order)


def rows(result, *columns):
    samples = result.samples
    return list(zip(*(getattr(samples, column).tolist() for column in columns), strict=True))


FER = {
    "train/angry/Training_2.png": png(1),
    "train/angry/Training_10.png": png(2),
    "test/happy/PublicTest_3.png": png(3),
    "test/happy/PrivateTest_4.png": png(4),
    "test/Surprise/PrivateTest_4.png": png(5),
}


def test_fer2013_folders_two_folder_form_in_every_container(tmp_path):
    for path in containers(tmp_path, FER):
        assert formats.detect(open_source(path)) == "fer2013-folders"
        result, planes = imported(path)
        assert rows(result, "ids", "labels", "splits") == [
            ("PrivateTest_4", "surprise", "test"),
            ("PrivateTest_4#2", "happy", "test"),
            ("PublicTest_3", "happy", "validation"),
            ("Training_2", "angry", "train"),
            ("Training_10", "angry", "train"),
        ]
        assert planes[:, 0, 0].tolist() == [5, 4, 3, 1, 2]
        assert result.samples.classes == ("angry", "happy", "surprise")
        assert result.samples.widths.tolist() == [8] * 5


def test_class_folders_with_and_without_splits(tmp_path):
    files = {"val/Fear/b.png": png(1), "train/contempt/a.x.png": png(2), "train/Happiness/a.png": png(3)}
    for path in containers(tmp_path, files):
        assert formats.detect(open_source(path)) == "class-folders"
        result, _ = imported(path)
        assert rows(result, "ids", "labels", "splits", "groups") == [
            ("train/Happiness/a", "happy", "train", ""),
            ("train/contempt/a.x", "contempt", "train", ""),
            ("val/Fear/b", "fear", "validation", ""),
        ]
        assert result.samples.classes == ("fear", "happy", "contempt")


def test_sfew_frames(tmp_path):
    files = {
        "Angry/Airheads_000519240_00000005.png": png(1),
        "Sad/IAmSam_013827920__00000055.png": png(2),
        "Fear/HarryPotter_Deathly_Hallows_2_001610960_00000028.png": png(3),
    }
    for path in containers(tmp_path, files):
        assert formats.detect(open_source(path)) == "sfew"
        result, _ = imported(path)
        assert rows(result, "ids", "labels", "groups") == [
            ("Airheads_000519240_00000005", "angry", "Airheads"),
            ("HarryPotter_Deathly_Hallows_2_001610960_00000028", "fear", "HarryPotter_Deathly_Hallows"),
            ("IAmSam_013827920_00000055", "sad", "IAmSam"),
        ]


def pixels(values):
    return " ".join(map(str, values))


def test_fer2013_csv_numbers_rows_and_names_what_it_leaves_out(tmp_path):
    plane = RNG.integers(0, 256, (48, 48))
    lines = [
        "emotion,pixels,Usage",
        f"0,{pixels(plane.ravel())},Training",
        f"7,{pixels(plane.ravel())},Training",
        f"6,{pixels(plane.ravel()[:-1])},PublicTest",
        f"6,{pixels([256] * 2304)},PublicTest",
        f"6,{pixels(plane.ravel())},Nowhere",
        f"6,{pixels(255 - plane.ravel())},PublicTest",
        f"4,{pixels(plane.ravel())},PrivateTest",
        # A space to `str.strip`, none to `int`.
        f"\x1f5,{pixels(plane.ravel())},PrivateTest",
    ]
    (tmp_path / "fer.csv").write_text("\n".join(lines))
    result, planes = imported(tmp_path / "fer.csv")
    assert rows(result, "ids", "labels", "splits") == [
        ("Training_0", "angry", "train"),
        ("PublicTest_5", "neutral", "validation"),
        ("PrivateTest_6", "sad", "test"),
        ("PrivateTest_7", "surprise", "test"),
    ]
    assert np.array_equal(planes, np.stack([plane, 255 - plane, plane, plane]).astype(np.uint8))
    assert [(item.source, item.reason) for item in result.left_out] == [
        ("fer.csv:3", "emotion '7' is not a number from 0 to 6"),
        ("fer.csv:4", "2303 pixels are no square"),
        ("fer.csv:5", "pixels that are no whole numbers from 0 to 255"),
        ("fer.csv:6", "Usage 'Nowhere' is none of Training, PublicTest, PrivateTest"),
    ]


def test_fer2013_csv_with_the_other_columns_order_and_a_ragged_row(tmp_path):
    (tmp_path / "icml.csv").write_text(f"emotion, Usage, pixels\n3,Training,{pixels([9] * 2304)}\n3,Training\n")
    assert formats.detect(open_source(tmp_path / "icml.csv")) == "fer2013-csv"
    with pytest.raises(InputError, match="2 cells under a header of 3") as caught:
        imported(tmp_path / "icml.csv")
    assert caught.value.where == "icml.csv, line 3"


LIST = {
    "labels.csv": b"path,label,split,group,pose\nimages/b.png,Joy,val,ann,left\nimages/a.png,sadness,train,bob,\n"
    b"images/gone.png,sad,train,bob,\n",
    "images/a.png": png(1),
    "images/b.png": png(2),
    "images/c.png": png(3),
}


def test_a_csv_list_in_every_container(tmp_path):
    for path in containers(tmp_path, LIST):
        assert formats.detect(open_source(path)) == "csv"
        result, planes = imported(path)
        assert rows(result, "ids", "labels", "splits", "groups") == [
            ("images/a", "sad", "train", "bob"),
            ("images/b", "happy", "validation", "ann"),
        ]
        assert result.samples.extra["pose"].tolist() == ["", "left"]
        assert planes[:, 0, 0].tolist() == [1, 2]
        assert len(result.left_out) == 2
        assert any("not listed in" in item.reason for item in result.left_out)
        assert any("but not there" in item.reason for item in result.left_out)


def test_a_csv_list_given_as_the_file_itself(tmp_path):
    result, _ = imported(folder_of(tmp_path / "x", LIST) / "labels.csv")
    assert result.samples.ids.tolist() == ["images/a", "images/b"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("../a.png,sad,train", "leads out of the source"),
        ("/a.png,sad,train", "leads out of the source"),
        ("a.png,sad,holdout", "split 'holdout' is none of"),
        ("a.png,sad", "2 cells under a header of 3"),
        ('a"b,"c"d,e', "broken CSV"),
    ],
)
def test_broken_lists_name_the_line(tmp_path, line, message):
    (tmp_path / "l.csv").write_text(f"path,label,split\n{line}\n")
    with pytest.raises(InputError, match=message) as caught:
        imported(tmp_path / "l.csv")
    assert "line" in caught.value.where


def test_a_broken_picture_is_left_out_and_named(tmp_path):
    files = {"sad/a.png": png(1), "sad/b.png": png(2)[:-9], "sad/c.png": b"", "sad/notes.txt": b"x"}
    result, _ = imported(folder_of(tmp_path / "x", files))
    assert result.samples.ids.tolist() == ["sad/a"]
    assert [(item.source, item.reason) for item in result.left_out] == [
        ("sad/b.png", "the PNG file is truncated"),
        ("sad/c.png", "the file is empty"),
        ("sad/notes.txt", "not the name of a picture"),
    ]


def test_no_picture_at_all_and_no_format(tmp_path):
    empty = folder_of(tmp_path / "a", {"sad/b.png": b"x"})
    with pytest.raises(InputError, match="no picture in it; 1 files left out, most because: not a PNG"):
        imported(empty)
    with pytest.raises(InputError, match="no known format: 1 files, 0 of them pictures"):
        imported(folder_of(tmp_path / "b", {"readme.txt": b"x"}))
    (tmp_path / "c").mkdir()
    with pytest.raises(InputError, match="no known format"):
        imported(tmp_path / "c")


MIXED = {"sad/a.png": png(9, (8, 8)), "sad/b.png": png(9, (8, 8)), "sad/c.png": png(9, (6, 4)), "sad/d.png": png(9)}


def test_mixed_sizes_are_listed_and_brought_to_one_on_request(tmp_path):
    path = folder_of(tmp_path / "x", MIXED)
    with pytest.raises(InputError, match=r"2 different sizes; .* 8x8 \(3\), 6x4 \(1\)") as caught:
        imported(path)
    assert "--size 8" in caught.value.next_step
    result, planes = imported(path, size="12x12", fit="stretch")
    assert planes.shape == (4, 12, 12)
    assert (planes == 9).all()
    assert result.samples.heights.tolist() == [8, 8, 6, 8]
    assert result.samples.widths.tolist() == [8, 8, 4, 8]


def test_mixed_colours_become_rgb_and_content_does_not_depend_on_it(tmp_path):
    gray = png(9)
    color = cv2.imencode(".png", np.dstack([np.full((8, 8), tone, np.uint8) for tone in (30, 20, 10)]))[1].tobytes()
    files = {"sad/a.png": gray, "sad/b.png": color, "sad/c.png": gray}
    result, planes = imported(folder_of(tmp_path / "x", files))
    assert result.color == "rgb"
    assert planes[:, 0, 0].tolist() == [[9, 9, 9], [10, 20, 30], [9, 9, 9]]
    content = result.samples.extra["content"].tolist()
    assert content[0] == content[2] != content[1]
    assert content == [pixel_content(plane) for plane in planes]
    alone, _ = imported(folder_of(tmp_path / "y", {"sad/a.png": gray}))
    assert alone.color == "gray"
    assert alone.samples.extra["content"].tolist() == content[:1]
    forced, planes = imported(folder_of(tmp_path / "x", files), color="gray")
    assert forced.color == "gray"
    assert planes[:, 0, 0].tolist() == [9, round(0.299 * 10 + 0.587 * 20 + 0.114 * 30), 9]


def test_content_tells_shapes_apart():
    assert pixel_content(np.zeros((2, 8), np.uint8)) != pixel_content(np.zeros((4, 4), np.uint8))


def test_unique_ids_never_meet_a_name_that_is_there():
    assert unique_ids(["a", "a", "a#2", "a", "b"]) == ["a", "a#2", "a#2#2", "a#3", "b"]
    assert unique_ids(["a#2", "a", "a"]) == ["a#2", "a", "a#3"]


def test_natural_order():
    assert sorted(["b_1", "a_10", "a_02", "a_2", "a"], key=natural) == ["a", "a_02", "a_2", "a_10", "b_1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": "0"}, "--size"),
        ({"size": "4x"}, "^--size: '4x' is neither N nor HxW, e.g. 48 or 576x720$"),
        ({"color": "blue"}, "--color"),
        ({"fit": 1}, "--fit"),
    ],
)
def test_options_out_of_bounds(options, message):
    with pytest.raises(UsageError, match=message):
        ImportDatasetConfig.of(**options)


@pytest.mark.real_data
def test_the_published_fer2013_pictures(real_data):
    path = real_data / "fer2013-train-validation.tar.xz"
    config, source = ImportDatasetConfig(), open_source(path)
    sink = PlaneList()
    result = assemble(formats.read(source, config), config, sink, where=str(path))
    splits = result.samples.splits
    assert ((splits == "train").sum(), (splits == "validation").sum()) == (28_709, 3_589)
    _, counts = np.unique(result.samples.extra["content"], return_counts=True)
    assert ((counts > 1).sum(), counts[counts > 1].sum()) == (1_273, 2_805)
    first = sink.stacked(result.order[:1])[0]
    assert pixel_content(first) == result.samples.extra["content"][0]


def test_a_format_that_nobody_knows_is_refused_with_the_list(tmp_path):
    (path,) = list(containers(tmp_path, {"happy/1.png": png(1)}))[:1]
    with pytest.raises(UsageError, match="there is no format 'fer2014'") as refused:
        imported(path, format="fer2014")
    assert refused.value.next_step.startswith("take auto or one of ferplus, fer2013-csv, ")
