"""``bench run``: the main job, from a model file to the leaderboard."""

from __future__ import annotations

from pathlib import Path

import click

DEFAULT_REGISTRY = Path("results")


@click.command("run")
@click.option(
    "--model",
    "model_file",
    required=True,
    type=click.Path(path_type=Path),
    help="Python file that defines build_model(task, ...).",
)
@click.option("--param", "params", multiple=True, metavar="K=V", help="Parameter of build_model.")
@click.option("--task", "tasks", multiple=True, metavar="NAME", help="Task; default: all of them.")
@click.option("--trials", type=click.IntRange(1), help="Trials a task; default: the task's own.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="First seed.")
@click.option(
    "--profile",
    default="full",
    show_default=True,
    metavar="NAME",
    help="full, or quick: a small fixed version of the same work, for trying things.",
)
@click.option(
    "--registry",
    "folder",
    type=click.Path(path_type=Path),
    default=DEFAULT_REGISTRY,
    show_default=True,
    help="Folder of results.",
)
@click.option("--force", is_flag=True, help="Run finished jobs again.")
@click.option("--retry-failed", is_flag=True, help="Run jobs again whose model failed before.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds that a phase may take."
)
@click.option("--json", "as_json", is_flag=True, help="Report as JSON lines on standard output.")
def command(
    model_file: Path,
    params: tuple[str, ...],
    tasks: tuple[str, ...],
    trials: int | None,
    seed: int,
    profile: str,
    folder: Path,
    force: bool,
    retry_failed: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Train, probe and score a model on the fixed tasks, and draw the leaderboard.

    Results go to the registry, one file a job; finished jobs are skipped, so the same command
    goes on where it was stopped.
    """
    from motifidelity.executors.process import ProcessExecutor
    from motifidelity.plan import plan_jobs
    from motifidelity.progress import open_display
    from motifidelity.registry import Registry
    from motifidelity.run import run_plan
    from motifidelity.submission import read_submission
    from motifidelity.summary import draw_leaderboard, print_scores
    from motifidelity.tasks.spec import find_spec, latest_specs

    submission = read_submission(model_file)
    values = submission.parameters(params)
    specs = [find_spec(name) for name in tasks] if tasks else list(latest_specs().values())
    jobs = plan_jobs(submission, values, specs, profile, trials, seed)
    registry = Registry(folder)
    with open_display(as_json) as display:
        ended = run_plan(
            jobs,
            registry,
            ProcessExecutor(timeout),
            display,
            force=force,
            retry_failed=retry_failed,
        )
    page = draw_leaderboard(registry)
    print_scores(registry, [job.id for job in jobs], page, as_json=as_json)
    if ended.interrupted:
        click.echo(
            f"bench: stopped; {ended.finished} of {len(jobs)} jobs are finished and kept; "
            "run the same command again to go on",
            err=True,
        )
        return 130
    return 1 if ended.failed else 0
