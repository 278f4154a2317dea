"""Pictures from everywhere, one at a time: what is read, what is passed over, and what goes on after damage."""

import io
import os
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from fercli.datasets.images import opencv
from fercli.errors import EnvironmentFailure, InputError
from fercli.inference import streams, video
from fercli.inference.streams import Reading, found_sources, frames, shown, webcam

cv2 = opencv()
GRAY = np.arange(600, dtype=np.uint8).reshape(20, 30)


def png(pixels=GRAY) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def huge_png(width=20_000, height=20_000) -> bytes:
    """A sound file of a size that would need 400 MB, made by hand: its pixels are missing, its chunks are not."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def film(path: Path, count=10, size=(64, 48), codec="MJPG") -> Path:
    """Frame n is gray of value 20 n."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 10, size)
    assert writer.isOpened()
    for number in range(count):
        writer.write(np.full((size[1], size[0], 3), 20 * number % 240, np.uint8))
    writer.release()
    return path


def read(*sources, **how):
    return list(frames(found_sources([str(source) for source in sources]), Reading(**how)))


def facts(found):
    return [(frame.source, frame.number, frame.problem) for frame in found]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_file_is_one_frame_of_its_pixels():
    Path("a.png").write_bytes(png())
    (frame,) = read("a.png")
    np.testing.assert_array_equal(frame.pixels, GRAY)
    assert (frame.source, frame.place, frame.number, frame.problem, frame.moving) == ("a.png", "a.png", 0, "", False)


def test_a_folder_in_natural_order_without_what_is_no_picture():
    folder = Path("p/sub")
    folder.mkdir(parents=True)
    for name in ("p/a10.png", "p/a2.png", "p/sub/b.png", "p/.hidden.png"):
        Path(name).write_bytes(png())
    Path("p/notes.txt").write_text("x")
    passed = []
    assert [frame.source for frame in read("p/", skipped=passed.append)] == ["p/a2.png", "p/a10.png", "p/sub/b.png"]
    assert [frame.place for frame in read("p")] == ["p/a2.png", "p/a10.png", "p/sub/b.png"]
    assert passed == ["p/notes.txt"]


def test_linked_pictures_are_read_and_linked_folders_are_not_followed():
    Path("p").mkdir()
    Path("out.png").write_bytes(png())
    Path("p/link.png").symlink_to(Path("out.png").resolve())
    Path("p/round").symlink_to(Path("p").resolve())
    Path("p/gone.png").symlink_to("nowhere.png")
    assert [frame.source for frame in read("p")] == ["p/link.png"]


def test_a_folder_that_may_not_be_read_is_a_row(monkeypatch):
    Path("p").mkdir()
    Path("p/a.png").write_bytes(png())
    walk = os.walk

    def walked(path, onerror):
        yield from walk(path)
        onerror(PermissionError(13, "Permission denied", "p/closed"))

    monkeypatch.setattr(streams.os, "walk", walked)
    assert facts(read("p")) == [("p/a.png", 0, ""), ("p/closed", 0, "the folder cannot be read: Permission denied")]


def test_patterns_in_natural_order_and_places_that_never_collide():
    for name in ("a", "b"):
        Path(name).mkdir()
        for number in (10, 9):
            Path(f"{name}/x{number}.png").write_bytes(png())
    found = read("*/x*.png")
    assert [frame.source for frame in found] == ["a/x9.png", "a/x10.png", "b/x9.png", "b/x10.png"]
    assert [frame.place for frame in found] == ["x9.png", "x10.png", "x9.png-2", "x10.png-2"]


def test_names_that_mean_nothing_end_it_before_anything_is_read():
    Path("a.png").write_bytes(png())
    with pytest.raises(InputError, match="there is no such file or folder") as caught:
        found_sources(["a.png", "none.png"])
    assert caught.value.where == "none.png"
    with pytest.raises(InputError, match="no file matches the pattern"):
        found_sources(["*.gif"])


def test_a_name_with_brackets_is_a_name_first():
    Path("a[1].png").write_bytes(png())
    assert [frame.source for frame in read("a[1].png")] == ["a[1].png"]


@pytest.mark.skipif(os.name == "nt", reason="names are bytes on POSIX only")
def test_a_name_that_is_no_utf8_is_written_out():
    name = os.fsdecode(b"a\xff.png")
    Path(name).write_bytes(png())
    (frame,) = read(name)
    assert frame.source == "a\\xff.png"
    assert shown("ä") == "ä"


def test_what_cannot_be_read_says_why_and_the_rest_goes_on():
    Path("p").mkdir()
    files = {
        "p/1.jpg": b"this is text\n",
        "p/2.png": png()[:60],
        "p/3.png": huge_png(),
        "p/4.png": png(GRAY[:1, :1]),
        "p/5.png": b"",
        "p/6.jpg": huge_png(0, 5),
        "p/7.png": png(),
    }
    for name, content in files.items():
        Path(name).write_bytes(content)
    found = read("p")
    assert facts(found) == [
        ("p/1.jpg", 0, "not a PNG, JPEG, BMP, GIF, WebP, TIFF or PGM/PPM file"),
        ("p/2.png", 0, "the PNG file is truncated"),
        ("p/3.png", 0, "20000x20000 pixels are more than --max-pixels 64,000,000"),
        ("p/4.png", 0, ""),
        ("p/5.png", 0, "the file is empty"),
        ("p/6.jpg", 0, "PNG file of 0x5 pixels"),
        ("p/7.png", 0, ""),
    ]
    assert [frame.too_large for frame in found] == [False, False, True, False, False, False, False]


