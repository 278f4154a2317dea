"""The verdict on two runs, in plain words."""

from fercli.evaluation.comparison import Comparison
from fercli.report.wording import counted, points


def pair_sentence(pair: Comparison) -> str:
    """Who is better, or that these rows do not tell, by how much and how sure; then non-inferiority, if asked."""
    rows = f"on these {counted(pair.rows, 'row')}"
    if pair.verdict == "undecided":
        head = f"{pair.first} and {pair.second} cannot be judged {rows}: they are a single group"
    elif pair.verdict == "not distinguishable":
        head = f"{pair.first} and {pair.second} are not distinguishable {rows}"
    else:
        head = f"{pair.first} is {pair.verdict} than {pair.second} {rows}"
    return f"{head} ({_numbers(pair)}){_non_inferiority(pair)}"


def _numbers(pair: Comparison) -> str:
    parts = [f"{points(pair.difference)} points"]
    if pair.bootstrap is not None:
        interval = pair.bootstrap.interval
        parts.append(f"{100 * interval.level:g} % interval {points(interval.lower)} to {points(interval.upper)}")
    if pair.p_holm is not None:
        corrected = f" after correction for {pair.pairs} pairs" if pair.pairs > 1 else ""
        parts.append((f"p {pair.p_holm:.3f}" if pair.p_holm >= 0.001 else "p < 0.001") + corrected)
    return ", ".join(parts)


def _non_inferiority(pair: Comparison) -> str:
    if pair.margin is None:
        return ""
    margin = f"a margin of {100 * pair.margin:g} points"
    if pair.non_inferior is None:
        return f"; non-inferiority within {margin} cannot be judged"
    return f"; {'non-inferior' if pair.non_inferior else 'not shown to be non-inferior'} within {margin}"
