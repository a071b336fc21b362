"""``bench doctor``: what works on this machine, and what mends the rest."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from motifidelity.cli.options import registry_option


@click.command("doctor")
@registry_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(location: str, as_json: bool) -> int:
    """Say what works here, and for each thing that does not, the command that mends it."""
    from motifidelity import scratch
    from motifidelity.machine import doctor

    scratch.sweep()
    if as_json:
        checks = list(doctor.examine(location))
        click.echo(json.dumps([asdict(check) for check in checks], indent=1))
        return int(any(check.state == doctor.BROKEN for check in checks))
    return 0 if doctor.screen(doctor.examine(location), click.echo) else 1
