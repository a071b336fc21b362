"""What a network sees along a sequence, as tracks over one axis: geometry, the templates draw it.

From the top: the sites of the motifs, the maximum over the filters' scans, the scan with the true
motifs, and the importance of each base by each attribution method as letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from motifidelity.leaderboard.figures.logo import LETTERS
from motifidelity.leaderboard.figures.siteboxes import Box, Boxes, lay_sites
from motifidelity.leaderboard.tables.columns import method_label
from motifidelity.leaderboard.text import shorten

if TYPE_CHECKING:
    from motifidelity.scoring.evidence import Example

WIDTH = 1000.0
LABELS = 128.0
SCAN = 34.0
LETTER = 46.0
PLAIN = 16.0
GAP = 12.0
# of a drawing that stands beside another
VIEW, VIEW_LETTER, NAMED_GAP = 560.0, 26.0, 17.0
_SMALLEST = 0.02
_NAMED = 5

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Letters:
    """All letters of one kind in a track: the SVG transforms that place its outline."""

    letter: str
    transforms: tuple[str, ...]


@dataclass(frozen=True)
class Track:
    """One track from `top` down, `height` high.

    Attributes
    ----------
    label, note : str
        Name, and what its height stands for.
    kind : {"scan", "pwm", "map"}
    path : str
        Outline of a scan; "" for letters.
    letters : tuple of Letters
        Empty for a scan.
    zero : str
        Height of zero.
    peaks : str
        The strongest bases in words, for readers who cannot see the drawing.
    """

    label: str
    note: str
    kind: str
    top: str
    height: str
    zero: str
    path: str
    letters: tuple[Letters, ...]
    peaks: str


@dataclass(frozen=True)
class Strip:
    """One example: a drawing of `WIDTH` by `height` units, labels to the left of it.

    The sites stand at `middle`, the tracks below them.
    """

    title: str
    height: str
    middle: str
    boxes: tuple[Box, ...]
    bands: tuple[Box, ...]
    tracks: tuple[Track, ...]
    ticks: tuple[tuple[str, str], ...]
    description: str


def draw_example(example: Example) -> Strip:
    """Lay an example out.

    Parameters
    ----------
    example : Example

    Returns
    -------
    Strip
    """
    step = WIDTH / len(example.codes)
    sites = lay_sites(example, WIDTH)
    tracks: list[Track] = []
    top = sites.height + GAP
    if example.scan is not None:
        tracks.append(_scan("Filter scan", "filters", example, example.scan, top))
        top += SCAN + GAP
    tracks.append(_scan("PWM scan", "pwm", example, np.maximum(example.pwm, 0), top))
    top += SCAN + GAP
    for method, values in example.maps.items():
        tracks.append(_letters(method, values, example, top))
        top += LETTER + GAP
    return _strip(example, sites, tracks, top + 14, step)


def draw_sites(example: Example) -> Strip:
    """Lay out the letters and sites of an example alone, for a task's page."""
    step = WIDTH / len(example.codes)
    sites = lay_sites(example, WIDTH)
    top = sites.height + GAP
    track = _letters("", np.ones(len(example.codes)), example, top, PLAIN)
    return Strip(
        title=_title(example),
        height=f"{top + PLAIN + 14:g}",
        middle=f"{sites.middle:g}",
        boxes=sites.boxes,
        bands=tuple(box for box in sites.boxes if box.kind != "chance"),
        tracks=(track,),
        ticks=tuple(_ticks(example, step)),
        description=_description(example, []),
    )


def draw_views(examples: Mapping[str, Example], methods: Sequence[str], bases: int) -> Strip | None:
    """Lay one sequence out as several networks see it, one below the other.

    Parameters
    ----------
    examples : mapping of str to Example
        The same sequence, by what each network is called.
    methods : sequence of str
        The maps that are drawn, where all have them.
    bases : int
        The part of the sequence that holds most of its implanted bases is drawn, so long.

    Returns
    -------
    Strip or None
        `VIEW` units wide; None where it is not one sequence or a map is missing.
    """
    first, *others = parts = [_crop(example, bases) for example in examples.values()]
    same = all(np.array_equal(first.codes, other.codes) for other in others)
    if not same or any(method not in part.maps for part in parts for method in methods):
        return None
    sites = lay_sites(first, VIEW)
    top, tracks = sites.height + NAMED_GAP, []
    for name, part in zip(examples, parts, strict=True):
        for method in methods:
            track = _letters(method, part.maps[method], part, top, VIEW_LETTER, VIEW)
            label = track.label if track.label.isupper() else track.label.lower()
            tracks.append(replace(track, label=f"{name}, {label}", note=""))
            top += VIEW_LETTER + NAMED_GAP
    return _strip(first, sites, tracks, top + 4, VIEW / len(first.codes))


def _strip(
    example: Example, sites: Boxes, tracks: list[Track], height: float, step: float
) -> Strip:
    """Tracks below sites, with the implanted ones as bands behind them."""
    return Strip(
        title=_title(example),
        height=f"{height:g}",
        middle=f"{sites.middle:g}",
        boxes=sites.boxes,
        bands=tuple(box for box in sites.boxes if box.kind == "implant"),
        tracks=tuple(tracks),
        ticks=tuple(_ticks(example, step)),
        description=_description(example, tracks),
    )


