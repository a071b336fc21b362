"""Published scores beside measured ones: geometry, the template `beside.svg` draws it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from motifidelity.leaderboard.figures.boxes import round_ticks
from motifidelity.study.published import SIGMA, PublishedScore

Across = Callable[[float], float]

LABELS = 164.0
TOP = 84.0
ROW = 20.0
_PANEL = 176.0
_GAP = 26.0
_HEADING = 26.0
_BETWEEN = 10.0
_FOOT = 30.0
_METHODS = {
    "saliency": "saliency",
    "ism": "in-silico mutagenesis",
    "integrated_gradients": "integrated gradients",
    "deepshap": "DeepSHAP",
    "filter": "filter scan",
    "pwm": "scan with the true PWMs",
}


@dataclass(frozen=True)
class Mark:
    """One published score, in the units of the whole drawing.

    Attributes
    ----------
    kind : {"unrun", "within", "beyond"}
    over : {"trials", "sequences"}
        What the published SD is over.
    left, width : str
        The published range: 2 SD over trials on both sides, or one SD over sequences.
    published, measured : str
        Places of the means; the second is empty where nothing was run.
    y : str
    trials : tuple of str
        Places of the trials; empty where there is one, which is the mean.
    title : str
        The score in words.
    """

    kind: str
    over: str
    left: str
    width: str
    published: str
    measured: str
    y: str
    trials: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Beside:
    """A drawing of `width` by `height` units.

    Attributes
    ----------
    title, description : str
    width, height : str
    panels : tuple of (str, str)
        Left edge and name of each method's panel.
    panel_width : str
    ticks : tuple of (str, str)
        Place and text, of every panel.
    headings : tuple of (str, str)
        Height and name of every network.
    labels : tuple of (str, str)
        Height and name of every row.
    bottom : str
        Height of the axes.
    marks : tuple of Mark
    over : tuple of str
        What the published SDs are over.
    """

    title: str
    description: str
    width: str
    height: str
    panels: tuple[tuple[str, str], ...]
    panel_width: str
    ticks: tuple[tuple[str, str], ...]
    headings: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    bottom: str
    marks: tuple[Mark, ...]
    over: tuple[str, ...]


def lay_out(title: str, scores: Sequence[PublishedScore]) -> Beside:
    """Lay out a row for each network and activation, and a panel for each method.

    Parameters
    ----------
    title : str
    scores : sequence of PublishedScore
        At least one; networks, activations and methods stand in their order.
    """
    methods = list(dict.fromkeys(one.method for one in scores))
    # a reference has a method of its own, which needs no panel beside the networks'
    alone = all(len({o.method for o in scores if o.network == n}) == 1 for n in _networks(scores))
    panels = [LABELS + index * (_PANEL + _GAP) for index in range(1 if alone else len(methods))]
    width = _PANEL * (2.2 if alone else 1)
    ends = [end for one in scores for end in (*_range(one), *one.values)]
    ticks = round_ticks(max(min(ends), 0.0), min(max(ends), 1.0), (0.0, 1.0))

    def across(value: float) -> float:
        share = (value - ticks[0]) / (ticks[-1] - ticks[0])
        return width * min(max(share, 0.0), 1.0)

    heights: dict[tuple[str, str], float] = {}
    headings: list[tuple[str, str]] = []
    y = TOP
    for network in _networks(scores):
        headings.append((f"{y + _HEADING - 8:.1f}", network))
        y += _HEADING
        for one in scores:
            if one.network == network and (network, one.activation) not in heights:
                heights[network, one.activation] = y + ROW / 2
                y += ROW
        y += _BETWEEN
    marks = [
        _mark(
            one,
            panels[0 if alone else methods.index(one.method)],
            heights[one.network, one.activation],
            across,
        )
        for one in scores
    ]
    return Beside(
        title=title,
        description=describe(title, scores),
        width=f"{panels[-1] + width + _GAP:.1f}",
        height=f"{y + _FOOT:.1f}",
        panels=tuple(
            (f"{left:.1f}", "" if alone else _METHODS.get(method, method))
            for left, method in zip(panels, methods, strict=False)
        ),
        panel_width=f"{width:.1f}",
        ticks=tuple(
            (f"{left + across(tick):.1f}", f"{tick:g}") for left in panels for tick in ticks
        ),
        headings=tuple(headings),
        labels=tuple(
            (f"{height + 4:.1f}", activation or _METHODS["pwm"])
            for (_, activation), height in heights.items()
        ),
        bottom=f"{y:.1f}",
        marks=tuple(marks),
        over=tuple(dict.fromkeys(one.over for one in scores)),
    )


def describe(title: str, scores: Sequence[PublishedScore]) -> str:
    """What the figure shows, in words."""
    run = [one for one in scores if one.values]
    beyond = [_name(one) for one in run if one.beyond]
    said = f"{len(run)} of {len(scores)} published scores were run"
    if any(one.over == "trials" for one in run):
        said += f"; more than {SIGMA:g} published SD away: {', '.join(beyond) or 'none'}"
    return f"{title}: {said}."


def _networks(scores: Sequence[PublishedScore]) -> list[str]:
    return list(dict.fromkeys(one.network for one in scores))


def _range(one: PublishedScore) -> tuple[float, float]:
    reach = one.sd * (SIGMA if one.over == "trials" else 1.0)
    return one.mean - reach, one.mean + reach


def _mark(one: PublishedScore, left: float, y: float, across: Across) -> Mark:
    low, high = (left + across(end) for end in _range(one))
    many = len(one.values) > 1
    return Mark(
        kind=("beyond" if one.beyond else "within") if one.values else "unrun",
        over=one.over,
        left=f"{low:.1f}",
        width=f"{high - low:.1f}",
        published=f"{left + across(one.mean):.1f}",
        measured=f"{left + across(one.measured):.1f}" if one.values else "",
        y=f"{y:.1f}",
        trials=tuple(f"{left + across(value):.1f}" for value in one.values) if many else (),
        title=_say(one),
    )


def _name(one: PublishedScore) -> str:
    method = _METHODS.get(one.method, one.method)
    return " ".join(filter(None, (one.network, one.activation, method)))


def _say(one: PublishedScore) -> str:
    published = f"{_name(one)}: published {one.mean:.3f}, SD over {one.over} {one.sd:.3f}"
    if not one.values:
        return f"{published}; not run"
    trials = "1 trial" if len(one.values) == 1 else f"{len(one.values)} trials"
    beyond = f", more than {SIGMA:g} SD away" if one.beyond else ""
    return f"{published}; measured {one.measured:.3f} over {trials}{beyond}"
