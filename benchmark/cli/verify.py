"""``bench verify``: check a submitted folder and run its model again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from motifidelity.cli.options import image_option, limit_options

if TYPE_CHECKING:
    from motifidelity.phase.interface import Executor


@click.command("verify")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--digests-only", is_flag=True, help="Check digests and rows; run nothing.")
@click.option("--seal", metavar="SHA256", help="The seal that the submitter told.")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar="NAME|FILE",
    help="Run only these tasks again; a task of your own is known by its file alone.",
)
@click.option(
    "--trials",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Trials to train again of each task and parameter set, drawn by lot.",
)
@click.option(
    "--tier",
    type=click.Choice(["local", "ci", "maintainer"]),
    default="local",
    show_default=True,
    help="Who verifies; stated when everything holds in a container.",
)
@click.option(
    "--runner",
    type=click.Choice(["docker", "process"]),
    default="docker",
    show_default=True,
    help="Where the model's code runs.",
)
@image_option
@limit_options
@click.option("--out", type=click.Path(path_type=Path), help="Folder for verification.json.")
@click.option("--json", "as_json", is_flag=True, help="Print the verification as JSON.")
def command(
    folder: Path,
    digests_only: bool,
    seal: str | None,
    tasks: tuple[str, ...],
    trials: int,
    tier: str,
    runner: str,
    image: str | None,
    memory: str | None,
    cpus: float | None,
    timeout: float | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Check a submission's folder, which is only read, and run its model again.

    First every digest and row, without running anything; then, in a container, training with the
    submitted seeds, and on data and with a seed that are drawn now and known to nobody.
    """
    from motifidelity.submitting.findings import lines
    from motifidelity.submitting.verification import refuse_inside, write_verification
    from motifidelity.submitting.verify import Wanted, verify_folder
    from motifidelity.tasks.spec import given_spec

    def say(text: str) -> None:
        click.echo(text, err=True)

    def open_executor(backend: str) -> Executor:
        from motifidelity.executors.choose import choose_executor
        from motifidelity.phase.wish import Wish

        return choose_executor(Wish(runner, image, memory, cpus, timeout, backend=backend), say)

    if out is not None:
        refuse_inside(out, folder)
    wanted = Wanted(digests_only, tier, trials, tuple(given_spec(name).id for name in tasks), seal)
    result = verify_folder(folder, wanted, open_executor, say)
    path = write_verification(result, out, folder) if out is not None else None
    if as_json:
        click.echo(json.dumps(result.to_json()))
        return 0 if result.passed else 1
    for line in lines(result.findings):
        click.echo(line)
    if result.compared:
        click.echo(
            f"{result.equal} of {result.compared} submitted scores came out again bit for bit"
        )
    click.echo(f"Tier: {result.tier}" if result.passed else "Not verified; tier: self-reported")
    if path:
        click.echo(f"Written: {path}")
    return 0 if result.passed else 1
