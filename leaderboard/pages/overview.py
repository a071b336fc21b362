"""The study's message, from the front page's table: equally accurate, not equally legible."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from motifidelity.backends import BACKENDS, named_on
from motifidelity.entries import ORACLE, RANDOM
from motifidelity.leaderboard.figures.axis import Axis
from motifidelity.leaderboard.figures.scatter import (
    LINE,
    chance_of,
    label_column,
    spread_labels,
    spread_marks,
)
from motifidelity.leaderboard.tables.siblings import KNOWN, NETWORK, siblings
from motifidelity.leaderboard.text import number, shorten, signed
from motifidelity.metrics.headlines import HEADLINES, short_name
from motifidelity.statistics import MIN_TRIALS, alike, compare_pair, pareto_front
from motifidelity.summary.runs import BOARD
from motifidelity.tasks.spec import accuracy_of, headlines_of

WIDTH, HEIGHT = 430.0, 300.0
# length of the two open ends of the front
STUB = 26.0
MOST_PANELS, MOST_LABELS, MOST_KINDS = 4, 10, 7
# kind of an activation beyond the commonest
OTHER = MOST_KINDS
# of the longest label of a dot, and its letters
ROOM, LETTERS = 195.0, 30
# from the middle of one mark to that of another, so that most of each is seen; of more marks than
# this all stay where they are
MARK, MOST_APART = 8.0, 100
# an axis begins so far below its lowest value or more, and has at most so many steps
CLEAR, MOST_STEPS = 0.02, 6
# of a line, from the top, that what is said of it stands below
NEAR_TOP = 40.0
# scores this far apart or more are not about equal
SAME = 0.03
# networks from which equality can be told
FEWEST = 3
NAMES = {"relu": "ReLU", "elu": "ELU"}
READINGS = (
    ("accuracy", "Accuracy", "AUROC of the predictions"),
    ("fidelity", "Saliency maps", "AUROC of saliency maps against the true motifs"),
    ("ism", "Mutagenesis maps", "the same of in-silico mutagenesis"),
    ("deepshap", "DeepSHAP maps", "the same of DeepSHAP"),
    ("recovery", "Filters", "share of first-layer filters that match a true motif"),
)
BETTER = {"fidelity": "better saliency maps", "recovery": "better filters"}
# of tasks that state headlines of their own: the means of maps that know nothing are 0
OWN_READINGS = (
    ("accuracy", "Accuracy", "AUROC of the predictions"),
    ("fidelity", "Maps", "mean of six ways to make and read them; 0 knows nothing"),
    ("recovery", "Filters", "F1 of first-layer filters and implanted motifs"),
    ("localisation", "Localisation", "AUROC of filter scans against the true motifs"),
    ("ism", "Mutagenesis maps", "AUROC of in-silico mutagenesis maps against the true motifs"),
    ("deepshap", "DeepSHAP maps", "the same of DeepSHAP"),
)
OWN_BETTER = {"fidelity": "better maps", "recovery": "better filters"}
# other methods, by which maps may differ less
OTHERWISE = {"ism": "mutagenesis", "deepshap": "DeepSHAP"}


ACROSS = Axis((0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
UP = Axis((0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
# of a score that is 0 for what knows nothing
FROM_0 = Axis((0.0, 0.2, 0.4, 0.6, 0.8, 1.0))


@dataclass(frozen=True)
class Plane:
    """A picture's two sides: accuracy across, attribution fidelity up."""

    across: Axis
    up: Axis

    @classmethod
    def of(cls, task: str) -> Plane:
        """By what knowing nothing gets on a task."""
        knows_nothing = chance_of(accuracy_of(task).metric) == 0
        return cls(FROM_0 if knows_nothing else ACROSS, FROM_0 if _have_own([task]) else UP)

    def around(self, models: pd.DataFrame) -> Plane:
        """The part of it in which nine networks of ten lie; a mark beyond it stands at its edge."""
        sides = (self.across, models["accuracy"]), (self.up, models["fidelity"])
        return Plane(*(_zoomed(axis, values.to_numpy(float)) for axis, values in sides))

    def x(self, value: float) -> str:
        """Place of an accuracy."""
        return f"{self.across.along(value) * WIDTH:.1f}"

    def y(self, value: float) -> str:
        """Height of a fidelity, from the top."""
        return f"{(1 - self.up.along(value)) * HEIGHT:.1f}"

    def holds(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Which runs lie in it."""
        right = rows["accuracy"].to_numpy(float) >= self.across.ticks[0]
        above = rows["fidelity"].to_numpy(float) >= self.up.ticks[0]
        return np.asarray(right & above)

    def ticks(self) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
        """Place and text of the ticks across, and of those up."""
        across = tuple((self.x(value), f"{value:g}") for value in self.across.ticks)
        return across, tuple((self.y(value), f"{value:g}") for value in self.up.ticks)


def _zoomed(axis: Axis, values: NDArray[np.float64]) -> Axis:
    """An axis from a little below the lowest value but a tenth of them, to its end."""
    first, last = axis.ticks[0], axis.ticks[-1]
    lowest = float(np.sort(values)[len(values) // 10])
    # in twentieths, which are told apart whatever they are multiplied with
    steps = min(max(math.floor((lowest - CLEAR) * 20), round(first * 20)), round(last * 20) - 2)
    each = next(each for each in (1, 2, 4) if (round(last * 20) - steps) / each <= MOST_STEPS)
    ticks = range(round(last * 20), steps - 1, -each)
    return Axis(tuple(sorted({steps / 20, *(tick / 20 for tick in ticks)})))


@dataclass(frozen=True)
class Dot:
    """A run in the picture. ``kind`` is the number of its activation, `OTHER` for one without.

    ``moved`` is where it belongs, if its mark stands beside another that is there; else None.
    """

    x: str
    y: str
    moved: tuple[str, str] | None
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
    label_y: str


@dataclass(frozen=True)
class Picture:
    """Accuracy across, attribution fidelity up, of one task's models."""

    task: str
    dots: tuple[Dot, ...]
    floors: tuple[Dot, ...]
    front: str
    pairs: str
    """Path that joins the marks of each network with the study's two activations."""
    beyond: int
    """Networks that lie below one of the axes, and stand at its edge."""
    levels: tuple[Level, ...]
    description: str
    ticks: tuple[tuple[str, str], ...]
    """Height and text of the ticks up."""
    axes: tuple[tuple[str, str], ...]
    """Place and text of the ticks across."""
    accuracy: str


@dataclass(frozen=True)
class Contrast:
    """A score of the same networks with either of two activations.

    Attributes
    ----------
    gap : float
        First less second, the mean over networks.
    clear : bool
        Whether the interval of that mean leaves zero out.
    equal : bool
        Whether that mean is shown to be less than `SAME` either way, by two one-sided tests at 5%.
    ahead, behind, networks : int
        Networks whose score is larger with the first, with the second, and all that have both.
    """

    name: str
    label: str
    meaning: str
    first: str
    second: str
    difference: str
    interval: str
    gap: float
    clear: bool
    equal: bool
    ahead: int
    behind: int
    networks: int


@dataclass(frozen=True)
class Match:
    """Two activations on the networks of one backend that were trained with either.

    ``where`` follows the word *networks*: the backend, where it is not the default one; ``trials``
    is what each has run of either at the least, 0 where that is not asked; ``runs`` are the two
    runs of each network.
    """

    first: str
    second: str
    first_kind: int
    second_kind: int
    networks: int
    where: str
    trials: int
    contrasts: tuple[Contrast, ...]
    runs: tuple[tuple[str, str], ...]
    own: bool
    """Whether scores are headlines that tasks state."""


@dataclass(frozen=True)
class Overview:
    """What the front page says before its table; of several backends, each has its match."""

    headline: str
    matches: tuple[Match, ...]
    pictures: tuple[Picture, ...]
    kinds: tuple[tuple[int, str], ...]
    numbers: dict[str, int]

    @property
    def own(self) -> bool:
        """Whether a score that is shown is a headline that a task states."""
        return any(match.own for match in self.matches)


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
    if frame.empty:
        return Overview("", (), (), (), {})
    frame = newest(frame)
    models = frame[(frame["kind"] == "model") & (frame["profile"] == "full")]
    kinds = _kinds(models)
    pictures = tuple(_pictures(frame, kinds, trials))
    shown = {dot.kind for picture in pictures for dot in picture.dots}
    named = tuple((kind, _name(name)) for name, kind in kinds.items() if kind in shown)
    if OTHER in shown:
        named = (*named, (OTHER, "other"))
    matches = tuple(_matches(models, kinds))
    headline = _headline(matches[0]) if matches else ""
    return Overview(headline, matches, pictures, named, kinds)


def newest(frame: pd.DataFrame) -> pd.DataFrame:
    """Of every task the newest version that models have results of: others score otherwise."""
    parts = frame["task"].astype(str).str.extract(r"^(?P<name>.*?)(?:@(?P<version>\d+))?$")
    version = pd.to_numeric(parts["version"]).fillna(0)
    compete = (frame["kind"] == "model") & (frame["profile"] == "full")
    newest = version.where(compete).groupby(parts["name"]).transform("max")
    return frame[newest.isna() | (version == newest)]


def _name(activation: str) -> str:
    return NAMES.get(activation, shorten(activation, 24)) or "none"


def _kinds(models: pd.DataFrame) -> dict[str, int]:
    """Number of each of the first activations."""
    return {name: number for number, name in enumerate(_commonest(models)[:MOST_KINDS])}


def _commonest(models: pd.DataFrame) -> list[str]:
    """Activations: the study's first, then the commonest."""
    counts = models["activation"].value_counts()
    others = sorted((a for a in counts.index if a not in KNOWN), key=lambda a: (-counts[a], a))
    return [*KNOWN, *others]


def _matches(models: pd.DataFrame, kinds: dict[str, int]) -> Iterator[Match]:
    """Of every backend the two activations that most of its networks have; most networks first.

    Differences are averaged over tasks: those whose accuracy is an AUROC. What is provisional, of
    fewer trials than are ranked, is part of them only where too few networks are past that.
    """
    by_auroc = [task for task in models["task"].unique() if accuracy_of(task).metric == "auroc"]
    models = models[models["task"].isin(by_auroc)]
    found = {
        str(backend): pair
        for backend, mine in models.groupby("backend", sort=True)
        if (pair := _settled_pair(mine)) is not None
    }
    usual = {name: place for place, name in enumerate(BACKENDS)}
    order = sorted(found, key=lambda name: (-len(found[name][2]), usual.get(name, 9), name))
    for backend in order:
        first, second, table, trials = found[backend]
        yield Match(
            first=_name(first),
            second=_name(second),
            first_kind=kinds.get(first, OTHER),
            second_kind=kinds.get(second, OTHER),
            networks=len(table),
            where=named_on("", backend),
            trials=trials,
            contrasts=tuple(_contrasts(first, second, table)),
            runs=tuple(_runs(models, first, second, table)),
            own=_have_own(table.index.unique("task")),
        )


def _settled_pair(models: pd.DataFrame) -> tuple[str, str, pd.DataFrame, int] | None:
    """As `_commonest_pair`, and how many trials a run must have to be among them."""
    settled = _commonest_pair(models[models["ok"] >= MIN_TRIALS])
    if settled is not None and len(settled[2]) >= FEWEST:
        return *settled, MIN_TRIALS
    every = _commonest_pair(models)
    return None if every is None else (*every, 0)


def _commonest_pair(models: pd.DataFrame) -> tuple[str, str, pd.DataFrame] | None:
    """The two activations that most networks were trained with, and the networks' scores."""
    names = sorted({name for name, _, _ in (*READINGS, *OWN_READINGS)})
    means = models.groupby([*NETWORK, "activation"])[names].mean()
    table = pd.DataFrame(means.unstack("activation"))
    best: tuple[str, str, pd.DataFrame] | None = None
    there = set(models["activation"]) - {""}
    for first, second in combinations([a for a in _commonest(models) if a in there][:12], 2):
        both = table.xs(first, axis=1, level=1), table.xs(second, axis=1, level=1)
        joined = pd.concat(both, axis=1, keys=["first", "second"])
        joined = joined[joined["first", "accuracy"].notna() & joined["second", "accuracy"].notna()]
        # of several as common ones the first stands, which is the study's own
        if len(joined) > (len(best[2]) if best else 0):
            best = first, second, joined
    return best


def _runs(
    models: pd.DataFrame, first: str, second: str, table: pd.DataFrame
) -> Iterator[tuple[str, str]]:
    """The first run of each network with either activation."""
    runs = models.groupby([*NETWORK, "activation"])["run"].first()
    for key in table.index:
        yield str(runs[*key, first]), str(runs[*key, second])


def _have_own(tasks: Iterable[str]) -> bool:
    """Whether a task among them states headlines of its own."""
    return any(headlines_of(str(task)) != HEADLINES for task in tasks)


def _contrasts(first: str, second: str, table: pd.DataFrame) -> Iterator[Contrast]:
    own = _have_own(table.index.unique("task"))
    for name, label, meaning in OWN_READINGS if own else READINGS:
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
            difference=signed(found.difference),
            interval=f"{signed(found.low)} to {signed(found.high)}" if known else "",
            gap=found.difference,
            clear=known and (found.low > 0 or found.high < 0),
            equal=_equal(one - two),
            ahead=int((one > two).sum()),
            behind=int((one < two).sum()),
            networks=len(pairs),
        )


