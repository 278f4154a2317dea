"""Fuzz one reader for some minutes: python tests/faults/fuzz.py READER --minutes 10 [--engine guided].

READER is a key of `fault_readers.READERS`, or `all`. The engine `own` damages sound files by rules; `guided` lets
atheris, where it is installed, follow the coverage of fercli. `--only N` reads the one input of that number again and
shows what it is. Leaves with 1 when anything but the errors a user is meant to see came out.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=("own", "guided"), default="own")
    parser.add_argument("--only", type=int)
    parser.add_argument("--out", type=Path, help="append one line of JSON per reader to this file")
    chosen = parser.parse_args()
    if chosen.engine == "guided":
        return guided(chosen)
    from fault_fuzzing import damaged, fuzz
    from fault_readers import READERS

    if chosen.only is not None:
        name, data = damaged(READERS[chosen.reader], chosen.seed, chosen.only)
        print(name, len(data), data[:2000])
        with tempfile.TemporaryDirectory() as folder:
            print(READERS[chosen.reader].read(Path(folder), name, data))
        return 0
    bad = 0
    for name in READERS if chosen.reader == "all" else [chosen.reader]:
        tally = fuzz(name, seed=chosen.seed, seconds=chosen.minutes * 60)
        bad += report(name, "own", tally, chosen.out)
    return 1 if bad else 0


def report(name: str, engine: str, tally: object, out: Path | None) -> int:
    """Print what one reader made of its inputs; the number of findings."""
    from fault_fuzzing import Tally, as_json

    assert isinstance(tally, Tally)
    print(
        f"{name:12} {engine:6} {tally.inputs:>8,} inputs in {tally.seconds / 60:5.1f} min: {tally.read:,} read, "
        f"{tally.refused:,} refused, {len(tally.findings)} kinds of failure; slowest {tally.slowest:.2f} s, "
        f"memory grew by {tally.grown_mb:.0f} MB",
        flush=True,
    )
    for finding in tally.findings.values():
        print(f"  {finding.count:>6} x {finding.where} {finding.what!r}: {finding.first}", flush=True)
    if out is not None:
        with out.open("a") as stream:
            stream.write(json.dumps({"reader": name, "engine": engine, **as_json(tally)}) + "\n")
    return len(tally.findings)


def guided(chosen: argparse.Namespace) -> int:
    """Coverage-guided: atheris starts from the sound files and keeps what reaches new lines of fercli."""
    import atheris

    with atheris.instrument_imports(include=["fercli"]):
        import fercli.artifacts.store
        import fercli.cli.app
        import fercli.datasets.feature_sheets
        import fercli.datasets.folds_sheet
        import fercli.datasets.formats
        import fercli.inference.scorers
        import fercli.protocol.resolve
        import fercli.resnet.fitted
        import fercli.workflow.scored_runs  # noqa: F401
    from fault_fuzzing import Tally, try_one
    from fault_readers import READERS

    reader, tally, started = READERS[chosen.reader], Tally(), time.perf_counter()
    names = sorted(reader.sound())
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    place = Path(tempfile.mkdtemp(prefix="fer-fuzz-", dir=memory))
    corpus = place / "corpus"
    corpus.mkdir()
    for index, name in enumerate(names):
        (corpus / str(index)).write_bytes(bytes([index]) + reader.sound()[name])
    warnings.simplefilter("ignore")
    until = started + chosen.minutes * 60

    def one(data: bytes) -> None:
        if data:
            label = f"{chosen.reader}, guided, input {tally.inputs}: {data[:200]!r}"
            try_one(reader, tally, place, names[data[0] % len(names)], data[1:], label)
        tally.seconds = time.perf_counter() - started
        if time.perf_counter() > until:
            # libFuzzer leaves without Python's exit: what is to be said is said here.
            bad = report(chosen.reader, "guided", tally, chosen.out)
            os._exit(1 if bad else 0)

    atheris.Setup([sys.argv[0], f"-seed={chosen.seed + 1}", "-max_len=20000", "-timeout=60", str(corpus)], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
