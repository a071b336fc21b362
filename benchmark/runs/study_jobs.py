"""The study's grid as one plan."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from motifidelity.errors import UserError, unknown
from motifidelity.model_file import on_backend, read_submission
from motifidelity.runs.plan import Job
from motifidelity.study.grid import read_study
from motifidelity.tasks.spec import find_spec


def plan_study(
    parts: Sequence[str] = (),
    cells: Sequence[str] = (),
    trials: int | None = None,
    profile: str = "full",
    image: str | None = None,
    backend: str | None = None,
) -> list[Job]:
    """Jobs of the grid: part by part, in a part trial by trial, each job once.

    Parameters
    ----------
    parts : sequence of str
        Names of parts; default: all that are not optional.
    cells : sequence of str
        Patterns such as ``cnn_deep/relu``, ``*/exponential`` or
        ``first_layer/relu/stddev=0.5``; default: all.
    trials : int, optional
        Trials of every cell; default: the part's own.
    profile : str
    image : str, optional
        Digest of the container image that the jobs run in.
    backend : str, optional
        What Keras runs on; default: as the models' files say.

    Raises
    ------
    UserError
        If a part does not exist, or no cell fits a pattern.
    """
    study = read_study()
    for name in parts:
        if name not in study.parts:
            raise unknown("part", name, study.parts)
    chosen = [p for p in study.parts.values() if (p.name in parts if parts else not p.optional)]
    every = [cell for part in chosen for cell in part.cells()]
    for pattern in cells:
        if not any(cell.fits(pattern) for cell in every):
            raise UserError(
                f"no cell of {', '.join(part.name for part in chosen)} is named '{pattern}'; cells "
                f"are MODEL/ACTIVATION, such as {every[0].model}/{every[0].activation}, and * "
                "stands for anything"
            )
    submissions = {
        model: on_backend(
            read_submission(Path(str(resources.files("motifidelity.models") / f"{model}.py"))),
            backend,
        )
        for part in chosen
        for model in part.models
    }
    jobs: dict[str, Job] = {}
    for part in chosen:
        picked = [c for c in part.cells() if not cells or any(c.fits(p) for p in cells)]
        for trial in range(part.trials if trials is None else trials):
            for cell in picked:
                spec = find_spec(study.tasks[cell.model])
                submission = submissions[cell.model]
                params = submission.parameters(cell.parameters())
                job = Job(submission, params, spec, spec.profile(profile), trial, trial, image)
                jobs.setdefault(job.id, job)
    return list(jobs.values())
