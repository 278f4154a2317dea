"""Folders and archives seen alike; nothing leads out; damage is an input error."""

import io
import os
import tarfile
import zipfile

import pytest

from fercli.datasets.sources import SourceFile, open_source
from fercli.errors import InputError

FILES = {"a/one.txt": b"1" * 700, "a/two.txt": b"2" * 512, "b/three.txt": bytes(range(256)) * 50}


def make_tar(path, files=FILES, mode="w:xz"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def make_zip(path, files=FILES):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_folder(path, files=FILES):
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def contents(path):
    return {file.path: file.read() for file in open_source(path).files()}


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_tar_of_every_compression(tmp_path, mode):
    assert contents(make_tar(tmp_path / "misnamed.data", mode=mode)) == FILES


def test_folder_zip_and_junk(tmp_path):
    with_junk = {**FILES, "a/.DS_Store": b"x", "__MACOSX/a/._one.txt": b"x", "Thumbs.db": b"x"}
    assert contents(make_folder(tmp_path / "folder", with_junk)) == FILES
    assert contents(make_zip(tmp_path / "x.zip", with_junk)) == FILES
    assert contents(make_tar(tmp_path / "x.tar", with_junk, "w")) == FILES


def test_names_and_head_read_again(tmp_path):
    source = open_source(make_tar(tmp_path / "x.tar.xz"))
    assert source.first_names(2) == ["a/one.txt", "a/two.txt"]
    assert source.names() == list(FILES)
    assert source.head("b/three.txt", 3) == b"\0\1\2"
    assert source.head("missing") == b""


def test_a_single_file_is_a_source(tmp_path):
    (tmp_path / "fer2013.csv").write_bytes(b"emotion,pixels,Usage\n")
    assert contents(tmp_path / "fer2013.csv") == {"fer2013.csv": b"emotion,pixels,Usage\n"}


def test_missing_path():
    with pytest.raises(InputError, match="no such file or folder"):
        open_source("/nowhere/at/all")


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "..\\evil.png", "C:\\evil.png"])
def test_names_that_lead_out_are_refused(tmp_path, name):
    for path in (make_tar(tmp_path / "x.tar", {name: b"x"}, "w"), make_zip(tmp_path / "x.zip", {name: b"x"})):
        with pytest.raises(InputError, match="leads out of it"):
            contents(path)


def add_link(path, target, kind=tarfile.SYMTYPE):
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("a/link.png")
        entry.type, entry.linkname = kind, target
        archive.addfile(entry)
    return path


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "../a/../../x"])
def test_links_out_of_a_tar_are_refused(tmp_path, target):
    with pytest.raises(InputError, match="link that leads out of the archive"):
        contents(add_link(tmp_path / "x.tar", target))


@pytest.mark.parametrize(("target", "kind"), [("../b/x", tarfile.SYMTYPE), ("b/x", tarfile.LNKTYPE)])
def test_links_inside_a_tar_are_files_that_say_so(tmp_path, target, kind):
    with pytest.raises(InputError, match=r"a link to .* inside the archive"):
        contents(add_link(tmp_path / "x.tar", target, kind))


def test_links_of_a_folder(tmp_path):
    folder = make_folder(tmp_path / "folder")
    os.symlink(folder / "a/one.txt", folder / "inside.txt")
    assert contents(folder)["inside.txt"] == FILES["a/one.txt"]
    os.symlink(tmp_path, folder / "b/outside")
    with pytest.raises(InputError, match="a link leads out of the source"):
        contents(folder)


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_cut_anywhere_is_refused(tmp_path, mode):
    files = {f"a/{number}.bin": os.urandom(1500) for number in range(6)}
    whole = make_tar(tmp_path / "x.tar", files, mode).read_bytes()
    # A plain tar may be cut after its last file without loss: the rest are blocks of zeros.
    end = len(whole) if mode != "w:" else 6 * 2048
    for length in (*range(600, end - 1, max(1, len(whole) // 25)), end - 4):
        (tmp_path / "cut.tar").write_bytes(whole[:length])
        with pytest.raises(InputError):
            contents(tmp_path / "cut.tar")


def test_a_flipped_byte_in_a_zip_is_refused(tmp_path):
    data = bytearray(make_zip(tmp_path / "x.zip").read_bytes())
    data[42] ^= 0xFF
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(InputError):
        contents(tmp_path / "x.zip")


def test_an_encrypted_zip_is_refused(tmp_path):
    data = bytearray(make_zip(tmp_path / "x.zip").read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(magic, at + 1)) >= 0:
            data[at + offset] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(InputError, match="encrypted"):
        contents(tmp_path / "x.zip")


def test_text_named_as_an_archive(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"<html>not found</html>")
    with pytest.raises(InputError, match="does not begin like one"):
        open_source(tmp_path / "x.zip")


def test_zstandard_says_what_to_do(tmp_path):
    (tmp_path / "x.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + b"\0" * 20)
    with pytest.raises(InputError, match="Zstandard"):
        open_source(tmp_path / "x.tar.zst")


def test_a_file_above_the_limit_is_refused():
    with pytest.raises(InputError, match="larger than 10 bytes"):
        SourceFile("a", lambda: io.BytesIO(b"x" * 11)).read(limit=10)


def test_a_file_that_may_not_be_read_is_an_input_error():
    def refuse():
        raise PermissionError(13, "Permission denied", "faces/a.png")

    with pytest.raises(InputError, match="cannot be read: Permission denied") as caught:
        SourceFile("a.png", refuse).read()
    assert caught.value.where == "faces/a.png"


def test_a_damaged_member_of_a_zip_is_named_and_the_others_are_read(tmp_path):
    data = bytearray(make_zip(tmp_path / "x.zip").read_bytes())
    data[42] ^= 0xFF
    (tmp_path / "x.zip").write_bytes(data)
    files = open_source(tmp_path / "x.zip").files()
    with pytest.raises(InputError) as caught:
        next(files).read()
    assert caught.value.where == "a/one.txt"
    assert {file.path: file.read() for file in files} == {name: FILES[name] for name in ("a/two.txt", "b/three.txt")}
