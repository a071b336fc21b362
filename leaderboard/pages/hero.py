"""The first thing on the front page: the same networks with either of two activations."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from motifidelity.entries import ORACLE
from motifidelity.errors import DataError
from motifidelity.leaderboard.figures.dumbbells import Dumbbell, ends, lay_out
from motifidelity.leaderboard.figures.logo import Logo, draw_logo
from motifidelity.leaderboard.figures.tracks import Strip, draw_views
from motifidelity.leaderboard.page import Material
from motifidelity.leaderboard.pages.overview import Contrast, Match
from motifidelity.leaderboard.tables.order import place_of
from motifidelity.leaderboard.text import shorten
from motifidelity.summary.runs import BOARD

# the scores that are drawn, and of each what knows nothing gets; fidelity's is 0 where a task
# states its own
DRAWN = {"accuracy": 0.5, "fidelity": 0.5, "ism": 0.5, "recovery": 0.0}
METHODS = ("saliency", "ism")
BASES, FILTERS = 80, 4

Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Network:
    """A network that was trained with both, and its dumbbells."""

    name: str
    task: str
    cells: tuple[Dumbbell, ...]


@dataclass(frozen=True)
class Heading:
    """What a column of dumbbells is: the contrast over networks, and the ends of its axis."""

    contrast: Contrast
    ends: Sequence[str]


@dataclass(frozen=True)
class View:
    """One test sequence as one network sees it with either activation.

    ``filters`` are the first of each network, by number and not by merit.
    """

    network: str
    task: str
    strip: Strip
    filters: tuple[tuple[str, tuple[tuple[int, Logo], ...]], ...]


@dataclass(frozen=True)
class Hero:
    """The dumbbells of one match, and the sequence beside them where evidence is stored."""

    match: Match
    trials: str
    headings: tuple[Heading, ...]
    networks: tuple[Network, ...]
    view: View | None


def heroes(matches: Sequence[Match], frame: pd.DataFrame, material: Material) -> tuple[Hero, ...]:
    """Of every backend the dumbbells; the first has a sequence beside it.

    Parameters
    ----------
    matches : sequence of Match
        As `overview.overview` finds them.
    frame : DataFrame
        As `standings.standings` returns it.
    material : Material
    """
    return tuple(
        _hero(match, frame, material if number == 0 else None)
        for number, match in enumerate(matches)
    )


def _hero(match: Match, frame: pd.DataFrame, material: Material | None) -> Hero:
    rows: dict[str, Row] = {row["run"]: row for row in frame.to_dict("records")}
    pairs = sorted(
        ((rows[first], rows[second]) for first, second in match.runs),
        key=lambda pair: (place_of(pair[0]["task"]), pair[0]["model"]),
    )
    by_name = {contrast.name: contrast for contrast in match.contrasts}
    lows = {**DRAWN, "fidelity": 0.0} if match.own else DRAWN
    drawn = [name for name in lows if name in by_name]
    oracles = frame[frame["model"] == ORACLE].drop_duplicates(list(BOARD)).set_index(list(BOARD))
    counts = sorted({int(row["ok"]) for pair in pairs for row in pair})
    return Hero(
        match=match,
        trials=_counted(counts),
        headings=tuple(Heading(by_name[name], ends(lows[name])) for name in drawn),
        networks=tuple(
            Network(
                name=_named(first),
                task=shorten(first["task"], 40),
                cells=tuple(
                    lay_out(lows[name], first[name], second[name], _ceiling(oracles, first, name))
                    for name in drawn
                ),
            )
            for first, second in pairs
        ),
        view=None if material is None else next(_views(match, pairs, material), None),
    )


def _named(row: Row) -> str:
    return " ".join(filter(None, (shorten(row["model"], 30), shorten(row["parameters"], 30))))


def _counted(counts: Sequence[int]) -> str:
    """Trials that means are of, such as ``3`` or ``2 to 4``."""
    low, high = counts[0], counts[-1]
    trials = f"{low}" if low == high else f"{low} to {high}"
    return f"{trials} {'trial' if trials == '1' else 'trials'}"


def _ceiling(oracles: pd.DataFrame, row: Row, name: str) -> float:
    key = tuple(row[part] for part in BOARD)
    return float(oracles.loc[key, name]) if key in oracles.index else math.nan


def _views(match: Match, pairs: Sequence[tuple[Row, Row]], material: Material) -> Iterator[View]:
    """Views of the networks whose maps differ as the median network's do first."""
    gaps = np.array(
        [float(first["fidelity"]) - float(second["fidelity"]) for first, second in pairs]
    )
    for index in np.argsort(np.abs(gaps - np.nanmedian(gaps)), kind="stable"):
        names = (match.first, match.second)
        trials = [_first_trial(material, row["run"]) for row in pairs[index]]
        found = [_example(material, trial) for trial in trials]
        if any(example is None for example in found):
            continue
        strip = draw_views(dict(zip(names, found, strict=True)), METHODS, BASES)
        if strip is None:
            continue
        logos = tuple(_logos(material, trial) for trial in trials)
        yield View(
            network=_named(pairs[index][0]),
            task=shorten(pairs[index][0]["task"], 40),
            strip=strip,
            filters=tuple(zip(names, logos, strict=True)) if all(logos) else (),
        )


def _first_trial(material: Material, run: str) -> str:
    """The result of a run's first successful trial, "" where there is none."""
    trials = material.summary.trials
    mine = trials[(trials["run"] == run) & trials["counted"] & (trials["status"] == "ok")]
    return "" if mine.empty else str(mine["result_id"].iloc[0])


def _example(material: Material, result: str) -> Any:
    """The first example that is stored of a result; None where it cannot be read."""
    try:
        evidence = material.evidence(result) if result else None
    except DataError:  # the model's own page says why, and the front page names that page
        return None
    return evidence.examples[0] if evidence is not None and evidence.examples else None


def _logos(material: Material, result: str) -> tuple[tuple[int, Logo], ...]:
    filters = material.filters
    mine = filters[(filters["result_id"] == result) & (filters["definition"] == "corrected")]
    drawn = (
        (int(record["filter"]), draw_logo(record["ppm"], int(record["width"])))
        for record in mine.sort_values("filter", kind="stable").head(FILTERS).to_dict("records")
    )
    return tuple((number, logo) for number, logo in drawn if logo is not None)
