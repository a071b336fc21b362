"""What a network's numbers say of it on a task, in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from motifidelity.leaderboard.abilities import COLUMNS
from motifidelity.leaderboard.tables.columns import method_label
from motifidelity.leaderboard.tables.scale import Scale
from motifidelity.leaderboard.tables.siblings import Row
from motifidelity.leaderboard.text import number
from motifidelity.metrics.methods import METHODS
from motifidelity.summary.rivals import NOT_ABOVE
from motifidelity.summary.stats import Stats
from motifidelity.tasks.spec import accuracy_of

# of the way from floor to oracle: what is called weak ends at the first, what is good begins at
# the second
WEAK, GOOD = 1 / 3, 2 / 3
MAPS = "attribution_auroc"
# the share of filters that hold a motif of the task: the first that a run has
FILTERS = ("filter_precision", "match_fraction")
_TOLD = ("effects", "rules", "robust")


def map_places(run: str, stats: Stats, scale: Scale) -> dict[str, float]:
    """Where a run's maps lie between floor and ceiling, by the methods of which that is known."""
    means = {name: stats.get((run, MAPS, name, "")) for name in METHODS}
    places = {
        name: scale.place(MAPS, name, stat.mean)
        for name, stat in means.items()
        if stat is not None and stat.n
    }
    return {name: place for name, place in places.items() if math.isfinite(place)}


def verdict(row: Row, stats: Stats, scale: Scale) -> str:
    """One sentence of what a run's means say; "" where no trial has a score.

    Parameters
    ----------
    row : mapping
        Of `standings.standings`.
    stats : Stats
        The run's.
    scale : Scale
        Floors and ceilings of its task and profile.
    """
    run, task = str(row["run"]), str(row["task"])

    def mean(metric: str, method: str = "") -> float:
        stat = stats.get((run, metric, method, ""))
        return stat.mean if stat is not None and stat.n else math.nan

    parts = []
    accuracy = accuracy_of(task)
    if math.isfinite(value := mean(*accuracy.score)):
        parts.append(f"predicts {number(value)} ({accuracy.label.strip()})")
    placed = map_places(run, stats, scale)
    if said := _grouped({_in_line(method_label(name)): at for name, at in placed.items()}):
        parts.append(f"its maps: {said}")
    shares = (value for name in FILTERS if math.isfinite(value := mean(name)))
    if (share := next(shares, None)) is not None:
        parts.append(f"{100 * share:.0f}% of its filters are motifs of the task")
    if said := _grouped({name: float(row[name]) for name in _TOLD if name in COLUMNS}):
        parts.append(said)
    if row["below"]:
        parts.append(f"{NOT_ABOVE} in {row['below']}")
    if row["flagged"]:
        parts.append(f"past a bound of its task: {row['flagged']}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _grouped(places: Mapping[str, float]) -> str:
    """Names by what is said of them, such as ``ISM and DeepSHAP good (0.91, 0.88)``."""
    words: dict[str, list[tuple[str, float]]] = {"good": [], "middling": [], "weak": []}
    for name, place in places.items():
        if math.isfinite(place):
            word = "good" if place >= GOOD else "weak" if place < WEAK else "middling"
            words[word].append((name, place))
    return ", ".join(_listed(found, word) for word, found in words.items() if found)


def _in_line(label: str) -> str:
    """A label within a sentence: small where it is a word and no abbreviation."""
    return label.lower() if label[1:].islower() else label


def _listed(found: Sequence[tuple[str, float]], word: str) -> str:
    values = ", ".join(f"{place:z.2f}" for _, place in found)
    return f"{_and(name for name, _ in found)} {word} ({values})"


def _and(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
