"""The study's message, from the front page's table: equally accurate, not equally legible."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from motifidelity.statistics import compare_pair, pareto_front

from .scale import CEILING, FLOOR
from .scatter import spread_labels
from .standings import BOARD
from .text import number, shorten, signed

WIDTH, HEIGHT = 430.0, 300.0
X = (0.5, 1.0)
Y = (0.4, 1.0)
TICKS_X = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
TICKS_Y = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
# length of the two open ends of the front
STUB = 26.0
MOST_PANELS, MOST_LABELS, MOST_KINDS = 4, 10, 5
# below this a difference in accuracy is small beside what separates maps and filters
SAME, APART = 0.03, 0.1
# exponential and relu, the study's two, always have the first two colours and shapes
KNOWN = ("exponential", "relu")
NAMES = {"relu": "ReLU"}
READINGS = (
    ("accuracy", "Accuracy", "AUROC of the predictions"),
    ("fidelity", "Attribution maps", "AUROC of saliency maps against the true motifs"),
    ("recovery", "Filters", "share of first-layer filters that match a true motif"),
)


@dataclass(frozen=True)
class Dot:
    """A run in the picture. ``kind`` is the number of its activation, 0 to 5; 5 is any other."""

    x: str
    y: str
    kind: int
    label: str
    title: str
    href: str
    label_x: str
    label_y: str
    trials: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Level:
    """A horizontal line, such as the oracle's ceiling."""

    name: str
    y: str
    value: str


@dataclass(frozen=True)
class Picture:
    """Accuracy across, attribution fidelity up, of one task's models."""

    task: str
    dots: tuple[Dot, ...]
    floors: tuple[Dot, ...]
    front: str
    levels: tuple[Level, ...]
    description: str


@dataclass(frozen=True)
class Contrast:
    """A score of the same networks with either of two activations."""

    name: str
    label: str
    meaning: str
    first: str
    second: str
    first_bar: str
    second_bar: str
    difference: str
    interval: str


@dataclass(frozen=True)
class Overview:
    """What the front page says before its table."""

    headline: str
    first_key: str
    second_key: str
    first: str
    second: str
    networks: int
    contrasts: tuple[Contrast, ...]
    pictures: tuple[Picture, ...]
    kinds: tuple[tuple[int, str], ...]
    numbers: dict[str, int]


def overview(frame: pd.DataFrame, trials: dict[str, list[tuple[float, float]]]) -> Overview:
    """Arrange the picture and the sentence above it.

    Parameters
    ----------
    frame : DataFrame
        As `standings.standings` returns it.
    trials : dict of str to list of (float, float)
        Accuracy and fidelity of every trial of a run.

    Returns
    -------
    Overview
        Without pictures where no task has two models with both scores, without a sentence where
        no network was trained with two activations.
    """
    nothing = Overview("", "", "", "", "", 0, (), (), (), {})
    if frame.empty:
        return nothing
    models = frame[(frame["kind"] == "model") & (frame["profile"] == "full")]
    kinds = _kinds(models)
    pictures = tuple(_pictures(frame, kinds, trials))
    shown = {dot.kind for picture in pictures for dot in picture.dots}
    named = tuple((kind, _name(name)) for name, kind in kinds.items() if kind in shown)
    if 5 in shown:
        named = (*named, (5, "other"))
    pair = _commonest_pair(models)
    if pair is None:
        return Overview("", "", "", "", "", 0, (), pictures, named, kinds)
    first, second, table = pair
    contrasts = tuple(_contrasts(first, second, table))
    return Overview(
        headline=_headline(first, second, table),
        first_key=first,
        second_key=second,
        first=_name(first),
        second=_name(second),
        networks=len(table),
        contrasts=contrasts,
        pictures=pictures,
        kinds=named,
        numbers=kinds,
    )


def _name(activation: str) -> str:
    return NAMES.get(activation, shorten(activation, 24)) or "none"


