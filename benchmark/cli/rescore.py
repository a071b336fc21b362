"""``bench rescore``: new scores from kept arrays and networks."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("rescore")
@click.option(
    "--registry",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of results.",
)
@click.option("--probe", is_flag=True, help="Probe the kept networks again first.")
@click.option(
    "--patterns",
    is_flag=True,
    help="Discover motifs in the maps with TF-MoDISco too (minutes a map; an optional extra).",
)
def command(folder: Path, probe: bool, patterns: bool) -> None:
    """Score finished results again with today's metrics, without training.

    Earlier results stay in the registry; the latest of each job counts.
    """
    from motifidelity.errors import UserError
    from motifidelity.executors.process import ProcessExecutor
    from motifidelity.registry import Registry
    from motifidelity.rescore import rescore
    from motifidelity.summary import draw_leaderboard

    if not folder.is_dir():
        raise UserError(f"registry {folder}: no such folder; give one with --registry")
    registry = Registry(folder)
    written = rescore(registry, ProcessExecutor(), probe_again=probe, patterns=patterns, note=_note)
    click.echo(f"{len(written)} result{'s' if len(written) != 1 else ''} scored again")
    click.echo(f"Leaderboard: {draw_leaderboard(registry)}")


def _note(text: str) -> None:
    click.echo(text, err=True)
