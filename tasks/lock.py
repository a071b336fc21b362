"""A new task's data are locked: their digests go into its specification."""

from __future__ import annotations

from pathlib import Path

from motifidelity.errors import DataError, UserError
from motifidelity.tasks.dataset import array_digests
from motifidelity.tasks.generate import generate
from motifidelity.tasks.motifs import load_motifs
from motifidelity.tasks.spec import SPLITS, TaskSpec, read_spec


def lock(path: Path) -> TaskSpec:
    """Generate a task's data and append their digests to its file, unless these are there.

    Parameters
    ----------
    path : Path
        A specification, with or without the tables ``[digests.train]``, ``valid`` and ``test``.

    Returns
    -------
    TaskSpec
        The locked one.

    Raises
    ------
    UserError
        If the file is no specification, or is locked to other data: a published task is immutable.
    DataError
        If the motif database is not the one that the file names, or the file cannot be written.
    """
    spec = read_spec(path, draft=True)
    splits = generate(spec, load_motifs(spec.motifs))
    found = {
        name: {"n": len(splits[name].sequences), **array_digests(splits[name])} for name in SPLITS
    }
    if spec.digests:
        if spec.digests == found:
            return spec
        raise UserError(
            f"task {path}: it is locked to other data, and a published task is immutable; give the "
            "change the next version, or delete the [digests] of a draft"
        )
    lines = []
    for name, values in found.items():
        lines += ["", f"[digests.{name}]"]
        lines += [f"{key} = {_value(value)}" for key, value in values.items()]
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        raise DataError(f"task {path}: {error.strerror or error}") from error
    return read_spec(path)


def _value(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
