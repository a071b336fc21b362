"""Questions to the registry: filtered, averaged over trials, or in SQL.

All work is done by DuckDB on the registry's own tables (the results that count, as on the page);
nothing can be written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import pyarrow as pa

from motifidelity.errors import UserError, unknown
from motifidelity.registry import schema
from motifidelity.registry.counting import counted_results
from motifidelity.registry.reading import only
from motifidelity.summary.names import is_assigned, parameters
from motifidelity.summary.runs import RUN_KEY as RUN
from motifidelity.summary.runs import TRIAL_KEY
from motifidelity.summary.stats import mean_intervals

if TYPE_CHECKING:
    import pandas as pd

SCORE = ("family", "metric", "definition", "method", "reading", "target")
AVERAGED = ("mean", "sd", "low", "high", "coverage", "done", "failed", "missing", "expected")
VERSION = "metric_version"
# what tells runs of one name apart, and when the first trial of a run began
APART = ("model_digest", "backend", "isolation", "division", "started")
BRIEF = {
    False: ("task", "profile", "model", "params", "metric", "method", *AVERAGED[:5], *APART),
    True: (
        *("task", "profile", "model", "params", "trial", "status", "metric", "method", "value"),
        *APART,
    ),
}
_OF_SCORES = ("family", "metric", "definition", "method", "reading")
_OF_JOBS = ("model", "profile", "division", "isolation", "backend")


class Source(Protocol):
    """What a query reads: a registry, or anything with its tables."""

    def latest(self, *names: str) -> dict[str, pa.Table]:
        """The named tables, limited to the latest result of every job."""
        ...


@dataclass(frozen=True)
class Query:
    """What is asked of a registry.

    A filter is a tuple of accepted values; an empty one accepts all.

    Attributes
    ----------
    task : tuple of str
        ``name`` (any version) or ``name@version``.
    model, profile, division, isolation, backend : tuple of str
    param : tuple of str
        ``name=value``: several values of one parameter are alternatives, several parameters must
        all be so.
    family, metric, definition, method : tuple of str
        Method ``none`` stands for scores that have none.
    reading : tuple of str
        How maps were read; without any, in their method's own way, or as the task's headline
        reads them. Scores of no map have reading ``none``.
    status : tuple of str
        Averaged: runs with a trial that ended so. By trial: trials that ended so.
    per_class : bool
        Scores of single classes too, not of whole tasks alone.
    per_trial : bool
        One row a trial instead of an average.
    columns : tuple of str
        Columns to give, in order; default: the usual ones.
    sort : tuple of str
        Columns to sort by; a leading ``-`` sorts from the largest.
    level : float
        Nominal coverage of the interval ``low`` to ``high``.
    """

    task: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    profile: tuple[str, ...] = ()
    division: tuple[str, ...] = ()
    isolation: tuple[str, ...] = ()
    backend: tuple[str, ...] = ()
    param: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    metric: tuple[str, ...] = ()
    definition: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    per_class: bool = False
    per_trial: bool = False
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    level: float = 0.95


def results(registry: str | Path | Source, **asked: Any) -> pd.DataFrame:
    """Results of a registry as a table, averaged over trials or trial by trial.

    Parameters
    ----------
    registry : str, Path or Registry
        The registry, or its folder.
    **asked
        Fields of `Query`: filters (a value or several), ``per_class``, ``per_trial``, ``columns``,
        ``sort``, ``level``.

    Returns
    -------
    DataFrame
        Averaged: a row for every run and score, with ``mean``, ``sd`` (over trials, ``ddof=1``),
        the interval ``low`` to ``high``, and ``coverage``: trials with a value of trials that
        there should be (at least the profile's own number). A run of which no trial has finished
        is one row without a score. By trial: a row for every trial and score; a failed trial is
        one row without a score.

    Raises
    ------
    UserError
        If there is no such registry, or a filter's value, a column or a field is not known, with
        the near names.
    DataError
        If the registry cannot be read.
    """
    names = [field.name for field in fields(Query)]
    for name in asked:
        if name not in names:
            raise unknown("filter", name, names)
    given: dict[str, Any] = {}
    for name, value in asked.items():
        several = isinstance(value, Iterable) and not isinstance(value, str)
        given[name] = tuple(value) if several else (value,) if isinstance(value, str) else value
    return answer(_source(registry), Query(**given))


def answer(source: Source, query: Query) -> pd.DataFrame:
    """Answer a query; see `results`."""
    known = columns(query.per_trial)
    for column in (*query.columns, *(name.removeprefix("-") for name in query.sort)):
        if column not in known:
            raise unknown("column", column, known)
    if not 0 < query.level < 1:
        raise UserError(f"level {query.level:g} is not between 0 and 1; 0.95 is usual")
    tables = source.latest("jobs", "scores")
    tables["jobs"] = only(tables["jobs"], counted_results(tables["jobs"], TRIAL_KEY))
    connection = _connect(tables)
    _check_values(connection, query)
    text = _BY_TRIAL if query.per_trial else _AVERAGED
    conditions, values = _conditions(query)
    if query.param:
        values["params"] = _with_parameters(tables["jobs"], query.param)
        conditions["of_jobs"] += " and list_contains($params, params)"
    connection.register("planned", _planned())
    connection.register("first_read", _first_read())
    sql = text.format(run=", ".join(RUN), score=", ".join(SCORE), **conditions)
    frame: pd.DataFrame = connection.sql(sql, params=values).to_arrow_table().to_pandas()
    if not query.per_trial:
        frame = _with_intervals(frame, query.level)
    if query.sort:
        frame = frame.sort_values(
            [name.removeprefix("-") for name in query.sort],
            ascending=[not name.startswith("-") for name in query.sort],
            kind="stable",
        )
    return frame[list(query.columns or known)].reset_index(drop=True)


def columns(per_trial: bool) -> tuple[str, ...]:
    """Columns that an answer can have, the usual ones first."""
    jobs = tuple(schema.JOBS.names)
    every = (
        (*jobs, *SCORE, "value", "value_sd", "n", VERSION)
        if per_trial
        else (*RUN, *SCORE, *AVERAGED, VERSION, "started")
    )
    brief = BRIEF[per_trial]
    return (*brief, *(name for name in every if name not in brief))


def run_sql(source: Source, text: str) -> pa.Table:
    """Answer one SELECT on the views ``jobs``, ``scores``, ``filters`` and ``history``.

    The views hold the results that count. SQL reaches nothing else: no file, no network, no
    setting.

    Parameters
    ----------
    source : Source
    text : str
        One SELECT, in DuckDB's dialect.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    UserError
        If it is not one SELECT, or DuckDB refuses it, with DuckDB's message.
    DataError
        If the registry cannot be read.
    """
    words = set(re.findall(r"\w+", text.lower()))
    named = [name for name in schema.TABLES if name in words]
    tables = {name: table.empty_table() for name, table in schema.TABLES.items()}
    if named:
        tables |= source.latest("jobs", *named)
        counted = counted_results(tables["jobs"], TRIAL_KEY)
        tables = {name: only(table, counted) for name, table in tables.items()}
    connection = _connect(tables)
    try:
        statements = connection.extract_statements(text)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UserError(
                f"SQL: give one SELECT on {', '.join(schema.TABLES)}; nothing else is allowed here"
            )
        return connection.sql(text).to_arrow_table()
    except duckdb.Error as error:
        raise UserError(f"SQL: {_one_line(error)}") from error


def _connect(tables: Mapping[str, pa.Table]) -> duckdb.DuckDBPyConnection:
    """A database in memory that sees the given tables and nothing else."""
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": "false"})
    for name, table in tables.items():
        connection.register(name, table)
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _one_line(error: duckdb.Error) -> str:
    """DuckDB's message without the excerpt of the statement below it."""
    text = str(error).partition("\n\nLINE ")[0]
    return " ".join(text.split())[:400]


def _source(registry: str | Path | Source) -> Source:
    if isinstance(registry, str | Path):
        from motifidelity.registry import existing_registry

        return existing_registry(registry)
    return registry


def _check_values(connection: duckdb.DuckDBPyConnection, query: Query) -> None:
    """Refuse a filter's value that no result has: a misspelt name must not look like no result."""
    names = [name for name in (*_OF_JOBS, *_OF_SCORES, "task", "status") if getattr(query, name)]
    if names and connection.sql("select count(*) from jobs").fetchall() == [(0,)]:
        raise UserError("the registry holds no result yet; 'bench run' records some")
    for name in names:
        asked: Sequence[str] = getattr(query, name)
        table = "scores" if name in _OF_SCORES else "jobs"
        rows = connection.sql(f"select distinct {name} from {table} order by 1").fetchall()
        known = ["none" if value is None else str(value) for (value,) in rows]
        if name == "task":
            known = [*dict.fromkeys(value.partition("@")[0] for value in known), *known]
        for value in asked:
            if value not in known:
                raise unknown(name, value, known)


def _conditions(query: Query) -> tuple[dict[str, str], dict[str, Any]]:
    """SQL conditions on jobs, trials and scores, and the values of their parameters."""
    values: dict[str, Any] = {}

    def accept(name: str, column: str) -> list[str]:
        if not (asked := getattr(query, name)):
            return []
        values[name] = list(asked)
        return [f"list_contains(${name}, {column})"]

    jobs = [condition for name in _OF_JOBS for condition in accept(name, name)]
    if query.task:
        values["task"] = list(query.task)
        jobs.append(
            "(list_contains($task, task) or list_contains($task, split_part(task, '@', 1)))"
        )
    scores = [
        condition for name in _OF_SCORES for condition in accept(name, f"coalesce({name}, 'none')")
    ]
    if not query.reading:
        scores.append(_READ_FIRST)
    if not query.per_class:
        scores.append("target is null")
    ended = accept("status", "status")
    return (
        {
            "of_jobs": " and ".join(jobs) or "true",
            "of_scores": " and ".join(scores) or "true",
            "of_status": " and ".join(ended) or "true",
        },
        values,
    )


def _with_parameters(jobs: pa.Table, asked: Sequence[str]) -> list[str]:
    """The sets of parameters, as the registry has them, that are as asked.

    Raises
    ------
    UserError
        For what is no ``name=value``, and for a name or value that no result has.
    """
    parsed = {text: parameters(text) for text in set(jobs["params"].to_pylist())}
    wanted: dict[str, list[str]] = {}
    for one in asked:
        name, equals, value = one.partition("=")
        if not equals:
            raise UserError(f"param {one}: write it as name=value")
        known = sorted(set(chain.from_iterable(parsed.values())))
        if name not in known:
            raise unknown("parameter", name, known)
        if not any(is_assigned(own, name, value) for own in parsed.values()):
            values = sorted({own[name] for own in parsed.values() if name in own})
            raise unknown(f"value of parameter {name}", value, values)
        wanted.setdefault(name, []).append(value)
    return [
        text
        for text, own in parsed.items()
        if all(
            any(is_assigned(own, name, value) for value in values)
            for name, values in wanted.items()
        )
    ]


def _planned() -> pa.Table:
    """Trials that every known task and profile asks for."""
    from motifidelity.tasks.spec import known_specs

    rows = [
        {"task": spec.id, "profile": profile.name, "planned": profile.trials}
        for spec in known_specs().values()
        for profile in spec.profiles.values()
    ]
    fields_ = [("task", pa.string()), ("profile", pa.string()), ("planned", pa.int64())]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields_))


