"""The sandbox policy: one frozen dataclass that is printed, stored with a row, and enforced."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields, replace

from motifidelity.errors import UserError
from motifidelity.phase.outputs import OutputLimits

MIB = 1 << 20
GIB = 1 << 30
NOBODY = "65534:65534"
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": MIB, "g": GIB, "t": 1 << 40}
# fields that a flag may change, and how a person reads them
_LIMITS = ("memory", "cpus", "timeout", "gpus")


@dataclass(frozen=True)
class Policy:
    """What a phase may do and use. The defaults are the standard policy.

    Attributes
    ----------
    network : str
        ``none``: a loopback device and nothing else.
    read_only_root : bool
        The image cannot be written.
    capabilities : str
        ``none``: all are dropped.
    no_new_privileges : bool
        A set-uid file gives no rights.
    seccomp : str
        ``default``: the engine's own filter of system calls.
    init : bool
        A small first process that reaps what others leave.
    user : str
        Numeric ``uid:gid``; never 0 unless the engine itself is rootless.
    memory : int
        Bytes, the same with swap; file pages of ``/tmp`` and ``/dev/shm`` count too.
    cpus : float
        Processor time in seconds per second.
    pids : int
        Processes and threads.
    open_files : int
        Open files of a process.
    tmp, shm : int
        Bytes of ``/tmp`` and ``/dev/shm``, the only places beside the output folder that can be
        written; nothing in them can be executed.
    timeout : float
        Seconds a phase may take by the host's clock.
    output_bytes, output_files : int
        Size and number of files of the output folder, watched by the host.
    text_bytes : int
        Bytes of standard output and error.
    gpus : str
        ``none``, ``all``, a number, or UUIDs.
    """

    network: str = "none"
    read_only_root: bool = True
    capabilities: str = "none"
    no_new_privileges: bool = True
    seccomp: str = "default"
    init: bool = True
    user: str = NOBODY
    memory: int = 8 * GIB
    cpus: float = 2.0
    pids: int = 512
    open_files: int = 4096
    tmp: int = GIB
    shm: int = 64 * MIB
    timeout: float = 6 * 3600.0
    output_bytes: int = OutputLimits.total_bytes
    output_files: int = OutputLimits.files
    text_bytes: int = 64 * MIB
    gpus: str = "none"

    def __post_init__(self) -> None:
        for name, low in (("memory", 64 * MIB), ("cpus", 0.01), ("timeout", 0.001), ("pids", 1)):
            if not getattr(self, name) >= low:
                raise UserError(f"--{name} {getattr(self, name):g}: at least {low:g} is needed")

    def with_limits(
        self,
        *,
        memory: str | None = None,
        cpus: float | None = None,
        timeout: float | None = None,
        gpus: str | None = None,
    ) -> Policy:
        """The policy with the limits that flags gave; None leaves one as it is.

        Raises
        ------
        UserError
            For a size that is not one, or a limit too low for any work.
        """
        changes: dict[str, object] = {
            "memory": None if memory is None else parse_size(memory),
            "cpus": cpus,
            "timeout": timeout,
            "gpus": gpus,
        }
        return replace(self, **{k: v for k, v in changes.items() if v is not None})  # type: ignore[arg-type]

    def widened(self) -> tuple[str, ...]:
        """Limits that are wider than the standard policy's, a line each."""
        standard = Policy()
        lines = [
            f"{name} {_shown(name, getattr(self, name))} (standard: "
            f"{_shown(name, getattr(standard, name))})"
            for name in _LIMITS[:3]
            if getattr(self, name) > getattr(standard, name)
        ]
        if self.gpus != standard.gpus:
            lines.append(f"gpus {self.gpus} (standard: {standard.gpus})")
        return tuple(lines)

    def limits(self) -> OutputLimits:
        """Limits of the output folder."""
        return OutputLimits(self.output_files, self.output_bytes)

    def to_json(self) -> str:
        """Canonical JSON, as rows store it."""
        return json.dumps(asdict(self), sort_keys=True)

    def lines(self) -> list[tuple[str, str]]:
        """Name and value of every field as people read them."""
        return [
            (field.name.replace("_", " "), _shown(field.name, getattr(self, field.name)))
            for field in fields(self)
        ]


def parse_size(text: str) -> int:
    """Bytes of a size such as ``512m``, ``8g`` or ``8GiB`` (binary units).

    Raises
    ------
    UserError
        If it is not a size.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if match is None:
        raise UserError(f"--memory {text}: not a size; write 512m or 8g, for example")
    return int(float(match[1]) * _UNITS[match[2]])


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in ("memory", "tmp", "shm", "output_bytes", "text_bytes") and isinstance(value, int):
        return f"{value / GIB:g} GiB" if value >= GIB else f"{value / MIB:g} MiB"
    if name == "timeout" and isinstance(value, int | float):
        return f"{value:.12g} s a phase"
    return f"{value:g}" if isinstance(value, float) else str(value)
