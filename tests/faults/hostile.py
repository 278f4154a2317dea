"""Meet every hostile file with the real command: python tests/faults/hostile.py --seed 0 [--only WORDS] [--million].

Each must end with one of the codes that its kind allows, with one message of three lines, within seconds and a few
hundred MB, and leave no artifact and no unfinished work behind. One in twelve also runs as a process of its own,
where lines that C libraries write past Python are seen. Leaves with 1 when anything was otherwise.
"""

import argparse
import errno
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
from crash_matrix import ROOM, run_inside
from fault_commands import ENVIRONMENT, fer, sources
from hostile_artifacts import hostile_artifacts
from hostile_files import Hostile, file_of, hostile_archives, hostile_pictures, many_entries, strange_paths
from hostile_tables import hostile_sheets, hostile_tables

FRESH_EVERY = 12
SETS = {
    "pictures": hostile_pictures,
    "archives": hostile_archives,
    "tables": hostile_tables,
    "sheets": hostile_sheets,
    "paths": strange_paths,
}


@dataclass
class Met:
    """What came of one set of files."""

    name: str
    codes: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_label: str = ""
    grown: float = 0.0
    processes: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(self.codes.values())


def workspace(root: Path) -> Path:
    """Features, folds, a run and a data set, all sound."""
    src, ws = sources(root / "src"), root / "ws"
    sheet = (src / "sheet.csv").read_text().splitlines()[:13]
    (src / "sheet.csv").write_text("\n".join([*sheet, ""]))
    for line in (
        ("import-features", str(src / "sheet.csv")),
        ("synthesize", "--subjects", "8", "--images", "7", "--size", "24", "--name", "faces"),
        (
            "make-folds",
            "--features",
            "sheet",
            "--k",
            "2",
            "--pool-splits",
            "--scheme",
            "stratified",
            "--allow-group-leak",
            "--name",
            "f",
        ),
        ("train-bp", "--features", "sheet", "--folds", "f", "--epochs", "2", "--threads", "1", "--name", "bp"),
    ):
        code, _, err = run_inside([*line, "-w", str(ws)])
        assert code == 0, err
    return ws


def meet(case: Hostile, base: Path, met: Met, *, fresh: bool) -> None:
    """Run the command on a copy of the workspace and look at everything that it did."""
    with tempfile.TemporaryDirectory(dir=ROOM) as place:
        folder = Path(place)
        shutil.copytree(base, folder / "ws")
        try:
            line = [*case.make(folder), "-w", str(folder / "ws")]
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            return  # a name that this file system does not take
        before = _standing(folder / "ws")
        started, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        here = os.getcwd()
        os.chdir(folder)
        try:
            code, out, err = run_inside(line)
        finally:
            os.chdir(here)
        seconds = time.process_time() - started
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
        met.codes[code] += 1
        met.grown = max(met.grown, grown)
        if seconds > met.slowest:
            met.slowest, met.slowest_label = seconds, case.label
        met.wrong += _problems(case, code, err)
        if code != 0 and out:
            met.wrong.append(f"{case.label}: refused, and yet on stdout: {out[:200]!r}")
        if code != 0 and _standing(folder / "ws") != before:
            met.wrong.append(f"{case.label}: it left {sorted(_standing(folder / 'ws') ^ before)}")
        if seconds > case.seconds or grown > case.grown_mb:
            met.wrong.append(f"{case.label}: {seconds:.1f} s, {grown:.0f} MB")
        if (folder / "owned").exists():
            met.wrong.append(f"{case.label}: it ran what the file says")
        if fresh and code != 0:
            try:
                again = subprocess.run(
                    fer(*line), env=ENVIRONMENT, capture_output=True, text=True, errors="replace", timeout=60
                )
            except ValueError:  # a NUL cannot be an argument
                return
            met.processes += 1
            met.wrong += [f"as a process, {text}" for text in _problems(case, again.returncode, again.stderr)]


def _standing(ws: Path) -> set[str]:
    """Names of what stands and of what is unfinished."""
    return {str(path.relative_to(ws)) for path in ws.glob("*/*") if path.parent.name not in (".locks", ".trash")}


def _problems(case: Hostile, code: int, err: str) -> list[str]:
    found = []
    if code not in case.codes:
        found.append(f"{case.label}: code {code}, not {sorted(case.codes)}: {err.strip()[-300:]}")
    if "Traceback" in err:
        found.append(f"{case.label}: a traceback: {err.strip()[-300:]}")
    if code != 0:
        messages = [text for text in err.splitlines() if text.startswith("fer: error:")]
        after = err[err.index("fer: error:") :].splitlines() if messages else []
        if len(messages) != 1 or not 2 <= len(after) <= 3 or not after[-1].startswith("  next: "):
            found.append(f"{case.label}: not one message of what, where, next: {err[-300:]!r}")
        if "\x1b" in err:
            found.append(f"{case.label}: an escape sequence reaches the terminal: {err[-300:]!r}")
    return found


def meet_all(seed: int, base: Path, *, only: str = "", every: int = 1, fresh_every: int = FRESH_EVERY) -> list[Met]:
    """One entry per set; `every` takes one file of so many, `only` those whose label holds the text."""
    makers: dict[str, Iterator[Hostile]] = {name: maker(seed) for name, maker in SETS.items()}
    makers["artifacts"] = hostile_artifacts(seed, base)
    tally = []
    for name, cases in makers.items():
        met = Met(name)
        for number, case in enumerate(cases):
            if only in case.label and number % every == 0:
                meet(case, base, met, fresh=fresh_every > 0 and number % fresh_every == 0)
        tally.append(met)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--million", action="store_true", help="also a zip of a million entries")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOM) as place:
        base = workspace(Path(place))
        tally = meet_all(chosen.seed, base, only=chosen.only)
        if chosen.million:
            met = Met("a million entries")
            # As many names as a large honest set has: linear, 60 µs and a kB each.
            case = Hostile(
                "zip of a million names",
                file_of("a.zip", lambda: many_entries(1_000_000), "import-dataset"),
                seconds=60,
                grown_mb=1000,
            )
            meet(case, base, met, fresh=False)
            tally.append(met)
    print(
        "| files | number | done 0 / usage 2 / input 3 / artifact 4 / other "
        "| also as a process | slowest, s of CPU | grew by, MB |\n"
        "|---|---|---|---|---|---|"
    )
    for met in tally:
        known = [met.codes[code] for code in (0, 2, 3, 4)]
        codes = " / ".join(map(str, [*known, met.count - sum(known)]))
        slowest = f"{met.slowest:.2f}, {met.slowest_label}"
        print(f"| {met.name} | {met.count} | {codes} | {met.processes} | {slowest} | {met.grown:.0f} |")
    wrong = list(chain.from_iterable(met.wrong for met in tally))
    print(f"\n{sum(met.count for met in tally)} files, {len(wrong)} findings")
    for text in wrong:
        print("  " + text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
