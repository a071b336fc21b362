"""Every link between Markdown files of the repository leads somewhere, anchors included."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from blocks import ROOT, name_of
from markdown_it import MarkdownIt

FOLDERS = [
    path
    for path in ROOT.iterdir()
    if path.is_dir() and (path.name == ".github" or not path.name.startswith("."))
]
# a template is no page: its links are those of what is made of it
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(p for f in FOLDERS for p in f.rglob("*.md"))]
    if "templates" not in path.parts
)


class Html(HTMLParser):
    """Links, pictures and anchors in HTML that stands in Markdown."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src"):
                self.links.append(value)
            elif name in ("id", "name"):
                self.anchors.append(value)


def tokens(path):
    """All tokens of a document, those within lines too."""
    for token in MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def links(path):
    for token in tokens(path):
        if token.type == "link_open":
            yield token.attrGet("href")
        elif token.type == "image":
            yield token.attrGet("src")
        elif token.type in ("html_block", "html_inline"):
            yield from Html(token.content).links


def anchors(path):
    """Anchors that GitHub gives a document's headings, and those that its HTML names."""
    found = []
    parsed = list(tokens(path))
    for heading, content in pairwise(parsed):
        if heading.type in ("html_block", "html_inline"):
            found += Html(heading.content).anchors
        if heading.type != "heading_open":
            continue
        text = "".join(c.content for c in content.children if c.type in ("text", "code_inline"))
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        same = sum(re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other) is not None for other in found)
        found.append(f"{slug}-{same}" if same else slug)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_relative_link_leads_to_a_file_and_to_an_anchor_in_it(document):
    for link in links(document):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or link.startswith("?"):
            continue
        target = (document.parent / unquote(parts.path)).resolve() if parts.path else document
        assert target.exists(), f"{name_of(document)}: {link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{name_of(document)}: {link} leaves the repository"
        if parts.fragment and target.suffix == ".md":
            assert parts.fragment in anchors(target), f"{name_of(document)}: no anchor {link}"


def test_anchors_are_github_s(tmp_path):
    path = Path(tmp_path / "page.md")
    path.write_text("# What's `bench check`?\n\n## Same\n\n## Same\n\n<a id='own'></a>\n")
    assert anchors(path) == ["whats-bench-check", "same", "same-1", "own"]
