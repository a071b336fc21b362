"""Tables as text: for people, spreadsheets, programs and Markdown pages."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from motifidelity.errors import UserError
from motifidelity.untrusted import clean_text

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("table", "csv", "json", "markdown")
# longer text in a cell is cut for people, never for programs
CELL = 120
# columns between columns, and what a column of text has at least where it needs as much
GAP, WORD = 2, 14


def format_frame(
    frame: pd.DataFrame,
    form: str,
    *,
    missing: str = "",
    width: int | None = None,
    whole: Collection[str] = (),
) -> str:
    """A table as text, without a trailing line break.

    Parameters
    ----------
    frame : DataFrame
    form : {"table", "csv", "json", "markdown"}
        ``csv`` and ``json`` (a list of objects) hold every value in full; ``table`` and
        ``markdown`` round to four digits and drop control characters.
    missing : str
        What stands for a missing value in ``table`` and ``markdown``.
    width : int, optional
        Columns that a ``table`` may take; default: the terminal's, and 80 elsewhere. Text folds;
        a table that is too wide still is written row below row, a line a value.
    whole : collection of str
        Columns of text that a ``table`` treats as numbers: on the right, and never folded.

    Returns
    -------
    str

    Raises
    ------
    UserError
        For ``json`` where two columns have one name: an object has it once.
    """
    makers: dict[str, Callable[[], str]] = {
        "csv": lambda: frame.to_csv(index=False).rstrip("\n"),
        "json": lambda: _json(frame),
        "markdown": lambda: _markdown(frame, missing),
        "table": lambda: _table(frame, missing, width, whole),
    }
    return makers[form]()


def _json(frame: pd.DataFrame) -> str:
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise UserError(
            f"column '{twice[0]}' stands more than once, which JSON cannot hold; name each column "
            "once, for example with 'as'"
        )
    # pandas writes nan as null, but rounds to ten digits unless told
    text = frame.to_json(
        orient="records", date_format="iso", double_precision=15, default_handler=str
    )
    return json.dumps(json.loads(text), indent=1, ensure_ascii=False)


def _markdown(frame: pd.DataFrame, missing: str) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    align = ["---:" if _is_number(frame, i) else "---" for i in range(frame.shape[1])]
    rows = [line([_cell(value, missing) for value in row]) for row in _rows(frame)]
    return "\n".join([line([str(c) for c in frame.columns]), "|" + "|".join(align) + "|", *rows])


def _table(frame: pd.DataFrame, missing: str, width: int | None, whole: Collection[str]) -> str:
    cells = [[_cell(value, missing) for value in row] for row in _rows(frame)]
    names = [str(name) for name in frame.columns]
    numbers = [name in whole or _is_number(frame, i) for i, name in enumerate(names)]
    return text_table(names, cells, numbers, width)


def text_table(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: Sequence[bool],
    width: int | None = None,
) -> str:
    """Columns under their names where they fit, text folded; else the rows one below the other.

    Parameters
    ----------
    names : sequence of str
    rows : sequence of sequences of str
    numbers : sequence of bool
        Which columns are numbers: never folded, and on the right.
    width : int, optional
        As in `format_frame`.
    """
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = width or terminal_width()
    longest = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    least = [
        most if number else max(min(most, WORD), len(name))
        for name, most, number in zip(names, longest, numbers, strict=True)
    ]
    if sum(least) + GAP * (len(names) - 1) > width:
        return _records(names, rows, width)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for name, number, narrowest in zip(names, numbers, least, strict=True):
        justify: Any = "right" if number else "left"
        table.add_column(
            Text(name), justify=justify, no_wrap=number, min_width=narrowest, overflow="fold"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    out = io.StringIO()
    Console(file=out, width=width, highlight=False, color_system=None).print(table)
    return "\n".join(text.rstrip() for text in out.getvalue().rstrip("\n").split("\n"))


def _records(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """Every row as lines of names and values, for tables of too many columns."""
    widest = max(map(len, names), default=0)
    return "\n\n".join(
        "\n".join(
            line
            for name, value in zip(names, row, strict=True)
            for line in textwrap.wrap(
                f"{name:<{widest}}{' ' * GAP}{value}",
                max(width, widest + GAP + WORD),
                subsequent_indent=" " * (widest + GAP),
            )
        )
        for row in rows
    )


def terminal_width() -> int:
    """Columns of the terminal; what goes elsewhere is made for 80."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80


def _rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.itertuples(index=False, name=None))


def _is_number(frame: pd.DataFrame, column: int) -> bool:
    import pandas as pd

    kind = frame.dtypes.iloc[column]
    return bool(pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind))


def _cell(value: Any, missing: str) -> str:
    import pandas as pd

    if not hasattr(value, "__len__") and pd.isna(value):
        return missing
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.6g}"
    return clean_text(str(value), CELL)
