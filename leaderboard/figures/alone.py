"""Figures of the pages as files of their own: the same drawing, with its style inside.

A page's template hands each of its drawings over as it draws it; `alone.svg` draws it once more
around what the file needs. CairoSVG (an optional extra) makes PNG and PDF from that SVG.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple
from xml.etree import ElementTree

import jinja2
from markupsafe import Markup

from motifidelity.errors import UserError
from motifidelity.leaderboard.text import file_name, slug
from motifidelity.untrusted import clean

Form = Literal["svg", "png", "pdf"]
_SVG = "{http://www.w3.org/2000/svg}"
_SITE_STYLE = Path(__file__).parents[1] / "static" / "style.css"
# a drawing without a size of its own is this wide, in CSS pixels
_WIDTH = 900.0
_TITLE = 26.0
# of a sheet: its width, and between drawings, a line below one, and a letter of it
_SHEET, _GAP, _LINE, _LETTER = 1000.0, 22.0, 15.0, 6.0
_MARGIN = 12.0
# CSS pixels of a unit where a document shows a figure
_ZOOM = 1.25


@dataclass(frozen=True)
class Figure:
    """A figure: the name of its file, what it shows in words, and SVG that stands alone."""

    name: str
    words: str
    svg: str


class Drawing(NamedTuple):
    """A drawing as the macro of `drawing.html` hands it over.

    Attributes
    ----------
    label : str
        What it shows, in words.
    box : sequence of 4 numbers
        Its view box.
    body, defs : Markup
        Its elements, and those that it uses beside the letters.
    cls, around : str
        Classes of the drawing, and of what it stands in.
    size : (number, number) or None
        Its size on the page, where that is fixed.
    name, caption : str
        Those that it has of its own.
    file : sequence of str
        Parts of its file's name, where `name` has none.
    sheet : (sequence of str, str) or None
        Parts of the name of the sheet that it stands on with others, and that sheet's title.
    under : str
        What is written below it there.
    legend : (Markup, number) or ()
        Its key, which a page has beside it, and how high that is.
    """

    label: str
    box: Sequence[float | str]
    body: Markup
    defs: Markup
    cls: str
    around: str
    size: Sequence[float | str] | None
    name: str
    caption: str
    file: Sequence[str] = ()
    sheet: tuple[Sequence[str], str] | None = None
    under: str = ""
    legend: tuple[Markup, float] | tuple[()] = ()


def stand_alone(
    drawings: Sequence[Drawing],
    environment: jinja2.Environment,
    stem: str,
    used: set[str],
    *,
    paper: bool,
    each: bool = False,
    mark: str = "",
) -> Iterator[Figure]:
    """The drawings of a page as figures: those of a sheet together, then the others alone.

    Parameters
    ----------
    drawings : sequence of Drawing
        In the page's order.
    environment : Environment
        The site's templates.
    stem : str
        Begins the names of figures that have none of their own.
    used : set of str
        Names that are taken; those of these figures are added.
    paper : bool
        On a light ground with a margin, legible wherever it is shown.
    each : bool
        Those of a sheet alone too.
    mark : str
        Ends the names, where another page of the same name has such figures too.
    """
    paint = dict(reversed(_colours()))
    style = environment.get_template("alone.css").render(paint=paint)
    ground = paint["paper"] if paper else ""

    def free(name: str, number: int) -> str:
        name = f"{name}-{mark}" if mark else name
        name = name if name not in used else f"{name}-{number:02d}"
        used.add(name)
        return name

    sheets: dict[tuple[Sequence[str], str], list[Drawing]] = {}
    for one in drawings:
        if one.sheet:
            sheets.setdefault(one.sheet, []).append(one)
    for number, ((parts, title), mine) in enumerate(sheets.items(), start=1):
        rules = dict.fromkeys(rule for one in mine for rule in _needed(style, one).splitlines())
        cells, size = _lay_out(mine)
        svg = environment.get_template("sheet.svg").render(
            title=title,
            cells=cells,
            size=size,
            style=Markup("\n".join(rules)),
            defs=list(dict.fromkeys(one.defs for one in mine if one.defs)),
            margin=_MARGIN,
            ground=ground,
        )
        yield Figure(free(file_name(*parts) or stem, number), clean(title), svg)
    for number, one in enumerate(drawings, start=1):
        if one.sheet and not each:
            continue
        caption = " ".join(one.caption.split())
        said = page_stem(caption or one.label.partition(":")[0]) or f"{number:02d}"
        name = free(one.name or file_name(*one.file) or f"{stem}-{said}", number)
        svg = environment.get_template("alone.svg").render(_alone(one, caption, style, ground))
        yield Figure(name, clean(one.label), svg)


def _alone(one: Drawing, caption: str, style: str, ground: str) -> dict[str, object]:
    """What the template of a figure of one drawing is given."""
    left, top, across, down = map(float, one.box)
    key = (left + 8, top)
    if one.legend:
        top, down = top - one.legend[1], down + one.legend[1]
        key = (left + 8, top + 14)
    corner = (left, top - 8)
    if caption:
        top, down = top - _TITLE, down + _TITLE
    wide = float(one.size[0]) if one.size else _WIDTH
    tall = wide * down / across
    if ground:
        left, top = left - _MARGIN, top - _MARGIN
        across, down = across + 2 * _MARGIN, down + 2 * _MARGIN
        wide, tall = across * _ZOOM, down * _ZOOM
    return one._asdict() | {
        "caption": caption,
        "box": [f"{value:g}" for value in (left, top, across, down)],
        "corner": [f"{value:g}" for value in corner],
        "key": [f"{value:g}" for value in key],
        "width": f"{wide:g}",
        "height": f"{tall:g}",
        "style": Markup(_needed(style, one)),
        "ground": ground,
    }


class Cell(NamedTuple):
    """A drawing's place on a sheet, and that of the text below it."""

    drawing: Drawing
    x: str
    y: str
    under_x: str
    under_y: str


