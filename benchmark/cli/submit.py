"""``bench submit``: one reviewable folder of a model and its results."""

from __future__ import annotations

from pathlib import Path

import click

from motifidelity.cli.options import registry_option


@click.command("submit")
@click.argument("model_file", metavar="MODEL.PY", type=click.Path(path_type=Path))
@registry_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to make; default: submissions/ and the file's name.",
)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="K=V",
    help="Submit only results with these parameters; default: all.",
)
@click.option(
    "--runner",
    type=click.Choice(["process", "docker", "auto"]),
    default="process",
    show_default=True,
    help="Where the check runs the model's code.",
)
@click.option("--image", metavar="NAME", help="Container image of the check.")
def command(
    model_file: Path,
    location: str,
    out: Path | None,
    params: tuple[str, ...],
    runner: str,
    image: str | None,
) -> None:
    """Make a folder of a model file and all its results, for a pull request.

    Checks the file first ('bench check') and refuses what has a problem. Failed trials are part
    of the folder. The registry is only read.
    """
    from motifidelity.executors.choose import choose_executor
    from motifidelity.model_file import read_submission
    from motifidelity.phase.wish import Wish
    from motifidelity.registry import existing_registry
    from motifidelity.submitting.check import check_submission
    from motifidelity.submitting.findings import lines
    from motifidelity.submitting.folder import refuse_existing
    from motifidelity.submitting.standing import ranking
    from motifidelity.submitting.submit import job_parameters, make_submission, model_results
    from motifidelity.tasks.spec import find_spec

    def say(text: str) -> None:
        click.echo(text, err=True)

    target = out or Path("submissions") / model_file.stem
    refuse_existing(target)
    registry = existing_registry(location)
    submission = read_submission(model_file)
    results = model_results(registry, submission, submission.parameters(params) if params else None)
    specs = [find_spec(name) for name in sorted({row["task"] for row in results.done})]
    backend = results.done[0]["backend"]
    executor = choose_executor(Wish(runner, image, timeout=120.0, backend=backend), say)
    report = check_submission(
        model_file,
        job_parameters(results),
        specs,
        executor,
        say,
        backend=backend,
    )
    for line in lines(f for f in report.findings if f.level != "ok"):
        say(line)
    seal = make_submission(report, results, target)
    done, failed = len(results.done), len(results.failed)
    click.echo(f"{target}: {done} finished and {failed} failed jobs")
    for row in results.failed:
        click.echo(f"  failed: {row['task']}, trial {row['trial']}: {row['message']}")
    for line in lines(ranking(results.done)):
        click.echo(line)
    click.echo(f"Seal: {seal}")
    click.echo(f"Look at it: bench verify {target} --digests-only; then open a pull request")
