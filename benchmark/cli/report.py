"""``bench report``: tables of a registry in Markdown documents."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("documents", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--registry",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("baselines"),
    show_default=True,
    help="Folder of results.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail where a document is out of date.")
def command(documents: tuple[Path, ...], folder: Path, check: bool) -> int:
    """Write a registry's tables into Markdown documents.

    A table stands between the lines <!-- table: NAME --> and <!-- /table -->; everything else in a
    document is left as it is.
    """
    from motifidelity.errors import UserError
    from motifidelity.registry import Registry
    from motifidelity.report import write_report

    if not folder.is_dir():
        raise UserError(f"registry {folder}: no such folder; give one with --registry")
    changed = write_report(Registry(folder), documents, check=check)
    for path in changed:
        click.echo(f"{path}: {'out of date' if check else 'written'}")
    return 1 if check and changed else 0
