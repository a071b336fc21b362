"""``bench models``: the baseline networks."""

from __future__ import annotations

import textwrap

import click


@click.group("models")
def command() -> None:
    """List the baseline networks."""


@command.command("list")
def list_models() -> None:
    """List the baselines with parameters, number of weights and the tasks they fit."""
    from motifidelity.regress.baselines import activations, describe_baselines

    click.echo(f"{'model':11}{'file':21}{'parameters':25}weights by task that it fits")
    for baseline in describe_baselines():
        submission = baseline.submission
        parameters = ", ".join(f"{k}={v}" for k, v in submission.defaults.items())
        fits = ", ".join(f"{task} {weights:,}" for task, weights in baseline.weights.items())
        click.echo(
            f"{submission.name:11}{'models/' + submission.path.name:21}{parameters:25}{fits}"
        )
    click.echo(
        textwrap.fill(
            f"activation is one of {', '.join(activations())}", 100, subsequent_indent="  "
        )
    )
