"""A draft of a user's own task, from a template."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from motifidelity.errors import DataError, UserError, unknown
from motifidelity.tasks.bounds import MOTIF_BYTES, content_of
from motifidelity.tasks.motif_files import read_motif_file
from motifidelity.tasks.spec import name_problem

FIRST = "presence"


def templates() -> dict[str, str]:
    """Text of each template by name: the files of ``tasks/templates``."""
    folder = resources.files("motifidelity.tasks") / "templates"
    return {
        file.name.removesuffix(".toml"): file.read_text(encoding="utf-8")
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def write_draft(path: Path, template: str = FIRST, motifs: Path | None = None) -> None:
    """Write a commented specification that can be locked as it stands.

    Parameters
    ----------
    path : Path
        What it is called without its suffix is the task's name.
    template : str
        One of `templates`.
    motifs : Path, optional
        A file of motifs, all of which become the pool ``core``, and its classes: of a template
        whose classes are its motifs.

    Raises
    ------
    UserError
        If the file is there already, is no TOML file, or cannot be a task's name.
    DataError
        If it cannot be written.
    """
    known = templates()
    if template not in known:
        raise unknown("template", template, known)
    if path.suffix != ".toml":
        raise UserError(f"{path}: a task is a TOML file; call it {path.stem}.toml")
    if problem := name_problem(path.stem):
        raise UserError(f"{path}: {problem}")
    changed = {"name": json.dumps(path.stem)}
    text = known[template]
    if motifs is not None:
        if template != FIRST:
            raise UserError(
                f"template {template} says what each of its motifs is for; write [motifs] file = "
                f"{json.dumps(motifs.name)} and its ids into the draft, or take template {FIRST}"
            )
        changed |= _of_file(motifs)
        beside = Path(os.path.relpath(motifs, path.parent)).as_posix()
        text = re.sub(r"(?m)^# file = .*$", lambda _: f"file = {json.dumps(beside)}", text)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_with_values(text, changed))
    except FileExistsError as error:
        raise UserError(f"{path}: it is there already; choose another name") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; choose another folder") from error


def _of_file(motifs: Path) -> dict[str, str]:
    """Pool and classes of a file's motifs: the classes by name where no two share one."""
    try:
        content = content_of(motifs, MOTIF_BYTES)
    except OSError as error:
        raise UserError(
            f"motif file {motifs}: {error.strerror or error}; give one with --motifs"
        ) from error
    found = read_motif_file(motifs.name, content)
    ids, names = [motif_id for motif_id, _, _ in found], [name for _, name, _ in found]
    classes = names if len(set(names)) == len(names) else ids
    return {
        "summary": json.dumps(f"Which of {len(ids)} motifs stand in a sequence."),
        "classes": json.dumps(classes, ensure_ascii=False),
        "core": json.dumps(ids, ensure_ascii=False),
    }


def _with_values(text: str, values: Mapping[str, str]) -> str:
    """A TOML text with other values, in TOML, of keys that it has once; comments stay."""
    for key, value in values.items():
        line = re.compile(rf'(?m)^{key} = (?:"[^"]*"|\[[^\]]*\])')
        text = line.sub(f"{key} = {value}".replace("\\", r"\\"), text, count=1)
    return text
