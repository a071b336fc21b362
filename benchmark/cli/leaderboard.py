"""``bench leaderboard``: draw the page of a registry."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("leaderboard")
@click.option(
    "--registry",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of results.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the page; default: in the registry."
)
def command(folder: Path, out: Path | None) -> None:
    """Draw the leaderboard of a registry as pages that open from disk."""
    from motifidelity.errors import UserError
    from motifidelity.registry import Registry
    from motifidelity.summary import draw_leaderboard

    if not folder.is_dir():
        raise UserError(f"registry {folder}: no such folder; give one with --registry")
    click.echo(draw_leaderboard(Registry(folder), out))
