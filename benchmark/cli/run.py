"""``bench run``: the main job, from a model file to the leaderboard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from motifidelity.cli.options import (
    backend_option,
    debugging,
    logs_option,
    no_strays,
    pack_option,
    place_options,
    registry_option,
    say_where_the_page_goes,
    tasks_option,
)

if TYPE_CHECKING:
    from motifidelity.phase.interface import Executor
    from motifidelity.phase.wish import Wish
    from motifidelity.runs.forecast import Forecast
    from motifidelity.runs.plan import Job
    from motifidelity.tasks.spec import TaskSpec


@click.command("run")
@no_strays
@click.option(
    "--model",
    "model_file",
    required=True,
    type=click.Path(path_type=Path),
    help="Python file that defines build_model(task, ...).",
)
@click.option(
    "--weights",
    "weights_file",
    type=click.Path(path_type=Path),
    help="Score these weights (.weights.h5, .pt) and train nothing.",
)
@click.option("--param", "params", multiple=True, metavar="K=V", help="Parameter of build_model.")
@tasks_option
@click.option("--trials", type=click.IntRange(1), help="Trials a task; default: the task's own.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="First seed.")
@click.option(
    "--profile",
    default="full",
    show_default=True,
    metavar="NAME",
    help="full, or quick: a small fixed version of the same work, for trying things, of the tasks "
    "that have one.",
)
@registry_option
@click.option("--force", is_flag=True, help="Run finished jobs again.")
@click.option("--retry-failed", is_flag=True, help="Run jobs again whose model failed before.")
@place_options
@backend_option
@pack_option
@logs_option
@click.option("--dry-run", is_flag=True, help="Print the jobs and the sandbox, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON lines on standard output.")
def command(
    model_file: Path,
    weights_file: Path | None,
    params: tuple[str, ...],
    tasks: tuple[str, ...],
    trials: int | None,
    seed: int,
    profile: str,
    location: str,
    force: bool,
    retry_failed: bool,
    wish: Wish,
    backend: str | None,
    pack: int,
    logs: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Train, probe and score a model on the fixed tasks, and draw the leaderboard.

    Results go to the registry, one file a job; finished jobs are skipped, so the same command
    goes on where it was stopped.
    """
    from motifidelity.cli.scores import exit_status, print_scores
    from motifidelity.executors.choose import choose_executor
    from motifidelity.model_file import on_backend, read_submission, with_weights
    from motifidelity.registry import Registry
    from motifidelity.report.draw import draw_leaderboard
    from motifidelity.runs.display import open_display
    from motifidelity.runs.forecast import forecast
    from motifidelity.runs.logs import JobLogs
    from motifidelity.runs.plan import plan_jobs
    from motifidelity.runs.run import run_plan
    from motifidelity.submitting.source import refuse_unfit
    from motifidelity.submitting.trial import calibrate
    from motifidelity.tasks.spec import ALL, chosen_specs

    submission = on_backend(read_submission(model_file), backend)
    submission = with_weights(submission, weights_file)
    values = submission.parameters(params)
    specs = chosen_specs(tasks, profile)
    if submission.weights:
        _refuse_several(specs, trials)
        trials = 1
    refuse_unfit(submission, specs)
    wish = replace(wish, backend=submission.backend)
    place = choose_executor(wish, lambda text: click.echo(text, err=True))
    plan = plan_jobs(submission, values, specs, profile, trials, seed, place.image)
    for spec in chosen_specs(tasks) if set(tasks) <= {ALL} else ():
        if spec not in specs:
            click.echo(f"{spec.id} has no profile {profile} and is left out", err=True)
    registry = Registry(location)
    ahead = partial(
        forecast,
        plan,
        registry,
        slots=place.place.slots,
        force=force,
        retry_failed=retry_failed,
    )
    if dry_run:
        _print_plan(plan, place, ahead(), as_json)
        return 0
    with open_display(as_json) as display:
        found = ahead()
        if wish.executor == "local" and calibrate(plan, found, place, display.note):
            found = ahead()
        display.note(str(found))
        ended = run_plan(
            plan,
            registry,
            place,
            display,
            force=force,
            retry_failed=retry_failed,
            references=True,
            logs=JobLogs(logs) if logs else None,
            pack=pack,
            # a node's files are seen here when its phase has ended
            keep=wish.executor == "local",
            debug=debugging(),
        )
    say_where_the_page_goes(registry)
    page = draw_leaderboard(registry)
    print_scores(registry, [job.id for job in plan], page, as_json=as_json)
    return exit_status(ended, len(plan))


def _refuse_several(specs: Sequence[TaskSpec], trials: int | None) -> None:
    """Given weights are one network, of one task."""
    from motifidelity.errors import UserError

    if len(specs) > 1:
        raise UserError(
            "--weights: a trained network is one task's; add --task "
            f"{' or --task '.join(spec.name for spec in specs)}"
        )
    if trials not in (None, 1):
        raise UserError(f"--trials {trials}: given weights are one network; leave --trials away")


def _print_plan(jobs: Sequence[Job], executor: Executor, found: Forecast, as_json: bool) -> None:
    from motifidelity.executors.describe import FIT_SEES_WEIGHTS, describe
    from motifidelity.worker.limits import IN_WORDS

    rows = describe(executor)
    if weights := jobs[0].submission.weights:
        size = f"{weights.size / (1 << 20):.1f} MiB"
        given = f"{weights.path.name}, {size}, sha256 {weights.digest}; nothing is trained"
        seen = {"fit sees": FIT_SEES_WEIGHTS}
        rows = [("weights", given), *((name, seen.get(name, value)) for name, value in rows)]
    if as_json:
        labels = {job.id: job.label for job in jobs}
        policy = json.loads(executor.place.policy) if executor.place.policy else None
        plan = {"event": "plan", "jobs": labels, "sandbox": rows, "policy": policy}
        plan |= {"limits": IN_WORDS, "settled": dict(found.settled), "forecast": str(found)}
        click.echo(json.dumps(plan))
        return
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:<{width}}  {value}")
    click.echo(f"{'jobs':<{width}}  {found}")
    for job in jobs:
        status = found.settled.get(job.id)
        mark = "finished" if status == "ok" else status
        click.echo("  ".join(filter(None, (" " * width, job.id, mark, job.label))))
    for number, line in enumerate(IN_WORDS):
        click.echo(f"{'' if number else 'limits':<{width}}  {line}")
