"""What a large set costs, step by step: python tests/scale/measure.py --images 20000,100000 --folder /big/disk.

Draws a set of each size (`large_set.py`), then runs every step as a process of its own and prints its time, its
processor time, its peak memory and what it leaves on disk, how each grows from one size to the next, and whether the
audit found what was planted. Memory is the process' own (resident anonymous pages, looked at fifty times a second) and
the peak of all that it had mapped, the pages of files in the system's cache among them. Leaves with 1 when a step
fails or the audit does not find what was planted.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LOOKS = 0.02
# Below so many pictures memory is that of buffers which are still filling, and says nothing of more pictures.
BUFFERS_FULL = 50_000
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """One step on one set. seconds, cpu: wall clock and processor. own, peak: MiB. disk: bytes it left."""

    step: str
    images: int
    side: int
    seconds: float
    cpu: float
    own: float
    peak: float
    disk: int


def steps(archive: Path, jobs: int, scheduler: str | None) -> dict[str, list[str]]:
    """Every step and its command line after `fer`; what a step leaves lies in the folder of its kind."""
    extraction = ["extract-features", "--jobs", str(jobs)]
    if scheduler:
        extraction += ["--backend", "dask", "--scheduler", scheduler]
    return {
        "import-dataset": ["import-dataset", str(archive), "--name", "large"],
        "audit": ["audit", "--dataset", "large", "--json"],
        "make-folds": ["make-folds", "--dataset", "large", "--pool-splits", "--k", "5"],
        "extract-features": extraction,
    }


def run(step: str, command: Sequence[str], images: int, side: int, workspace: Path, out: Path) -> Cost:
    """Run one command and measure it; SystemExit with what it said when it fails."""
    environment = {**ENVIRONMENT, "FER_WORKSPACE": str(workspace)}
    line = [sys.executable, "-m", "fercli", *command]
    before = size_of(workspace)
    begun = time.perf_counter()
    with out.open("wb") as answer, out.with_suffix(".err").open("wb") as talk:
        child = subprocess.Popen(line, env=environment, stdout=answer, stderr=talk)
        looking = _Looking(child.pid)
        looking.start()
        _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begun
    looking.over.set()
    looking.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{step} left with {child.returncode}:\n{out.with_suffix('.err').read_text()[-2000:]}")
    return Cost(
        step,
        images,
        side,
        seconds,
        used.ru_utime + used.ru_stime,
        looking.most / 2**20,
        used.ru_maxrss / 1024,
        size_of(workspace) - before,
    )


class _Looking(threading.Thread):
    """The most anonymous memory that a process has held, in bytes; its children do not count."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.statm = Path(f"/proc/{process}/statm")
        self.over = threading.Event()
        self.most = 0

    def run(self) -> None:
        while not self.over.wait(LOOKS):
            try:
                _, resident, shared = map(int, self.statm.read_text().split()[:3])
            except (OSError, ValueError):
                return
            self.most = max(self.most, (resident - shared) * PAGE)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0


def found_what_was_planted(answer: dict[str, Any], there: dict[str, Any]) -> list[str]:
    """What the audit says otherwise than the set was made."""
    exact, near = answer["exact"], answer["near"]
    asked = {
        "images": (answer["images"], there["images"]),
        "groups": (answer["groups"], there["groups"]),
        "exact sets": (exact["groups"], there["exact"]),
        "exact pictures": (exact["images"], 2 * there["exact"]),
        "exact sets across splits": (exact["cross_split"], there["cross_split"]),
        "exact sets with conflicting labels": (exact["conflicting"], there["conflicting"]),
        # Among the pairs of a million pictures some are alike by chance.
        "near sets": (min(near["groups"], there["near"]), there["near"]),
    }
    return [f"{name}: {got:,} found, {planted:,} planted" for name, (got, planted) in asked.items() if got != planted]


