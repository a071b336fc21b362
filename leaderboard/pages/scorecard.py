"""All scores of a run: corrected and the study's side by side, per trial and per class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from motifidelity.leaderboard.pages.metric import metric_path
from motifidelity.leaderboard.tables.cells import arrow, counts_things, describe
from motifidelity.leaderboard.tables.columns import FAMILIES, method_label, metric_order, partner
from motifidelity.leaderboard.tables.scale import Scale
from motifidelity.leaderboard.text import DASH, number, shorten
from motifidelity.summary.inputs import MetricInfo
from motifidelity.summary.stats import Stat, Stats


@dataclass(frozen=True)
class Value:
    """A number with its tooltip; `text` is a dash and `sort` is "" where there is none."""

    text: str
    title: str
    sort: str = ""


@dataclass(frozen=True)
class Half:
    """One definition of a score: its name and page, its mean and its value in every trial.

    `scaled` is the mean's place between floor (0) and ceiling (1).
    """

    name: str
    href: str
    arrow: str
    title: str
    mean: str
    spread: str
    scaled: Value
    covered: str
    trials: tuple[Value, ...]


@dataclass(frozen=True)
class ScoreRow:
    """A corrected (or standard) score and the study's version of it; either may be absent."""

    family: str
    first_of_family: bool
    method: str
    corrected: Half | None
    paper: Half | None


@dataclass(frozen=True)
class ClassTable:
    """Means over trials for each class: headings, and (class, values) rows."""

    headings: tuple[Value, ...]
    rows: tuple[tuple[str, tuple[Value, ...]], ...]


def score_rows(
    scores: Stats,
    results: Sequence[str],
    metrics: Mapping[str, MetricInfo],
    scale: Scale,
) -> tuple[ScoreRow, ...]:
    """Every score of a run that is not of a single class.

    Parameters
    ----------
    scores : Stats
        The run's, as `index_stats` returns them.
    results : sequence of str
        The run's counted results, in the order of the trial columns.
    metrics : Mapping of str to MetricInfo
        The declared metrics; they decide the order.
    scale : Scale
        Floors and ceilings of the run's task and profile.

    Returns
    -------
    tuple of ScoreRow
        By family; scores of undeclared metrics come last.
    """
    stats = {key[1:3]: stat for key, stat in scores.items() if key[3] == ""}
    pairs: dict[tuple[str, str], dict[str, str]] = {}
    for metric, method in stats:
        study = metric.startswith("paper_")
        side = "paper" if study else "corrected"
        pairs.setdefault((partner(metric) if study else metric, method), {})[side] = metric
    order = metric_order(metrics)

    def place(key: tuple[str, str]) -> tuple[object, ...]:
        known = key[0] if key[0] in metrics else next(iter(pairs[key].values()))
        return *order(_family(pairs[key], metrics), known), *key

    rows: list[ScoreRow] = []
    for key in sorted(pairs, key=place):
        family = _family(pairs[key], metrics)
        label = FAMILIES.get(family, "Other")
        halves = {
            side: _half(metric, key[1], stats[metric, key[1]], results, metrics.get(metric), scale)
            for side, metric in pairs[key].items()
        }
        rows.append(
            ScoreRow(
                family=label,
                first_of_family=not rows or rows[-1].family != label,
                method=shorten(method_label(key[1]), 30),
                corrected=halves.get("corrected"),
                paper=halves.get("paper"),
            )
        )
    return tuple(rows)


def class_table(scores: Stats, metrics: Mapping[str, MetricInfo]) -> ClassTable | None:
    """Scores of single classes, averaged over trials.

    Parameters
    ----------
    scores : Stats
        The run's, as `index_stats` returns them.
    metrics : Mapping of str to MetricInfo
        The declared metrics.

    Returns
    -------
    ClassTable or None
        None when no score belongs to a class.
    """
    stats = {key[1:]: stat for key, stat in scores.items() if key[3] != ""}
    if not stats:
        return None
    order = metric_order(metrics)
    columns = sorted(
        {(metric, method) for metric, method, _ in stats},
        key=lambda pair: (order("", pair[0]), pair),
    )
    targets = sorted({target for _, _, target in stats})
    return ClassTable(
        headings=tuple(
            Value(
                shorten(f"{metric} {method_label(method)}".strip(), 40),
                describe(metric, metrics.get(metric)),
            )
            for metric, method in columns
        ),
        rows=tuple(
            (
                shorten(target, 40),
                tuple(_mean(stats.get((metric, method, target))) for metric, method in columns),
            )
            for target in targets
        ),
    )


def _family(sides: Mapping[str, str], metrics: Mapping[str, MetricInfo]) -> str:
    return next((metrics[name].family for name in sides.values() if name in metrics), "")


def _half(
    name: str,
    method: str,
    stat: Stat,
    results: Sequence[str],
    metric: MetricInfo | None,
    scale: Scale,
) -> Half:
    whole = counts_things(name, metric)
    place = scale.place(name, method, stat.mean)
    return Half(
        name=shorten(name, 40),
        href=f"../{metric_path(name)}" if metric else "",
        arrow=arrow(metric),
        title=describe(name, metric),
        mean=number(stat.mean, whole=whole),
        spread=number(stat.sd, whole=whole) if math.isfinite(stat.sd) else "",
        scaled=Value(
            number(place) if math.isfinite(place) else "",
            scale.describe(name, method),
            repr(place) if math.isfinite(place) else "",
        ),
        covered=f"{stat.n}" if stat.n == stat.num_trials else f"{stat.n} of {stat.num_trials}",
        trials=tuple(_value(stat, result, whole=whole) for result in results),
    )


def _value(stat: Stat, result: str, *, whole: bool) -> Value:
    if result not in stat.by_trial:
        return Value(DASH, "no score in this trial")
    value, sd, items = stat.by_trial[result]
    if not math.isfinite(value):
        return Value(DASH, "undefined in this trial")
    spread = f" ± {sd:.3g} (SD over items)" if sd is not None else ""
    return Value(
        number(value, whole=whole).removesuffix(".0"), f"{value:.6g}{spread}; {items:,} items"
    )


def _mean(stat: Stat | None) -> Value:
    if stat is None or not stat.n:
        return Value(DASH, "undefined" if stat else "not scored")
    spread = f" ± {number(stat.sd)}" if math.isfinite(stat.sd) else ""
    title = f"mean over {stat.n} of {stat.num_trials} trials"
    return Value(number(stat.mean) + spread, title, repr(stat.mean))
