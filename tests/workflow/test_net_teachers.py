"""What a fold of the run that is learned from may have seen: training rows of the same fold, and nothing else."""

import numpy as np
import pytest

from fercli.errors import InputError
from fercli.records import Fold
from fercli.workflow.net_teachers import _check_rows

FITTED, CHOSE, HELD_OUT, NOTHING = 1, 2, 3, 0
FOLD = Fold(repeat=0, fold=0, train=np.arange(5), test=np.array([5, 6]), inner=np.array([4]))


class Run:
    """A run whose only fold gave its rows these roles."""

    label = "run/teacher"

    def __init__(self, *roles):
        self.roles = np.array(roles)

    def has(self, path):
        return path == "folds/0/00/rows.npy"

    def array(self, path):
        return self.roles


def test_a_teacher_of_the_same_rows_may_teach():
    _check_rows(Run(*[FITTED] * 4, CHOSE, HELD_OUT, HELD_OUT), FOLD, "--distil-from teacher")
    _check_rows(Run(FITTED, NOTHING, CHOSE, NOTHING, NOTHING, HELD_OUT, HELD_OUT), FOLD, "--distil-from teacher")


@pytest.mark.parametrize("role", [FITTED, CHOSE])
def test_a_teacher_that_was_fitted_or_chosen_on_a_held_out_row_is_a_leak(role):
    run = Run(*[FITTED] * 4, CHOSE, role, HELD_OUT)
    with pytest.raises(InputError, match=r"run/teacher has seen 1 rows that do not .* 1 of them held out"):
        _check_rows(run, FOLD, "--distil-from teacher")


def test_a_teacher_that_was_fitted_on_a_row_that_chooses_is_a_leak():
    run = Run(*[FITTED] * 5, HELD_OUT, HELD_OUT)
    with pytest.raises(InputError, match="was fitted on 1 of the 1 rows that choose here"):
        _check_rows(run, FOLD, "--distil-from teacher")


def test_a_teacher_of_other_folds_is_told():
    fold = Fold(repeat=1, fold=0, train=FOLD.train, test=FOLD.test, inner=FOLD.inner)
    with pytest.raises(InputError, match="has no fold 0 of repeat 1: its folds are others"):
        _check_rows(Run(*[FITTED] * 7), fold, "--distil-from teacher")
