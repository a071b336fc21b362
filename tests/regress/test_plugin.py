"""The pytest plugin in a repository of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from motifidelity.regress.golden import FILE, read_golden

TESTS = """
    import numpy as np

    def test_first_layer(activation_golden):
        x = np.linspace(0, 1, 60).reshape(3, 20)
        activation_golden("exponential", lambda: np.exp(x))
        activation_golden("plain", x)
"""


@pytest.fixture
def repository(tmp_path):
    """Write a test file into another repository and run its tests with the plugin."""

    def run(*arguments, text=TESTS):
        (tmp_path / "test_mine.py").write_text(textwrap.dedent(text))
        (tmp_path / "pytest.ini").write_text("[pytest]\nactivation_golden = golden\n")
        (tmp_path / "golden").mkdir(exist_ok=True)
        # installed, it is loaded by itself; here it is the only one, wherever it comes from
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "motifidelity.regress.pytest_plugin",
                *arguments,
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
        )

    run.folder = tmp_path / "golden"
    return run


def test_activations_are_recorded_once_and_compared_ever_after(repository):
    done = repository()
    assert done.returncode == 1
    assert "no golden activations of test_mine.py::test_first_layer are recorded" in done.stdout
    assert "--update-activations" in done.stdout
    done = repository("--update-activations")
    assert done.returncode == 0, done.stdout
    recorded = (repository.folder / FILE).read_text()
    assert repository().returncode == 0
    done = repository(text=TESTS.replace("np.exp(x)", "np.exp(1.01 * x)"))
    assert done.returncode == 1
    assert "test_first_layer exponential" in done.stdout
    assert "max is 2.745" in done.stdout
    assert "recorded 2.718" in done.stdout
    assert "tolerance" in done.stdout
    assert "test_first_layer plain" not in done.stdout
    assert (repository.folder / FILE).read_text() == recorded


def test_the_tolerance_is_measured_from_repeated_calls(repository):
    text = """
        import itertools
        import numpy as np

        noise = itertools.cycle([0.0, 0.001, -0.001])

        def test_noisy(activation_golden):
            activation_golden("noisy", lambda: np.linspace(0, 1, 50) + next(noise))
    """
    repository("--update-activations", text=text)
    records = read_golden(repository.folder).records
    mean = next(r for key, r in records.items() if key[2] == "mean")
    assert mean.tolerance == pytest.approx(0.02, rel=0.1)
    assert repository(text=text).returncode == 0


def test_an_update_of_one_test_keeps_the_record_of_the_others(repository):
    more = TESTS + TESTS.replace("test_first_layer", "test_second").partition("numpy as np")[2]
    repository("--update-activations", text=more)
    before = read_golden(repository.folder).records
    done = repository(
        "--update-activations",
        "-k",
        "second",
        text=more.replace("test_second(activation_golden):", "test_second(activation_golden):  #"),
    )
    assert done.returncode == 0, done.stdout
    assert read_golden(repository.folder).records == before
    assert len({key[1] for key in before}) == 4


def test_a_registry_of_another_repository_is_checked_by_a_fixture(repository, committed):
    text = f"""
        def test_registry(bench_regress):
            bench_regress({str(committed)!r}, only=["definitions"])

        def test_nothing(bench_regress, tmp_path):
            bench_regress(tmp_path)
    """
    done = repository(text=text)
    assert "1 failed, 1 passed" in done.stdout
    assert "bench regress update --reason" in done.stdout


def test_the_plugin_is_loaded_wherever_the_package_is_installed(tmp_path):
    # a distribution with the entry point that this one declares
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    info = tmp_path / "site" / "plugin-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    points = [f"{name} = {where}" for name, where in project["entry-points"]["pytest11"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[pytest11]", *points, ""]))
    path = os.pathsep.join([str(info.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--fixtures", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert "activation_golden" in done.stdout, done.stderr
    assert "bench_regress" in done.stdout


def test_the_plugin_loads_nothing_heavy():
    code = (
        "import sys, pytest, motifidelity.regress.pytest_plugin\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'tensorflow', 'duckdb', 'scipy', 'click'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_another_file_fails_and_what_is_not_looked_at_is_a_warning(repository, few, tmp_path):
    (tmp_path / "cnn_2.py").write_text("def build_model(task): ...\n")
    text = f"""
        def test_suite(bench_regress):
            bench_regress({str(few)!r}, only=["definitions"])

        def test_mine(bench_regress):
            bench_regress({str(few)!r}, only=["files"], models=[{str(tmp_path)!r}])
    """
    done = repository(text=text)
    assert "1 failed, 1 passed" in done.stdout
    assert "NotLookedAt: Not looked at: datasets, files, activations" in done.stdout
    assert "DRIFTED  files" in done.stdout
