"""A real submission, trained on a few hundred real sequences, and folders made of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import textwrap

import pytest
from displays import Silent
from small_tasks import OF_EVERY_CLASS, WITH_MAPS, small
from small_tasks import small_tasks as all_small

from motifidelity.executors.process import ProcessExecutor
from motifidelity.model_file import read_submission
from motifidelity.registry import Registry
from motifidelity.runs.plan import plan_jobs
from motifidelity.runs.run import run_plan
from motifidelity.submitting.check import CheckReport
from motifidelity.submitting.findings import Finding
from motifidelity.submitting.submit import make_submission, model_results
from motifidelity.tasks import spec as specs
from motifidelity.tasks.lock import lock

HONEST = """
    import keras
    from keras import layers

    MODEL = dict(name="Honest", authors="A. Author", license="MIT", url="https://example.org")


    def build_model(task, *, units=8):
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(units, 19, padding="same", activation="exponential")(x)
        x = layers.GlobalMaxPooling1D()(x)
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""


@pytest.fixture(scope="module")
def small_tasks():
    """The real tasks with a smaller profile, in this process alone."""
    small = all_small(("saliency", "ism", "random"), quick=2, test=OF_EVERY_CLASS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specs, "all_specs", lambda: small)
        yield small


@pytest.fixture(scope="module")
def submitted(small_tasks, tmp_path_factory):
    """Train a model file, on the regulatory code or another task, and make a folder of it.

    Returns file, registry and folder.
    """

    def submitted(text=HONEST, name="honest.py", trials=1, task=None):
        base = tmp_path_factory.mktemp("submitted")
        path = base / name
        path.write_text(textwrap.dedent(text))
        submission = read_submission(path)
        task = task or small_tasks["regulatory-code@1"]
        jobs = plan_jobs(submission, submission.parameters(()), [task], "quick", trials, 0)
        registry = Registry(base / "registry")
        run_plan(jobs, registry, ProcessExecutor(), Silent())
        make(path, registry, base / "folder")
        return path, registry, base / "folder"

    return submitted


def make(path, registry, target):
    """A folder of a model whose check is not repeated here."""
    submission = read_submission(path)
    report = CheckReport(path, submission, (Finding("file", "ok", "checked elsewhere"),))
    return make_submission(report, model_results(registry, submission), target)


@pytest.fixture(scope="module")
def regression(spec_texts, tmp_path_factory):
    """`site-affinity` with 600 sequences, as a user's own task."""
    text = spec_texts["site-affinity@1"].replace("sequences = 20000", "sequences = 600")
    text = text.replace('name = "site-affinity"', 'name = "few-affinities"')
    text = text.replace("backgrounds = 16", "backgrounds = 2")
    path = tmp_path_factory.mktemp("regression") / "few-affinities.toml"
    path.write_text(text[: text.index("[digests.")])
    few = small(lock(path), WITH_MAPS, quick=1, train=420, valid=60, test=120)
    return specs.know(few)


@pytest.fixture(scope="module")
def honest(submitted):
    return submitted()


@pytest.fixture(scope="module")
def on_jax(submitted):
    """Folder of the honest model on JAX."""
    return submitted(HONEST.replace("MODEL = dict(", 'MODEL = dict(backend="jax", '))[2]


@pytest.fixture
def folder(honest, tmp_path):
    """A copy of an honest folder, to be tampered with."""
    copy = tmp_path / "review"
    shutil.copytree(honest[2], copy)
    return copy


@pytest.fixture
def reseal(folder):
    """Make the manifest anew, as somebody would who hides a change."""
    return lambda: _seal(folder)


@pytest.fixture(scope="session")
def seal():
    """Make the manifest of any folder anew."""
    return _seal


def _seal(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    for name in manifest["files"]:
        content = (folder / name).read_bytes()
        manifest["files"][name] = {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    (folder / "manifest.json").write_text(json.dumps(manifest))
