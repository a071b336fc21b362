"""Fenced blocks of the project's Markdown pages, and the commands in them."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BETWEEN_COMMANDS = {"&&", "||", "|", ";", "&"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, tag, first line of content (1-based) and text."""

    page: Path
    tag: str
    line: int
    text: str

    @property
    def where(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A whole command of a shell block: lines that belong together, as they stand there."""

    where: str
    text: str

    @property
    def programs(self) -> list[list[str]]:
        """Words of each program that it starts, without assignments before it."""
        found: list[list[str]] = [[]]
        for word in words(self.text):
            if word in BETWEEN_COMMANDS:
                found.append([])
            elif found[-1] or "=" not in word:
                found[-1].append(word)
        return [program for program in found if program]


def name_of(page: Path) -> str:
    """A page as people name it: its path in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """Fenced and indented blocks of a page, in their order."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            yield Block(page, token.info.strip(), token.map[0] + 2, token.content)


def commands(block: Block) -> Iterator[Command]:
    """The commands of a shell block: a line goes on after a backslash or within quotes."""
    start, lines = 0, []
    for number, line in enumerate(block.text.splitlines()):
        start = start if lines else number
        lines.append(line)
        text = "\n".join(lines)
        if is_whole(text):
            if words(text):
                yield Command(f"{name_of(block.page)}:{block.line + start}", text)
            lines = []
    if lines:
        raise ValueError(f"{block.where}: the last command does not end: {lines[0]}")


def is_whole(text: str) -> bool:
    """Whether lines are a command to their end: no quotes are open, no backslash is last."""
    try:
        words(text)
    except ValueError:
        return False
    return not text.endswith("\\")


def words(text: str) -> list[str]:
    """Words of a command without comments; what stands between commands is a word of its own."""
    reader = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars="|&;<>")
    reader.whitespace_split = True
    return list(reader)


def file_of(block: Block) -> str | None:
    """Name of the file that a Python block is: its docstring, where that is one."""
    docstring = ast.get_docstring(ast.parse(block.text)) or ""
    name = docstring.partition("\n")[0].split()[0] if docstring else ""
    return name if name.endswith(".py") else None
