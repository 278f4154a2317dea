"""Who a drawn face belongs to: proportions, tones, hair and what is worn, one draw per subject."""

from dataclasses import dataclass

import numpy as np

from fercli.seeds import generator

Tone = tuple[float, float, float]
_SKIN: tuple[Tone, ...] = (
    (247, 214, 188),
    (232, 190, 158),
    (208, 160, 124),
    (172, 122, 88),
    (122, 82, 58),
    (84, 56, 42),
)
_HAIR: tuple[Tone, ...] = ((28, 22, 20), (58, 38, 26), (104, 70, 40), (176, 138, 84), (128, 124, 122), (134, 62, 32))


@dataclass(frozen=True)
class Identity:
    """One subject. Lengths are in units of half the head's height; tones are RGB, 0 to 255."""

    head_width: float
    jaw: float
    eye_distance: float
    eye_height: float
    eye_width: float
    eye_opening: float
    brow_height: float
    brow_thickness: float
    brow_slope: float
    nose_length: float
    nose_width: float
    mouth_height: float
    mouth_width: float
    lip: float
    hairline: float
    hair_length: float
    crookedness: float
    skin: Tone
    hair: Tone
    lips: Tone
    iris: Tone
    clothes: Tone
    glasses: bool
    beard: float


def identity(seed: int, subject: int) -> Identity:
    """The subject of that number: a function of (seed, subject) alone."""
    rng = generator(seed, "synthesize.identity", subject)

    def around(mean: float, spread: float) -> float:
        return float(mean + spread * rng.uniform(-1, 1))

    skin = _blend(rng, _SKIN)
    redder = (0.80 * skin[0], 0.52 * skin[1], 0.52 * skin[2])
    return Identity(
        head_width=around(0.77, 0.07),
        jaw=around(0.26, 0.14),
        eye_distance=around(0.31, 0.03),
        eye_height=around(-0.10, 0.03),
        eye_width=around(0.165, 0.02),
        eye_opening=around(0.060, 0.014),
        brow_height=around(0.195, 0.03),
        brow_thickness=around(0.036, 0.014),
        brow_slope=around(0.0, 0.03),
        nose_length=around(0.34, 0.05),
        nose_width=around(0.12, 0.03),
        mouth_height=around(0.52, 0.03),
        mouth_width=around(0.26, 0.035),
        lip=around(0.055, 0.02),
        hairline=around(-0.58, 0.12),
        hair_length=float(rng.choice([0.0, 0.35, 1.25])),
        crookedness=around(0.0, 1.0),
        skin=skin,
        hair=_blend(rng, _HAIR),
        lips=redder,
        iris=_blend(rng, ((60, 40, 28), (90, 120, 150), (84, 100, 60))),
        clothes=_blend(rng, ((40, 60, 110), (150, 40, 40), (60, 110, 70), (210, 205, 190), (40, 40, 44))),
        glasses=bool(rng.random() < 0.1),
        beard=float(rng.choice([0.0, 0.0, 0.0, rng.uniform(0.2, 0.7)])),
    )


def _blend(rng: np.random.Generator, tones: tuple[Tone, ...]) -> Tone:
    first, second = rng.choice(len(tones), size=2)
    share = rng.random()
    red, green, blue = (share * a + (1 - share) * b for a, b in zip(tones[first], tones[second], strict=True))
    return float(red), float(green), float(blue)
