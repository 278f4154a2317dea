"""Nested values against values computed again."""

import pytest

from fercli.workflow.verification import Book, Covered, Difference, Finding
from fercli.workflow.verification_values import close, differing


@pytest.mark.parametrize(
    ("stored", "computed", "same"),
    [
        (0.5, 0.5 + 1e-12, True),
        (0.5, 0.5 + 1e-6, False),
        (1, 1.0, True),
        (1e12, 1e12 + 1, True),
        (None, None, True),
        (None, 0.0, False),
        (True, 1, False),
        ("a", "a", True),
        ("1", 1, False),
        (float("nan"), 0.5, False),
    ],
)
def test_close(stored, computed, same):
    assert close(stored, computed) is same


def test_differing_names_the_place_and_ignores_what_only_the_stored_side_has():
    stored = {"a": {"b": 1.0}, "more": 3, "folds": [{"repeat": 0, "fold": 0, "x": 1}, {"repeat": 0, "fold": 1, "x": 2}]}
    computed = {
        "a": {"b": 2.0, "c": None},
        "folds": [{"repeat": 0, "fold": 0, "x": 1}, {"repeat": 0, "fold": 1, "x": 5}],
    }
    assert list(differing(stored, computed)) == [
        ("a.b", 1.0, 2.0),
        ("a.c", "nothing", None),
        ("folds[0/1].x", 2, 5),
    ]


def test_lists_of_other_lengths_differ_as_a_whole():
    assert list(differing({"a": [1]}, {"a": [1, 2]})) == [("a", [1], [1, 2])]
    assert list(differing([{"name": "r", "x": 1}], [{"name": "r", "x": 2}])) == [("[r].x", 1, 2)]


def test_a_check_that_cannot_be_made_is_a_finding_and_a_fault_of_another_kind_is_not():
    book = Book()

    def broken():
        raise KeyError("classes")

    assert not book.attempt("run/a", "metrics", broken)
    assert [finding.line() for finding in book.findings] == [
        "run/a: not of the form that this release writes: KeyError 'classes' (metrics)"
    ]

    def ours():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        book.attempt("run/a", "metrics", ours)


def test_lines_are_one_line_with_values_cut_short():
    finding = Finding("run/a", "c", Difference("it differs", "file, fold", [0] * 200, 0.1 + 0.2))
    line = finding.line()
    assert line.startswith("run/a: it differs (file, fold): stored [0, 0,")
    assert line.endswith("..., recomputed 0.3")
    assert "\n" not in line
    book = Book()
    assert book.enter("run/a", "c", Covered(3, "rows"))
    book.skip("run/a", "d", "gone")
    assert [(check.check, check.result) for check in book.checks] == [("c", "fine"), ("d", "not made: gone")]