def _crop(example: Example, bases: int) -> Example:
    """The part of an example that holds most implanted bases, the first of several."""
    planted = np.zeros(len(example.codes))
    for site in example.sites:
        if site.implanted and site.core:
            planted[max(site.start - example.start, 0) : max(site.end - example.start, 0)] = 1
    if len(planted) <= bases:
        return example
    sums = np.concatenate([[0.0], np.cumsum(planted)])
    start = int(np.argmax(sums[bases:] - sums[:-bases]))
    part, ends = slice(start, start + bases), (example.start + start, example.start + start + bases)
    return replace(
        example,
        start=ends[0],
        codes=example.codes[part],
        sites=tuple(s for s in example.sites if s.start < ends[1] and s.end > ends[0]),
        scan=None if example.scan is None else example.scan[part],
        pwm=example.pwm[part],
        maps={method: values[part] for method, values in example.maps.items()},
    )


def _title(example: Example) -> str:
    named = f", {', '.join(shorten(name, 24) for name in example.classes[:12])}"
    kept = ""
    if len(example.codes) < example.length:
        end = example.start + len(example.codes)
        kept = f", bases {example.start + 1}–{end} of {example.length}"
    return f"Test sequence {example.sequence}{named if example.classes else ''}{kept}"


def _scan(label: str, kind: str, example: Example, values: Floats, top: float) -> Track:
    """A scan from zero to its maximum, a step a base."""
    step, peak = WIDTH / len(values), float(values.max(initial=0.0))
    floor = top + SCAN
    heights = np.clip(values / peak if peak > 0 else values * 0, 0, 1) * SCAN
    path = f"M0 {floor:g}"
    last = None
    for index, height in enumerate(heights):
        y = f"{floor - height:.1f}"
        if y != last:
            path += f"H{index * step:.4g}V{y}"
        last = y
    path += f"H{WIDTH:g}V{floor:g}Z"
    unit = " bits" if kind == "pwm" else ""
    return Track(
        label=label,
        note=f"max {peak:.3g}{unit}",
        kind=kind,
        top=f"{top:g}",
        height=f"{SCAN:g}",
        zero=f"{floor:g}",
        path=path,
        letters=(),
        peaks=_peaks(example, values),
    )


def _letters(
    method: str,
    values: Floats,
    example: Example,
    top: float,
    height: float = LETTER,
    width: float = WIDTH,
) -> Track:
    """Importances as letters: above zero where they speak for the classes, below where against."""
    peak = float(np.abs(values).max(initial=0.0))
    shares = values / peak if peak > 0 else values * 0
    up = max(float(shares.max(initial=0.0)), 0.0)
    down = max(-float(shares.min(initial=0.0)), 0.0)
    scale = height / max(up + down, 1e-9)
    zero = top + up * scale
    step = width / len(values)
    placed: dict[str, list[str]] = {letter: [] for letter in LETTERS}
    for index, (code, share) in enumerate(zip(example.codes, shares, strict=True)):
        if abs(share) >= _SMALLEST:
            tall = share * scale
            placed[LETTERS[code]].append(
                f"matrix({step * 0.0094:.3g} 0 0 {tall / 100:.3g} {(index + 0.03) * step:.4g} "
                f"{zero - tall:.1f})"
            )
    return Track(
        label=shorten(method_label(method), 24),
        note=f"peak {peak:.3g}" if method else "",
        kind="map",
        top=f"{top:g}",
        height=f"{height:g}",
        zero=f"{zero:.1f}",
        path="",
        letters=tuple(Letters(letter, tuple(found)) for letter, found in placed.items() if found),
        peaks=_peaks(example, np.abs(values)) if method else "",
    )


def _peaks(example: Example, values: Floats) -> str:
    """The strongest bases, from left to right, and how many of them lie in implanted sites."""
    best = sorted(np.argsort(-values, kind="stable")[:_NAMED].tolist())
    planted = [site for site in example.sites if site.implanted and site.core]
    places = [example.start + index for index in best]
    inside = sum(any(s.start <= place < s.end for s in planted) for place in places)
    named = ", ".join(
        f"{LETTERS[example.codes[index]]}{place + 1}"
        for index, place in zip(best, places, strict=True)
    )
    return f"strongest at {named}, {inside} of these {len(best)} in implanted sites"


def _description(example: Example, tracks: list[Track]) -> str:
    planted = [site for site in example.sites if site.implanted]
    sites = ", ".join(
        f"{shorten(site.name, 24)} at {site.start + 1} to {site.end}" for site in planted
    )
    seen = "".join(f" {track.label}: {track.peaks}." for track in tracks)
    return f"{_title(example)}. Implanted: {sites or 'nothing'}.{seen}"


def _ticks(example: Example, step: float) -> list[tuple[str, str]]:
    """Every 20th or so base, counted from 1."""
    width = len(example.codes)
    every = next(e for e in (10, 20, 50, 100, 200) if width / e <= 12 or e == 200)
    first = -(-(example.start + 1) // every) * every
    return [
        (f"{(base - 1 - example.start + 0.5) * step:.1f}", str(base))
        for base in range(first, example.start + width + 1, every)
    ]