def _equal(gaps: NDArray[np.float64]) -> bool:
    """Whether the mean gap over networks is shown to be small."""
    if len(gaps) < FEWEST:
        return False
    error = gaps.std(ddof=1) / math.sqrt(len(gaps))
    return bool(alike(gaps.mean(), error, len(gaps) - 1, SAME))


def _headline(match: Match) -> str:
    """The finding in a sentence, where there is one; it is computed, never presumed.

    It needs equal accuracy, shown and not only not refuted. An activation is said to be better at
    a reading where its mean is larger by more than `SAME`, and plainly so only where the interval
    of the difference leaves zero out; else with the number of networks in which it is, which must
    be most of them. Where maps are spoken of, so are the other methods' differences.
    """
    readings = {contrast.name: contrast for contrast in match.contrasts}
    accuracy = readings.pop("accuracy", None)
    if accuracy is None or not accuracy.equal:
        return ""
    said = []
    words = OWN_BETTER if match.own else BETTER
    for name, sign in ((match.first, 1), (match.second, -1)):
        better = [
            _better(readings[score], sign, text)
            for score, text in words.items()
            if score in readings
        ]
        # what is plain goes first: a number of networks is of what follows it
        phrases = sorted(filter(None, better), key=lambda phrase: phrase.startswith("in "))
        if phrases:
            said.append(f"The {name} ones have {', and '.join(phrases)}.")
    if not said:
        return ""
    if any(words["fidelity"] in sentence for sentence in said):
        said += _otherwise(readings)
    compared = (
        f"{match.networks} networks{match.where}, each trained with {match.first} and with "
        f"{match.second} as first activation,"
    )
    return " ".join([f"{compared} are about equally accurate.", *said])