def _kinds(models: pd.DataFrame) -> dict[str, int]:
    """Number of each activation: the study's first, then the commonest."""
    counts = models["activation"].value_counts()
    others = sorted((a for a in counts.index if a not in KNOWN), key=lambda a: (-counts[a], a))
    return {a: i for i, a in enumerate([*KNOWN, *others][:MOST_KINDS])}


def _commonest_pair(models: pd.DataFrame) -> tuple[str, str, pd.DataFrame] | None:
    """The two activations that most networks were trained with, and the networks' scores."""
    names = [name for name, _, _ in READINGS]
    key = [*BOARD, "division", "model", "model_digest", "parameters"]
    means = models.groupby([*key, "activation"])[names].mean()
    table = pd.DataFrame(means.unstack("activation"))
    best: tuple[tuple[object, ...], str, str, pd.DataFrame] | None = None
    activations = sorted(set(models["activation"]) - {""})[:12]
    for first, second in combinations(activations, 2):
        both = table.xs(first, axis=1, level=1), table.xs(second, axis=1, level=1)
        joined = pd.concat(both, axis=1, keys=["first", "second"])
        joined = joined[joined["first", "accuracy"].notna() & joined["second", "accuracy"].notna()]
        rank = (len(joined), {first, second} == set(KNOWN))
        if len(joined) and (best is None or rank > best[0]):
            best = (rank, first, second, joined)
    return best[1:] if best else None


def _contrasts(first: str, second: str, table: pd.DataFrame) -> Iterator[Contrast]:
    for name, label, meaning in READINGS:
        pairs = table[[("first", name), ("second", name)]].dropna()
        if pairs.empty:
            continue
        one, two = pairs["first", name].to_numpy(float), pairs["second", name].to_numpy(float)
        found = compare_pair(first, dict(enumerate(one)), second, dict(enumerate(two)))
        known = math.isfinite(found.low) and math.isfinite(found.high)
        yield Contrast(
            name=name,
            label=label,
            meaning=meaning,
            first=f"{one.mean():.2f}",
            second=f"{two.mean():.2f}",
            first_bar=f"{100 * one.mean():.1f}",
            second_bar=f"{100 * two.mean():.1f}",
            difference=signed(found.difference),
            interval=f"{signed(found.low)} to {signed(found.high)}" if known else "",
        )


def _headline(first: str, second: str, table: pd.DataFrame) -> str:
    """The finding in a sentence, where there is one; it is computed, never presumed."""
    gaps = {
        name: float((table["first", name] - table["second", name]).mean())
        for name, _, _ in READINGS
    }
    reading = [gap for name, gap in gaps.items() if name != "accuracy" and math.isfinite(gap)]
    names = _name(first), _name(second)
    both = f"{names[0][:1].upper()}{names[0][1:]} and {names[1]} networks"
    if not reading or abs(gaps["accuracy"]) > SAME:
        return ""
    if all(gap >= 0.05 for gap in reading) and max(reading) >= APART:
        return f"{both} are about equally accurate. Only the {names[0]} ones can be read."
    if all(gap <= -0.05 for gap in reading) and min(reading) <= -APART:
        return f"{both} are about equally accurate. Only the {names[1]} ones can be read."
    return ""


def _pictures(
    frame: pd.DataFrame, kinds: dict[str, int], trials: dict[str, list[tuple[float, float]]]
) -> Iterator[Picture]:
    full = frame[frame["profile"] == "full"]
    drawn = 0
    for _, board in full.groupby(BOARD, sort=True):
        known = board[board["accuracy"].notna() & board["fidelity"].notna()]
        models = known[known["kind"] == "model"]
        if len(models) < 2 or drawn == MOST_PANELS:
            continue
        drawn += 1
        yield _picture(known, models, kinds, trials)


