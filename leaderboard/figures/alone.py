"""Figures of the pages as files of their own: the same drawing, with its styles inside.

A page's figures are inline SVG that the site's stylesheets colour. Here each is cut out of its page
and given what it needs: the outlines that it uses, and the rules that can apply to it, in the light
theme. CairoSVG (an optional extra) makes PNG and PDF from that SVG, so no figure is drawn twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

from motifidelity.errors import UserError
from motifidelity.leaderboard.text import slug

Form = Literal["svg", "png", "pdf"]
FORMS: tuple[Form, ...] = ("svg", "png", "pdf")
_STATIC = Path(__file__).parents[1] / "static"
_FIGURE = re.compile(r'<svg\b[^>]*\brole="img".*?</svg>', re.DOTALL)
_HEAD = re.compile(r"<svg\b([^>]*)>")
_TOKEN = re.compile(r"\.([\w-]+)|(?<![\w.-])([a-zA-Z][\w-]*)")
# what a rule says of paint and letters; the rest is the page's layout
_PAINT = re.compile(r"(fill|stroke|opacity|color|font|text-anchor)[\w-]*:")
# a drawing without a size of its own is this wide, in CSS pixels
_WIDTH = 900.0
# CairoSVG takes the first font alone; every system has one by this name or in its place
_SANS = 'Arial, "Liberation Sans", Helvetica, sans-serif'
_VAR = re.compile(r"var\((--[\w-]+)\)")
_TITLE = 26.0
_PAPER = "#fdfdfb"
_MARGIN = 12.0
# CSS pixels of a unit where a document shows a figure
_ZOOM = 1.25
_TITLE_STYLE = ".title { font-size: 14px; font-weight: 600; fill: #1b1f24 }"


@dataclass(frozen=True)
class Cutting:
    """A figure: the name of its file, and SVG that stands alone."""

    name: str
    svg: str

    @property
    def words(self) -> str:
        """What the figure shows, in words."""
        return unescape(re.findall("<title>(.*?)</title>", self.svg, re.DOTALL)[0])


def cut_figures(html: str, stem: str) -> Iterator[Cutting]:
    """Every figure of a page.

    Parameters
    ----------
    html : str
        The page, as the templates wrote it.
    stem : str
        Begins the names of figures that have none of their own.

    Yields
    ------
    Cutting
        In the page's order; names are unique within the page.
    """
    rules = _read_rules()
    outlines = _outlines(html)
    used: set[str] = set()
    drawings = zip(_FIGURE.findall(html), _places(html), strict=True)
    for number, (text, place) in enumerate(drawings, start=1):
        named = re.search(r'data-name="([\w@.-]+)"', text)
        words = place.caption or re.findall(r'aria-label="([^":]*)', text)[0]
        said = page_stem(words) if words else f"{number:02d}"
        name = named[1] if named else f"{stem}-{said}"
        name = name if name not in used else f"{name}-{number:02d}"
        used.add(name)
        yield Cutting(name, _alone(text, place, rules, outlines))


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
    content: bytes = make(bytestring=svg.encode("utf-8"), **more)
    return content


def on_paper(svg: str) -> str:
    """An SVG of `cut_figures` on a light ground with a margin, legible wherever it is shown."""
    head = _HEAD.match(svg)
    assert head is not None
    given = dict(re.findall(r'([\w-]+)="([^"]*)"', head[1]))
    left, top, across, down = map(float, given["viewBox"].split())
    left, top, across, down = (
        left - _MARGIN,
        top - _MARGIN,
        across + 2 * _MARGIN,
        down + 2 * _MARGIN,
    )
    framed = re.sub(
        r'width="[^"]*" height="[^"]*" viewBox="[^"]*"',
        f'width="{across * _ZOOM:g}" height="{down * _ZOOM:g}" '
        f'viewBox="{left:g} {top:g} {across:g} {down:g}"',
        svg,
        count=1,
    )
    ground = (
        f'<rect x="{left:g}" y="{top:g}" width="{across:g}" height="{down:g}" fill="{_PAPER}"/>'
    )
    return framed.replace("</defs>", f"</defs>{ground}", 1)


def _alone(text: str, place: _Place, rules: list[tuple[str, str]], outlines: dict[str, str]) -> str:
    head = _HEAD.match(text)
    assert head is not None
    attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', head[1]))
    body = text[head.end() : -len("</svg>")]
    needed = _needed(body, outlines)
    defs = "".join(outlines[name] for name in sorted(needed))
    left, top, across, down = map(float, attributes["viewBox"].split())
    title = ""
    if place.caption:
        title = f'<text class="title" x="{left:g}" y="{top - 8:g}">{escape(place.caption)}</text>'
        top, down = top - _TITLE, down + _TITLE
    wide = float(attributes.get("width", _WIDTH))
    tall = wide * down / across
    classes = attributes.get("class", "")
    style = _style(rules, f"{place.classes} {classes}", body + defs)
    label = attributes.get("aria-label", "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:g}" height="{tall:g}" '
        f'viewBox="{left:g} {top:g} {across:g} {down:g}" role="img"><title>{label}</title>'
        f"<style>{style}\n{_TITLE_STYLE}</style><defs>{defs}</defs>{title}"
        f'<g class="{place.classes}"><g class="{classes}">{body}</g></g></svg>\n'
    )


def _needed(body: str, outlines: dict[str, str]) -> set[str]:
    """Ids that a drawing uses, and those that they use in turn."""
    found: set[str] = set()
    todo = [body]
    while todo:
        for name in set(re.findall(r'href="#([\w-]+)"', todo.pop())):
            if name in outlines and name not in found:
                found.add(name)
                todo.append(outlines[name])
    return found


def _outlines(html: str) -> dict[str, str]:
    """What the page's definitions hold, by id."""
    found: dict[str, str] = {}
    for block in re.findall(r"<defs>(.*?)</defs>", html, re.DOTALL):
        for one in re.finditer(
            r'<path id="([\w-]+)"[^>]*/>|<g id="([\w-]+)".*?</g>', block, re.DOTALL
        ):
            found[one[1] or one[2]] = one[0]
    return found