def _otherwise(readings: Mapping[str, Contrast]) -> list[str]:
    """By how much maps of the other methods differ; nothing where there are none."""
    found = {words: readings[name] for name, words in OTHERWISE.items() if name in readings}
    if not found:
        return []
    gaps = " and ".join(contrast.difference for contrast in found.values())
    return [f"By {' and '.join(found)} their maps differ by {gaps}."]


def _better(contrast: Contrast, sign: int, words: str) -> str:
    """What the activation of that sign of the gap is better at, and how surely; "" where not."""
    ahead = contrast.ahead if sign > 0 else contrast.behind
    if sign * contrast.gap <= SAME:
        return ""
    if contrast.clear:
        return words
    many = f"in {ahead} of {contrast.networks} networks {words}"
    return many if 2 * ahead > contrast.networks else ""


def _pictures(
    frame: pd.DataFrame, kinds: dict[str, int], trials: dict[str, list[tuple[float, float]]]
) -> Iterator[Picture]:
    full = frame[frame["profile"] == "full"]
    drawn = 0
    # the frame's tasks are in the order of pages
    for _, board in full.groupby(BOARD, sort=False):
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
    plane = Plane.of(str(models["task"].iloc[0])).around(models)
    accuracy = short_name(accuracy_of(str(models["task"].iloc[0])).metric)
    across, up = plane.ticks()
    front = models[pareto_front(models["accuracy"], models["fidelity"])]
    references = known[known["kind"] == "reference"].set_index("model")["fidelity"]
    levels = tuple(
        _level(label, float(references[name]), plane)
        for name, label in ((ORACLE, "oracle: the ceiling"), (RANDOM, "random maps: the floor"))
        if name in references.index
        and np.ndim(references[name]) == 0
        and references[name] >= plane.up.ticks[0]
    )
    # what is said of the ceiling stands above the models' labels
    below = max((float(level.label_y) for level in levels if _is_below(level)), default=-LINE)
    best = models.sort_values("fidelity", ascending=False)
    ends = [
        " ".join(filter(None, (shorten(row["model"], 20), _name(row["activation"]), row["beside"])))
        for row in best.iloc[[0, -1]].to_dict("records")
    ]
    description = (
        f"{task}: {len(models)} models. Accuracy ({accuracy}) from "
        f"{number(models['accuracy'].min())} to {number(models['accuracy'].max())}; attribution "
        f"fidelity from {number(best['fidelity'].iloc[-1])} ({ends[-1]}) to "
        f"{number(best['fidelity'].iloc[0])} ({ends[0]})."
    )
    floors = known[known["kind"] == "floor"]
    floors = floors[plane.holds(floors)]
    places = _places(pd.concat([models, floors]), plane)
    return Picture(
        task=task,
        dots=_place(models, kinds, trials, places, plane, top=below + LINE),
        floors=_place(floors, kinds, {}, places, plane, labelled=0),
        front=_steps(front, plane),
        pairs=_joined(models[plane.holds(models)], places),
        beyond=int((~plane.holds(models)).sum()),
        levels=levels,
        description=description,
        ticks=up,
        axes=across,
        accuracy=accuracy,
    )