def _picture(
    known: pd.DataFrame,
    models: pd.DataFrame,
    kinds: dict[str, int],
    trials: dict[str, list[tuple[float, float]]],
) -> Picture:
    task = shorten(models["task"].iloc[0], 40)
    front = models[pareto_front(models["accuracy"], models["fidelity"])]
    references = known[known["kind"] == "reference"].set_index("model")["fidelity"]
    levels = tuple(
        Level(label, _y(float(references[name])), number(float(references[name])))
        for name, label in ((CEILING, "oracle: the ceiling"), (FLOOR, "random maps: the floor"))
        if name in references.index and np.ndim(references[name]) == 0
    )
    best = models.sort_values("fidelity", ascending=False)
    ends = [
        f"{shorten(model, 20)} {_name(str(activation))}"
        for model, activation in zip(best["model"], best["activation"], strict=True)
    ]
    description = (
        f"{task}: {len(models)} models. Accuracy (AUROC) from {number(models['accuracy'].min())} "
        f"to {number(models['accuracy'].max())}; attribution fidelity from "
        f"{number(best['fidelity'].iloc[-1])} ({ends[-1]}) to {number(best['fidelity'].iloc[0])} "
        f"({ends[0]}). All values are in the table below."
    )
    return Picture(
        task=task,
        dots=_place(models, kinds, trials),
        floors=_place(known[known["kind"] == "floor"], kinds, {}, labelled=0),
        front=_steps(front),
        levels=levels,
        description=description,
    )


def _place(
    rows: pd.DataFrame,
    kinds: dict[str, int],
    trials: dict[str, list[tuple[float, float]]],
    labelled: int = MOST_LABELS,
) -> tuple[Dot, ...]:
    rows = rows.sort_values(["fidelity", "run"], ascending=[False, True])
    heights = [float(_y(value)) for value in rows["fidelity"][:labelled]]
    labels = spread_labels(heights, HEIGHT)
    dots = []
    for index, row in enumerate(rows.to_dict("records")):
        x, y = float(_x(row["accuracy"])), float(_y(row["fidelity"]))
        activation = _name(row["activation"]) if row["activation"] else ""
        name = f"{shorten(row['model'], 18)} {activation}".strip()
        dots.append(
            Dot(
                x=f"{x:.1f}",
                y=f"{y:.1f}",
                kind=kinds.get(row["activation"], 5),
                label=name if index < labelled else "",
                title=f"{name}: accuracy {row['accuracy']:.3f}, attribution fidelity "
                f"{row['fidelity']:.3f}",
                href=row["href"],
                label_x=f"{min(x - 34, WIDTH - 50):.1f}",
                label_y=f"{labels[index] if index < len(labels) else y:.1f}",
                trials=tuple(
                    (_x(across), _y(up))
                    for across, up in (trials.get(row["run"], ()) if len(rows) <= 60 else ())
                ),
            )
        )
    return tuple(dots)


def _steps(front: pd.DataFrame) -> str:
    """Path of the Pareto front: what lies below and left of it is dominated."""
    ordered = front.sort_values("accuracy")
    pairs = zip(ordered["accuracy"], ordered["fidelity"], strict=True)
    points = [(_x(across), _y(up)) for across, up in pairs]
    if not points:
        return ""
    path = [f"M{max(float(points[0][0]) - STUB, 0):.1f} {points[0][1]}"]
    for here, there in pairwise([*points, ("", "")]):
        below = min(float(here[1]) + STUB, HEIGHT)
        path.append(f"H{here[0]}V{there[1] or f'{below:.1f}'}")
    return "".join(path)


def ticks() -> dict[str, Sequence[tuple[str, str]]]:
    """Place and text of the ticks of either axis."""
    return {
        "x": [(_x(value), f"{value:g}") for value in TICKS_X],
        "y": [(_y(value), f"{value:g}") for value in TICKS_Y],
    }


def _x(value: float) -> str:
    return f"{_share(value, X) * WIDTH:.1f}"


def _y(value: float) -> str:
    return f"{(1 - _share(value, Y)) * HEIGHT:.1f}"


def _share(value: float, ends: tuple[float, float]) -> float:
    return min(max((value - ends[0]) / (ends[1] - ends[0]), 0.0), 1.0)
