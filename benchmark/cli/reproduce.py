"""``bench reproduce``: the reference study's grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from motifidelity.cli.options import (
    backend_option,
    logs_option,
    pack_option,
    place_options,
    registry_at,
    say_where_the_page_goes,
)

if TYPE_CHECKING:
    from motifidelity.phase.wish import Wish


@click.command("reproduce")
@click.option(
    "--part",
    "parts",
    multiple=True,
    metavar="NAME",
    help="contrast, plain, modified, modified-others (default: these), initialisation, deviation, "
    "scale.",
)
@click.option(
    "--cells",
    multiple=True,
    metavar="PATTERN",
    help="Such as cnn_deep/relu, */exponential or first_layer/*/stddev=0.5.",
)
@click.option("--trials", type=click.IntRange(1), help="Trials a cell; default: the part's own.")
@click.option("--profile", default="full", show_default=True, metavar="NAME")
@registry_at("baselines")
@click.option("--retry-failed", is_flag=True, help="Run jobs again whose model failed before.")
@place_options
@backend_option
@pack_option
@logs_option
@click.option("--dry-run", is_flag=True, help="Print the jobs and an estimate, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON lines on standard output.")
def command(
    parts: tuple[str, ...],
    cells: tuple[str, ...],
    trials: int | None,
    profile: str,
    location: str,
    retry_failed: bool,
    wish: Wish,
    backend: str | None,
    pack: int,
    logs: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Train the study's networks with its activations, in the order in which it is worth it.

    Finished jobs are skipped, so the same command goes on where it was stopped.
    """
    from motifidelity.backends import DEFAULT_BACKEND
    from motifidelity.cli.scores import exit_status
    from motifidelity.executors.choose import choose_executor
    from motifidelity.registry import Registry
    from motifidelity.report.draw import draw_leaderboard
    from motifidelity.runs.display import open_display
    from motifidelity.runs.forecast import forecast
    from motifidelity.runs.logs import JobLogs
    from motifidelity.runs.run import run_plan
    from motifidelity.runs.study_jobs import plan_study

    wish = replace(wish, backend=backend or DEFAULT_BACKEND)
    place = choose_executor(wish, lambda text: click.echo(text, err=True))
    plan = plan_study(parts, cells, trials, profile, place.image, backend)
    registry = Registry(location)
    slots = place.place.slots
    found = forecast(plan, registry, slots=slots, retry_failed=retry_failed, anywhere=True)
    if dry_run:
        for job in plan:
            status = found.settled.get(job.id)
            mark = "finished" if status == "ok" else status
            click.echo("  ".join(filter(None, (job.id, mark, job.label))))
        click.echo(str(found), err=True)
        return 0
    with open_display(as_json) as display:
        display.note(str(found))
        ended = run_plan(
            plan,
            registry,
            place,
            display,
            retry_failed=retry_failed,
            references=True,
            logs=JobLogs(logs) if logs else None,
            pack=pack,
            keep=wish.executor == "local",
        )
    say_where_the_page_goes(registry)
    click.echo(f"Leaderboard: {draw_leaderboard(registry)}", err=as_json)
    return exit_status(ended, len(plan))