def _lay_out(drawings: Sequence[Drawing]) -> tuple[list[Cell], tuple[float, float]]:
    """Drawings in rows, as they come, those with words below them in columns; and the size of all.

    The others, such as a trial's curves, have rows of their own.
    """
    cells: list[Cell] = []
    y, widest = _TITLE, 0.0
    for worded, mine in groupby(drawings, lambda one: bool(one.under)):
        some = list(mine)
        room = max(max(float(one.box[2]), _LETTER * len(one.under)) for one in some)
        columns = max(int((_SHEET + _GAP) // (room + _GAP)), 1)
        for first in range(0, len(some), columns):
            row = some[first : first + columns]
            for number, one in enumerate(row):
                left, top, _, down = map(float, one.box)
                x = number * (room + _GAP)
                place = (x - left, y - top, x, y + down + _LINE)
                cells.append(Cell(one, *(f"{value:g}" for value in place)))
            y += max(float(one.box[3]) for one in row) + (_LINE if worded else 0.0) + _GAP
            widest = max(widest, len(row) * (room + _GAP) - _GAP)
    return cells, (widest, y - _GAP + 4)


def page_stem(path: str) -> str:
    """How names of a page's figures begin."""
    return slug(path.removesuffix(".html").replace("/", "-"), "0" * 12).removesuffix("-" + "0" * 12)


def convert(svg: str, form: Form, scale: float = 3.0) -> bytes:
    """An SVG as the bytes of a file.

    Parameters
    ----------
    svg : str
    form : {"svg", "png", "pdf"}
    scale : float
        Pixels of a PNG per CSS pixel.

    Raises
    ------
    UserError
        If what makes PNG and PDF is not installed.
    """
    if form == "svg":
        return svg.encode("utf-8")
    try:
        import cairosvg
    except (ImportError, OSError) as error:  # OSError: the Cairo library itself is missing
        raise UserError(
            f"--format {form}: CairoSVG cannot be loaded ({str(error).splitlines()[0]}); run "
            "\"pip install 'motifidelity[plot]'\", and install your system's Cairo library "
            "(Debian: libcairo2), or choose --format svg"
        ) from error
    make = cairosvg.svg2png if form == "png" else cairosvg.svg2pdf
    more = {"scale": scale, "background_color": "white"} if form == "png" else {}
    content: bytes = make(bytestring=_spelled_out(svg), **more)
    return content


def _spelled_out(svg: str) -> bytes:
    """The same SVG with what ``use`` elements stand for in their places.

    CairoSVG walks through the whole document for each of them, and a sheet has thousands.
    """
    root = ElementTree.fromstring(svg)
    named = {element.get("id"): element for element in root.iter() if element.get("id")}

    def spell_out(element: ElementTree.Element) -> ElementTree.Element:
        given = dict(element.attrib)
        if element.tag != f"{_SVG}use":
            made = ElementTree.Element(element.tag, given)
            made.extend(map(spell_out, element))
        else:
            target = named[given.pop("href").removeprefix("#")]
            made = ElementTree.Element(f"{_SVG}g", given)
            made.append(spell_out(target))
            made[0].attrib.pop("id")
        made.text, made.tail = element.text, element.tail
        return made

    content: bytes = ElementTree.tostring(spell_out(root), encoding="utf-8")
    return content


def _colours() -> list[tuple[str, str]]:
    """Names and values of the site's colours; those of the light theme come first."""
    return re.findall(r"--([\w-]+): ([^;]+);", _SITE_STYLE.read_text(encoding="utf-8"))


def _needed(style: str, drawing: Drawing) -> str:
    """The rules, a line each, whose classes the drawing has; that of its caption always."""
    markup = drawing.body + drawing.defs + (drawing.legend[0] if drawing.legend else "")
    inside = re.findall(r'class="([^"]*)"', markup)
    there = set(" ".join([drawing.cls, drawing.around, "title", *inside]).split())
    return "\n".join(
        rule
        for rule in style.splitlines()
        if there.issuperset(re.findall(r"\.([a-zA-Z][\w-]*)", rule.partition("{")[0]))
    )
