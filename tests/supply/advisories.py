"""Known vulnerabilities of the tested versions, as a package index tells them: python tests/supply/advisories.py INDEX.

INDEX is the address of a Python package index that has PyPI's JSON pages, such as that of PyPI itself. A page per
version is asked for first; where the index has none, the project's page answers for its newest release only, and a
tested version that is another stays without an answer. An index that names no advisory for `CONTROL`, which is known to
be vulnerable, has none to tell, and nothing counts as audited. `pip-audit` does this better where it works.
Leaves with 1 when an advisory is found, 2 when the index has none to tell.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from dependencies import constraints

# Its last release, of 2013; four advisories without a fix.
CONTROL = ("pycrypto", "2.6.1")
# The path below /pypi/ -> the page, or None where there is none.
Ask = Callable[[str], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Answer:
    """What the index says of one version. advisories: None where it does not say."""

    name: str
    version: str
    newest: str | None
    advisories: tuple[str, ...] | None


def answer(name: str, version: str, ask: Ask) -> Answer:
    """Ask for the page of the version, then for that of the newest release."""
    page = ask(f"{name}/{version}") or ask(name)
    if page is None:
        return Answer(name, version, None, None)
    told = page["info"]["version"]
    if told != version or "vulnerabilities" not in page:
        return Answer(name, version, told, None)
    standing = [entry for entry in page["vulnerabilities"] if not entry.get("withdrawn")]
    return Answer(name, version, told, tuple(" ".join([entry["id"], *entry.get("aliases", ())]) for entry in standing))


def asking(index: str) -> Ask:
    """Ask the index over the network; SystemExit where it does not answer at all."""

    def ask(path: str) -> Mapping[str, Any] | None:
        try:
            with urllib.request.urlopen(f"{index.rstrip('/')}/pypi/{path}/json", timeout=30) as page:
                return dict(json.load(page))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise SystemExit(f"{index} answers {path} with {error.code}") from error
        except OSError as error:
            raise SystemExit(f"{index} cannot be reached: {error}") from error

    return ask


def told(answers: Sequence[Answer]) -> tuple[list[str], bool]:
    """Lines for a reader, and whether any advisory was found."""
    clean = [one for one in answers if one.advisories == ()]
    open_ones = [one for one in answers if one.advisories is None]
    lines = [f"{one.name} {one.version}: {', '.join(one.advisories)}" for one in answers if one.advisories]
    found = bool(lines)
    lines.append(f"{len(answers)} distributions: {len(clean)} without a known vulnerability, {len(lines)} with one")
    if open_ones:
        lines.append(f"{len(open_ones)} of which the index does not say, since its newest release is another:")
        lines += [f"  {one.name} {one.version} (newest {one.newest})" for one in open_ones]
    return lines, found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", help="https://HOST of the index")
    ask = asking(parser.parse_args().index)
    if not answer(*CONTROL, ask).advisories:
        print(f"this index names no advisory for {' '.join(CONTROL)}, which has some: nothing was audited")
        return 2
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda pin: answer(*pin, ask), sorted(constraints().items())))
    lines, found = told(answers)
    print("\n".join(lines))
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