def _first_read() -> pa.Table:
    """How scores of maps are read first, by task, where that is not the method's own way."""
    from motifidelity.tasks.spec import known_specs, read_first

    rows = [
        {"task": task, "metric": metric, "method": method, "reading": reading}
        for task in known_specs()
        for (metric, method), reading in read_first(task).items()
    ]
    names = ("task", "metric", "method", "reading")
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names]))


def _with_intervals(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    from motifidelity.metrics.declare import all_metrics

    mean, sd, n = (frame[column].to_numpy(float) for column in ("mean", "sd", "done"))
    low, high = mean_intervals(frame["metric"].to_list(), mean, sd, n, all_metrics(), level)
    return frame.assign(low=low, high=high)


_READ_FIRST = """coalesce(reading, 'own') = coalesce((
    select first_read.reading from first_read join jobs using (task)
    where jobs.result_id = scores.result_id and first_read.metric = scores.metric
        and first_read.method = coalesce(scores.method, '')
), 'own')"""

# ``jobs`` holds the results that count
_TRIALS = """
with trials as (
    select *, dense_rank() over (order by {run}) as run from jobs where {of_jobs}
), kept as (
    select result_id, {score}, case when isfinite(value) then value end as value,
        sd as value_sd, n, metric_version
    from scores where {of_scores}
)
"""

_BY_TRIAL = (
    _TRIALS
    + """
select trials.* exclude (run), kept.* exclude (result_id)
from trials left join kept using (result_id)
where (metric is not null or status <> 'ok') and {of_status}
order by {run}, trial, seed, {score}
"""
)

_AVERAGED = (
    _TRIALS
    + """
, runs as (
    select run, {run}, count(*) as recorded, count(*) filter (status = 'ok') as ended_ok,
        count(*) filter (status <> 'ok') as failed, min(started) as started
    from trials group by run, {run} having bool_or({of_status})
), sized as (
    -- reference rows are one of a kind: only what people submit has trials that should be there
    select runs.*, greatest(
        recorded, case when division in ('closed', 'open') then coalesce(planned, 0) else 0 end
    ) as expected
    from runs left join planned using (task, profile)
), cells as (
    select run, {score}, avg(value) as mean, stddev_samp(value) as sd, count(value) as done,
        case when min(metric_version) = max(metric_version) then max(metric_version)::varchar
            else min(metric_version) || '-' || max(metric_version) end as metric_version
    from trials join kept using (result_id) where status = 'ok' group by run, {score}
)
select {run}, {score}, mean, sd, coalesce(done, 0) as done, failed, metric_version, started,
    expected,
    expected - recorded as missing,
    coalesce(done, 0) || '/' || expected as coverage
from sized left join cells using (run)
where metric is not null or ended_ok = 0
order by {run}, {score}
"""
)
