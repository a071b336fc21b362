"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from motifidelity.registry import Registry

DEFAULT_REGISTRY = "results"

registry_option = click.option(
    "--registry",
    "location",
    default=DEFAULT_REGISTRY,
    show_default=True,
    metavar="FOLDER|s3://...",
    help="Where the results are: a folder or s3://bucket/prefix.",
)


def say_where_the_page_goes(registry: Registry) -> None:
    """Note that the page of a registry in a bucket is drawn here."""
    if not registry.local:
        click.echo(
            f"bench: {registry.name} is no folder of this machine: its page is drawn into "
            "./leaderboard",
            err=True,
        )
