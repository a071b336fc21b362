"""``bench cluster``: files that run the same command on SLURM or Kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _allocation(command: F) -> F:
    for option in (
        click.argument("line", nargs=-1, required=True, metavar="-- run|reproduce OPTIONS..."),
        click.option(
            "--memory", default="32g", show_default=True, metavar="SIZE", help="Per node."
        ),
        click.option("--gpus", type=click.IntRange(0), default=0, help="Per node."),
        click.option(
            "--cpus", type=click.IntRange(1), default=8, show_default=True, help="Per node."
        ),
        click.option("--nodes", type=click.IntRange(1), default=2, show_default=True),
    ):
        command = option(command)
    return command


@click.group("cluster")
def command() -> None:
    """Write the file that runs a command on a cluster; docs/clusters.md explains it."""


@command.command("slurm")
@_allocation
@click.option("--time", default="24:00:00", show_default=True, metavar="[D-]HH:MM:SS")
@click.option("--image", default="motifidelity.sif", show_default=True, help="Apptainer image.")
@click.option("--partition", metavar="NAME")
@click.option("--account", metavar="NAME")
@click.option("--bind", "binds", multiple=True, metavar="FOLDER", help="Folder to be seen inside.")
def slurm(
    line: tuple[str, ...],
    nodes: int,
    cpus: int,
    gpus: int,
    memory: str,
    time: str,
    image: str,
    partition: str | None,
    account: str | None,
    binds: tuple[str, ...],
) -> None:
    """Print a batch script: Ray on a SLURM allocation, in an Apptainer image."""
    from motifidelity.machine import clusters

    allocation = clusters.Allocation(nodes, cpus, gpus, memory, time)
    script = clusters.slurm(
        line, allocation, image=image, partition=partition, account=account, binds=binds
    )
    click.echo(script, nl=False)


@command.command("kuberay")
@_allocation
@click.option("--image", required=True, help="Image with Ray and this package.")
@click.option("--name", default="motifidelity", show_default=True, help="Name of every object.")
@click.option(
    "--model-file",
    type=click.Path(path_type=Path),
    help="Model file that goes along, as /models/FILE.",
)
def kuberay(
    line: tuple[str, ...],
    nodes: int,
    cpus: int,
    gpus: int,
    memory: str,
    image: str,
    name: str,
    model_file: Path | None,
) -> None:
    """Print a manifest: a RayCluster and the Job that uses it."""
    from motifidelity.machine import clusters

    allocation = clusters.Allocation(nodes, cpus, gpus, memory)
    click.echo(
        clusters.kuberay(line, allocation, image=image, name=name, model=model_file), nl=False
    )