def test_too_large_is_refused_undecoded(monkeypatch):
    monkeypatch.setattr(streams, "decode", lambda *_, **__: pytest.fail("decoded"))
    Path("a.png").write_bytes(png())
    (frame,) = read("a.png", max_pixels=599)
    assert (frame.too_large, frame.pixels) == (True, None)


def test_archives_are_read_without_unpacking():
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.writestr("x/1.png", png())
        archive.writestr("x/notes.txt", "x")
        archive.writestr("x/film.mp4", b"x")
    with tarfile.open("b.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("y/2.png")
        entry.size = len(png())
        archive.addfile(entry, io.BytesIO(png()))
    passed = []
    found = read("a.zip", "b.tar.gz", skipped=passed.append)
    assert facts(found) == [
        ("a.zip/x/1.png", 0, ""),
        ("a.zip/x/film.mp4", 0, "a video inside an archive is not read: unpack it"),
        ("b.tar.gz/y/2.png", 0, ""),
    ]
    assert passed == ["a.zip/x/notes.txt"]


def test_a_broken_archive_is_one_row_and_the_sources_after_it_are_read():
    Path("a.zip").write_bytes(b"nothing")
    Path("b.png").write_bytes(png())
    assert facts(read("a.zip", "b.png")) == [
        ("a.zip", 0, "the archive is broken: it does not begin like one"),
        ("b.png", 0, ""),
    ]


@pytest.mark.parametrize(("name", "codec"), [("v.avi", "MJPG"), ("v.mp4", "mp4v")])
def test_frames_of_a_video_every_nth_and_no_more_than_wanted(name, codec):
    film(Path(name), codec=codec)
    whole = read(name)
    assert [frame.number for frame in whole] == list(range(10))
    assert all(frame.moving for frame in whole)
    np.testing.assert_allclose([frame.pixels.mean() for frame in whole], np.arange(10) * 20, atol=6)
    third = read(name, every=3)
    assert [frame.number for frame in third] == [0, 3, 6, 9]
    np.testing.assert_array_equal(third[2].pixels, whole[6].pixels)
    assert [frame.number for frame in read(name, every=4, limit=2)] == [0, 4]


def test_a_video_in_colour_is_rgb():
    writer = cv2.VideoWriter("v.avi", cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    writer.write(np.full((48, 64, 3), (0, 0, 250), np.uint8))
    writer.release()
    (frame,) = read("v.avi")
    assert frame.pixels[..., 0].mean() > 230 > 20 > frame.pixels[..., 2].mean()


def test_videos_that_cannot_be_read_say_why(capfd):
    Path("a.mp4").write_bytes(b"no film")
    film(Path("b.avi"))
    found = read("a.mp4", "b.avi", max_pixels=64 * 48 - 1)
    assert facts(found) == [
        ("a.mp4", 0, "OpenCV cannot open it as a video"),
        ("b.avi", 0, "frames of 64x48 pixels are more than --max-pixels 3,071"),
    ]
    assert [frame.too_large for frame in found] == [False, True]
    assert capfd.readouterr().err == ""


def test_a_video_that_is_cut_off_gives_what_is_there_and_a_warning():
    path = film(Path("v.avi"), count=40, size=(320, 240))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    told = []
    numbers = [frame.number for frame in read("v.avi", warn=told.append)]
    assert 5 < len(numbers) < 35
    assert told == [f"v.avi: the video ends after {len(numbers)} of 40 frames"]


def test_memory_does_not_grow_with_the_frames():
    film(Path("v.avi"), count=60, size=(640, 480))

    def peak(limit):
        tracemalloc.start()
        for _ in frames(found_sources(["v.avi"]), Reading(limit=limit)):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(60) < 1.5 * peak(6)


class Camera:
    """Stands in for OpenCV's reader of a camera."""

    released = False

    def __init__(self, source):
        self.there = source == 0

    def isOpened(self):
        return self.there

    def grab(self):
        return True

    def retrieve(self):
        return True, np.full((4, 5, 3), 7, np.uint8)

    def release(self):
        Camera.released = True


def test_a_camera_runs_until_its_limit_and_is_given_back(monkeypatch):
    monkeypatch.setattr(video.opencv(), "VideoCapture", Camera)
    found = list(webcam(0, Reading(every=2, limit=3)))
    assert [(frame.source, frame.number) for frame in found] == [("webcam:0", 0), ("webcam:0", 2), ("webcam:0", 4)]
    assert Camera.released
    with pytest.raises(EnvironmentFailure, match="there is no camera 3") as caught:
        list(webcam(3, Reading()))
    assert caught.value.where == "--webcam 3"
