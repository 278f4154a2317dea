"""Numbers and protocols in plain words, the same on the console and in the page."""

from collections.abc import Mapping, Sequence
from typing import Any

NONE = "–"


def percent(value: float | None, digits: int = 1) -> str:
    """0.2431 -> "24.3"; what is undefined is a dash."""
    return NONE if value is None else f"{100 * value:.{digits}f}"


def number(value: float | None, digits: int = 3) -> str:
    """1.23456 -> "1.235"; what is undefined is a dash."""
    return NONE if value is None else f"{value:.{digits}f}"


def points(share: float) -> str:
    """0.0142 -> "+1.4": percentage points, with their sign where they are not 0."""
    written = f"{100 * share:+.1f}"
    return "0.0" if float(written) == 0 else written.replace("-", "−")


def between(interval: Mapping[str, Any] | None) -> str:
    """An interval of a share in percent: "20.1–28.6"."""
    return NONE if interval is None else f"{percent(interval['lower'])}–{percent(interval['upper'])}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """1 fold, 20 folds."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def few(names: Sequence[str]) -> str:
    """a, b and c; of more than four the first three and how many others there are."""
    return listed(names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} others"])


def division_words(runs: Sequence[Mapping[str, Any]]) -> str:
    """How the rows of comparable runs were divided, in the fewest words: for headings."""
    protocol = runs[0]["protocol"]
    if protocol["scheme"] == "official":
        return f"official split, {runs[0]['split']}"
    counts = sorted({run["protocol"]["k"] for run in runs})
    pooled = " of all splits pooled" if protocol.get("pooled") else ""
    return f"{listed([str(count) for count in counts])} {protocol['scheme']} folds{pooled}"


def protocol_words(metrics: Mapping[str, Any]) -> str:
    """The protocol in one line, as printed under every table."""
    protocol = metrics["protocol"]
    if protocol["scheme"] == "official":
        words = [f"official split: fitted on train, scored on {metrics['split']}"]
    else:
        folds = f"{protocol['k']} {protocol['scheme']} folds"
        words = [f"{folds}, {counted(protocol['repeats'], 'repeat')}" if protocol["repeats"] > 1 else folds]
        if protocol.get("pooled"):
            words.append("validation and test rows pooled with the training rows")
    words.append(counted(protocol["groups"], "group") if protocol["groups"] else "rows without groups")
    if protocol["scheme"] != "official":  # an official split leaves copies where they lie; they are counted instead
        kept = {"group": "copies share a fold", "drop": "copies dropped"}
        words.append(kept.get(protocol["duplicates"], "copies kept"))
    words.append(f"seed {protocol['seed']}")
    return "; ".join(words)


