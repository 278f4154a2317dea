"""Held-out rows that were answered wrongly with most confidence."""

import numpy as np

from fercli.records import Predictions
from fercli.report.html import paragraph, picture, tag, text
from fercli.report.material import Mistake
from fercli.report.wording import counted, percent

COUNT = 12


def most_confident(predictions: Predictions, count: int = COUNT) -> list[Mistake]:
    """The `count` most confident errors of the first repeat, the most confident first; of equals the earlier row."""
    answers = predictions.predicted
    # a row without a label has no wrong answer
    wrong = np.flatnonzero(
        (answers != predictions.truth)
        & (predictions.truth >= 0)
        & (predictions.repeats == predictions.repeats.min(initial=0))
    )
    confidence = predictions.probabilities[wrong, answers[wrong]]
    first = np.argsort(-confidence, kind="stable")[:count]
    return [
        Mistake(
            str(predictions.ids[row]),
            predictions.classes[predictions.truth[row]],
            predictions.classes[answers[row]],
            float(sure),
        )
        for row, sure in zip(wrong[first].tolist(), confidence[first].tolist(), strict=True)
    ]


def gallery(mistakes: tuple[Mistake, ...]) -> str:
    """The errors as a grid of pictures with truth, answer and confidence; a line where there is nothing to show."""
    if not mistakes:
        return paragraph("No held-out row was answered wrongly.")
    cards = []
    for one in mistakes:
        told = f"{one.truth}, answered {one.answer}"
        cards.append(
            tag(
                "figure",
                "" if one.picture is None else picture(one.picture, f"{one.id}: {told}"),
                tag(
                    "figcaption",
                    tag("b", text(one.truth)),
                    text(f"taken for {one.answer}, {percent(one.confidence, 0)} %"),
                    tag("small", text(one.id)),
                ),
            )
        )
    missing = sum(one.picture is None for one in mistakes)
    notes = [paragraph("Pictures of people: look at their licence before you pass this page on.", "notes")]
    if missing:
        notes = [*notes[: missing < len(mistakes)], paragraph(f"{counted(missing, 'row')} without a picture.", "notes")]
    return tag("div", *cards, class_="gallery") + "".join(notes)
