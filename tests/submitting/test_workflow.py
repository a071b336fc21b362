"""What runs for a fork's pull request, and the commands it uses."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "verify-submission.yml"
HEAVY = ("tensorflow", "keras", "pandas", "matplotlib", "docker", "sklearn", "pyarrow", "numpy")


@pytest.fixture(scope="module")
def workflow():
    lines = WORKFLOW.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def test_a_fork_s_code_meets_no_secret(workflow):
    assert "\n  pull_request:\n" in workflow
    for word in ("pull_request_target", "workflow_run", "secrets", "GITHUB_TOKEN", "write"):
        assert word not in workflow
    assert "\npermissions:\n  contents: read\n" in workflow
    checkouts = workflow.count("uses: actions/checkout@")
    assert checkouts == workflow.count("persist-credentials: false") == 4


def test_the_suite_that_judges_is_the_base_branch_s(workflow):
    """Whatever is installed or built is installed in ``suite``."""
    steps = workflow.split("\n      - ")
    for step in steps:
        if "pip install" in step or "image build" in step:
            assert "working-directory: suite" in step
        if "path: suite" in step:
            assert "github.event.pull_request.base.sha" in step
    assert "proposal/constraints" not in workflow


def test_no_text_of_a_pull_request_is_pasted_into_a_shell(workflow):
    """An expression in a script is filled in before the shell reads it."""
    for block in workflow.split(" run:")[1:]:
        script = block.split("\n      - ")[0].split("\n  rerun:")[0]
        assert "${{" not in script


@pytest.fixture
def folders(workflow, tmp_path):
    """Run the workflow's own script on names as git prints them."""
    script = textwrap.dedent(workflow.split("<<'PYTHON'\n")[1].split("PYTHON")[0])

    def folders(*names):
        path = tmp_path / "names"
        path.write_bytes(b"".join(name.encode() + b"\0" for name in names))
        return subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True
        )

    return folders


def test_changed_folders_are_listed_once(folders):
    done = folders("submissions/b/jobs.json", "submissions/a/m.py", "submissions/b/m.py")
    assert done.returncode == 0
    assert json.loads(done.stdout.removeprefix("folders=")) == ["a", "b"]


@pytest.mark.parametrize(
    "name",
    [
        ".github/workflows/verify-submission.yml",
        "benchmark/submitting/verify.py",
        "submissions/file.py",
        "submissions/a/b/c.py",
        "submissions/$(id)/m.py",
        "submissions/-x/m.py",
        "submissions/a b/m.py",
        "submissions/a\nb/m.py",
        "submissions/../m.py",
    ],
)
def test_a_change_elsewhere_or_a_name_that_is_no_plain_one_stops_it(name, folders):
    done = folders("submissions/a/m.py", name)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "submissions/NAME/ alone" in done.stderr


@pytest.mark.parametrize("command", ["check", "submit", "verify"])
def test_help_loads_nothing_heavy(command):
    code = (
        "import sys\nfrom motifidelity.cli import main\n"
        f"sys.argv = ['bench', {command!r}, '--help']\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        f"print('LOADED', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "LOADED []", done.stderr


@pytest.mark.parametrize("command", ["check", "submit", "verify"])
def test_every_command_is_listed(command):
    done = subprocess.run(
        [sys.executable, "-c", "from motifidelity.cli import main; main()", "--help"],
        capture_output=True,
        text=True,
    )
    assert f"\n  {command} " in done.stdout
