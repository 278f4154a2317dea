"""The one table that maps the spellings of expressions and splits to the names that are stored."""

from collections.abc import Iterable

from fercli.records import EXPRESSIONS

_SPELLINGS = {
    "angry": ("anger", "angriness"),
    "disgust": ("disgusted", "disgusting"),
    "fear": ("fearful", "afraid", "scared"),
    "happy": ("happiness", "joy", "joyful"),
    "neutral": ("neutrality", "normal"),
    "sad": ("sadness",),
    "surprise": ("surprised", "surprising"),
}
_CANONICAL = {spelling: name for name, others in _SPELLINGS.items() for spelling in (name, *others)}

_SPLIT_SPELLINGS = {
    "train": ("training",),
    "validation": ("valid", "val", "dev", "publictest", "public_test"),
    "test": ("testing", "privatetest", "private_test"),
}
_SPLITS = {spelling: name for name, others in _SPLIT_SPELLINGS.items() for spelling in (name, *others)}


def canonical(label: str) -> str:
    """The canonical name of an expression, case and surrounding blanks ignored; unknown labels as they are."""
    text = label.strip()
    return _CANONICAL.get(text.casefold(), text)


def class_order(labels: Iterable[str]) -> tuple[str, ...]:
    """The classes that occur: of the seven in the order of `EXPRESSIONS`, then all others sorted by code point.

    The empty label (an unlabelled row) is no class.
    """
    present = set(labels) - {""}
    return (*(name for name in EXPRESSIONS if name in present), *sorted(present - set(EXPRESSIONS)))


def canonical_split(name: str) -> str:
    """`train`, `validation` or `test` for a published split name (Training, PublicTest, val …), else ""."""
    return _SPLITS.get(name.strip().casefold(), "")
