"""A new task's data are locked: their digests go into its specification."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from motifidelity.errors import DataError, UserError
from motifidelity.files import atomic_path
from motifidelity.tasks.dataset import Dataset, array_digests
from motifidelity.tasks.engine.dataset_recipe import ByAffinity, Recipe, calibrated
from motifidelity.tasks.generate import generate, implanted_matrices
from motifidelity.tasks.motifs import Motif, load_motifs, motifs_digest
from motifidelity.tasks.sound import refuse_constant_labels, refuse_unsound
from motifidelity.tasks.spec import TaskSpec, read_spec


def lock(path: Path, judge: Callable[[Dataset], None] = lambda _: None) -> TaskSpec:
    """Generate a task's data and write their digests into its file, unless these are there.

    Offsets, centre and scale that an exact function leaves open are found and written first.

    Parameters
    ----------
    path : Path
        A specification, with or without the tables ``[digests.train]``, ``valid`` and ``test``, and
        the ``digest`` of its ``[motifs]``.
    judge : callable
        Looks at the data before a digest is written, and raises where they make no task.

    Returns
    -------
    TaskSpec
        The locked one.

    Raises
    ------
    UserError
        If the file is no specification, makes no task, or is locked to other data: a published task
        is immutable.
    DataError
        If the motif database is not the one that the file names, or the file cannot be written.
    """
    spec = read_spec(path, draft=True)
    motifs = load_motifs(spec.motifs)
    refuse_unsound(spec, motifs)
    if (added := _calibration(spec, motifs)) is not None:
        _add_below(path, "engine.affinity", added)
        spec = read_spec(path, draft=True)
    splits = generate(spec, motifs)
    found = {
        name: {"n": len(splits[name].sequences), **array_digests(splits[name])}
        for name in spec.sets
    }
    if spec.digests not in ({}, found):
        raise UserError(
            f"task {path}: it is locked to other data, and a published task is immutable; give the "
            "change the next version, or delete the [digests] of a draft"
        )
    if spec.digests and spec.motifs.digest:
        return spec
    refuse_constant_labels(spec, splits)
    judge(Dataset(replace(spec, digests=found), splits, motifs))
    lines = []
    for name, values in found.items() if not spec.digests else ():
        lines += ["", f"[digests.{name}]"]
        lines += [f"{key} = {_value(value)}" for key, value in values.items()]
    try:
        text = path.read_text(encoding="utf-8")
        if not spec.motifs.digest:
            text = _with_motifs_digest(path, text, motifs_digest(motifs))
        with atomic_path(path) as temporary:
            temporary.write_text(text.rstrip("\n") + "\n" + "\n".join(lines) + "\n", "utf-8")
    except OSError as error:
        raise DataError(f"task {path}: {error.strerror or error}") from error
    return read_spec(path)


def _with_motifs_digest(path: Path, text: str, digest: str) -> str:
    """The specification with one more line below the header of its motifs."""
    text, written = re.subn(
        r"(?m)^([ \t]*\[motifs\].*)$", rf'\1\ndigest = "{digest}"', text, count=1
    )
    if not written:
        raise UserError(
            f"task {path}: its motifs have no digest, and there is no line [motifs] to write it "
            "below; write them as a table of that name"
        )
    return text


def _calibration(spec: TaskSpec, motifs: Mapping[str, Motif]) -> list[str] | None:
    """Lines of what an exact function leaves open; None where nothing is."""
    recipe = spec.grammar
    if not isinstance(recipe, Recipe) or not isinstance(recipe.contents, ByAffinity):
        return None
    if recipe.contents.offsets is not None:
        return None
    try:
        found = calibrated(recipe, implanted_matrices(spec, motifs), spec.length)
    except ValueError as error:
        raise UserError(f"task {spec.id}: {error}") from error
    assert found.offsets is not None
    offsets = ", ".join(f'"{name}" = {value}' for name, value in found.offsets.items())
    return [
        f"centre = {found.centre}",
        f"scale = {found.scale}",
        f"offsets = {{ {offsets} }}",
    ]


def _add_below(path: Path, table: str, lines: Sequence[str]) -> None:
    """Write values below the header of a file's table."""
    try:
        text = path.read_text(encoding="utf-8")
        header = rf"(?m)^([ \t]*\[{re.escape(table)}\].*)$"
        text, written = re.subn(header, lambda found: "\n".join([found[1], *lines]), text, count=1)
        if not written:
            raise UserError(
                f"task {path}: there is no line [{table}] to write offsets, centre and scale "
                "below; write it as a table of that name"
            )
        with atomic_path(path) as temporary:
            temporary.write_text(text, "utf-8")
    except OSError as error:
        raise DataError(f"task {path}: {error.strerror or error}") from error


def _value(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
