"""What no test can run as it stands on a page, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Played:
    """A program that a stand-in plays: it does what later commands need, and nothing else."""

    reason: str
    script: str = "exit 0"


# by the program's file name; scripts are Bash
PROGRAMS = {
    "python3": Played(
        "a new environment, which the test's own stands for; .ci/run makes one as README says",
        '[ "$1 $2" = "-m venv" ] || exec python "$@"; mkdir -p "$3/bin"; '
        'for name in pip tox bench; do ln -sf "$(command -v $name)" "$3/bin/$name"; done',
    ),
    "pip": Played("an index that holds this version; its extras are checked by name"),
    "tox": Played("it runs this test"),
    "sbatch": Played("SLURM; tests/executors/test_slurm.py runs the script", 'bash -n "$1"'),
    "apptainer": Played("Apptainer, and an hour"),
    "kubectl": Played(
        "a Kubernetes cluster; the file that it would apply is read",
        '[ "$1" != apply ] || '
        """python -c 'import sys, yaml; list(yaml.safe_load_all(open(sys.argv[1])))' "$3" """,
    ),
    "docker": Played("a registry of images; tests/containers builds and runs them"),
    ".ci": Played("scripts of the project's own CI, which runs them"),
}


@dataclass(frozen=True)
class Refused:
    """Words of ``bench`` that ask for what is not here: one line says so, and that is tested."""

    reason: str
    words: tuple[str, ...]
    says: str


REFUSED = (
    Refused(
        "needs a registry of images; .ci/docker/image builds one", ("image", "build"), "Docker"
    ),
    Refused("needs a GPU; tests/containers/test_gpu.py has a driver played", ("--gpus",), "Docker"),
    Refused("needs a Docker engine; tests/containers has one", ("--runner", "docker"), "Docker"),
)
