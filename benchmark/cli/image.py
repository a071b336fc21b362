"""``bench image``: build, list, inspect and remove the images that submissions run in."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from motifidelity.cli.options import backend_option

if TYPE_CHECKING:
    from motifidelity.containers.engine import Engine
    from motifidelity.containers.images import WorkerImage


@click.group("image", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Build, list, inspect and remove the images that submissions run in."""


def _engine() -> Engine:
    from motifidelity import scratch
    from motifidelity.containers.engine import connect, remove_orphans

    scratch.sweep()
    engine = connect()
    remove_orphans(engine)
    return engine


@command.command("build")
@click.option("--gpu", is_flag=True, help="Build the GPU image: TensorFlow with CUDA and cuDNN.")
@backend_option
@click.option("--base", metavar="IMAGE", help="Base image with Python 3.11 to 3.13.")
@click.option(
    "--ca-bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="PIP_CERT",
    help="Certificates for a package index behind a proxy; default: $PIP_CERT.",
)
@click.option("--no-cache", is_flag=True, help="Run every step anew.")
@click.option("--quiet", is_flag=True, help="Print the image's digest alone.")
def build(
    gpu: bool,
    backend: str | None,
    base: str | None,
    ca_bundle: Path | None,
    no_cache: bool,
    quiet: bool,
) -> None:
    """Build an image from the package's Dockerfile and its locked requirements."""
    from motifidelity.backends import DEFAULT_BACKEND
    from motifidelity.containers import images

    def say(line: str) -> None:
        if not quiet:
            click.echo(line, err=True)

    accelerator = images.accelerator_of(backend or DEFAULT_BACKEND, gpu=gpu)
    image = images.build(_engine(), accelerator, base, ca_bundle, say, fresh=no_cache)
    click.echo(image.id if quiet else f"{image.name}  {image.id}  {_size(image)}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the worker images of this machine."""
    from motifidelity.containers import images

    found = images.list_images(_engine())
    if as_json:
        click.echo(json.dumps([asdict(image) for image in found], indent=1))
        return
    if not found:
        click.echo("no worker image is built here; run 'bench image build'")
    for image in found:
        state = "current" if image.current else "of another version"
        click.echo(
            f"{image.name:<26} {image.id[7:19]}  {_size(image):>8}  {image.created}  {state}"
        )


@command.command("inspect")
@click.argument("name", required=False)
def inspect(name: str | None) -> None:
    """Print an image's digest, origin and package versions as JSON."""
    from motifidelity.containers import images
    from motifidelity.tasks.dataset import cache_folder

    engine = _engine()
    image = images.find(engine, name or images.default_name("cpu"))
    versions = images.packages(engine, image, cache_folder())
    click.echo(json.dumps({**asdict(image), "packages": versions}, indent=1))


@command.command("prune")
@click.option("--all", "everything", is_flag=True, help="Remove the current images too.")
def prune(everything: bool) -> None:
    """Remove worker images that were replaced or belong to another version."""
    from motifidelity.containers import images

    removed = images.prune(_engine(), everything=everything)
    for image in removed:
        click.echo(f"removed {image.name}  {image.id[7:19]}  {_size(image)}")
    if not removed:
        click.echo("nothing to remove")


def _size(image: WorkerImage) -> str:
    return f"{image.size / 1e9:.2f} GB" if image.size >= 1e9 else f"{image.size / 1e6:.0f} MB"
