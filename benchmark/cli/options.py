"""Options that several commands have."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from motifidelity.backends import BACKENDS

if TYPE_CHECKING:
    from motifidelity.registry import Registry

DEFAULT_REGISTRY = "results"

F = TypeVar("F", bound=Callable[..., Any])


def registry_at(default: str) -> Callable[[F], F]:
    """The option ``--registry`` of a command whose results are usually at ``default``."""
    return click.option(
        "--registry",
        "location",
        default=default,
        show_default=True,
        metavar="FOLDER|s3://...",
        help="Where the results are: a folder or s3://bucket/prefix.",
    )


registry_option = registry_at(DEFAULT_REGISTRY)

tasks_option = click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar="NAME|FILE|all",
    help="Task of the suite, or the file of your own; all: every task of the suite; default: the "
    "newest version of the study's two.",
)


def _refuse_strays(context: click.Context, _: click.Parameter, words: tuple[str, ...]) -> None:
    if words:
        raise click.UsageError(f"give the model file as --model {shlex.quote(words[0])}", context)


# what people type who do not know of --model
no_strays = click.argument(
    "strays", nargs=-1, metavar="", expose_value=False, callback=_refuse_strays
)

runner_option = click.option(
    "--runner",
    type=click.Choice(["process", "docker", "auto"]),
    default="process",
    show_default=True,
    help="Where the model's code runs; auto: a container where Docker answers.",
)

backend_option = click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    help="What Keras runs on; default: as the model file says, or tensorflow.",
)

# three files a trial, within what an output folder may hold
LARGEST_PACK = 16

pack_option = click.option(
    "--pack",
    type=click.IntRange(1, LARGEST_PACK),
    default=1,
    metavar="N",
    help="Train up to N trials of a model together (--backend jax).",
)

image_option = click.option(
    "--image", metavar="NAME", help="Container image; default: as 'bench image' built it."
)


logs_option = click.option(
    "--logs",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="One text file a job: what happened when and where, and what the model printed.",
)


def limit_options(command: F) -> F:
    """The options ``--memory``, ``--cpus`` and ``--timeout`` of a phase."""
    for option in (
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            help="Seconds that a phase may take.",
        ),
        click.option(
            "--cpus", type=click.FloatRange(min=0, min_open=True), help="Processors of a phase."
        ),
        click.option("--memory", metavar="SIZE", help="Memory of a phase, such as 8g."),
    ):
        command = option(command)
    return command


def place_options(command: F) -> F:
    """Where jobs run, how many and within which limits; the command gets it as ``wish``."""

    @functools.wraps(command)
    def wishing(**given: Any) -> Any:
        from motifidelity.phase.wish import Wish

        # the backend is the model's to say
        names = [field.name for field in fields(Wish) if field.name != "backend"]
        wish = Wish(**{name: given.pop(name) for name in names})
        return command(wish=wish, **given)

    made: Any = wishing
    for option in (
        click.option(
            "--gpus", metavar="WHICH", help="all, a number, or UUIDs; on Ray, GPUs of one job."
        ),
        limit_options,
        image_option,
        runner_option,
        click.option(
            "--jobs",
            type=click.IntRange(1),
            metavar="N",
            help="Jobs at the same time: here, each with its share of the cores; on Ray, at most.",
        ),
        click.option(
            "--nodes", type=click.IntRange(1), metavar="N", help="Wait for so many nodes of Ray."
        ),
        click.option(
            "--address",
            metavar="ADDRESS",
            help="Of the cluster: ray://HOST:PORT, HOST:PORT, auto (default) or local.",
        ),
        click.option(
            "--executor",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="Which machines run the jobs: this one, or a Ray cluster.",
        ),
    ):
        made = option(made)
    return cast(F, made)


def say_where_the_page_goes(registry: Registry) -> None:
    """Note that the page of a registry in a bucket is drawn here."""
    if not registry.local:
        click.echo(
            f"bench: {registry.name} is no folder of this machine: its page is drawn into "
            "./leaderboard",
            err=True,
        )


def debugging() -> bool:
    """Whether ``bench --debug`` was asked for: whole stacks are shown."""
    return bool(click.get_current_context().find_root().params.get("debug"))
