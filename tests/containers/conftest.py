"""A real Docker engine, a real worker image, and jobs small enough to attack by the dozen."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from motifidelity.errors import UserError

HOSTILE = Path(__file__).parent / "hostile"


@pytest.fixture(scope="session")
def unavailable():
    """Skip where a person works without an engine; fail where all of it must be tested."""
    return _unavailable


def _unavailable(reason):
    if os.environ.get("CI"):
        pytest.fail(f"CI must run the container tests: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def engine():
    from motifidelity.containers.engine import connect

    try:
        return connect()
    except UserError as error:
        _unavailable(str(error))


@pytest.fixture(scope="session")
def image(engine):
    from motifidelity.containers import images

    try:
        found = images.find(engine, images.default_name("cpu"))
    except UserError as error:
        _unavailable(str(error))
    if not found.current:
        _unavailable(f"{found.name} is of another version; run 'bench image build'")
    return found


@pytest.fixture(scope="session")
def policy(engine):
    """Low limits, so that each attack meets its own within seconds."""
    from motifidelity.containers.policy import Policy

    return Policy(
        user=engine.user(),
        memory=1536 << 20,
        cpus=min(2.0, float(engine.info["NCPU"])),
        pids=128,
        tmp=64 << 20,
        timeout=120.0,
        output_bytes=64 << 20,
        text_bytes=8 << 20,
    )


@dataclass
class Ran:
    """A job that ran: how it ended, its row, and what it left."""

    outcome: object
    row: dict
    registry: object
    events: list


@pytest.fixture(scope="session")
def run_one(motif_classes, engine, image, policy, tmp_path_factory):
    """Run a submission's file as a job of 240 training and 60 test sequences."""
    from motifidelity.containers.runner import DockerExecutor
    from motifidelity.model_file import read_submission
    from motifidelity.registry import Registry
    from motifidelity.runs.job import run_job
    from motifidelity.runs.plan import Job
    from motifidelity.scoring.truth import Truth
    from motifidelity.tasks.spec import Profile

    profile = Profile("tiny", 1, 240, 100, 60, 1, 4)
    truth = Truth(motif_classes, profile)

    def run(model, *, executor=None, params=None, **changes):
        if executor is None:
            limits = dataclasses.replace(policy, **changes)
            executor = DockerExecutor(engine, image, limits)
        submission = read_submission(Path(model))
        values = {**submission.defaults, **(params or {})}
        job = Job(submission, values, motif_classes.spec, profile, 0, 1, executor.image)
        registry = Registry(tmp_path_factory.mktemp("registry"))
        events = []
        outcome = run_job(job, truth, executor, registry, lambda *event: events.append(event))
        row = registry.jobs().astype(object).iloc[0]
        row = row.where(row.notna(), None).to_dict()
        return Ran(outcome, row, registry, events)

    run.truth = truth
    run.spec = motif_classes.spec
    return run


@pytest.fixture(scope="session")
def containers(engine):
    """Ids of the containers that this package made and that are still there."""
    from motifidelity.containers.engine import LABEL

    def ids(**labels):
        marks = [LABEL, *(f"{k}={v}" for k, v in labels.items())]
        # the plain list: a container may come or go while the richer one looks at each
        found = engine.client.api.containers(all=True, filters={"label": marks})
        return {container["Id"] for container in found}

    return ids
