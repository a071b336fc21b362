"""Tables as text: for people, spreadsheets, programs and Markdown pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from motifidelity.errors import UserError
from motifidelity.untrusted import clean_text

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("table", "csv", "json", "markdown")
# longer text in a cell is cut for people, never for programs
CELL = 60


def format_frame(frame: pd.DataFrame, form: str, *, missing: str = "") -> str:
    """A table as text, without a trailing line break.

    Parameters
    ----------
    frame : DataFrame
    form : {"table", "csv", "json", "markdown"}
        ``csv`` and ``json`` (a list of objects) hold every value in full; ``table`` and
        ``markdown`` round to four digits and drop control characters.
    missing : str
        What stands for a missing value in ``table`` and ``markdown``.

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
        "table": lambda: _table(frame, missing),
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


def _table(frame: pd.DataFrame, missing: str) -> str:
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for i, name in enumerate(frame.columns):
        justify: Any = "right" if _is_number(frame, i) else "left"
        table.add_column(Text(str(name)), justify=justify, no_wrap=True)
    for row in _rows(frame):
        table.add_row(*(Text(_cell(value, missing)) for value in row))
    out = io.StringIO()
    # as wide as it needs: a terminal may scroll, but a folded column cannot be read
    Console(file=out, width=10_000, highlight=False, color_system=None).print(table)
    return "\n".join(text.rstrip() for text in out.getvalue().rstrip("\n").split("\n"))


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
