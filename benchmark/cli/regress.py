"""``bench regress``: compare what the code does today with the committed record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _against(function: F) -> F:
    """Options that every form of the command has."""
    function = click.option(
        "--only",
        multiple=True,
        metavar="CHECK",
        help="datasets, activations, networks, first-layer, definitions or metrics; repeatable.",
    )(function)
    return click.option(
        "--against",
        "folder",
        type=click.Path(path_type=Path),
        help="Folder of committed baselines; default: baselines.",
    )(function)


@click.group(
    "regress",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@_against
@click.option("--train", is_flag=True, help="Also train two networks at profile quick (minutes).")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Take the trained networks' scores from this registry instead of training.",
)
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML to this file.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write Markdown to this file.")
@click.option("--all", "every", is_flag=True, help="Print every value that drifted.")
@click.pass_context
def command(
    context: click.Context,
    /,
    folder: Path | None,
    only: tuple[str, ...],
    train: bool,
    source: Path | None,
    junit: Path | None,
    markdown: Path | None,
    every: bool,
) -> int:
    """Compare what the code does today with the committed record; exit status 1 on a drift.

    Checked are datasets, activations of the committed networks, the networks that the baselines
    build and the first layer picked in them, and metrics on stored arrays, each value with a
    tolerance that was measured.
    """
    context.obj = folder
    if context.invoked_subcommand is not None:
        return 0
    from motifidelity.regress.drift import as_junit, as_markdown, as_text, compare
    from motifidelity.regress.golden import read_golden
    from motifidelity.regress.observe import observe
    from motifidelity.regress.trained import observe_trained

    folder = folder or Path("baselines")
    trained = train or source is not None
    kinds = _kinds(only, trained)
    golden = read_golden(folder)
    found = observe(kinds, folder, _say)
    if "scores" in kinds:
        found |= observe_trained(source, _say)
    findings = compare(golden, found, kinds)
    for path, text in ((junit, as_junit), (markdown, as_markdown)):
        if path is not None:
            _write(path, text(findings))
    click.echo(as_text(findings, every=every))
    bad = sum(finding.bad for finding in findings)
    if bad:
        click.echo(
            f"{bad} value{'s' if bad > 1 else ''} drifted. If that is intended: bench regress "
            "update --reason '...'",
            err=True,
        )
    return int(bad > 0)


@command.command("update")
@_against
@click.option("--reason", required=True, help="Why the record changes; kept in the log beside it.")
@click.option("--train", is_flag=True, help="Also record scores of trained networks (minutes).")
@click.option("--probe", is_flag=True, help="Store the arrays of the metrics anew.")
@click.option("--anonymous", is_flag=True, help="Leave your name, as git knows it, out of the log.")
@click.pass_obj
def update(
    given: Path | None,
    /,
    folder: Path | None,
    only: tuple[str, ...],
    reason: str,
    train: bool,
    probe: bool,
    anonymous: bool,
) -> None:
    """Record today's values, measure their tolerances, and log who asked and why."""
    from motifidelity.regress.record import caller
    from motifidelity.regress.record import update as record

    folder = folder or given or Path("baselines")
    counts = record(
        folder,
        _kinds(only, train),
        reason,
        _say,
        author=None if anonymous else caller(),
        probe=probe,
    )
    click.echo(", ".join(f"{number} {name}" for name, number in counts.items()))


@command.command("measure")
@_against
@click.option("--train", is_flag=True, help="Also of the scores of trained networks (minutes).")
@click.pass_obj
def measure(given: Path | None, /, folder: Path | None, only: tuple[str, ...], train: bool) -> None:
    """Measure the tolerances again from repeated runs; the recorded values stay."""
    from motifidelity.regress.record import measure_again

    folder = folder or given or Path("baselines")
    number = measure_again(folder, _kinds(only, train), _say)
    click.echo(f"{number} tolerances measured")


def _kinds(only: tuple[str, ...], trained: bool) -> list[str]:
    from motifidelity.errors import unknown
    from motifidelity.regress.drift import KINDS

    known = [kind for kind in KINDS if kind != "scores"]
    for kind in only:
        if kind not in known:
            raise unknown("check", kind, known)
    return [*(kind for kind in known if not only or kind in only), *(["scores"] * trained)]


def _write(path: Path, text: str) -> None:
    from motifidelity.errors import DataError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror or error}); choose another file"
        ) from error


def _say(text: str) -> None:
    click.echo(text, err=True)
