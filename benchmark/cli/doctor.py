"""``bench doctor``: what works on this machine, and what mends the rest."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.command("doctor")
@click.option(
    "--registry",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of results.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(folder: Path, as_json: bool) -> int:
    """Say what works here, and for each thing that does not, the command that mends it."""
    from motifidelity import doctor, scratch

    scratch.sweep()
    if as_json:
        checks = list(doctor.examine(folder))
        click.echo(json.dumps([asdict(check) for check in checks], indent=1))
        return int(any(check.state == doctor.BROKEN for check in checks))
    return 0 if doctor.screen(doctor.examine(folder), click.echo) else 1
