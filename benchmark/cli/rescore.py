"""``bench rescore``: new scores from kept arrays and networks."""

from __future__ import annotations

import click

from motifidelity.cli.options import registry_option, say_where_the_page_goes


@click.command("rescore")
@registry_option
@click.option("--probe", is_flag=True, help="Probe the kept networks again first.")
@click.option(
    "--patterns",
    is_flag=True,
    help="Discover motifs in the maps with TF-MoDISco too (minutes a map; an optional extra).",
)
def command(location: str, probe: bool, patterns: bool) -> None:
    """Score finished results again with today's metrics, without training.

    Earlier results stay in the registry; the latest of each job counts.
    """
    from motifidelity.executors.process import ProcessExecutor
    from motifidelity.registry import existing_registry
    from motifidelity.rescore import rescore
    from motifidelity.summary import draw_leaderboard

    registry = existing_registry(location)
    written = rescore(registry, ProcessExecutor(), probe_again=probe, patterns=patterns, note=_note)
    click.echo(f"{len(written)} result{'s' if len(written) != 1 else ''} scored again")
    say_where_the_page_goes(registry)
    click.echo(f"Leaderboard: {draw_leaderboard(registry)}")


def _note(text: str) -> None:
    click.echo(text, err=True)
