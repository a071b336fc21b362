"""Writing files: what did not change is not drawn again, what is gone is removed."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd

from motifidelity.errors import UnreachableError, UserError
from motifidelity.leaderboard.page import Page
from motifidelity.leaderboard.text import is_missing, shorten
from motifidelity.summary.inputs import MetricInfo, Tables

INDEX = "build.json"
# what pages are made of, templates aside; in a checkout these packages do not lie in one folder
PACKAGES = (
    "motifidelity",
    "motifidelity.leaderboard",
    "motifidelity.metrics",
    "motifidelity.tasks",
)
SUFFIXES = {".py", ".toml", ".csv"}
# below this a process is not worth its start
PAGES_OF_A_WORKER = 40
# of these tables a motif is left out: its information content and its hits change with it
_LISTS = {"ppm"}


class Book:
    """The site's folder, and the record of how its files were made.

    ``build.json`` states of every file the digest of what it was drawn from and of its bytes. A
    page of which both still hold is left as it is; a file that the record names and that is not
    written again is removed, and any other file is left alone.

    Parameters
    ----------
    folder : Path
    environment : Environment
        Its templates draw the pages.
    code : str
        Digest of what draws: pages that other code has drawn are drawn again.

    Attributes
    ----------
    problems : list of str
        Pages that could not be drawn.
    drawn : int
        Pages that were.
    """

    def __init__(self, folder: Path, environment: jinja2.Environment, code: str) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self.drawn = 0
        self._environment = environment
        self._code = code
        self._before = _read(folder / INDEX)
        self._files: dict[str, tuple[str, str]] = {}

    def write(self, pages: Iterable[Page]) -> None:
        """Draw pages, but those that are there as their inputs would make them.

        Raises
        ------
        UserError
            If a process that draws is killed; pages that it and others had drawn are kept.
        """
        wanted = []
        for page in pages:
            inputs = "" if page.inputs is None else digest(self._code, page.path, repr(page.inputs))
            if inputs and self._before.get(page.path) == (inputs, self._on_disk(page.path)):
                self._files[page.path] = self._before[page.path]
            else:
                wanted.append((page, inputs))
        drawn = self._drawn([page for page, _ in wanted])
        try:
            for (page, inputs), (content, why) in zip(wanted, drawn, strict=True):
                if why:
                    self.problems.append(f"{page.path} could not be drawn ({why})")
                self.drawn += 1
                self._files[page.path] = ("" if why else inputs, content)
        except BrokenProcessPool as error:
            self._record({**self._before, **self._files})
            raise UserError(
                f"leaderboard {self.folder}: a process that draws pages was killed, perhaps for "
                f"want of memory; {self.drawn} pages are drawn and kept: run the same command "
                "again to go on"
            ) from error

    def _drawn(self, pages: Sequence[Page]) -> Iterator[tuple[str, str]]:
        """Digest of each page's bytes, and why it could not be drawn, as they are written."""
        workers = min(os.cpu_count() or 1, len(pages) // PAGES_OF_A_WORKER)
        if workers < 2 or "fork" not in multiprocessing.get_all_start_methods():
            yield from map(self._draw, pages)
            return
        # forked workers see the registry as it lies in memory; nothing of it is copied
        with ProcessPoolExecutor(
            workers, multiprocessing.get_context("fork"), _begin, (self._draw, pages)
        ) as pool:
            yield from pool.map(_draw_number, range(len(pages)), chunksize=8)

    def _draw(self, page: Page) -> tuple[str, str]:
        why = ""
        try:
            text = self._environment.get_template(page.template).render(
                root=page.root, **page.draw()
            )
        except Exception as error:  # an odd row must cost its own page alone
            unread = isinstance(error, UnreachableError)
            why = (
                shorten(error, 400) if unread else shorten(f"{type(error).__name__}: {error}", 200)
            )
            broken = self._environment.get_template("broken.html")
            text = broken.render(root=page.root, why=why, unread=unread)
        return self._put(page.path, text.encode("utf-8")), why

    def keep(self, path: str, content: bytes) -> None:
        """Put a file there that is no page."""
        self._files[path] = ("", self._put(path, content))

    def _put(self, path: str, content: bytes) -> str:
        found = hashlib.sha256(content).hexdigest()
        if found != self._on_disk(path):
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return found

    def close(self) -> None:
        """Remove what is no more, and write the record."""
        for path in sorted(self._before.keys() - self._files.keys()):
            target = self.folder / path
            if target.resolve().is_relative_to(self.folder.resolve()):
                target.unlink(missing_ok=True)
        self._record(self._files)

    def _record(self, made: Mapping[str, tuple[str, str]]) -> None:
        files = {path: list(made[path]) for path in sorted(made)}
        (self.folder / INDEX).write_text(json.dumps(files, indent=0) + "\n", encoding="ascii")

    def _on_disk(self, path: str) -> str:
        try:
            return hashlib.sha256((self.folder / path).read_bytes()).hexdigest()
        except OSError:
            return ""


# what a forked process draws
_drawing: tuple[Callable[[Page], tuple[str, str]], Sequence[Page]]


def _begin(draw: Callable[[Page], tuple[str, str]], pages: Sequence[Page]) -> None:
    """Hand a forked process what it draws: numbers of pages can be sent to it, pages cannot."""
    global _drawing
    _drawing = (draw, pages)


def _draw_number(number: int) -> tuple[str, str]:
    draw, pages = _drawing
    return draw(pages[number])


def _read(path: Path) -> dict[str, tuple[str, str]]:
    """The record of the build before; none where it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="ascii"))
        return {str(name): (str(entry[0]), str(entry[1])) for name, entry in found.items()}
    except (OSError, ValueError, AttributeError, LookupError, TypeError):
        return {}


def digest(*parts: str) -> str:
    """SHA-256 of texts, hexadecimal."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return found.hexdigest()


def sources() -> list[Path]:
    """Files of the package that the pages are made of: its code, its data and the templates."""
    folders = {Path(path) for name in PACKAGES for path in import_module(name).__path__}
    files = {path for folder in folders for path in folder.rglob("*") if path.suffix in SUFFIXES}
    return sorted({*files, *(Path(__file__).parent / "templates").iterdir()})


def code_digest(metrics: Mapping[str, MetricInfo]) -> str:
    """Digest of everything but the registry that the pages are made of."""
    texts = [path.read_text(encoding="utf-8") for path in sources()]
    return digest(*texts, repr(sorted(metrics.items())))


def result_digests(tables: Tables) -> dict[str, str]:
    """A digest of all rows of every result, by its id, whatever the order of the rows."""
    found: dict[str, int] = {}
    for name in ("jobs", "scores", "filters", "history"):
        table: pd.DataFrame = getattr(tables, name)
        if table.empty:
            continue
        columns = sorted(str(column) for column in table if column not in _LISTS)
        plain = pd.DataFrame({column: _plain(table[column]) for column in columns})
        rows = pd.util.hash_pandas_object(plain, index=False)
        # sums of hashes do not depend on the order of rows; they wrap around
        sums = rows.groupby(table["result_id"].map(str).to_numpy()).agg(_sum)
        for result, value in zip(sums.index, sums.to_list(), strict=True):
            found[result] = (found.get(result, 0) * 31 + int(value)) % 2**64
    return {result: f"{value:016x}" for result, value in found.items()}


def _plain(column: pd.Series) -> pd.Series:
    """Values as numbers or text, whatever type a table came with."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float)
    try:
        codes, unique = pd.factorize(column)
    except TypeError:  # lists cannot be told apart so
        return column.map(_text).astype(object)
    texts = np.array([*map(_text, unique), ""], dtype=object)  # code -1 is what is missing
    return pd.Series(texts[codes], index=column.index, dtype=object)


def _text(value: object) -> str:
    if isinstance(value, list | tuple | np.ndarray):
        return repr([_text(entry) for entry in value])
    return "" if is_missing(value) else str(value).encode("utf-8", "backslashreplace").decode()


def _sum(values: pd.Series) -> int:
    return int(np.add.reduce(values.to_numpy(dtype=np.uint64)))