def protocols_of(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The protocols of comparable runs, each once; with names where there are several."""
    runs_of: dict[str, list[str]] = {}
    for run in runs:
        runs_of.setdefault(protocol_words(run), []).append(str(run["name"]))
    if len(runs_of) == 1:
        return list(runs_of)
    return [f"{few(names)}: {words}" for words, names in runs_of.items()]


def leak_lines(holders: Mapping[str, Sequence[str]]) -> list[str]:
    """Each known leak once: first those that all have, then others with the names of those that have them.

    holders: name -> its leaks.
    """
    names_of: dict[str, list[str]] = {}
    for name, leaks in holders.items():
        for leak in dict.fromkeys(leaks):
            names_of.setdefault(leak, []).append(name)
    shared = [f"leak: {leak}" for leak, names in names_of.items() if len(names) == len(holders)]
    own = [f"leak in {listed(names)}: {leak}" for leak, names in names_of.items() if len(names) < len(holders)]
    return [*shared, *own]


def copies_words(metrics: Mapping[str, Any]) -> str | None:
    """The score without rows whose copy stands in training; None where there are none."""
    without = metrics.get("without_copies")
    if not without:
        return None
    return (
        f"{copies_counted(metrics['copies_in_training'])}; without them accuracy is {percent(without['accuracy'])} % "
        f"and macro-F1 {percent(without['macro_f1'])} %"
    )


def copies_counted(count: int) -> str:
    """How many held-out rows have a copy among the training rows."""
    rows = counted(count, "held-out row has an equal copy", "held-out rows have equal copies")
    return f"{rows} among the training rows"


def shared_copies(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """`copies_words` of several runs, once for those with as many copies."""
    alike: dict[int, list[Mapping[str, Any]]] = {}
    for run in runs:
        if run.get("without_copies"):
            alike.setdefault(int(run["copies_in_training"]), []).append(run)
    if len(runs) == 1:
        return [words for words in [copies_words(runs[0])] if words]
    lines = []
    for count, same in alike.items():
        scores = [
            f"{run['name']} {percent(run['without_copies']['accuracy'])} and "
            f"{percent(run['without_copies']['macro_f1'])} %"
            for run in same
        ]
        lines.append(f"{copies_counted(count)}; accuracy and macro-F1 without them: {', '.join(scores)}")
    return lines


def caveats(metrics: Mapping[str, Any]) -> list[str]:
    """Every known leak of the protocol and the copies, one sentence each."""
    copies = copies_words(metrics)
    return [*metrics["protocol"]["leaks"], *([copies] if copies else [])]


def rows_of(metrics: Mapping[str, Any]) -> str:
    """The data that a run's rows come from: the data set behind its features where that is known."""
    return str(metrics.get("rows_of") or metrics["on"])


def comparable(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """What must be equal for two runs' scores to stand side by side: data, split, rows, classes, kind of division.

    The number of folds and their seed may differ: every row is held out all the same, and the table says both. A
    paired test (`fer compare`) asks for equal folds.
    """
    protocol = metrics["protocol"]
    keys = ("scheme", "groups", "duplicates")
    rows = (rows_of(metrics), str(metrics["split"]), str(metrics["rows"]), *metrics["classes"])
    return (*rows, *(str(protocol[key]) for key in keys), str(protocol.get("pooled", False)))


def _flawed(metrics: Mapping[str, Any]) -> bool:
    """Whether the protocol leaves whole groups or copies on both sides: such a figure must not come first."""
    return metrics["protocol"]["scheme"] == "contiguous" or bool(metrics.get("copies_in_training"))


def ranked(runs: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The runs in sets that can be compared, each best accuracy first; flawed protocols last, larger sets first."""
    sets: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for run in runs:
        sets.setdefault(comparable(run), []).append(run)
    ordered = [
        sorted(entries, key=lambda run: (-(run["accuracy"] if run["accuracy"] is not None else -1), run["name"]))
        for entries in sets.values()
    ]
    return sorted(ordered, key=lambda entries: (_flawed(entries[0]), -len(entries)))


def verdict(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a set of comparable runs, best first, says: the best, beside majority and chance, and its rivals."""
    return [*best_words(runs), *_overlap_words(runs)]


def best_words(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The best of comparable runs, best first, beside majority and chance."""
    best = runs[0]
    interval = best["intervals"]["accuracy"]
    majority, chance = best["majority"]["accuracy"]["pooled"], best["chance"]
    sure = "" if interval is None else f" ({round(100 * interval['level'])} % interval {between(interval)})"
    one = f"{best['name']} is right on {percent(best['accuracy'])} % of {counted(best['rows'], 'held-out row')}{sure}."
    lines = [one if len(runs) == 1 else f"Of {len(runs)} models, {one}"]
    if majority is not None:
        beside = (
            f"Always answering the commonest training class gives {percent(majority)} %, chance {percent(chance)} %"
        )
        # on balanced classes the commonest training class is the one held out least: then chance is the higher bar
        bar, bar_name = (majority, "the majority class") if majority >= chance else (chance, "chance")
        if interval is None or best["accuracy"] is None:
            lines.append(f"{beside}.")
        elif interval["lower"] > bar:
            lines.append(f"{beside}: the whole interval lies above both.")
        elif interval["upper"] < chance:
            lines.append(f"{beside}: the whole interval lies below chance, so look for an error in labels or protocol.")
        else:
            lines.append(f"{beside}: with these rows it cannot be told from {bar_name}.")
    return lines


def _overlap_words(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whose interval reaches into that of the best."""
    interval = runs[0]["intervals"]["accuracy"]
    rivals = [
        run["name"]
        for run in runs[1:]
        if interval and run["intervals"]["accuracy"] and run["intervals"]["accuracy"]["upper"] >= interval["lower"]
    ]
    if not rivals:
        return []
    return [
        f"The {'interval' if len(rivals) == 1 else 'intervals'} of {few(rivals)} "
        f"{'overlaps' if len(rivals) == 1 else 'overlap'} with it; a paired test (fer compare) can tell more."
    ]
