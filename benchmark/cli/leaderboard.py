"""``bench leaderboard``: draw the page of a registry."""

from __future__ import annotations

from pathlib import Path

import click

from motifidelity.cli.options import registry_option


@click.command("leaderboard")
@registry_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the page; default: leaderboard in the registry's folder, or here.",
)
def command(location: str, out: Path | None) -> None:
    """Draw the leaderboard of a registry as pages that open from disk."""
    from motifidelity.registry import existing_registry
    from motifidelity.summary import draw_leaderboard

    click.echo(draw_leaderboard(existing_registry(location), out))
