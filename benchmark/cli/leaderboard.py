"""``bench leaderboard``: draw the page of a registry."""

from __future__ import annotations

from pathlib import Path

import click

from motifidelity.cli.options import registry_option, say_where_the_page_goes


@click.command("leaderboard")
@registry_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the page; default: leaderboard/ in the registry, or here for s3://.",
)
def command(location: str, out: Path | None) -> None:
    """Draw the leaderboard of a registry as pages that open from disk."""
    from motifidelity.registry import existing_registry
    from motifidelity.summary import draw_leaderboard

    registry = existing_registry(location)
    if out is None:
        say_where_the_page_goes(registry)
    click.echo(draw_leaderboard(registry, out))
