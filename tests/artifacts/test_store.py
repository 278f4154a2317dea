"""The store: make semantics, atomicity, damage, and what each failure says."""

import errno
import json
import os
import shutil
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from fercli.artifacts.differences import differences, parent_differences
from fercli.artifacts.disk import Disk
from fercli.artifacts.schema import Parent
from fercli.artifacts.store import Artifact, Store
from fercli.errors import ArtifactError, UsageError

SOURCE = Parent(kind="source", name="pictures", fingerprint="a" * 64)
CHANGED = Parent(kind="source", name="pictures", fingerprint="b" * 64)


def begin(store, config=None, *, parents=(SOURCE,), name="faces", force=False, algorithm=1):
    return store.begin(
        "dataset",
        name,
        algorithm=algorithm,
        config=config or {"size": 48},
        parents=list(parents),
        seed=0,
        command=["fer", "test"],
        execution={},
        force=force,
    )


def make(store, config=None, **options) -> Artifact:
    begun = begin(store, config, **options)
    if isinstance(begun, Artifact):
        return begun
    with begun as draft:
        draft.write_array("images.npy", np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
        draft.write_json("facts.json", {"rows": 2})
        draft.write_csv("timing.csv", ("step", "seconds"), (("making", 0.5),))
        path = draft.commit({"classes": ["happy"], "summary": "two images"})
    return store.read(path, "dataset")


def test_same_key_is_up_to_date_without_work(tmp_path):
    store = Store(tmp_path / "ws")
    first = make(store)
    assert isinstance(begin(store), Artifact)
    assert begin(store).manifest == first.manifest


def test_equal_work_has_equal_fingerprints_whatever_the_seconds(tmp_path):
    first = make(Store(tmp_path / "a"))
    begun = begin(Store(tmp_path / "b"))
    with begun as draft:
        draft.write_array("images.npy", np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
        draft.write_json("facts.json", {"rows": 2})
        draft.write_csv("timing.csv", ("step", "seconds"), (("making", 99.0),))
        draft.commit({"classes": ["happy"], "summary": "two images"})
    second = Store(tmp_path / "b").open("dataset", "faces")
    assert second.manifest.files["timing.csv"] != first.manifest.files["timing.csv"]
    assert second.manifest.fingerprint == first.manifest.fingerprint


def test_other_config_under_a_standing_name_is_refused_with_the_values(tmp_path):
    store = Store(tmp_path / "ws")
    make(store, {"size": 48, "fit": "pad"})
    with pytest.raises(UsageError, match=r'another configuration: size: 48 -> 64; fit: "pad" -> "crop"') as caught:
        make(store, {"size": 64, "fit": "crop"})
    assert "--name" in caught.value.next_step
    assert "--force" in caught.value.next_step


def test_force_replaces_and_keeps_the_old_one_in_the_trash(tmp_path):
    said: list[str] = []
    store = Store(tmp_path / "ws", say=said.append)
    old = make(store)
    new = make(store, {"size": 64}, force=True)
    assert new.manifest.key != old.manifest.key
    kept = list((tmp_path / "ws" / ".trash").iterdir())
    assert len(kept) == 1
    assert store.read(kept[0], "dataset").manifest == old.manifest
    assert said == ["replacing dataset/faces; the old one goes to .trash"]


def test_other_parents_rebuild_and_say_which_changed(tmp_path):
    said: list[str] = []
    store = Store(tmp_path / "ws", say=said.append)
    old = make(store)
    new = make(store, parents=(CHANGED,))
    assert new.manifest.key != old.manifest.key
    assert said == ["dataset/faces is stale: source/pictures changed; making it again"]


def test_inputs_that_came_and_went_are_not_called_changed(tmp_path):
    said: list[str] = []
    store = Store(tmp_path / "ws", say=said.append)
    other = Parent(kind="source", name="labels", fingerprint="c" * 64)
    third = Parent(kind="source", name="votes", fingerprint="d" * 64)
    make(store, parents=(SOURCE, other))
    make(store, parents=(CHANGED, third))
    make(store, parents=(third, CHANGED))
    assert said == [
        "dataset/faces is stale: source/pictures changed; source/votes added; source/labels no longer an input; "
        "making it again",
        "dataset/faces is stale: the order of its inputs changed; making it again",
    ]


def test_a_workspace_that_cannot_be_written_is_read_beside_an_interrupted_draft(tmp_path, monkeypatch):
    store = Store(tmp_path / "ws")
    shutil.copytree(make(store).path, store.folder("dataset") / ".other.partial")
    store.lock_path("dataset", "other").touch()
    opened = os.open

    def reading_only(path, flags, *rest):
        if flags & (os.O_RDWR | os.O_WRONLY):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return opened(path, flags, *rest)

    def no_rename(self, source, target):
        raise OSError(errno.EROFS, "Read-only file system", str(source))

    monkeypatch.setattr(os, "open", reading_only)
    monkeypatch.setattr(Disk, "rename", no_rename)
    monkeypatch.setattr("fercli.artifacts.store.remove_hidden", lambda folder: None)
    again = Store(tmp_path / "ws")
    assert again.open("dataset", "faces").name == "faces"
    assert again.interrupted("dataset") == [("other", False)]


def test_a_newer_algorithm_rebuilds(tmp_path):
    said: list[str] = []
    store = Store(tmp_path / "ws", say=said.append)
    make(store)
    make(store, algorithm=2)
    assert "older algorithm version" in said[0]


class Crash(RuntimeError):
    pass


def crash_while_writing(store: Store, *, keep: bool) -> None:
    draft = begin(store)
    assert not isinstance(draft, Artifact)
    with pytest.raises(Crash), draft:
        if keep:
            draft.keep_partial()
        with draft.array_writer("numbers.npy", (4,), np.uint8, resume=True) as writer:
            writer.append(np.ones((3, 4), np.uint8))
            writer.flush()
            writer.append(np.ones((1, 4), np.uint8))
            raise Crash


def test_an_exception_leaves_nothing(tmp_path):
    store = Store(tmp_path / "ws")
    crash_while_writing(store, keep=False)
    assert list((tmp_path / "ws" / "datasets").iterdir()) == []
    assert store.interrupted("dataset") == []


def test_a_kept_partial_resumes_after_the_flushed_rows(tmp_path):
    store = Store(tmp_path / "ws")
    crash_while_writing(store, keep=True)
    assert store.names("dataset") == []
    assert store.interrupted("dataset") == [("faces", False)]
    with begin(store) as draft:
        assert draft.resumed
        with draft.array_writer("numbers.npy", (4,), np.uint8, resume=True) as writer:
            assert writer.rows == 3
            writer.append(np.full((2, 4), 7, np.uint8))
        draft.commit({"classes": []})
    array = store.open("dataset", "faces").array("numbers.npy")
    assert array.tolist() == [[1] * 4] * 3 + [[7] * 4] * 2
    assert store.interrupted("dataset") == []


def test_a_partial_of_another_key_is_not_resumed(tmp_path):
    store = Store(tmp_path / "ws")
    crash_while_writing(store, keep=True)
    with begin(store, {"size": 64}) as draft:
        assert not draft.resumed
        assert not (draft.folder / "numbers.npy").exists()
        draft.commit({})


def test_checkpoints_do_not_end_up_in_the_artifact(tmp_path):
    store = Store(tmp_path / "ws")
    with begin(store) as draft:
        draft.scratch("epoch.safetensors").write_bytes(b"x")
        draft.write_json("facts.json", {})
        path = draft.commit({})
    assert sorted(entry.name for entry in path.iterdir()) == ["artifact.json", "facts.json"]


def test_opening_the_store_finishes_an_interrupted_swap(tmp_path):
    store = Store(tmp_path / "ws")
    made = make(store)
    made.path.rename(made.path.with_name(".faces.partial"))
    repaired = Store(tmp_path / "ws").open("dataset", "faces")
    assert repaired.manifest == made.manifest


class FullDisk(Disk):
    """Runs out of space at the n-th operation and stays full."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.calls = 0

    def _spend(self) -> None:
        self.calls += 1
        if self.calls > self.left:
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, handle: BinaryIO, data: bytes | memoryview) -> None:
        self._spend()
        super().write(handle, data)

    def rename(self, source: Path, target: Path) -> None:
        self._spend()
        super().rename(source, target)

    def make_folder(self, path: Path) -> None:
        self._spend()
        super().make_folder(path)


def test_a_full_disk_at_any_write_leaves_the_old_artifact_or_the_new_one(tmp_path):
    """Every n: either nothing changed, or the swap is repaired at the next opening; never a half artifact."""
    counting = FullDisk(10**9)
    make(Store(tmp_path / "count"))
    counted = Store(tmp_path / "count", disk=counting)
    make(counted, {"size": 64}, force=True)
    outcomes = set()
    for n in range(counting.calls):
        root = tmp_path / f"ws{n}"
        old = make(Store(root))
        with pytest.raises(OSError, match="No space left"):
            make(Store(root, disk=FullDisk(n)), {"size": 64}, force=True)
        standing = Store(root).open("dataset", "faces")
        assert Store(root).damaged_files(standing) == []
        outcomes.add(standing.manifest.key == old.manifest.key)
        assert make(Store(root), {"size": 64}, force=True).config == {"size": 64}
    assert outcomes == {True, False}  # the last rename fails after the old one went to the trash: the new one stands


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: (path / "images.npy").unlink(), "images.npy is missing"),
        (lambda path: (path / "images.npy").write_bytes(b"x" * 10), "images.npy has 10 bytes, recorded are 152"),
        (lambda path: (path / "artifact.json").write_text("{"), "artifact.json is not readable JSON"),
        (lambda path: (path / "artifact.json").write_text("[]"), "does not fit its schema"),
        (lambda path: (path / "artifact.json").unlink(), "has no artifact.json"),
    ],
)
def test_damage_is_named(tmp_path, damage, message):
    store = Store(tmp_path / "ws")
    damage(make(store).path)
    with pytest.raises(ArtifactError, match=message):
        store.open("dataset", "faces")


def test_a_future_schema_is_named(tmp_path):
    store = Store(tmp_path / "ws")
    path = make(store).path / "artifact.json"
    manifest = json.loads(path.read_text())
    manifest["schema"] = 99
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="schema version 99, this fercli reads up to 1"):
        store.open("dataset", "faces")


def test_a_manifest_cannot_point_outside_its_folder(tmp_path):
    store = Store(tmp_path / "ws")
    path = make(store).path / "artifact.json"
    manifest = json.loads(path.read_text())
    (tmp_path / "secret").write_text("")
    manifest["files"]["../../../secret"] = {"sha256": "0" * 64, "bytes": 0}
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"secret is missing"):
        store.open("dataset", "faces")


def test_changed_bytes_of_the_same_length_are_found(tmp_path):
    store = Store(tmp_path / "ws")
    made = make(store)
    data = bytearray((made.path / "images.npy").read_bytes())
    data[-1] ^= 1
    (made.path / "images.npy").write_bytes(bytes(data))
    assert store.damaged_files(store.open("dataset", "faces")) == ["images.npy"]


@pytest.mark.parametrize("name", ["images.npy", "facts.json"])
def test_a_file_changed_behind_our_back_is_not_read(tmp_path, name):
    store = Store(tmp_path / "ws")
    path = make(store).path / name
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))
    read = store.open("dataset", "faces")
    with pytest.raises(ArtifactError, match=f"dataset/faces is damaged: {name} was changed after it was written"):
        read.json(name) if name.endswith(".json") else read.array(name)


def test_force_makes_again_what_was_changed_behind_our_back_and_only_that(tmp_path):
    store = Store(tmp_path / "ws")
    made = make(store)
    assert isinstance(begin(store, force=True), Artifact)
    (made.path / "facts.json").write_text('{"rows": 3}')
    again = make(store, force=True)
    assert again.json("facts.json") == {"rows": 2}
    assert again.manifest.fingerprint == made.manifest.fingerprint
    assert len(list((tmp_path / "ws" / ".trash").iterdir())) == 1


def test_the_only_artifact_is_the_default_and_several_are_listed(tmp_path):
    store = Store(tmp_path / "ws")
    with pytest.raises(ArtifactError, match="no dataset yet"):
        store.only("dataset", option="--dataset")
    make(store)
    assert store.only("dataset", option="--dataset").name == "faces"
    make(store, name="other")
    with pytest.raises(UsageError, match="2 artifacts") as caught:
        store.only("dataset", option="--dataset")
    assert caught.value.where == "faces, other"


def test_a_missing_name_lists_what_stands(tmp_path):
    store = Store(tmp_path / "ws")
    make(store)
    with pytest.raises(ArtifactError, match="no dataset called face") as caught:
        store.open("dataset", "face")
    assert caught.value.next_step == "choose one of: faces"


@pytest.mark.parametrize("name", ["", ".hidden", " first", "a/b", "a\\b", "..", "a\nb", "x" * 201])
def test_names_that_cannot_be_folders_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be the name") as caught:
        begin(Store(tmp_path / "ws"), name=name)
    # The rule as it is: what it says of every name that is taken, the next test shows.
    assert caught.value.next_step == (
        "use at most 200 bytes of printable text, without '/' and '\\', not starting with '.' or a space"
    )


@pytest.mark.parametrize("name", ["a b", "é", "1+1=2", "x" * 200])
def test_every_other_name_is_taken(tmp_path, name):
    store = Store(tmp_path / "ws")
    make(store, name=name)
    assert store.names("dataset") == [name]
    assert store.open("dataset", name).name == name


def test_a_copied_workspace_opens(tmp_path):
    make(Store(tmp_path / "ws"))
    shutil.copytree(tmp_path / "ws", tmp_path / "else where é")
    assert Store(tmp_path / "else where é").open("dataset", "faces").name == "faces"


def test_differences_reach_into_nested_configs():
    old = {"protocol": {"k": 5, "seed": 0}, "lr": 0.1}
    new = {"protocol": {"k": 20, "seed": 0}, "lr": 0.1, "extra": 1}
    assert differences(old, new) == ["protocol.k: 5 -> 20", "extra: null -> 1"]


def test_the_order_of_inputs_is_a_reason_only_where_it_changed():
    other = Parent(kind="source", name="labels", fingerprint="c" * 64)
    assert parent_differences((SOURCE, other), (other, SOURCE)) == ["the order of its inputs changed"]
    assert parent_differences((SOURCE, other), (SOURCE, other)) == []
    assert parent_differences((), ()) == []
