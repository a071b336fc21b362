"""What a check or a verification found: one line each, with its place and its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from motifidelity.untrusted import clean_text

MAX_TEXT = 4000


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes
    ----------
    check : str
        What was looked at, such as ``shapes``.
    level : str
        ``ok``, ``warning`` or ``problem``.
    text : str
        What was found, one line.
    remedy : str
        What mends it; empty for ``ok``.
    where : str
        ``file`` or ``file:line``.
    task : str
        The task that it was found on; empty where it holds for all.
    """

    check: str
    level: str
    text: str
    remedy: str = ""
    where: str = ""
    task: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON carries it."""
        return asdict(self)


def problems(findings: Iterable[Finding]) -> list[Finding]:
    """Those that are problems."""
    return [finding for finding in findings if finding.level == "problem"]


def lines(findings: Iterable[Finding]) -> list[str]:
    """A table of findings as lines of text: check, task, level, text; then place and remedy.

    What a finding quotes may be a stranger's: nothing in it moves a cursor or begins a line.
    """
    rows = [
        Finding(**{name: clean_text(text, MAX_TEXT) for name, text in finding.to_json().items()})
        for finding in findings
    ]
    widths = [
        max((len(getattr(row, name)) for row in rows), default=0)
        for name in ("check", "task", "level")
    ]
    shown = []
    for row in rows:
        head = "  ".join(
            f"{text:<{width}}"
            for text, width in zip((row.check, row.task, row.level), widths, strict=True)
            if width
        )
        place = f"{row.where}: " if row.where and not row.text.startswith(row.where) else ""
        shown.append(f"{head}  {place}{row.text}")
        if row.remedy:
            shown.append(f"{'':<{len(head)}}  -> {row.remedy}")
    return shown
