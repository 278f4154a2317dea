"""`fer doctor`: versions, devices, and what is missing with how to get it."""

import importlib
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

from fercli import __version__
from fercli.artifacts.provenance import available_cores, version_of
from fercli.records import Notify, Outcome, Table

REQUIRED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "opencv-python": "cv2",
    "torch": "torch",
    "torchvision": "torchvision",
    "safetensors": "safetensors",
    "openpyxl": "openpyxl",
    "joblib": "joblib",
    "matplotlib": "matplotlib",
    "rich": "rich",
    "typer": "typer",
    "pydantic": "pydantic",
}
# extra -> (packages, what it is for)
EXTRAS = {
    "onnx": (("onnx", "onnxruntime"), "export to ONNX"),
    "dask": (("dask", "distributed"), "extraction on a cluster"),
    "tensorboard": (("tensorboard",), "training logs in TensorBoard"),
}


def run(workspace: Path, notify: Notify) -> Outcome:
    """Look at Python, packages, devices and the workspace's disk; import every required package."""
    problems: list[str] = []
    packages: list[tuple[Any, ...]] = []
    for distribution, module in REQUIRED.items():
        version = version_of(distribution)
        if version is None and distribution == "opencv-python":
            version = version_of("opencv-python-headless")
        state = "ok"
        try:
            importlib.import_module(module)
        except ImportError as error:
            state = "missing" if version is None else f"does not import: {error}"
            problems.append(f"{distribution}: {state}; install fercli again with pip install fercli")
        packages.append((distribution, version or "–", state))
    for extra, (distributions, purpose) in EXTRAS.items():
        for distribution in distributions:
            version = version_of(distribution)
            state = "ok" if version else f"optional, for {purpose}: pip install 'fercli[{extra}]'"
            packages.append((distribution, version or "–", state))
    devices, lines = _devices()
    probe = workspace.absolute()
    while not probe.exists():
        probe = probe.parent
    free = shutil.disk_usage(probe).free
    machine = Table(
        "Machine",
        ("what", "value"),
        (
            ("fercli", __version__),
            ("Python", platform.python_version()),
            ("system", f"{platform.system()} {platform.machine()}"),
            ("cores for this process", available_cores()),
            ("devices", ", ".join(devices)),
            ("workspace", str(workspace)),
            ("free on its disk", f"{free / 1e9:.1f} GB"),
        ),
        notes=tuple(lines),
    )
    payload = {
        "fercli": __version__,
        "python": sys.version.split()[0],
        "cores": available_cores(),
        "devices": devices,
        "packages": {name: version for name, version, _ in packages if version != "–"},
        "problems": problems,
        "free_bytes": free,
    }
    for problem in problems:
        notify.warn(problem)
    return Outcome(
        payload=payload,
        tables=(machine, Table("Packages", ("package", "version", "state"), tuple(packages))),
        lines=("everything that is needed is here",) if not problems else (),
    )


def _devices() -> tuple[list[str], list[str]]:
    """Names that `--device` takes on this machine, and a line about what is not there."""
    try:
        import torch
    except ImportError:
        return ["none: torch does not import"], []
    names = ["cpu"]
    notes = []
    if torch.cuda.is_available():
        names += [f"cuda:{index} ({torch.cuda.get_device_name(index)})" for index in range(torch.cuda.device_count())]
    else:
        notes.append("no CUDA device: --device cuda is an error here, never a silent run on the CPU")
    if torch.backends.mps.is_available():
        names.append("mps")
    return names, notes
