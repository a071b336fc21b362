"""The command line as a whole: light to load, one line an error."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "pandas", "matplotlib", "docker", "sklearn", "pyarrow", "numba")
HEAVY += ("duckdb", "scipy", "ray", "joblib")


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-c", "from motifidelity.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["registry", "merge", "--help"],
        *([name, "--help"] for name in ("run", "registry", "results", "regress", "reproduce")),
    ],
)
def test_help_loads_nothing_heavy(arguments):
    code = (
        "import sys\nimport motifidelity\nfrom motifidelity.cli import main\n"
        f"sys.argv = ['bench', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code\n"
        f"print('LOADED', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "LOADED []", done.stderr


def test_every_command_is_listed_and_has_help():
    listed = run("--help").stdout
    for name in ("run", "rescore", "tasks", "leaderboard", "registry", "results", "regress"):
        assert f"\n  {name} " in listed
        assert run(name, "--help").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "nothing"),
        (["run"], "--model"),
        (["tasks", "show", "nothing"], "unknown task 'nothing'; known: motif-classes"),
        (["tasks", "export", "motif-classes", "--format", "fastq"], "did you mean fasta?"),
        (["leaderboard", "--registry", "/nowhere"], "/nowhere: no such folder"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_tasks_verify_prints_the_study_s_18_digests():
    done = run("tasks", "verify")
    assert done.returncode == 0, done.stderr
    assert sum(line.startswith("ok ") for line in done.stdout.splitlines()) == 18
    assert "18 of 18 digests match the study's" in done.stdout


def test_models_list_shows_every_baseline_with_weights_and_tasks():
    done = run("models", "list")
    assert done.returncode == 0, done.stderr
    for name in ("CNN-2", "CNN-50", "CNN-deep", "CNN-local", "CNN-dist"):
        line = next(line for line in done.stdout.splitlines() if line.startswith(name + " "))
        assert "motif-classes@1" in line
        assert "regulatory-code@1" in line
    assert "shift_scale_tanh" in done.stdout
    assert done.stderr == ""


def test_a_closed_pipe_is_no_traceback():
    done = subprocess.run(
        f"{sys.executable} -c 'from motifidelity.cli import main; main()' tasks verify | head -1",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
