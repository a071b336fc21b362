"""``bench report``: tables and figures of a registry in Markdown documents."""

from __future__ import annotations

from pathlib import Path

import click

from motifidelity.backends import BACKENDS, DEFAULT_BACKEND
from motifidelity.cli.options import registry_at


@click.command("report")
@click.argument("documents", nargs=-1, required=True, type=click.Path(path_type=Path))
@registry_at("baselines")
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default=DEFAULT_BACKEND,
    show_default=True,
    help="DocumentTables what was run on this backend of Keras; no mean is over two of them.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail where a document is out of date.")
def command(documents: tuple[Path, ...], location: str, backend: str, check: bool) -> int:
    """Write a registry's tables and figures into Markdown documents.

    A table stands between the lines <!-- table: NAME --> and <!-- /table -->, a figure between
    <!-- figure: NAME --> and <!-- /figure --> with its file in figures/ beside the document;
    everything else in a document is left as it is.
    """
    from motifidelity.registry import existing_registry
    from motifidelity.report.documents import write_report
    from motifidelity.report.tables import DocumentTables

    report = DocumentTables(existing_registry(location), backend)
    for other, number in report.left_out.items():
        click.echo(
            f"bench: {number} {'result' if number == 1 else 'results'} of {other} left out; "
            f"--backend {other} reports them",
            err=True,
        )
    for what, number in report.unlike.items():
        click.echo(
            f"bench: {number} {'result' if number == 1 else 'results'} of {what} left out, unlike "
            "most of that model's; 'bench results' shows them apart",
            err=True,
        )
    changed = write_report(report, documents, check=check)
    for path in changed:
        click.echo(f"{path}: {'out of date' if check else 'written'}")
    return 1 if check and changed else 0
