"""Published architectures, in small versions of ours, as ordinary submissions."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from motifidelity.model_file import read_submission
from motifidelity.submitting.findings import problems
from motifidelity.submitting.source import Source
from motifidelity.tasks.spec import find_spec
from motifidelity.worker import contract
from motifidelity.worker.frozen.freeze import GRAPH, MANIFEST, freeze
from motifidelity.worker.frozen.network import FrozenNetwork

FILES = sorted((Path(__file__).parent / "published").glob("*.py"))


def test_there_are_sixteen():
    assert len(FILES) == 16


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_read_built_and_frozen_with_a_filter_scan(path, tmp_path):
    submission = read_submission(path)
    findings = list(Source(submission).findings())
    assert {finding.level for finding in findings} == {"ok"}
    assert problems(findings) == []
    spec = find_spec("regulatory-code")
    task = contract.Task(spec.name, (spec.length, 4), len(spec.classes), spec.classes)
    keras.utils.set_random_seed(0)
    model = contract.build(contract.load_submission(path), path.name, task, submission.defaults)
    frozen = freeze(model, task.input_shape, path.name)
    contract.check_frozen(frozen, path.name, task)
    frozen.write(tmp_path)
    letters = np.random.default_rng(1).integers(0, 4, (3, spec.length))
    logits = FrozenNetwork(tmp_path / GRAPH, tmp_path / MANIFEST).logits(
        np.eye(4, dtype="f4")[letters]
    )
    keras.backend.clear_session()
    assert np.ptp(logits, axis=0).all()
    assert frozen.manifest.scan is not None
