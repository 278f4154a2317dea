"""Kill every writing command at random moments: python tests/faults/crash_matrix.py --kills 20 --seed 0.

Each command is measured once undisturbed, then started as a process on a fresh copy of a small workspace and killed
(SIGKILL, SIGTERM or SIGINT) at a moment drawn over that duration; see `fault_processes` for the two ways to start.
After each kill every artifact must be whole, by the hash of every file, or absent; `fer status` must say so; and the
same command, run again, must leave what it leaves undisturbed. Prints the table that docs/faults.md shows; leaves with
1 when anything was broken.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from fault_commands import CASES, Case, base_workspace, sources
from fault_processes import Ended, load, run

from fercli import seeds
from fercli.artifacts.schema import KINDS
from fercli.artifacts.store import Store
from fercli.errors import FerError

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LEAVES = {signal.SIGTERM: 143, signal.SIGINT: 130}
# So many kills, one starts a process of its own; the others are forks that have loaded everything.
FRESH_EVERY = 4
ROOM = "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass
class Row:
    """One command in the table. broken: what was not as promised, in words, with the draw that showed it."""

    name: str
    seconds: float = 0.0
    work: float = 0.0
    signals: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    same: int = 0
    kills: int = 0
    broken: list[str] = field(default_factory=list)


def results(ws: Path, out: Path, *, besides: Sequence[str] = ()) -> dict[str, str]:
    """What stands: the fingerprint of every artifact, the hash of every file outside; FerError where one is damaged.

    besides: artifacts that only have to be whole, because they show seconds.
    """
    store = Store(ws)
    found = {}
    for kind in KINDS:
        for name in store.names(kind):
            artifact = store.open(kind, name)
            damaged = store.damaged_files(artifact)
            if damaged:
                raise FerError(f"{artifact.label} is damaged: {damaged}")
            found[artifact.label] = "whole" if artifact.label in besides else artifact.manifest.fingerprint
    for place in sorted(out.rglob("*")) if out.is_dir() else ():
        if place.is_file() and not place.name.endswith(".json"):
            found[f"out/{place.relative_to(out)}"] = hashlib.sha256(place.read_bytes()).hexdigest()
    return found


def partials(ws: Path) -> list[str]:
    """Work begun and not finished."""
    return [f"{kind}/{name}" for kind in KINDS for name, _ in Store(ws).interrupted(kind)]


def run_inside(line: Sequence[str]) -> tuple[int, str, str]:
    """A command line in this process: code, stdout, stderr."""
    from fercli.cli.app import run

    out, err = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(line))
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return code, out.getvalue(), err.getvalue()


def untruths(ws: Path) -> list[str]:
    """Where `fer status --json` says something else than what stands."""
    code, out, err = run_inside(["status", "--json", "-w", str(ws)])
    if code != 0:
        return [f"status left with {code}: {err.strip()}"]
    said = {f"{entry['kind']}/{entry['name']}": entry["state"] for entry in json.loads(out)["artifacts"]}
    store = Store(ws)
    standing = {f"{kind}/{name}" for kind in KINDS for name in store.names(kind)}
    expected = standing | {f"{kind}/{name}" for kind in KINDS for name, _ in store.interrupted(kind)}
    wrong = [f"status lists {sorted(said)}, there are {sorted(expected)}"] if set(said) != expected else []
    for label in standing & set(said):
        if said[label] != "whole":
            wrong.append(f"status calls {label} {said[label]!r}")
    return wrong


def kill_once(
    case: Case,
    row: Row,
    base: Path,
    src: Path,
    reference: dict[str, str],
    seed: int,
    number: int,
    *,
    forks: bool = True,
) -> None:
    """Start, kill, look, run again, compare."""
    rng = seeds.generator(seed, "crash", case.name, number)
    chosen, fresh = SIGNALS[number % len(SIGNALS)], not forks or number % FRESH_EVERY == 0
    moment = float(rng.uniform(0, row.seconds if fresh else row.work))
    label = f"kill {number} ({chosen.name} after {moment:.3f} s{', fresh' if fresh else ''})"
    with tempfile.TemporaryDirectory(dir=ROOM) as place:
        ws, out = Path(place, "ws"), Path(place, "out")
        shutil.copytree(base, ws)
        out.mkdir()
        before = results(ws, out, besides=case.timed)
        line = case.line(src, ws, out)
        ended = run(line, Path(place, "err"), fresh=fresh, kill=chosen, after=moment)
        row.kills += 1
        row.signals[chosen.name] += 1
        if ended.code == 0:
            row.moments["finished"] += 1
        elif chosen in LEAVES and ended.code not in (LEAVES[chosen], -chosen):
            row.broken.append(f"{label}: left with {ended.code}: {ended.err.strip()[-300:]}")
        if "Traceback" in ended.err and ended.code != -chosen:
            row.broken.append(f"{label}: a traceback: {ended.err.strip()[-300:]}")
        # Before anything opens the store, which repairs what was cut off between two renames.
        begun = sorted(ws.glob("*/.*.partial"))
        try:
            standing = results(ws, out, besides=case.timed)
        except FerError as error:
            row.states["broken"] += 1
            row.broken.append(f"{label}: {error.what}")
            return
        changed = {name for name in {*before, *standing} if before.get(name) != standing.get(name)}
        if ended.code != 0:
            row.moments["partial" if begun else "after a write" if changed else "before the first write"] += 1
        row.states["whole" if changed else "absent"] += 1
        wrong = [name for name in changed if standing.get(name) != reference.get(name)]
        begun_rows = {}
        if case.rows:
            wrong = [name for name in wrong if not name.startswith("out/")]
            begun_rows = {path: path.read_bytes() for path in out.iterdir() if path.is_file()}
        if wrong:
            row.broken.append(f"{label}: left {wrong}, which an undisturbed run does not")
        row.broken += [f"{label}: {text}" for text in untruths(ws)]
        again = run(line, Path(place, "err"), fresh=not forks)
        if again.code not in ((0, case.spent) if standing == reference else (0,)):
            row.broken.append(f"{label}: the same command again left with {again.code}: {again.err[-300:]}")
        for path, data in begun_rows.items():
            hidden, whole = path.name.startswith("."), path.read_bytes() if path.exists() else b""
            if hidden and (chosen is not signal.SIGKILL or path.exists()):
                row.broken.append(
                    f"{label}: {path.name} is left, {'also ' if path.exists() else 'not '}after the next run"
                )
            if not hidden and not (whole.startswith(data) and data.endswith(b"\n")):
                row.broken.append(f"{label}: {path.name} held {len(data)} bytes that are not its first rows")
        after = results(ws, out, besides=case.timed)
        if after != reference or partials(ws):
            other = sorted(name for name in {*after, *reference} if after.get(name) != reference.get(name))
            row.broken.append(f"{label}: run again, {other} differ, {partials(ws)} are unfinished")
        elif "--empty-trash" in line and any(ws.glob(".trash/*")):
            row.broken.append(f"{label}: run again, the trash is not empty")
        else:
            row.same += 1


def undisturbed(case: Case, base: Path, src: Path, *, fresh: bool) -> tuple[Ended, dict[str, str]]:
    """How the command ends that nobody kills, and what it leaves."""
    with tempfile.TemporaryDirectory(dir=ROOM) as place:
        ws, out = Path(place, "ws"), Path(place, "out")
        shutil.copytree(base, ws)
        out.mkdir()
        ended = run(case.line(src, ws, out), Path(place, "err"), fresh=fresh)
        return ended, results(ws, out, besides=case.timed)


def matrix(cases: Sequence[Case], base: Path, src: Path, *, kills: int, seed: int) -> list[Row]:
    """One row per command, printed as it is done."""
    rows = []
    for case in cases:
        row = Row(case.name)
        reference: dict[str, str] = {}
        for fresh in (True, False, False):
            ended, stands = undisturbed(case, base, src, fresh=fresh)
            if ended.code != 0:
                row.broken.append(f"undisturbed it left with {ended.code}: {ended.err[-500:]}")
            elif reference and stands != reference:
                row.broken.append("two undisturbed runs differ")
            reference = stands
            # Beside other work a run can take several times as long; kills after its end would show nothing.
            if fresh:
                row.seconds = ended.seconds
            else:
                row.work = min(row.work or ended.seconds, ended.seconds)
        for number in range(kills if not row.broken else 0):
            kill_once(case, row, base, src, reference, seed, number)
        rows.append(row)
        print(as_line(row), flush=True)
        for text in row.broken:
            print(f"    {text}", flush=True)
    return rows


COLUMNS = (
    "command | seconds, fresh / fork | kills | KILL / TERM / INT | "
    "before the first write / partial / after a write / finished | absent / whole / broken | same again"
)


def as_line(row: Row) -> str:
    """The row as a line of a Markdown table."""
    signals = " / ".join(str(row.signals[name]) for name in ("SIGKILL", "SIGTERM", "SIGINT"))
    names = ("before the first write", "partial", "after a write", "finished")
    moments = " / ".join(str(row.moments[name]) for name in names)
    states = " / ".join(str(row.states[name]) for name in ("absent", "whole", "broken"))
    took = f"{row.seconds:.1f} / {row.work:.2f}"
    return f"| {row.name} | {took} | {row.kills} | {signals} | {moments} | {states} | {row.same} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="per command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="comma list of commands")
    chosen = parser.parse_args()
    cases = [case for case in CASES if not chosen.only or case.name in chosen.only.split(",")]
    load()
    with tempfile.TemporaryDirectory(dir=ROOM) as place:
        src = sources(Path(place, "src"))
        base = base_workspace(Path(place, "base"))
        print(f"seed {chosen.seed}\n\n| {COLUMNS} |\n|{'---|' * (COLUMNS.count('|') + 1)}", flush=True)
        rows = matrix(cases, base, src, kills=chosen.kills, seed=chosen.seed)
    broken = sum(len(row.broken) for row in rows)
    kills, same = sum(row.kills for row in rows), sum(row.same for row in rows)
    print(f"\n{kills} kills of {len(rows)} commands; {same} ended the same when run again; {broken} findings")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
