"""``bench rescore``: new scores from kept arrays and networks."""

from __future__ import annotations

import click

from motifidelity.cli.options import (
    image_option,
    limit_options,
    registry_option,
    runner_option,
    say_where_the_page_goes,
)


@click.command("rescore")
@registry_option
@click.option("--probe", is_flag=True, help="Probe the kept networks again first.")
@click.option(
    "--patterns",
    is_flag=True,
    help="Discover motifs in the maps with TF-MoDISco too (minutes a map; an optional extra).",
)
@click.option(
    "--as",
    "version",
    metavar="NAME@VERSION|FILE",
    help="Score the networks of the task's earlier versions under this one, without training.",
)
@runner_option
@image_option
@limit_options
def command(
    location: str,
    probe: bool,
    patterns: bool,
    version: str | None,
    runner: str,
    image: str | None,
    memory: str | None,
    cpus: float | None,
    timeout: float | None,
) -> int:
    """Score finished results again with today's metrics, without training.

    Earlier results stay in the registry; the latest of each job counts. Where a network is probed
    again, that happens where --runner says; one that was trained in a container is probed in a
    container alone. With --as a task's new version, which must have the same data and recipe, is
    given results of the networks that an earlier version has; 'bench run' then skips these.
    """
    from motifidelity.executors.choose import choose_executor
    from motifidelity.phase.wish import Wish
    from motifidelity.registry import existing_registry
    from motifidelity.report.draw import draw_leaderboard
    from motifidelity.runs.rescore import rescore
    from motifidelity.tasks.spec import given_spec

    registry = existing_registry(location)
    under = given_spec(version) if version else None
    executor = choose_executor(Wish(runner, image, memory, cpus, timeout), _note)
    done = rescore(
        registry, executor, probe_again=probe, patterns=patterns, version=under, note=_note
    )
    count = len(done.written)
    click.echo(f"{count} result{'s' if count != 1 else ''} scored again")
    if done.failed:
        _note(f"{done.failed} could not be scored again: see above")
    say_where_the_page_goes(registry)
    click.echo(f"Leaderboard: {draw_leaderboard(registry)}")
    return 1 if done.failed else 0


def _note(text: str) -> None:
    click.echo(text, err=True)