def table(costs: Sequence[Cost]) -> str:
    """The costs as a table, with the growth from the size before: exponent 1 is linear, 2 is quadratic."""
    lines = [
        "| step | images | side | seconds | processor s | own MiB | peak MiB | disk MB | growth of time | of memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    earlier: dict[tuple[str, int], Cost] = {}
    for cost in costs:
        last = earlier.get((cost.step, cost.side))
        growth = ("", "") if last is None else (_exponent(last, cost, "cpu"), _exponent(last, cost, "own"))
        lines.append(
            f"| {cost.step} | {cost.images:,} | {cost.side} | {cost.seconds:,.1f} | {cost.cpu:,.1f} | {cost.own:,.0f} "
            f"| {cost.peak:,.0f} | {cost.disk / 1e6:,.1f} | {growth[0]} | {growth[1]} |"
        )
        earlier[cost.step, cost.side] = cost
    return "\n".join(lines)


def _exponent(small: Cost, large: Cost, what: str) -> str:
    ratio = getattr(large, what) / max(getattr(small, what), 1e-9)
    return f"{math.log(ratio) / math.log(large.images / small.images):.2f}" if large.images != small.images else ""


def reckoned(costs: Sequence[Cost], images: int) -> str:
    """What so many pictures would cost, by the line through the two largest sets of each step."""
    lines = [
        "| step | side | microseconds a picture | own bytes a picture | disk bytes a picture "
        f"| processor hours of {images:,} | own GiB | disk GB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for step, side in dict.fromkeys((cost.step, cost.side) for cost in costs):
        known = sorted(
            {c.images: c for c in costs if (c.step, c.side) == (step, side)}.values(), key=lambda c: c.images
        )
        if len(known) < 2:
            continue
        small, large = known[-2:]
        more = large.images - small.images
        cpu, rest = (large.cpu - small.cpu) / more, images - large.images
        disk = large.disk / large.images
        slope, own = "", ""
        if large.images >= BUFFERS_FULL:
            per = max(0.0, large.own - small.own) * 2**20 / more
            slope, own = f"{per:,.0f}", f"{(large.own * 2**20 + rest * per) / 2**30:.1f}"
        lines.append(
            f"| {step} | {side} | {1e6 * cpu:,.1f} | {slope} | {disk:,.0f} | {(large.cpu + rest * cpu) / 3600:.2f} "
            f"| {own} | {images * disk / 1e9:,.1f} |"
        )
    return "\n".join(lines)


def measured(images: int, given: argparse.Namespace) -> tuple[list[Cost], list[str]]:
    """The costs of every step on a set of so many pictures, and what the audit did not find."""
    folder = given.folder / f"{images}-{given.side}"
    archive, workspace = folder / "set.tar", folder / "ws"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(workspace, ignore_errors=True)
    # A process of its own: what this one holds would count as memory of those it starts.
    drawing = [sys.executable, str(HERE / "large_set.py"), str(archive), "--images", str(images)]
    drawing += ["--side", str(given.side), "--seed", str(given.seed), "--form", given.form]
    planted = json.loads(subprocess.run(drawing, check=True, env=ENVIRONMENT, stdout=subprocess.PIPE).stdout)
    costs, wrong = [], []
    for step, command in steps(archive, given.jobs, given.scheduler).items():
        if given.steps and step not in given.steps.split(","):
            continue
        answer = folder / f"{step}.out"
        costs.append(run(step, command, images, given.side, workspace, answer))
        print(table(costs[-1:]).splitlines()[-1], f"load {os.getloadavg()[0]:.1f}", flush=True)
        if step == "import-dataset":
            archive.unlink()
        if step == "audit":
            wrong = found_what_was_planted(json.loads(answer.read_text()), planted)
    shutil.rmtree(workspace)
    return costs, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", default="20000,100000", help="sizes, separated by commas; multiples of 1,000")
    parser.add_argument("--side", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--form", choices=("pgm", "jpg"), default="pgm", help="gray PGM, or JPEG in colour")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--scheduler", help="extract on the Dask cluster at this address")
    parser.add_argument("--steps", help="only these, separated by commas; import-dataset must be among them")
    parser.add_argument("--folder", type=Path, default=Path("scale"), help="where the sets and workspaces go")
    parser.add_argument("--costs", type=Path, help="a JSON file: what it holds is shown too, new costs are added")
    parser.add_argument("--reckon", type=int, default=10_000_000, help="reckon the costs of so many pictures")
    given = parser.parse_args()
    costs = [Cost(**one) for one in json.loads(given.costs.read_text())] if given.costs and given.costs.exists() else []
    wrong: list[str] = []
    for images in (int(size) for size in given.images.split(",") if size):
        found, missed = measured(images, given)
        costs, wrong = costs + found, wrong + missed
        if given.costs:
            given.costs.write_text(json.dumps([asdict(cost) for cost in costs], indent=1) + "\n")
    print(table(costs), reckoned(costs, given.reckon), "\n".join(wrong) or "all planted copies found", sep="\n\n")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
