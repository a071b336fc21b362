"""Options that several commands have."""

from __future__ import annotations

import click

DEFAULT_REGISTRY = "results"

registry_option = click.option(
    "--registry",
    "location",
    default=DEFAULT_REGISTRY,
    show_default=True,
    metavar="FOLDER|s3://...",
    help="Where the results are: a folder or s3://bucket/prefix.",
)
