"""``bench check`` in a container, and that a stranger's submission is verified in one."""

from __future__ import annotations

from pathlib import Path

from motifidelity.submitting.check import check_submission
from motifidelity.tasks.spec import Profile, find_spec

MODEL = Path(__file__).parents[2] / "models" / "cnn_local.py"


def test_a_model_is_checked_in_a_container(engine, image, policy):
    from motifidelity.containers.runner import DockerExecutor

    report = check_submission(
        MODEL,
        (),
        [find_spec("regulatory-code")],
        DockerExecutor(engine, image, policy),
        lambda _: None,
        Profile("check", 1, 200, 60, 8, 2, 2),
        ("saliency",),
    )
    assert report.problems == []
    assert {"contract", "attribution", "determinism"} <= {f.check for f in report.findings}


def test_a_folder_is_verified_in_a_container_unless_somebody_insists():
    from motifidelity.cli.verify import command

    (runner,) = [p for p in command.params if p.name == "runner"]
    assert runner.default == "docker"
    assert "auto" not in runner.type.choices