def _level(name: str, value: float, plane: Plane) -> Level:
    """A line, and what is said of it: above it where there is room, else below."""
    y = float(plane.y(value))
    label_y = y + 14 if y < NEAR_TOP else y - 6
    return Level(name, f"{y:.1f}", number(value), f"{label_y:.1f}")


def _is_below(level: Level) -> bool:
    return float(level.label_y) > float(level.y)


def _places(rows: pd.DataFrame, plane: Plane) -> dict[str, tuple[float, float]]:
    """Where each run's mark stands: at its scores, or beside what is there."""
    rows = rows.sort_values(["fidelity", "run"], ascending=[False, True])
    points = [_point(row, plane) for row in rows.to_dict("records")]
    if len(points) <= MOST_APART:
        points = spread_marks(points, MARK, (WIDTH, HEIGHT))
    return dict(zip(rows["run"], points, strict=True))


def _point(row: Mapping[Hashable, Any], plane: Plane) -> tuple[float, float]:
    return float(plane.x(row["accuracy"])), float(plane.y(row["fidelity"]))


def _place(
    rows: pd.DataFrame,
    kinds: dict[str, int],
    trials: dict[str, list[tuple[float, float]]],
    places: Mapping[str, tuple[float, float]],
    plane: Plane,
    labelled: int = MOST_LABELS,
    top: float = 0.0,
) -> tuple[Dot, ...]:
    rows = rows.sort_values(["fidelity", "run"], ascending=[False, True])
    heights = [max(float(plane.y(value)), top) for value in rows["fidelity"][:labelled]]
    labels = spread_labels(heights, HEIGHT)
    points = [places[run] for run in rows["run"]]
    column = label_column(points, labels, ROOM)
    dots = []
    for index, (row, (x, y)) in enumerate(zip(rows.to_dict("records"), points, strict=True)):
        activation = _name(row["activation"]) if row["activation"] else ""
        told = shorten(row["beside"], 24)
        name = " ".join(filter(None, (shorten(row["model"], 18), activation, told)))
        dots.append(
            Dot(
                x=f"{x:.1f}",
                y=f"{y:.1f}",
                moved=None
                if (x, y) == _point(row, plane)
                else (plane.x(row["accuracy"]), plane.y(row["fidelity"])),
                kind=kinds.get(row["activation"], OTHER),
                label=shorten(name, LETTERS) if index < labelled else "",
                title=f"{name}: accuracy {row['accuracy']:.3f}, attribution fidelity "
                f"{row['fidelity']:.3f}",
                href=row["href"],
                label_x=f"{column:.1f}",
                label_y=f"{labels[index] if index < len(labels) else y:.1f}",
                trials=tuple(
                    (plane.x(across), plane.y(height))
                    for across, height in (trials.get(row["run"], ()) if len(rows) <= 60 else ())
                ),
            )
        )
    return tuple(dots)


def _joined(models: pd.DataFrame, places: Mapping[str, tuple[float, float]]) -> str:
    """A line from each exponential network to the same one with ReLU."""
    first = set(models.loc[models["activation"] == KNOWN[0], "run"])
    lines = [
        (places[run], places[str(other["run"])])
        for run, other in siblings(models).items()
        if run in first
    ]
    return "".join(f"M{x:.1f} {y:.1f}L{u:.1f} {v:.1f}" for (x, y), (u, v) in lines)


def _steps(front: pd.DataFrame, plane: Plane) -> str:
    """Path of the Pareto front: what lies below and left of it is dominated."""
    ordered = front.sort_values("accuracy")
    pairs = zip(ordered["accuracy"], ordered["fidelity"], strict=True)
    points = [(plane.x(across), plane.y(height)) for across, height in pairs]
    if not points:
        return ""
    path = [f"M{max(float(points[0][0]) - STUB, 0):.1f} {points[0][1]}"]
    for here, there in pairwise([*points, ("", "")]):
        below = min(float(here[1]) + STUB, HEIGHT)
        path.append(f"H{here[0]}V{there[1] or f'{below:.1f}'}")
    return "".join(path)
