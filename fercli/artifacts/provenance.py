"""Where and with what an artifact was made: recorded, never hashed."""

import os
import platform
from importlib import metadata
from typing import Any

from fercli import __version__

RECORDED_PACKAGES = (
    "numpy",
    "scipy",
    "scikit-image",
    "scikit-learn",
    "opencv-python",
    "opencv-python-headless",
    "torch",
    "torchvision",
)


def version_of(package: str) -> str | None:
    """Installed version of a distribution, without importing it; None when it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def environment() -> dict[str, str]:
    """Versions of Python, fercli and the packages that compute."""
    versions = {name: version_of(name) for name in RECORDED_PACKAGES}
    return {
        "fercli": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()}-{platform.machine()}",
        **{name: version for name, version in versions.items() if version is not None},
    }


def available_cores() -> int:
    """Cores that this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def execution(*, threads: int | None = None, jobs: int | None = None, **more: Any) -> dict[str, Any]:
    """How it was run: threads, jobs, host and what else the caller knows (device name, backend)."""
    return {"threads": threads, "jobs": jobs, "host": platform.node(), **more}
