"""Files that bring up Ray on a cluster's own scheduler and run ``bench`` there.

Both keep the harness, with the truth, in one place: a process of its own on the first node of a
SLURM allocation, a pod of its own on Kubernetes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from motifidelity.containers.policy import parse_size
from motifidelity.errors import UserError

COMMANDS = ("run", "reproduce")
# what Ray and the container around it need beside the jobs
OVERHEAD_BYTES = 2 << 30
# chosen by the files themselves
TAKEN = ("--executor", "--address", "--nodes")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_TIME = re.compile(r"(\d+-)?\d{1,2}:\d{2}:\d{2}")
# what a line of '#SBATCH' or of YAML takes without quotes
_WORD = re.compile(r"[A-Za-z0-9._:/@=+-]+")


@dataclass(frozen=True)
class Allocation:
    """What is asked of the scheduler.

    Attributes
    ----------
    nodes : int
        Nodes that run jobs.
    cpus, gpus : int
        Of each node.
    memory : str
        Of each node, such as ``64g``.
    time : str
        Longest duration, ``[DAYS-]HOURS:MINUTES:SECONDS``; for SLURM.
    """

    nodes: int = 2
    cpus: int = 8
    gpus: int = 0
    memory: str = "32g"
    time: str = "24:00:00"

    def __post_init__(self) -> None:
        if parse_size(self.memory) <= OVERHEAD_BYTES:
            raise UserError(f"--memory {self.memory}: a node needs more than 2g, for Ray and a job")
        if not _TIME.fullmatch(self.time):
            raise UserError(f"--time {self.time}: write 24:00:00 or 2-00:00:00, for example")

    def values(self) -> dict[str, object]:
        """What templates say: all of it, memory in MiB too, and the bytes of it that jobs have."""
        size = parse_size(self.memory)
        return {**asdict(self), "memory_mib": size >> 20, "jobs_bytes": size - OVERHEAD_BYTES}


def slurm(
    command: Sequence[str],
    allocation: Allocation,
    *,
    image: str,
    partition: str | None = None,
    account: str | None = None,
    binds: Sequence[str] = (),
) -> str:
    """A batch script: Ray on the nodes of one allocation, all inside an Apptainer image.

    Parameters
    ----------
    command : sequence of str
        A command line of ``bench``, without the name.
    allocation : Allocation
    image : str
        Path of the image, seen by every node.
    partition, account : str, optional
    binds : sequence of str
        Folders beside the current one that are seen inside.

    Raises
    ------
    UserError
        If the command is none that runs jobs, or a value would break the script.
    """
    for option, value in (("--partition", partition), ("--account", account)):
        if value is not None:
            _word(option, value)
    return _fill(
        "slurm.sh",
        command=shlex.join(_checked(command)),
        image=shlex.quote(image),
        partition=partition,
        account=account,
        binds=[shlex.quote(bind) for bind in binds],
        **allocation.values(),
    )


def kuberay(
    command: Sequence[str],
    allocation: Allocation,
    *,
    image: str,
    name: str = "motifidelity",
    model: Path | None = None,
) -> str:
    """A manifest: a RayCluster without the truth, and a Job that runs the harness beside it.

    Parameters
    ----------
    command : sequence of str
        A command line of ``bench``, without the name.
    allocation : Allocation
    image : str
        Image with Ray and this package.
    name : str
        Of every object.
    model : Path, optional
        Model file that goes along in a ConfigMap, at ``/models``.

    Raises
    ------
    UserError
        If the command is none that runs jobs, or a value is not one that Kubernetes takes.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"--name {name}: at most 40 lower-case letters, digits and hyphens, as Kubernetes wants"
        )
    _word("--image", image)
    text = None
    if model is not None:
        try:
            text = model.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{model}: cannot be read ({error})") from error
        _word("the model's file name", model.name)
    return _fill(
        "kuberay.yaml",
        command=_checked(command),
        image=image,
        name=name,
        model_name=model.name if model else None,
        model_text=text,
        **allocation.values(),
    )


def _checked(command: Sequence[str]) -> list[str]:
    if not command or command[0] not in COMMANDS:
        raise UserError(
            "say what shall run, after two hyphens: bench cluster ... -- run --model my_model.py"
        )
    for word in command:
        if word.partition("=")[0] in TAKEN:
            raise UserError(f"leave {word.partition('=')[0]} away: the file sets it")
        if "\n" in word or "\0" in word:
            raise UserError("a command line has no line breaks")
    return list(command)


def _word(option: str, value: str) -> None:
    if not _WORD.fullmatch(value):
        raise UserError(f"{option} {value!r}: letters, digits and . _ : / @ = + - only")


def _fill(template: str, **values: object) -> str:
    import json

    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("motifidelity.machine", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # every JSON string is one of YAML
    environment.filters["quoted"] = json.dumps
    return environment.get_template(template).render(values)
