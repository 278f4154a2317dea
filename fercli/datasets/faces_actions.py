"""Expressions as action units (FACS; Ekman & Friesen 1978), and how one picture of an expression draws them."""

from collections.abc import Mapping

import numpy as np

from fercli.records import EXPRESSIONS

# Prototypes after Ekman, Friesen & Hager (2002), Investigator's Guide, with AU 25 where lips usually part.
PROTOTYPES: dict[str, dict[int, float]] = {
    "angry": {4: 1.0, 5: 0.5, 7: 0.8, 23: 1.0},
    "disgust": {9: 1.0, 10: 0.8, 15: 0.5, 16: 0.6, 25: 0.5},
    "fear": {1: 1.0, 2: 0.6, 4: 0.5, 5: 0.9, 20: 1.0, 26: 0.35},
    "happy": {6: 1.0, 12: 1.0, 25: 0.6},
    "neutral": {},
    "sad": {1: 1.0, 4: 0.5, 15: 1.0, 17: 0.7},
    "surprise": {1: 1.0, 2: 1.0, 5: 1.0, 26: 1.0},
}
ACTION_UNITS = tuple(sorted({unit for prototype in PROTOTYPES.values() for unit in prototype}))
RESTING = (1, 2, 4, 5, 7, 12, 15, 17, 23, 25)


def resting_face(rng: np.random.Generator, difficulty: float) -> dict[int, float]:
    """A subject's own resting face: slight action units that are there in every picture, 0 to 0.35."""
    strength = rng.random(len(RESTING)) ** 2 * 0.35 * difficulty
    return dict(zip(RESTING, strength.tolist(), strict=True))


def act(rng: np.random.Generator, expression: str, difficulty: float) -> dict[int, float]:
    """Action units of one picture, 0 to 1, keyed by number.

    With rising difficulty more pictures are subtle (5 to 50 % of full strength), single units are missing and
    traces of another expression mix in: that is where the classes overlap.
    At difficulty 0 every expression is its prototype at full strength.
    """
    subtle = rng.random() < 0.6 * difficulty
    weakest, strongest = (0.05, 0.5) if subtle else (1 - 0.3 * difficulty, 1.0)
    intensity = weakest + (strongest - weakest) * rng.random()
    units: dict[int, float] = {}
    for unit, share in PROTOTYPES[expression].items():
        kept = rng.random() >= 0.1 * difficulty
        units[unit] = intensity * share * kept * (1 + difficulty * rng.uniform(-0.4, 0.2))
    other = EXPRESSIONS[int(rng.integers(len(EXPRESSIONS)))]
    trace = 0.6 * difficulty * rng.random() ** 2
    return combined(units, {unit: trace * share for unit, share in PROTOTYPES[other].items()})


def combined(*parts: Mapping[int, float]) -> dict[int, float]:
    """Units of several parts together; each adds to what is left up to 1, so none exceeds it."""
    total = dict.fromkeys(ACTION_UNITS, 0.0)
    for part in parts:
        for unit, strength in part.items():
            total[unit] += (1 - total[unit]) * min(max(strength, 0.0), 1.0)
    return total
