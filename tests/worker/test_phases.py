"""How a phase ends, as the worker says it and as the host records it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import tensorflow as tf

from motifidelity.containers.runner import _Ending
from motifidelity.executors import process
from motifidelity.phase.interface import Phase
from motifidelity.phase.outputs import read_error
from motifidelity.worker import __main__ as worker
from motifidelity.worker.report import SubmissionError


class OutOfMemoryError(RuntimeError):
    """As PyTorch has it."""


def caused(error, cause):
    error.__cause__ = cause
    return error


def in_passing(error, context):
    error.__context__ = context
    return error


DEVICE = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
FULL = {
    "python": MemoryError(),
    "tensorflow": DEVICE,
    "jax": RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes"),
    "torch": OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    "frozen": caused(SubmissionError("model.py: the network cannot be frozen"), DEVICE),
    "on the way": in_passing(ValueError("no result"), DEVICE),
}
OTHER = {
    "value": (ValueError("shapes differ"), "infra_error"),
    "contract": (SubmissionError("model.py: no build_model"), "model_error"),
    "hidden": (caused(in_passing(ValueError("no"), DEVICE), None), "infra_error"),
}


def ended(phase, error, folder, monkeypatch):
    """Exit status of a phase that raises an error."""

    def fails(*_):
        raise error

    monkeypatch.setitem(worker.PHASES, phase, fails)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    request = folder / "request.json"
    request.write_text(json.dumps({"out": str(folder), "inputs": {"model": "model.py"}}))
    return worker.main([phase, str(request)])


@pytest.mark.parametrize("phase", ["fit", "probe"])
@pytest.mark.parametrize("error", FULL.values(), ids=FULL)
def test_memory_that_ran_out_is_oom_wherever_it_was(phase, error, tmp_path, monkeypatch):
    code = ended(phase, error, tmp_path, monkeypatch)
    left = read_error(tmp_path)
    assert (code, left.status) == (worker.EXIT_SUBMISSION, "oom")
    assert "cannot be frozen" not in left.message
    done = Phase(phase, {}, {}, tmp_path)
    assert process._ending(code, done, tmp_path / "log").status == "oom"
    in_container = _Ending(code=code, oom=False, begun=True, memory=1 << 30)
    assert in_container.explain(done, SimpleNamespace(text=str)).status == "oom"


@pytest.mark.parametrize(("error", "expected"), OTHER.values(), ids=OTHER)
def test_other_errors_keep_their_status(error, expected, tmp_path, monkeypatch):
    ended("fit", error, tmp_path, monkeypatch)
    assert read_error(tmp_path).status == expected


@pytest.mark.parametrize(
    ("said", "step"), [("build", "build"), ("\x1b[2J", ""), (["build"], ""), (None, "")]
)
def test_a_step_that_a_worker_names_is_one_of_ours_or_none(said, step, tmp_path):
    error = {"status": "model_error", "message": "no", "step": said}
    (tmp_path / "error.json").write_text(json.dumps(error))
    assert read_error(tmp_path).step == step
