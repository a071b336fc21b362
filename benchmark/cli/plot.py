"""``bench plot``: a registry's figures as files for papers."""

from __future__ import annotations

from pathlib import Path

import click

from motifidelity.cli.options import registry_option


@click.command("plot")
@registry_option
@click.option(
    "--format",
    "forms",
    multiple=True,
    default=("svg",),
    show_default=True,
    type=click.Choice(["svg", "png", "pdf"]),
    help="May be given several times; png and pdf need the extra 'plot'.",
)
@click.option(
    "--out",
    default="figures",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the files.",
)
@click.option(
    "--page",
    "pages",
    multiple=True,
    metavar="PATTERN",
    help="Figures of these pages, such as 'models/cnn-deep*'; default: the study's figures.",
)
@click.option("--each", is_flag=True, help="Each filter in a file of its own, beside the sheets.")
@click.option(
    "--scale", default=3.0, show_default=True, type=click.FloatRange(0.1, 20), help="Size of a PNG."
)
def command(
    location: str,
    forms: tuple[str, ...],
    out: Path,
    pages: tuple[str, ...],
    each: bool,
    scale: float,
) -> None:
    """Write the figures of a registry's pages as files.

    By default the study's: every score by activation and network, and accuracy against
    interpretability. Of a model's page a sheet for each trial, with its training and its filters,
    and the maps of the test sequences; --each writes every filter too, by trial, definition and
    number, such as cnn-deep-exponential-trial-0-filter-07. How many files are written is said
    before.
    """
    from motifidelity.registry import existing_registry
    from motifidelity.report.plots import write_figures

    registry = existing_registry(location)

    def note(text: str) -> None:
        click.echo(f"bench: {text}", err=True)

    for path in write_figures(registry, out, forms, pages, scale, each=each, note=note):
        click.echo(path)
