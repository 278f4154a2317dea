"""An option out of bounds is answered with the bounds."""

import pytest
from pydantic import Field

from fercli.config.base import Config
from fercli.errors import UsageError


class Example(Config):
    width: int = Field(default=1, ge=1, le=2**63 - 1)
    rate: float = Field(default=0.5, gt=0, lt=1)
    levels: tuple[int, ...] = ()
    kind: str = "a"


@pytest.mark.parametrize(
    ("values", "next_step"),
    [
        ({"width": 0}, "give --width at least 1, at most 9223372036854775807"),
        ({"rate": 1.0}, "give --rate more than 0, less than 1"),
        ({"levels": ("x",)}, "see what it takes with --help"),
        ({"unknown": 1}, "see what it takes with --help"),
    ],
)
def test_what_to_do_next(values, next_step):
    with pytest.raises(UsageError) as caught:
        Example.of(**values)
    assert caught.value.next_step == next_step


def test_every_option_of_a_trainer_that_takes_a_number_tells_its_bounds(fer):
    answer = fer("train-bp", "--batch-size", -1)
    assert answer.code == 2
    assert "  next: give --batch-size at least 0\n" in answer.err
    answer = fer("train-bp", "--optimizer", "x")
    assert (
        "input should be 'adam', 'sgd' or 'momentum'\n  where: --optimizer x\n  next: give one of these\n" in answer.err
    )
