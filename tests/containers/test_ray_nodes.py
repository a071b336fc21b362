"""On a node of Ray a phase runs in the same container as here, under the same policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ray_fixtures import *  # noqa: F403

from motifidelity.errors import UserError
from motifidelity.executors.choose import choose_executor
from motifidelity.phase.wish import Wish
from motifidelity.registry import Registry

HONEST = Path(__file__).parent / "hostile" / "honest.py"


@pytest.fixture(scope="session")
def node_environment():
    return {}


@pytest.fixture
def executor(cluster):
    import ray

    def open_it(**wishes):
        given = {"runner": "docker", "cpus": 1.0, "memory": "2g", **wishes}
        wish = Wish(executor="ray", address=cluster.address, **given)
        return choose_executor(wish, lambda _: None)

    yield open_it
    ray.shutdown()


def test_a_job_in_containers_of_nodes(
    engine,
    image,
    executor,
    make_plan,
    truth,
    tmp_path,
):
    from motifidelity.runs.job import run_job

    there = executor()
    (job,) = make_plan(HONEST, 1)
    registry = Registry(tmp_path / "registry")
    outcome = run_job(job, truth, there, registry, lambda *_: None)
    assert outcome.status == "ok", outcome
    row = registry.jobs().iloc[0]
    assert (row["runner"], row["isolation"]) == ("ray", "container")
    assert row["image_digest"] == there.image == image.id
    policy = json.loads(row["policy"])
    assert (policy["network"], policy["cpus"], policy["memory"]) == ("none", 1.0, 2 << 30)
    assert json.loads(row["environment"])["packages"]["tensorflow"].startswith("2.")
    # memory is the container's own: TensorFlow alone takes more than 100 MiB
    assert 100 << 20 < row["peak_memory"] < 2 << 30
    left = engine.client.containers.list(all=True, filters={"label": "motifidelity"})
    assert left == []


def test_a_node_without_the_image_is_named(engine, executor):
    with pytest.raises(UserError, match=r"node \S+: .*no-such-image"):
        executor(image="no-such-image:1")