@dataclass(frozen=True)
class _Place:
    """Where a figure stands: the classes around it, and its caption."""

    classes: str
    caption: str


class _Places(HTMLParser):
    """The place of every figure of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Place] = []
        self._open: list[tuple[str, str]] = []
        self._caption = ""
        self._reading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "svg" and given.get("role") == "img":
            classes = " ".join(filter(None, (classes for _, classes in self._open)))
            self.found.append(_Place(classes, " ".join(self._caption.split())))
        if tag == "figure":
            self._caption = ""
        self._reading = self._reading or tag == "figcaption"
        if tag in {"figure", "div", "li", "section", "td"}:
            self._open.append((tag, given.get("class", "")))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        if tag == "figure":
            self._caption = ""
        if tag == "figcaption":
            self._reading = False

    def handle_data(self, data: str) -> None:
        if self._reading:
            self._caption += data


def _places(html: str) -> list[_Place]:
    parser = _Places()
    parser.feed(html)
    return parser.found


def _read_rules() -> list[tuple[str, str]]:
    """Selector and declarations of every rule of the site's stylesheets, colours filled in."""
    files = sorted(_STATIC.glob("*.css"), key=lambda path: (path.name != "style.css", path.name))
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    # what is for dark screens, narrow ones and printers
    text = re.sub(r"@[^{;]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)
    rules = [
        (selector.strip(), " ".join(declared.split()))
        for selector, declared in re.findall(r"([^{}]+)\{([^{}]*)\}", text)
    ]
    names = {name: value for selector, name, value in _variables(rules) if selector == ":root"}
    names["--sans"] = _SANS
    told = [
        (one.strip(), re.sub(_VAR, lambda m: names.get(m[1], m[0]), declared))
        for selector, declared in rules
        for one in selector.split(",")
        if selector != ":root"
    ]
    own = [found for found in _variables(rules) if found[0] != ":root"]
    return [rule for one in told for rule in _filled_in(*one, own)]


def _variables(rules: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Selector, name and value of every custom property."""
    return [
        (selector, name, value.strip())
        for selector, declared in rules
        for name, value in re.findall(r"(--[\w-]+):([^;]+)", declared)
    ]


def _filled_in(
    selector: str, declared: str, variables: list[tuple[str, str, str]]
) -> Iterator[tuple[str, str]]:
    """A rule with a variable that some classes set: one rule for what stands in each of them."""
    wanted = re.search(_VAR, declared)
    if wanted is None:
        yield selector, declared
        return
    outer, _, inner = selector.rpartition(" ")
    for place, name, value in variables:
        if name == wanted[1]:
            yield f"{outer} {place} {inner}".strip(), declared.replace(wanted[0], value)


def _style(rules: list[tuple[str, str]], classes: str, body: str) -> str:
    """The rules that can apply to something in a drawing."""
    inside = re.findall(r'class="([^"]*)"', body)
    there = set(" ".join([classes, *inside]).split())
    tags = set(re.findall(r"<([a-zA-Z]+)", body)) | {"svg"}
    kept = []
    for selector, declared in rules:
        tokens = _TOKEN.findall(selector)
        plain = re.fullmatch(r"[\w\s.-]+", selector) and tokens
        if plain and all(cls in there if cls else tag in tags for cls, tag in tokens):
            own = [one.strip() for one in declared.split(";")]
            # CairoSVG paints a halo over its letters, whatever the order that is asked for
            halo = "paint-order: stroke" in declared
            own = [
                one for one in own if _PAINT.match(one) and not (halo and one.startswith("stroke"))
            ]
            if own:
                kept.append(f"{selector} {{ {'; '.join(own)} }}")
    return "\n".join(kept)
