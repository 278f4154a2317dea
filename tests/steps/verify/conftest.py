"""Workspaces for the tests of `fer verify`, made once and copied."""

import shutil
import signal

import pytest
from verify_workspaces import columns_workspace, pictures_workspace


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    found = {}
    for kind, make in (("columns", columns_workspace), ("pictures", pictures_workspace)):
        found[kind] = tmp_path_factory.mktemp(kind) / "ws"
        make(found[kind])
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return found


@pytest.fixture
def workspace(made, tmp_path, fer):
    """A copy of one of the made workspaces, as the workspace of `fer`."""

    def copy(kind):
        shutil.copytree(made[kind], tmp_path / "ws")
        return tmp_path / "ws"

    return copy
