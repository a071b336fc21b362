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
        help="datasets, files, activations, networks, first-layer, definitions or metrics; "
        "repeatable.",
    )(function)
    function = click.option(
        "--models",
        "models",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="PLACE",
        help="Model file, or a folder of them; default: as recorded, here, beside the record.",
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
@click.option(
    "--train",
    is_flag=True,
    help="Also train at profile quick: two of the suite's networks, or your files (minutes each).",
)
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
    models: tuple[Path, ...],
    train: bool,
    source: Path | None,
    junit: Path | None,
    markdown: Path | None,
    every: bool,
) -> int:
    """Compare what the code does today with the committed record; exit status 1 on a drift.

    Checked are datasets, the models' files, activations of the committed networks, the networks
    that the files build and the first layer picked in them, and metrics on stored arrays, each
    number with a tolerance that was measured. The first line says what was not looked at.
    """
    context.obj = (folder, models)
    if context.invoked_subcommand is not None:
        return 0
    from motifidelity.errors import DataError
    from motifidelity.regress.beside_record import check
    from motifidelity.regress.drift import as_junit, as_markdown, as_text

    folder = folder or Path("baselines")
    kinds = _kinds(only, train or source is not None)
    report = check(folder, kinds, _say, models=models, source=source)
    for path, text in ((junit, as_junit), (markdown, as_markdown)):
        if path is not None:
            _write(path, text(report.findings, report.unseen))
    click.echo(report.first_line)
    click.echo(as_text(report.findings, every=every))
    update = f"bench regress update{'' if folder == Path('baselines') else f' --against {folder}'}"
    if not report.compared:
        raise DataError(f"nothing was compared; record it with '{update} --reason ...'")
    if report.bad:
        first = [f"'{case.rerun(folder)}'" for case in report.changed[:1]]
        steps = ", then ".join([*first, f"{update} --reason '...'"])
        click.echo(
            f"{report.bad} value{'s' if report.bad > 1 else ''} drifted. If that is intended: "
            f"{steps}",
            err=True,
        )
    return int(report.bad > 0)


@command.command("update")
@_against
@click.option("--reason", required=True, help="Why the record changes; kept in the log beside it.")
@click.option("--train", is_flag=True, help="Also record scores of trained networks (minutes).")
@click.option("--probe", is_flag=True, help="Store the arrays of the metrics anew.")
@click.option("--anonymous", is_flag=True, help="Leave your name, as git knows it, out of the log.")
@click.pass_obj
def update(
    given: tuple[Path | None, tuple[Path, ...]],
    /,
    folder: Path | None,
    only: tuple[str, ...],
    models: tuple[Path, ...],
    reason: str,
    train: bool,
    probe: bool,
    anonymous: bool,
) -> None:
    """Record today's values, measure their tolerances, and log who asked and why.

    The first line says what was not looked at. A network whose model file has changed since is
    not recorded: run the file again first.
    """
    from motifidelity.regress.beside_record import not_looked_at
    from motifidelity.regress.record import caller
    from motifidelity.regress.record import update as record

    folder = folder or given[0] or Path("baselines")
    done = record(
        folder,
        _kinds(only, train),
        reason,
        _say,
        author=None if anonymous else caller(),
        probe=probe,
        models=models or given[1],
    )
    click.echo(not_looked_at(done.unseen))
    click.echo(", ".join(f"{number} {name}" for name, number in done.counts.items()))


@command.command("measure")
@_against
@click.option("--train", is_flag=True, help="Also of the scores of trained networks (minutes).")
@click.pass_obj
def measure(
    given: tuple[Path | None, tuple[Path, ...]],
    /,
    folder: Path | None,
    only: tuple[str, ...],
    models: tuple[Path, ...],
    train: bool,
) -> None:
    """Measure the tolerances again from repeated runs; the recorded values stay."""
    from motifidelity.regress.record import measure_again

    folder = folder or given[0] or Path("baselines")
    number = measure_again(folder, _kinds(only, train), _say, models or given[1])
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
