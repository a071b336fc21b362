"""Markdown documents that hold tables and figures of a registry between two comments.

A block of a document looks like this; the report replaces what is between its two comments::

    <!-- table: cost -->
    <!-- /table -->

    <!-- figure: published-attribution -->
    <!-- /figure -->

A figure is a file, ``figures/NAME.svg`` beside the document, and the block shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from motifidelity.errors import DataError, UserError
from motifidelity.report.figures import ReportFigures
from motifidelity.report.tables import DocumentTables

OPENING = re.compile(r"<!-- (table|figure): ([\w.@ -]+) -->\n")
# no block reaches over the opening of another
BLOCK = re.compile(
    rf"({OPENING.pattern})(?:(?!<!-- (?:table|figure): ).)*?(<!-- /\2 -->)", re.DOTALL
)
FOLDER = "figures"


def write_report(
    report: DocumentTables, documents: Iterable[Path], *, check: bool = False
) -> list[Path]:
    """Replace the blocks of documents, write their figures, and return what was out of date.

    Parameters
    ----------
    report : DocumentTables
    documents : iterable of Path
        Markdown files; those without a block are left alone.
    check : bool
        Write nothing.

    Raises
    ------
    DataError
        If a document or figure cannot be read or written.
    UserError
        If a block has no end, or names a table or figure that does not exist; nothing is written
        then.
    """
    figures = ReportFigures(report)
    changed = []
    for path, content in _files(report, figures, documents):
        try:
            if path.is_file() and path.read_bytes() == content:
                continue
            changed.append(path)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}") from error
    return changed


def _files(
    report: DocumentTables, figures: ReportFigures, documents: Iterable[Path]
) -> list[tuple[Path, bytes]]:
    """Every document and every figure, as they should be."""
    files: dict[Path, bytes] = {}
    for path in documents:

        def block(found: re.Match[str], folder: Path = path.parent / FOLDER) -> str:
            before, kind, name, after = found.groups()
            if kind == "table":
                return f"{before}{report.table(name)}\n{after}"
            figure = figures.figure(name)
            if figure is None:
                return f"{before}*No result to draw yet.*\n{after}"
            files[folder / f"{name}.svg"] = figure.svg.encode("utf-8")
            return f"{before}![{figure.words}]({FOLDER}/{name}.svg)\n{after}"

        try:
            text = path.read_bytes().decode("utf-8")
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not a text in UTF-8; name Markdown files only") from error
        _check_ends(path, text)
        files[path] = BLOCK.sub(block, text).encode("utf-8")
    return list(files.items())


def _check_ends(path: Path, text: str) -> None:
    """Raise ``UserError`` where a block has no end: what follows would be taken for it."""
    closed = {block.start() for block in BLOCK.finditer(text)}
    for opening in OPENING.finditer(text):
        if opening.start() not in closed:
            kind, name = opening.groups()
            number = text.count("\n", 0, opening.start()) + 1
            raise UserError(
                f"{path}:{number}: the block of {kind} {name} has no end; write "
                f"<!-- /{kind} --> on a line of its own after it, before the next block"
            )
