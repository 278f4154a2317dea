"""What Windows refuses, no command may need: renaming a folder with an open or mapped file, opening a folder."""

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fercli.artifacts.disk import Disk

pytestmark = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="GPU: none needed, but Linux' /proc is")
NET = ("--variant", "cnn", "--width", "4", "--device", "cpu", "--batch-size", "8", "--epochs", "1", "--threads", "1")


def held(folder: Path) -> list[str]:
    """Files below a folder that this process has mapped or open."""
    mapped = [line.split(maxsplit=5)[5] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line]
    opened = []
    for number in os.listdir("/proc/self/fd"):
        try:
            opened.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            continue
    inside = str(folder.resolve()) + os.sep
    return sorted({name for name in (*mapped, *opened) if name.startswith(inside)})


@pytest.fixture
def renamed(monkeypatch):
    """Every folder that is renamed, with what was held open in it."""
    seen = {}
    plain = Disk.rename

    def rename(self, source, target):
        if source.is_dir():
            seen[f"{source.name} -> {target.name}"] = held(source)
        plain(self, source, target)

    monkeypatch.setattr(Disk, "rename", rename)
    return seen


@pytest.fixture
def closed_folders(monkeypatch):
    """As on Windows: a folder's handle, by which its names are made durable, is not to be had."""
    plain = os.open

    def refuse(path, *arguments, **options):
        # shutil.rmtree opens folders too, but only where it can.
        if sys._getframe(1).f_globals["__name__"].startswith("fercli.") and os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)


def test_held_sees_maps_and_open_files(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(9))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    with (tmp_path / "b").open("wb"):
        assert held(tmp_path) == [str(tmp_path / "a.npy"), str(tmp_path / "b")]
    del mapped
    assert held(tmp_path) == []


def test_no_command_renames_a_folder_with_an_open_file(fer, renamed, closed_folders, tmp_path):
    for label in ("happy", "sad"):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for number in range(3):
            pixels = np.full((24, 24), 40 * number + 9, np.uint8)
            cv2.imwrite(str(tmp_path / "pictures" / label / f"{number}.png"), pixels)
    commands = [
        ("synthesize", "--subjects", "6", "--images", "7", "--size", "32", "--name", "faces"),
        ("import-dataset", "pictures", "--name", "read"),
        ("import-dataset", "pictures", "--name", "cut", "--faces", "crop", "--no-face", "keep", "--size", "24"),
        ("make-folds", "--dataset", "faces", "--k", "2", "--name", "two"),
        ("extract-features", "--dataset", "faces", "--jobs", "1", "--name", "faces"),
        ("extract-features", "--dataset", "faces", "--jobs", "1", "--name", "faces", "--force", "--pca", "3"),
        ("train-bp", "--features", "faces", "--epochs", "2", "--threads", "1", "--name", "bp"),
        ("prune-bp", "--from", "bp", "--threads", "1", "--retrain-epochs", "1", "--name", "pruned"),
        ("train-baseline", "--features", "faces", "--model", "lda", "--jobs", "1", "--threads", "1", "--name", "lda"),
        ("train-resnet", "--dataset", "faces", *NET, "--name", "net"),
        ("evaluate", "bp", "pruned", "lda", "net", "--draws", "100", "--jobs", "1"),
        ("remove", "run/lda", "--with-children"),
    ]
    for command in commands:
        answer = fer(*command)
        assert answer.code == 0, answer.err
    assert len(renamed) >= len(commands)
    assert {name: files for name, files in renamed.items() if files} == {}


def test_a_checkpoint_is_written_where_a_folder_cannot_be_opened(closed_folders, monkeypatch, tmp_path):
    from fercli.resnet import checkpoints

    monkeypatch.setattr(checkpoints, "dump", lambda training: b"state")
    assert checkpoints.save(None, tmp_path / "fold").read_bytes() == b"state"
