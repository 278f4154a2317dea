"""Several processes in one workspace: one wins or each waits, nobody sees a part, and the dead hold no lock."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from crash_matrix import results, run_inside
from fault_commands import ENVIRONMENT, fer, sources

from fercli.artifacts.locks import exclusive, if_free, is_held
from fercli.artifacts.store import Store

DRAWN = ("synthesize", "--subjects", "12", "--images", "14", "--name", "k")


def together(ws: Path, *lines: tuple[str, ...]) -> list[tuple[int, str]]:
    """All command lines at once, each as a process; code and stderr of each."""
    children = [
        subprocess.Popen(
            fer(*line, "-w", str(ws)), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for line in lines
    ]
    errors = [child.communicate(timeout=120)[1] for child in children]
    return [(child.returncode, err) for child, err in zip(children, errors, strict=True)]


def test_two_that_write_the_same_name_wait_and_find_it_done(tmp_path):
    ends = together(tmp_path, DRAWN, DRAWN)
    assert [code for code, _ in ends] == [0, 0], ends
    assert list(results(tmp_path, tmp_path / "none")) == ["dataset/k"]
    assert Store(tmp_path).interrupted("dataset") == []


def test_two_that_write_other_things_under_one_name_one_wins_and_one_is_refused(tmp_path):
    ends = together(tmp_path, DRAWN, (*DRAWN, "--seed", "1"))
    assert sorted(code for code, _ in ends) == [0, 2], ends
    refused = next(err for code, err in ends if code == 2)
    assert "dataset/k stands with another configuration: seed: " in refused
    assert list(results(tmp_path, tmp_path / "none")) == ["dataset/k"]


def test_eight_that_write_different_names_all_do(tmp_path):
    (tmp_path / "src").mkdir()
    sheet = str(sources(tmp_path / "src") / "sheet.csv")
    ends = together(tmp_path / "ws", *(("import-features", sheet, "--name", f"k{n}") for n in range(8)))
    assert [code for code, _ in ends] == [0] * 8, ends
    found = results(tmp_path / "ws", tmp_path / "none")
    assert sorted(found) == [f"features/k{n}" for n in range(8)]
    assert len(set(found.values())) == 1


WRITER = """
import sys
from pathlib import Path
from fercli.artifacts.store import Store
store = Store(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    with store.begin("dataset", "k", algorithm=1, config={"n": number}, parents=[], seed=0, command=["fer"],
                     execution={}, force=True) as draft:
        draft.write_bytes("numbers.csv", b"%d\\n" % number * 1000)
        draft.commit({"n": number})
"""


def test_a_reader_beside_a_writer_sees_the_old_or_the_new_and_never_nothing(tmp_path):
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path), "0", "1"], env=ENVIRONMENT, check=True)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "1", "120"], env=ENVIRONMENT)
    seen = set()
    while writer.poll() is None:
        artifact = Store(tmp_path).open("dataset", "k")
        seen.add(artifact.content["n"])
    assert writer.returncode == 0
    assert len(seen) > 3
    assert list(results(tmp_path, tmp_path / "none")) == ["dataset/k"]


def holding(path: Path) -> subprocess.Popen[str]:
    """A process that holds a lock until it is ended."""
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom fercli.artifacts.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1]), print):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_the_lock_of_a_living_process_holds_and_that_of_a_dead_one_does_not(tmp_path):
    path = tmp_path / ".locks" / "dataset-k.lock"
    child = holding(path)
    try:
        assert is_held(path)
        with if_free(path) as free:
            assert not free
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    assert path.read_text() == f"{child.pid}\n"
    assert not is_held(path)
    with if_free(path) as free:
        assert free


@pytest.mark.parametrize(
    "text",
    [f"{os.getpid()}\n", "1\n", "4194305 other-host\n", "", "\0\0"],
    ids=["this process", "another", "another host", "empty", "no text"],
)
def test_what_a_lock_file_says_does_not_matter_only_who_holds_it(tmp_path, text):
    """A pid that was given to somebody else, or that came with a copied workspace from another host."""
    path = tmp_path / ".locks" / "features-k.lock"
    path.parent.mkdir()
    path.write_text(text)
    said: list[str] = []
    assert not is_held(path)
    with exclusive(path, said.append):
        assert is_held(path)
    assert said == []


def test_those_who_ask_do_not_hold(tmp_path):
    """Two `fer status` at a time must not take each other for writers."""
    path = tmp_path / "x.lock"
    path.touch()
    import fcntl

    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not is_held(path)


def test_a_link_in_the_place_of_unfinished_work_is_not_followed(tmp_path):
    """A workspace from somebody else could point `.k.partial` at a folder of ours; nothing in it may be removed."""
    precious = tmp_path / "home"
    (precious / ".ssh").mkdir(parents=True)
    (precious / "artifact.json").write_text("{}")
    (tmp_path / "ws/datasets").mkdir(parents=True)
    (tmp_path / "ws/datasets/.k.partial").symlink_to(precious)
    assert run_inside(["status", "-w", str(tmp_path / "ws")])[0] == 0
    assert run_inside([*DRAWN[:5], "--size", "24", "--name", "k", "-w", str(tmp_path / "ws"), "--quiet"])[0] == 0
    assert (precious / ".ssh").is_dir()
    assert json.loads((precious / "artifact.json").read_text()) == {}
    assert not (tmp_path / "ws/datasets/k").is_symlink()
