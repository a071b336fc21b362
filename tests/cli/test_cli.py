"""The command line as a whole: light to load, one line an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MODEL = Path(__file__).parents[2] / "models" / "cnn_dist.py"
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
        (["tasks", "show", "nothing"], "unknown task 'nothing'; known: hard-negatives, m"),
        (["tasks", "export", "motif-classes", "--format", "fastq"], "did you mean fasta?"),
        (["leaderboard", "--registry", "/nowhere"], "/nowhere: no such folder"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_tasks_verify_prints_the_study_s_18_digests_and_those_of_the_other_tasks():
    done = run("tasks", "verify")
    assert done.returncode == 0, done.stderr
    *lines, summary = done.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    of_study = ("motif-classes@2", "regulatory-code@2")  # the data of version 1
    studied = [line for line in lines if line.split()[1] in of_study]
    assert len(studied) == 18
    assert len({line.split()[1] for line in lines}) == 5
    others = len(lines) - 18 + 6  # and the study's tables of implants
    assert (
        summary
        == f"18 of 18 digests match the study's; {others} of {others} digests match their lock"
    )


def test_a_first_run_leaves_out_the_task_that_has_no_such_profile_and_says_so(bench, tmp_path):
    line = ("run", "--model", MODEL, "--registry", tmp_path / "new", "--dry-run")
    status, out, err = bench(*line, "--profile", "quick")
    assert status == 0
    assert "motif-classes@2 has no profile quick and is left out\n" in err
    assert "on regulatory-code@2, trial 0" in out
    assert "motif-classes" not in out
    status, out, err = bench(*line, "--profile", "quick", "--task", "motif-classes@1")
    assert status == 0
    assert "on motif-classes@1, trial 0" in out
    assert "left out" not in err
    status, _, err = bench(*line, "--profile", "quick", "--task", "motif-classes")
    assert status == 2
    assert "task motif-classes@2: unknown profile 'quick'; known: full" in err


def test_tasks_show_tells_what_a_version_asks_for(bench):
    _, first, _ = bench("tasks", "show", "regulatory-code@1")
    _, second, _ = bench("tasks", "show", "regulatory-code")
    assert "Supersedes regulatory-code@1" in second
    assert "Score       maps: maps, mean of six views; stands for attribution" in second
    assert "Gate        gradients_add_up: above 0.25 is flagged" in second
    assert "50 and as many without a label explained by saliency" in second
    for word in ("Supersedes", "Gate ", "without a label", "Score       maps"):
        assert word not in first


def test_models_list_shows_every_baseline_with_weights_and_tasks():
    done = run("models", "list")
    assert done.returncode == 0, done.stderr
    for name in ("CNN-2", "CNN-50", "CNN-deep", "CNN-local", "CNN-dist"):
        line = next(line for line in done.stdout.splitlines() if line.startswith(name + " "))
        assert "motif-classes@2" in line
        assert "regulatory-code@2" in line
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
