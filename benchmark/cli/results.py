"""``bench results``: ask the registry, by filters or in SQL, and set models beside each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    import pandas as pd

    from motifidelity.registry import Registry
    from motifidelity.summary.query import Query

F = TypeVar("F", bound=Callable[..., Any])
FILTERS = {
    "task": "NAME (all its versions) or NAME@VERSION.",
    "model": "Model's name.",
    "metric": "Metric's name.",
    "method": "What a score is of, such as saliency; none: scores without a method.",
    "reading": "How maps were read: signed, magnitude; default: each method's own way.",
    "family": "Family of metrics.",
    "definition": "standard, corrected or paper.",
    "profile": "full, quick, ...",
    "division": "closed or open.",
    "isolation": "none or container.",
    "backend": "tensorflow, jax or torch.",
    "param": "NAME=VALUE that the model was built with.",
}


def _output(function: F) -> F:
    """Options that every form of the command has."""
    function = click.option(
        "--format",
        "form",
        type=click.Choice(["table", "csv", "json", "markdown"]),
        help="Form of the output; default: table.",
    )(function)
    return click.option(
        "--registry",
        "place",
        metavar="PLACE",
        help="Registry of results; default: results.",
    )(function)


def _filters(function: F) -> F:
    """A repeatable option for every filter."""
    for name, text in reversed(FILTERS.items()):
        function = click.option(f"--{name}", multiple=True, metavar="TEXT", help=text)(function)
    return function


@click.group(
    "results",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@_filters
@click.option("--status", multiple=True, metavar="TEXT", help="How a trial ended: ok, oom, ...")
@click.option("--per-trial", is_flag=True, help="One row a trial instead of a mean over trials.")
@click.option("--per-class", is_flag=True, help="Scores of single classes too.")
@click.option("--columns", metavar="A,B,...", help="Columns to print; all: every one.")
@click.option("--sort", metavar="A,-B,...", help="Sort by columns; -B: largest first.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the interval.")
@_output
@click.pass_context
def command(
    context: click.Context,
    /,
    per_trial: bool,
    per_class: bool,
    columns: str | None,
    sort: str | None,
    level: float,
    place: str | None,
    form: str | None,
    **filters: Any,
) -> None:
    """Print results: mean, SD, interval and coverage of every score, or trial by trial.

    Options given several times accept any of their values. A mean's coverage is the number of
    trials that it covers of those that there should be; a run without a finished trial is a row
    without a score. What tells runs of one name apart is said: the version of the file (@ and the
    beginning of its digest) and when it was first run, parameters, backend, isolation.
    """
    context.obj = (place, form)
    if context.invoked_subcommand is not None:
        used = [
            name for name, value in {**filters, "columns": columns, "sort": sort}.items() if value
        ]
        if used:
            raise click.UsageError(
                f"--{used[0]} must stand behind '{context.invoked_subcommand}', not before it"
            )
        return
    from motifidelity.summary import query as q

    asked = q.Query(
        **filters,
        per_class=per_class,
        per_trial=per_trial,
        columns=q.columns(per_trial) if columns == "all" else _names(columns),
        sort=_names(sort),
        level=level,
    )
    _answer(_registry(place), asked, form)


def _answer(registry: Registry, asked: Query, form: str | None) -> None:
    """Print what is asked: for people by task, with what tells runs apart; else in columns."""
    import dataclasses

    from motifidelity.cli.tables import results_tables
    from motifidelity.summary import query as q
    from motifidelity.summary.rivals import below_counting

    if asked.columns or form not in (None, "table"):
        if not asked.columns:
            more = ("target",) if asked.per_class else ()
            asked = dataclasses.replace(asked, columns=(*q.BRIEF[asked.per_trial], *more))
        _print(q.answer(registry, asked), form)
        return
    everything = dataclasses.replace(asked, columns=q.columns(asked.per_trial))
    _say(results_tables(q.answer(registry, everything), below_counting(registry)))


@command.command("sql")
@click.argument("statement")
@_output
@click.pass_obj
def sql(
    given: tuple[str | None, str | None],
    /,
    statement: str,
    place: str | None,
    form: str | None,
) -> None:
    """Answer one SELECT on the views jobs, scores, filters and history, in DuckDB's dialect.

    The views hold the results that count. Nothing else can be read, nothing written.
    """
    from motifidelity.summary.query import run_sql

    table = run_sql(_registry(place or given[0]), statement)
    _print(table.to_pandas(), form or given[1])


@command.command("rank")
@_filters
@click.option("--references", is_flag=True, help="Ceilings and floors too, without a rank.")
@_output
@click.pass_obj
def rank(
    given: tuple[str | None, str | None],
    /,
    references: bool,
    place: str | None,
    form: str | None,
    **filters: Any,
) -> None:
    """Rank models, with the ranks that trials leave possible, ties, and scores at matched accuracy.

    By the score that ranks on the leaderboard, unless --metric, --method, --family or --definition
    ask for others. All models are laid out together, blocked by seed; 'possible' are the ranks
    that the trials leave possible (95%). Models that share a letter are not told apart; one of
    fewer than three trials is provisional and has no rank. --format csv and json hold more
    columns: intervals, and scores at matched accuracy.
    """
    from motifidelity.cli.ranking import ranking
    from motifidelity.cli.tables import rank_tables
    from motifidelity.summary.query import Query

    form = form or given[1]
    frame = ranking(_registry(place or given[0]), Query(**filters), references=references)
    if form in (None, "table"):
        _say(rank_tables(frame))
    else:
        _print(frame, form)


@command.command("compare")
@click.argument("runs", nargs=-1, metavar="[A B]")
@_filters
@click.option(
    "--test",
    type=click.Choice(["t", "rank"]),
    default="t",
    show_default=True,
    help="Of means (Tukey's range, in one layout), or of ranks (Wilcoxon, Mann-Whitney).",
)
@_output
@click.pass_obj
def compare(
    given: tuple[str | None, str | None],
    /,
    runs: tuple[str, ...],
    test: str,
    place: str | None,
    form: str | None,
    **filters: Any,
) -> None:
    """Compare two runs, or every pair of models, with p-values for all pairs together.

    A and B are runs as 'bench results' calls them: a model's name and what else tells it from
    others of its name, such as 'CNN-2 activation=relu', 'CNN-2@3f2a91c7' (a version of its file),
    'CNN-2 on jax', 'CNN-2 container'. By the score that ranks, of every pair, unless others are
    asked for; of two runs by all headline scores.
    """
    from motifidelity.cli.ranking import comparison
    from motifidelity.cli.tables import pair_tables
    from motifidelity.summary.query import Query

    if len(runs) not in (0, 2):
        raise click.UsageError(
            "compare takes two runs, or none for every pair; put a name with spaces in quotes"
        )
    kind: Any = test
    form = form or given[1]
    frame = comparison(_registry(place or given[0]), Query(**filters), runs, kind)
    if form in (None, "table"):
        _say(pair_tables(frame))
    else:
        _print(frame, form)


@command.command("gates")
@_filters
@_output
@click.pass_obj
def gates(
    given: tuple[str | None, str | None],
    /,
    place: str | None,
    form: str | None,
    **filters: Any,
) -> None:
    """Say which networks pass the gates of their task: figure, bound and verdict of each trial.

    A network past a bound is flagged: the scores that hang on the figure are shown and not ranked.
    What was recorded before there was the gate, or on a task without it, is 'not recorded', which
    is no flag.
    """
    from motifidelity.summary.query import Query
    from motifidelity.summary.verdicts import gates as every_gate

    _print(every_gate(_registry(place or given[0]), Query(**filters)), form or given[1])


@command.command("rivals")
@_filters
@_output
@click.pass_obj
def rivals(
    given: tuple[str | None, str | None],
    /,
    place: str | None,
    form: str | None,
    **filters: Any,
) -> None:
    """Say which networks do better than counting: each beside the 6-mer regression of its task.

    Predicts is the AUROC, of a regression the correlation, Maps the mean of six views. A network is
    'above' where the lower end of its 95% interval is above what counting has: over trials, or
    below three of them over test sequences. Tasks without such an entry have no row.
    """
    from motifidelity.summary.query import Query
    from motifidelity.summary.rivals import beside_counting

    frame = beside_counting(_registry(place or given[0]), Query(**filters))
    _print(frame, form or given[1])


@command.command("capabilities")
@_filters
@_output
@click.pass_obj
def capabilities(
    given: tuple[str | None, str | None],
    /,
    place: str | None,
    form: str | None,
    **filters: Any,
) -> None:
    """Say what each network can do: six figures a task, 0 its floor and 1 its oracle.

    Predicts, Filters, Maps, Effects, Rules, Robust: each is of the task's own scores, which 'bench
    tasks show' lists. Rows of task 'all' are means over the suite's tasks: a figure is there only
    where the network has run every task that asks for it, and 'ran' names those that it has. The
    row of the 6-mer regression is what counting gets.
    """
    from motifidelity.cli.capabilities import capability_answer
    from motifidelity.summary.query import Query

    frame = capability_answer(_registry(place or given[0]), Query(**filters))
    _print(frame, form or given[1])


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _registry(place: str | None) -> Registry:
    from motifidelity.errors import UserError
    from motifidelity.registry import existing_registry

    place = place or "results"
    registry = existing_registry(place)
    if not registry.latest("jobs")["jobs"].num_rows:
        raise UserError(
            f"registry {place}: holds no result yet; 'bench run' records some, or give another "
            "with --registry"
        )
    return registry


def _print(frame: pd.DataFrame, form: str | None) -> None:
    """Print columns; people get parameters as they are typed."""
    from motifidelity.summary.formats import format_frame
    from motifidelity.summary.names import assigned, parameters

    if form not in ("csv", "json") and "params" in frame and frame.columns.is_unique:
        said = [" ".join(assigned(parameters(str(text)))) for text in frame["params"]]
        frame = frame.assign(params=said)
    if len(frame) or form not in (None, "table"):
        click.echo(format_frame(frame, form or "table"))
    if frame.empty:
        click.echo("no result matches", err=True)


def _say(text: str) -> None:
    """Print a table, or that there is none."""
    if text:
        click.echo(text)
    else:
        click.echo("no result matches", err=True)
