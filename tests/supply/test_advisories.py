"""Only an index that tells advisories, of exactly the tested version, counts as an answer."""

import advisories
from advisories import Answer, answer, told

BAD = {"id": "PYSEC-1", "aliases": ["CVE-1"], "withdrawn": None}
GONE = {"id": "PYSEC-2", "aliases": [], "withdrawn": "2024-01-01"}


def page(version, *entries):
    return {"info": {"version": version}, "vulnerabilities": list(entries)}


def test_the_page_of_the_version_comes_before_that_of_the_newest():
    pages = {"a/1": page("1", BAD), "a": page("2")}
    assert answer("a", "1", pages.get) == Answer("a", "1", "1", ("PYSEC-1 CVE-1",))


def test_the_newest_release_speaks_for_itself_only():
    pages = {"a": page("2", GONE), "b": {"info": {"version": "1"}}}
    assert answer("a", "2", pages.get).advisories == ()
    assert answer("a", "1", pages.get) == Answer("a", "1", "2", None)
    assert answer("b", "1", pages.get).advisories is None
    assert answer("c", "1", pages.get) == Answer("c", "1", None, None)


def test_what_is_told():
    lines, found = told([Answer("a", "1", "1", ()), Answer("b", "2", "2", ("X",)), Answer("c", "3", "4", None)])
    assert found
    assert lines == [
        "b 2: X",
        "3 distributions: 1 without a known vulnerability, 1 with one",
        "1 of which the index does not say, since its newest release is another:",
        "  c 3 (newest 4)",
    ]
    assert told([Answer("a", "1", "1", ())]) == (
        ["1 distributions: 1 without a known vulnerability, 0 with one"],
        False,
    )


def test_an_index_without_advisories_audits_nothing(monkeypatch, capsys):
    monkeypatch.setattr(advisories, "asking", lambda index: {"pycrypto": page("2.6.1")}.get)
    monkeypatch.setattr("sys.argv", ["advisories.py", "https://index.invalid"])
    assert advisories.main() == 2
    assert "nothing was audited" in capsys.readouterr().out
