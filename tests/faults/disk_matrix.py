"""A disk that fails below every writing command: python tests/faults/disk_matrix.py --faults 40 --seed 0.

Each command is run on a copy of a small workspace while the n-th file operation of the store fails: as ENOSPC that
stays, and as EIO that comes once; for every n, or for so many that are drawn, the first and the last among them. Each
failure is exit 5 with one message, leaves every artifact whole or absent, and the same command ends the same once the
disk is sound. Then the command meets a workspace that cannot be written. Prints the table that docs/faults.md shows;
leaves with 1 when anything was otherwise.
"""

import argparse
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from crash_matrix import ROOM, results, run_inside
from fault_commands import CASES, Case, base_workspace, sources
from fault_disk import FailingDisk, nobody, protect, unprotect, used

from fercli import seeds
from fercli.artifacts.store import Store
from fercli.errors import FerError

FAULTS = ((errno.ENOSPC, True), (errno.EIO, False))


@dataclass
class Tally:
    """One command. operations: of the undisturbed run. read_only: how it ends where nothing can be written."""

    name: str
    operations: int = 0
    faults: int = 0
    refused: int = 0
    same: int = 0
    read_only: int | None = None
    wrong: list[str] = field(default_factory=list)


def one_message(err: str) -> bool:
    """Whether a failure said what and what next, after whatever the command had to tell before."""
    lines = err[err.index("fer: error: ") :].splitlines() if "fer: error: " in err else []
    return 2 <= len(lines) <= 3 and lines[-1].startswith("  next: ")


def chosen_operations(total: int, most: int, seed: int, name: str) -> list[int]:
    """Numbers from 1 to total: all, or `most` with the first and the last."""
    if total <= most:
        return list(range(1, total + 1))
    drawn = seeds.generator(seed, "disk", name).permutation(total - 2)[: most - 2] + 2
    return sorted({1, total, *drawn.tolist()})


def fail(case: Case, tally: Tally, base: Path, src: Path, *, most: int, seed: int) -> None:
    """All faults of one command."""
    with tempfile.TemporaryDirectory(dir=ROOM) as place:
        ws, out = _fresh(Path(place), base)
        counting = FailingDisk(0)
        with used(counting):
            code, _, err = run_inside([*case.line(src, ws, out), "--quiet"])
        if code != 0:
            tally.wrong.append(f"undisturbed it left with {code}: {err[-300:]}")
            return
        tally.operations, reference = counting.done, results(ws, out, besides=case.timed)
    for number, stays in FAULTS:
        for n in chosen_operations(tally.operations, most, seed, case.name):
            with tempfile.TemporaryDirectory(dir=ROOM) as place:
                _one(case, tally, _fresh(Path(place), base), src, reference, FailingDisk(n, number, stays=stays))


def _fresh(place: Path, base: Path) -> tuple[Path, Path]:
    shutil.copytree(base, place / "ws")
    (place / "out").mkdir()
    return place / "ws", place / "out"


def _one(
    case: Case, tally: Tally, places: tuple[Path, Path], src: Path, reference: dict[str, str], disk: FailingDisk
) -> None:
    ws, out = places
    label = f"{os.strerror(disk.number)} at operation {disk.n}"
    before = results(ws, out, besides=case.timed)
    line = [*case.line(src, ws, out), "--quiet"]
    with used(disk):
        code, _, err = run_inside(line)
    tally.faults += 1
    if code == 5 and one_message(err):
        tally.refused += 1
    else:
        tally.wrong.append(f"{label}: left with {code}: {err[-300:]}")
    try:
        standing = results(ws, out, besides=case.timed)
    except FerError as error:
        tally.wrong.append(f"{label}: {error.what}")
        return
    changed = {name for name in {*before, *standing} if before.get(name) != standing.get(name)}
    wrong = [name for name in changed if standing.get(name) != reference.get(name)]
    if wrong:
        tally.wrong.append(f"{label}: left {wrong}, which an undisturbed run does not")
    code, _, err = run_inside(line)
    after = results(ws, out, besides=case.timed)
    finished = (0, case.spent) if standing == reference else (0,)
    unfinished = [kind for kind in ("run", "features", "dataset", "folds") if list(Store(ws).interrupted(kind))]  # type: ignore[arg-type]
    if code in finished and after == reference and not unfinished:
        tally.same += 1
    else:
        other = sorted(name for name in {*after, *reference} if after.get(name) != reference.get(name))
        tally.wrong.append(f"{label}: run again, {code}, {other} differ, {unfinished} unfinished: {err[-300:]}")


def meet_read_only(case: Case, tally: Tally, base: Path, src: Path) -> None:
    """The command where neither the workspace nor the folder beside it can be written."""
    with tempfile.TemporaryDirectory(dir=ROOM) as name:
        place = Path(name)
        ws, out = _fresh(place, base)
        before = results(ws, out, besides=case.timed)
        protect(place)
        try:
            with nobody():
                code, _, err = run_inside([*case.line(src, ws, out), "--quiet"])
        finally:
            unprotect(place)
        tally.read_only = code
        if code != 5 or not one_message(err):
            tally.wrong.append(f"read-only: left with {code}: {err[-300:]}")
        if results(ws, out, besides=case.timed) != before:
            tally.wrong.append("read-only: something changed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=40, help="operations per command that fail, each in two ways")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="comma list of commands")
    chosen = parser.parse_args()
    cases = [case for case in CASES if not chosen.only or case.name in chosen.only.split(",")]
    tallies: list[Tally] = []
    print("| command | file operations | faults | exit 5, one message | same again | read-only |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=ROOM) as place:
        src, base = sources(Path(place, "src")), base_workspace(Path(place, "base"))
        protect(src)
        for case in cases:
            tally = Tally(case.name)
            fail(case, tally, base, src, most=chosen.faults, seed=chosen.seed)
            meet_read_only(case, tally, base, src)
            tallies.append(tally)
            print(as_line(tally), *(f"    {text}" for text in tally.wrong), sep="\n", flush=True)
    wrong = sum(len(tally.wrong) for tally in tallies)
    print(f"\n{sum(tally.faults for tally in tallies)} faults below {len(tallies)} commands, {wrong} findings")
    return 1 if wrong else 0


def as_line(tally: Tally) -> str:
    """The tally as a line of a Markdown table."""
    cells: Sequence[object] = (tally.name, tally.operations, tally.faults, tally.refused, tally.same, tally.read_only)
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main())
