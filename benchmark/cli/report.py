"""``bench report``: tables of a registry in Markdown documents."""

from __future__ import annotations

from pathlib import Path

import click

from motifidelity.cli.options import registry_at


@click.command("report")
@click.argument("documents", nargs=-1, required=True, type=click.Path(path_type=Path))
@registry_at("baselines")
@click.option("--check", is_flag=True, help="Write nothing; fail where a document is out of date.")
def command(documents: tuple[Path, ...], location: str, check: bool) -> int:
    """Write a registry's tables into Markdown documents.

    A table stands between the lines <!-- table: NAME --> and <!-- /table -->; everything else in a
    document is left as it is.
    """
    from motifidelity.registry import existing_registry
    from motifidelity.report import write_report

    changed = write_report(existing_registry(location), documents, check=check)
    for path in changed:
        click.echo(f"{path}: {'out of date' if check else 'written'}")
    return 1 if check and changed else 0
