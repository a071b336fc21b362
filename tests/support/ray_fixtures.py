"""A small cluster of Ray on this machine, and plans whose networks are not trained."""

from __future__ import annotations

import importlib.util
import os
import shutil
import textwrap
from pathlib import Path

import pytest
from ports import free_port

FAKE_WORKER = Path(__file__).parent / "fake_worker"
STORE_BYTES = 80 << 20
MODEL = """
    import keras
    from keras import layers

    def build_model(task, *, units=8):
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(units, 19, padding="same", activation="exponential")(x)
        x = layers.GlobalMaxPooling1D()(x)
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""


@pytest.fixture(scope="session")
def small_spec():
    """The regulatory code with a profile of seconds."""
    from small_tasks import small

    from motifidelity.tasks.spec import find_spec

    return small(find_spec("regulatory-code"), full=40)


@pytest.fixture(scope="session")
def truth(small_spec):
    from motifidelity.scoring.truth import Truth
    from motifidelity.tasks.dataset import load_dataset

    return Truth(load_dataset(small_spec), small_spec.profile("full"))


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A model file that the fake worker serves."""
    path = tmp_path_factory.mktemp("model") / "tiny.py"
    path.write_text(textwrap.dedent(MODEL))
    return path


@pytest.fixture(scope="session")
def make_plan(small_spec):
    """Jobs of a model file, with as many trials as asked for."""
    from motifidelity.model_file import read_submission
    from motifidelity.runs.plan import plan_jobs

    def make(path, trials):
        submission = read_submission(path)
        return plan_jobs(submission, submission.parameters(()), [small_spec], "full", trials, 0)

    return make


@pytest.fixture(scope="session")
def real_job(make_plan, tmp_path_factory):
    """A job that a real worker runs, wherever it is."""
    path = tmp_path_factory.mktemp("model") / "tiny.py"
    path.write_text(textwrap.dedent(MODEL) + "# REALLY\n")
    return make_plan(path, 1)[0]


@pytest.fixture(scope="session")
def really_run(real_job, truth, tmp_path_factory):
    """The real job run here: its registry, and the files that its phases left."""
    from motifidelity.executors.process import ProcessExecutor
    from motifidelity.registry import Registry
    from motifidelity.runs.job import run_job

    template = tmp_path_factory.mktemp("template")

    class Keeping(ProcessExecutor):
        def run(self, phase, on_event):
            result = super().run(phase, on_event)
            shutil.copytree(phase.out, template / phase.name)
            return result

    registry = Registry(tmp_path_factory.mktemp("real") / "registry")
    outcome = run_job(real_job, truth, Keeping(threads=1), registry, lambda *_: None)
    assert outcome.status == "ok", outcome
    return registry, template


@pytest.fixture(scope="session")
def diary(tmp_path_factory):
    """What fake workers note: a line of JSON a phase."""
    return tmp_path_factory.mktemp("diary") / "diary.jsonl"


@pytest.fixture(scope="session")
def busy():
    """More of the fake workers' environment; a module may have its own."""
    return {}


@pytest.fixture(scope="session")
def fake_worker(really_run, diary, busy):
    """Environment of processes whose workers train nothing."""
    return {
        "PYTHONPATH": str(FAKE_WORKER),
        "FAKE_WORKER_TEMPLATE": str(really_run[1]),
        "FAKE_WORKER_SECONDS": "0.2",
        "FAKE_WORKER_DIARY": str(diary),
        "DOCKER_HOST": "unix:///nowhere/docker.sock",
        **busy,
    }


@pytest.fixture(scope="session")
def node_environment(fake_worker):
    """What the nodes' processes have in their environment; a module may have its own."""
    return fake_worker


@pytest.fixture(scope="module")
def cluster(node_environment):
    """Two nodes with a processor each and a head that runs no jobs, separate processes all."""
    if importlib.util.find_spec("ray") is None:
        if os.environ.get("CI"):
            pytest.fail("CI must test Ray: it is not installed")
        pytest.skip("Ray is not installed")
    from ray.cluster_utils import Cluster

    always = {"RAY_usage_stats_enabled": "0", **node_environment}

    def add_node(environment=(), **resources):
        given = {"num_cpus": 1, "object_store_memory": STORE_BYTES, **resources}
        # what a process of Ray starts inherits the environment of its node; nobody else may
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**always, **dict(environment)}.items():
                patch.setenv(name, value)
            return cluster.add_node(**given)

    cluster = Cluster()
    cluster.add = add_node
    port = free_port()
    cluster.client = f"ray://127.0.0.1:{port}"
    add_node(num_cpus=0, include_dashboard=False, ray_client_server_port=port)
    for _ in range(2):
        add_node()
    yield cluster
    cluster.shutdown()
