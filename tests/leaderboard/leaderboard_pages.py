"""Reads rendered pages with the standard library: tables as rows of cells, and every element."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "br", "img", "input", "hr", "path", "circle", "use"}


@dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(
            part for c in self.children if (part := c.strip() if isinstance(c, str) else c.text)
        )

    def all(self, tag: str | None = None, cls: str | None = None) -> list[Element]:
        found = []
        for child in self.children:
            if isinstance(child, Element):
                matches = tag in (None, child.tag)
                if matches and (cls is None or cls in child.attrs.get("class", "").split()):
                    found.append(child)
                found += child.all(tag, cls)
        return found

    def one(self, tag: str | None = None, cls: str | None = None) -> Element:
        return self.all(tag, cls)[0]

    def within(self, cls: str) -> bool:
        node: Element | None = self
        while node is not None:
            if cls in node.attrs.get("class", "").split():
                return True
            node = node.parent
        return False


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.here = self.root = Element("document", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        child = Element(tag, {key: value or "" for key, value in attrs}, self.here)
        self.here.children.append(child)
        if tag not in VOID:
            self.here = child

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        child = Element(tag, {key: value or "" for key, value in attrs}, self.here)
        self.here.children.append(child)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.here.tag == tag, (
            f"</{tag}> closes <{self.here.tag}>: the page is not well formed"
        )
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def parse(path: Path) -> Element:
    return _parse(path.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=64)
def _parse(text: str) -> Element:
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert parser.here is parser.root, f"<{parser.here.tag}> is never closed"
    return parser.root


def boards(page: Element) -> list[Element]:
    """The tables of corrected scores, in order."""
    return [t for t in page.all("table", "board") if not t.within("paper")]


def rows(table: Element) -> list[list[Element]]:
    body = table.one("tbody")
    return [
        [cell for cell in row.children if isinstance(cell, Element) and cell.tag in ("td", "th")]
        for row in body.all("tr")
    ]


def find_row(table: Element, name: str, activation: str) -> list[Element]:
    [row] = [r for r in rows(table) if name in r[1].text and r[2].text == activation]
    return row


def headings(table: Element) -> list[str]:
    """Heading of each column: group and label, arrows left out."""
    groups, labels = table.one("thead").all("tr")
    names: list[str] = []
    for cell in groups.children:
        if isinstance(cell, Element):
            names += [cell.text] * int(cell.attrs.get("colspan", "1"))
    cells = [c for c in labels.children if isinstance(c, Element)]
    return [
        f"{group} {label.text}".strip().rstrip("↑↓ ")
        for group, label in zip(names, cells, strict=True)
    ]
