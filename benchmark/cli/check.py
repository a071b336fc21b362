"""``bench check``: is a model file ready to be run and submitted?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from motifidelity.cli.options import (
    backend_option,
    debugging,
    image_option,
    runner_option,
    tasks_option,
)


@click.command("check")
@click.argument("model_file", metavar="MODEL.PY", type=click.Path(path_type=Path))
@click.option("--param", "params", multiple=True, metavar="K=V", help="Parameter of build_model.")
@tasks_option
@runner_option
@backend_option
@image_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Seconds that a phase may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(
    model_file: Path,
    params: tuple[str, ...],
    tasks: tuple[str, ...],
    runner: str,
    backend: str | None,
    image: str | None,
    timeout: float,
    as_json: bool,
) -> int:
    """Say what is wrong with a model file, with line and remedy, in about a minute.

    Reads the file, builds and freezes its network, trains it for a moment twice with the same
    seed, tries every attribution method, and estimates what a full run costs.
    """
    from motifidelity.executors.choose import choose_executor
    from motifidelity.model_file import declared_backend
    from motifidelity.phase.wish import Wish
    from motifidelity.submitting.check import check_submission
    from motifidelity.submitting.findings import lines
    from motifidelity.tasks.spec import chosen_specs

    def say(text: str) -> None:
        click.echo(text, err=True)

    specs = chosen_specs(tasks)
    wish = Wish(runner, image, timeout=timeout, backend=backend or declared_backend(model_file))
    executor = choose_executor(wish, say)
    report = check_submission(
        model_file, params, specs, executor, say, backend=backend, debug=debugging()
    )
    if as_json:
        click.echo(json.dumps(report.to_json()))
    else:
        for line in lines(report.findings):
            click.echo(line)
        found = len(report.problems)
        click.echo(f"{found} problem{'s' * (found != 1)}" if found else "ready to run")
    return 1 if report.problems else 0
