"""What fercli stands on: python tests/supply/dependencies.py prints, for every dependency, what it is for, what it
weighs on disk and how much processor time its first import takes; and whether docs/constraints.txt is what is
installed here.

Run it where fercli is installed with the extra `test`. Leaves with 1 where a dependency has no purpose below or the
constraints are not what is installed.
"""

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
CONSTRAINTS = ROOT / "docs" / "constraints.txt"
# Dependency -> the name it is imported by, and what it is for.
PURPOSES = {
    "typer": ("typer", "the command line"),
    "rich": ("rich.console", "tables and progress on the console"),
    "pydantic": ("pydantic", "configs and manifests: bounds as data, errors that name the field"),
    "numpy": ("numpy", "all arrays"),
    "scipy": ("scipy.stats", "transforms, filters, eigenvectors, statistical tests"),
    "scikit-image": ("skimage.feature._hog", "HOG and LBP"),
    "scikit-learn": ("sklearn.ensemble", "the baselines; the interface of our estimators"),
    "opencv-python": ("cv2", "decoding pictures and video, face detection"),
    "joblib": ("joblib", "many processes; the bridge to Dask"),
    "threadpoolctl": ("threadpoolctl", "as many BLAS threads as --threads says"),
    "torch": ("torch", "the ResNets; BP on a GPU"),
    "torchvision": ("torchvision", "the ResNet variants and their published weights"),
    "safetensors": ("safetensors.numpy", "weights on disk that cannot run code"),
    "openpyxl": ("openpyxl", "the SFEW sheet, which is .xlsx"),
    "matplotlib": ("matplotlib.pyplot", "figures of reports"),
    "onnx": ("onnx", "extra onnx: writing models for other engines"),
    "onnxruntime": ("onnxruntime", "extra onnx: the parity check of what was written"),
    "dask": ("dask", "extra dask: extraction over many machines"),
    "distributed": ("distributed", "extra dask: the scheduler and its workers"),
    "tensorboard": ("torch.utils.tensorboard", "extra tensorboard: curves in a browser"),
    "pytest": ("pytest", "extra test: the tests"),
    "hypothesis": ("hypothesis", "extra test: properties and hostile input"),
}
EXTRAS = ("onnx", "dask", "tensorboard", "test")


def requirements(name: str, extras: Iterable[str] = ()) -> list[Requirement]:
    """What an installed distribution asks for on this machine, with these extras."""
    asked = [Requirement(line) for line in metadata.requires(name) or ()]
    return [
        one
        for one in asked
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def direct() -> list[Requirement]:
    """What pyproject.toml asks for, all extras of use and test included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for extra in EXTRAS for line in project["optional-dependencies"][extra]]
    asked = [Requirement(line) for line in [*project["dependencies"], *extras]]
    return [one for one in asked if one.name != "fercli"]


def closure(names: Iterable[str]) -> set[str]:
    """The distributions behind the names and all that they need, by name; what is not installed is left out."""
    found: set[str] = set()
    waiting = [(canonicalize_name(name), frozenset[str]()) for name in names]
    seen = set()
    while waiting:
        name, extras = one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            needs = requirements(name, extras)
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += [(canonicalize_name(need.name), frozenset(need.extras)) for need in needs]
    return found


def megabytes(name: str) -> float:
    """What a distribution's files take on disk."""
    files = (Path(str(file.locate())) for file in metadata.files(name) or ())
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


def import_milliseconds(module: str, repeats: int) -> float:
    """Processor time of a first import in a process of its own, the least of so many: other work does not count."""
    program = f"import time; begun = time.process_time(); import {module}; print(time.process_time() - begun)"
    line = [sys.executable, "-c", program]
    taken = [subprocess.run(line, capture_output=True, text=True, check=True).stdout for _ in range(repeats)]
    return 1000 * min(map(float, taken))


def constraints() -> dict[str, str]:
    """Name and version of every line of docs/constraints.txt."""
    lines = [line for line in CONSTRAINTS.read_text().splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def differences() -> list[str]:
    """Where docs/constraints.txt is not what is installed here."""
    pinned, needed = constraints(), closure(one.name for one in direct())
    lines = [f"{name} {metadata.version(name)} has no constraint" for name in sorted(needed - pinned.keys())]
    lines += [f"{name} is constrained, and nothing needs it" for name in sorted(pinned.keys() - needed)]
    for name in sorted(needed & pinned.keys()):
        if metadata.version(name).split("+")[0] != pinned[name]:
            lines.append(f"{name} {metadata.version(name)} is installed, {pinned[name]} constrained")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="imports of each, of which the fastest counts")
    repeats = parser.parse_args().repeats
    behind = {str(canonicalize_name(one.name)): closure([one.name]) for one in direct()}
    weights = {name: megabytes(name) for name in set().union(*behind.values())}
    print("| dependency | version | what it is for | MB | MB that go with it | import, processor ms |")
    print("|---|---|---|---|---|---|")
    for name, (module, purpose) in PURPOSES.items():
        # What stays without it and without those that need it themselves.
        staying: set[str] = set().union(*(others for others in behind.values() if name not in others))
        going = sum(weights[other] for other in behind[name] - staying)
        print(
            f"| {name} | {metadata.version(name)} | {purpose} | {weights[name]:,.1f} | {going:,.1f} "
            f"| {import_milliseconds(module, repeats):,.0f} |",
            flush=True,
        )
    print(f"\n{len(weights)} distributions, {sum(weights.values()):,.0f} MB in all")
    print(f"the command line itself (`fer --help`): {import_milliseconds('fercli.cli.app', repeats):,.0f} ms")
    wrong = differences()
    print("\n".join(wrong) or "docs/constraints.txt is what is installed here")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
