"""What all tests share: one thread per process, the real data where it is, a silent `Notify`, a workspace."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REAL_DATA = "FERCLI_REAL_DATA"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets; the test is skipped, saying so, where the variable is unset."""
    folder = os.environ.get(REAL_DATA)
    if not folder:
        pytest.skip(f"real data: {REAL_DATA} is not set")
    return Path(folder)


@dataclass
class Silent:
    """A `Notify` that keeps what it was told."""

    said: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    @contextmanager
    def progress(self, what: str, total: int | None, unit: str) -> Any:
        class Bar:
            def advance(self, count: int = 1, note: str = "") -> None: ...

        yield Bar()


@pytest.fixture
def notify() -> Silent:
    return Silent()


@dataclass
class Answer:
    """What one command line gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def fer(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Run a command line in this process, in a workspace of this test: `fer("status", "--json")`."""
    import signal

    from fercli.cli.app import run

    monkeypatch.setenv("FER_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: object) -> Answer:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Answer(code, captured.out, captured.err)

    yield call  # type: ignore[misc]
    for number, handler in handlers.items():
        signal.signal(number, handler)


# In CI a skip that nobody expects is a failure: a missing extra would otherwise silence its tests.
EXPECTED_SKIPS = ("real data:", "GPU:", "browser:")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run under CI=true that skipped a test for any reason but the expected ones."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None or exitstatus != 0:
        return
    reasons = [
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in reporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    unexpected = [reason for reason in reasons if not reason.startswith(EXPECTED_SKIPS)]
    if unexpected:
        reporter.write_line(f"unexpected skips: {unexpected}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
