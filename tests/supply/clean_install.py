"""Wheel and sdist, built and installed where nothing else is: python tests/supply/clean_install.py --reuse FOLDER.

Builds both outside the tree, compares the wheel's files with the package's, then installs each into an empty virtual
environment and runs `fer --version`, `fer doctor` and a short `fer synthesize` there, in an empty folder. --reuse takes
the dependencies from another environment's site-packages by a `.pth` file, in place of gigabytes of downloads; without
it they are installed. Needs `pip install build`. Leaves with 1 when anything fails.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
COMMANDS = (
    ("--version",),
    ("doctor", "--json"),
    ("synthesize", "--subjects", "4", "--images", "7", "--json"),
    ("make-folds", "--k", "2", "--json"),
)


def run(*line: str | Path, folder: Path) -> str:
    """Standard output of a command; SystemExit with what it said when it fails."""
    # Nothing of the tree or of this environment may help.
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FER_", "VIRTUAL_ENV"))
    }
    done = subprocess.run([*map(str, line)], cwd=folder, env=clean, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, line))} left with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def built(folder: Path) -> list[Path]:
    """Wheel and sdist, built from a copy of what git knows."""
    source = folder / "source"
    source.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "x", "-C", str(source)], input=archive, check=True)
    run(sys.executable, "-m", "build", "--outdir", folder / "dist", source, folder=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        inside = {name for name in file.namelist() if name.startswith("fercli/")}
    expected = {path.relative_to(source).as_posix() for path in (source / "fercli").rglob("*") if path.is_file()}
    if inside != expected:
        raise SystemExit(f"the wheel differs from the package: {sorted(inside ^ expected)}")
    print(f"{wheel.name}: {wheel.stat().st_size:,} bytes, all {len(inside)} files of the package")
    return [wheel, *(folder / "dist").glob("*.tar.gz")]


def installed(package: Path, folder: Path, reuse: Path | None) -> None:
    """Install one into an empty environment and run the commands."""
    venv.create(folder / "env", with_pip=True)
    scripts = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = run(scripts / "python", "-c", where, folder=folder).strip()
    options: list[str] = []
    if reuse is not None:
        (Path(site) / "reused.pth").write_text(f"{reuse}\n")
        options = ["--no-deps"]
    run(scripts / "python", "-m", "pip", "install", "--quiet", *options, package, folder=folder)
    place = run(scripts / "python", "-c", "import fercli; print(fercli.__file__)", folder=folder).strip()
    if not place.startswith(str(folder / "env")):
        raise SystemExit(f"fercli was imported from {place}")
    empty = folder / "work"
    empty.mkdir()
    for command in COMMANDS:
        run(scripts / "fer", *command, folder=empty)
        print(f"{package.name}: fer {' '.join(command)}: ok", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reuse", type=Path, help="site-packages whose packages are taken in place of new ones")
    reuse = parser.parse_args().reuse
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        for package in built(folder):
            place = folder / package.suffix.strip(".")
            place.mkdir()
            installed(package, place, reuse)


if __name__ == "__main__":
    main()
