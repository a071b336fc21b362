"""Answers of the registry as people read them: a table for each task, no wider than a terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from motifidelity.summary.formats import format_frame, terminal_width
from motifidelity.summary.names import name_runs
from motifidelity.untrusted import clean_text

if TYPE_CHECKING:
    import pandas as pd

BOARD = ("task", "task_digest", "profile")
# what reads as a number
WHOLE = ("mean", "SD", "interval", "value", "AUROC", "r", "difference", "possible", "trials")


def results_tables(
    frame: pd.DataFrame, below: Mapping[str, Collection[str]] = MappingProxyType({})
) -> str:
    """Means, or trials, of `query.answer` with all its columns: a table a task and profile.

    A score that all rows of a table have stands above it. A mean of a run that does not beat
    counting, by `rivals.not_above_counting`, says so.
    """
    if frame.empty:
        return ""
    names = name_runs(frame)
    table = frame.assign(
        run=[name.in_full for name in names],
        score=[_joined(*pair) for pair in zip(frame["metric"], frame["method"], strict=True)],
    )
    if "value" in frame:
        table["value"] = table["value"].map(_number)
        seeded = {"seed": "seed"} if (table["seed"] != table["trial"]).any() else {}
        columns = {"run": "run", "trial": "trial", **seeded, "status": "status", "score": "score"}
        columns |= {"target": "class", "value": "value"}
    else:
        table["interval"] = _intervals(table)
        table = table.assign(**{name: table[name].map(_number) for name in ("mean", "sd")})
        columns = {"run": "run", "score": "score", "target": "class", "mean": "mean", "sd": "SD"}
        columns |= {"interval": "interval", "coverage": "trials", "note": ""}
        table["note"] = _notes(table, below)
    return _by_board(table, lambda board: _columns(board, columns, above=("score",)))


def _notes(table: pd.DataFrame, below: Mapping[str, Collection[str]]) -> list[str]:
    """What a mean of a whole task is not above, where it is not."""
    from motifidelity.summary.rivals import HELD, NOT_ABOVE
    from motifidelity.summary.runs import RUN_KEY, key_digest

    if not below:
        return [""] * len(table)
    runs = [key_digest(key) for key in table[list(RUN_KEY)].itertuples(index=False)]
    scores = zip(runs, table["metric"], table["target"].isna(), strict=True)
    found = [
        whole and any(metric in dict(HELD[name]) for name in below.get(run, ()))
        for run, metric, whole in scores
    ]
    return [NOT_ABOVE if one else "" for one in found]


def rank_tables(frame: pd.DataFrame) -> str:
    """Ranks of `ranks.rank`: a table for each task, profile, division and score."""
    if frame.empty:
        return ""
    low, high = frame["rank_low"].astype(object), frame["rank_high"].astype(object)
    possible = [
        "" if _missing(a) else f"{a}" if a == b else f"{a} to {b}"
        for a, b in zip(low, high, strict=True)
    ]
    table = frame.assign(
        mean=frame["mean"].map(_number),
        accuracy=frame["accuracy"].map(_number),
        possible=possible,
        score=[_joined(*pair) for pair in zip(frame["metric"], frame["method"], strict=True)],
    )
    columns = {"rank": "rank", "possible": "possible", "label": "run", "mean": "mean"}
    rest = {"group": "ties", "coverage": "trials"}
    return _by_board(
        table,
        lambda board: _columns(board, columns | {"accuracy": _accuracy(board)} | rest),
        beside=("division", "score"),
    )


def pair_tables(frame: pd.DataFrame) -> str:
    """Comparisons of `ranks.compare` or `two_runs.compare_two`: a table for each task and score."""
    if frame.empty:
        return ""
    scores = zip(frame["metric"], frame["method"], strict=True)
    table = frame.assign(
        score=[_joined(*pair) for pair in scores],
        difference=frame["difference"].map(_number),
        interval=_intervals(frame),
        trials=[f"{a}, {b}" for a, b in zip(frame["num_first"], frame["num_second"], strict=True)],
    )
    columns = {"first": "first", "second": "second", "score": "score", "target": "class"}
    columns |= {"difference": "difference", "interval": "interval", "p_adjusted": "p"}
    columns |= {"trials": "trials"}
    return _by_board(
        table,
        lambda board: _columns(board, columns, above=("first", "second", "score")),
        beside=("division",),
    )


def _accuracy(board: pd.DataFrame) -> str:
    """What a board's accuracy is, in a word."""
    from motifidelity.metrics.headlines import short_name
    from motifidelity.tasks.spec import accuracy_of

    return short_name(accuracy_of(str(board["task"].iloc[0])).metric)


def _by_board(
    table: pd.DataFrame,
    arrange: Callable[[pd.DataFrame], tuple[list[str], pd.DataFrame]],
    beside: Sequence[str] = (),
) -> str:
    """A heading and a table for every task, profile and what else is told of it."""
    keys = [name for name in (*BOARD, *beside) if name in table]
    several = "task_digest" in table and table.groupby("task")["task_digest"].nunique().max() > 1
    parts = []
    for _, board in table.groupby(keys, sort=False, dropna=False):
        first = board.iloc[0]
        said = [str(first["task"]), f"profile {first['profile']}"]
        if several:
            said.append(f"specification {str(first['task_digest'])[:8]}")
        said += [str(first[name]) for name in beside if name in table]
        constant, shown = arrange(board)
        heading = ", ".join(clean_text(text, 60) for text in (*said, *constant))
        heading = textwrap.fill(heading, terminal_width(), subsequent_indent="  ")
        parts.append(f"{heading}\n{format_frame(shown, 'table', whole=WHOLE)}")
    return "\n\n".join(parts)


def _columns(
    board: pd.DataFrame, columns: dict[str, str], above: Sequence[str] = ()
) -> tuple[list[str], pd.DataFrame]:
    """What stands above a table, and its columns under their headings; empty ones are left out."""
    constant = []
    there = [name for name in columns if name in board and not _empty(board[name])]
    for name in above:
        if name in there and len(there) > 1 and board[name].nunique(dropna=False) == 1:
            value = str(board[name].iloc[0])
            constant.append(f"{name}: {value}" if name != "score" else value)
            there.remove(name)
    return constant, board[there].rename(columns=columns)


def _empty(column: pd.Series[Any]) -> bool:
    return bool((column.isna() | (column == "")).all())


def _intervals(table: pd.DataFrame) -> list[str]:
    return [
        "" if _missing(low) or _missing(high) else f"{_number(low)} to {_number(high)}"
        for low, high in zip(table["low"], table["high"], strict=True)
    ]


def _number(value: object) -> str:
    """A score to four places; one that is no share to as many digits."""
    if not isinstance(value, float) or not math.isfinite(value):
        return ""
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.6g}"


def _joined(metric: object, method: object) -> str:
    """A score's metric and method, such as ``attribution_auroc, saliency``."""
    return ", ".join(_known((metric, method)))


def _known(values: Sequence[object]) -> Iterator[str]:
    yield from (str(value) for value in values if not _missing(value))


def _missing(value: object) -> bool:
    import pandas as pd

    return bool(pd.isna(value)) or value == ""  # type: ignore[call-overload]
