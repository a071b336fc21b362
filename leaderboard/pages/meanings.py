"""What the height of a letter stands for in the map of each attribution method, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from motifidelity.entries import DIVISION, ORACLE, RANDOM, RIVALS
from motifidelity.leaderboard.tables.columns import method_label
from motifidelity.metrics.methods import METHODS

Settings = Mapping[str, Mapping[str, Any]]

_REFERENCES = {
    "uniform": "that of an input of 0.25 everywhere",
    "zero": "that of an input of zeros",
    "dinucleotide": "the mean over its dinucleotide shuffles",
    "mononucleotide": "the mean over shuffles of its letters",
}
_UNKNOWN = "that of the reference"
_ORACLE = "evidence in bits for the best site of a true motif over the base; no network is asked"
_ORACLE_CHANGES = (
    "how far that evidence moves when another letter stands there: the L2 norm of the three "
    "changes, without a sign"
)
_COUNTING = "sum of the weights of the k-mers over the base; no network is asked"
_COUNTING_CHANGES = (
    "how far the logit moves when another letter stands there: the L2 norm of the three changes, "
    "without a sign"
)
_NOISE = "noise"


def meanings(
    methods: Iterable[str], settings: Settings, division: str, model: str
) -> tuple[tuple[str, str], ...]:
    """Name and meaning of every map that is drawn.

    Parameters
    ----------
    methods : iterable of str
    settings : mapping
        The task's settings of its methods; empty where the package does not hold the task.
    division, model : str
        Whose maps they are: those of a reference are no network's.

    Returns
    -------
    tuple of (str, str)
        A method that this version does not know is left out.
    """
    found = []
    for method in methods:
        if division == DIVISION:
            meaning = _of_reference(method, model)
        else:
            kind = str(settings.get(method, {}).get("reference", ""))
            reference = _REFERENCES.get(kind, _UNKNOWN)
            known = METHODS.get(method)
            meaning = known.meaning.format(reference=reference) if known else ""
        if meaning:
            found.append((method_label(method), meaning))
    return tuple(found)


def _of_reference(method: str, model: str) -> str:
    known = METHODS.get(method)
    changes = known is not None and known.base == "norm"
    if model == ORACLE:
        return _ORACLE_CHANGES if changes else _ORACLE
    if model in RIVALS:
        return _COUNTING_CHANGES if changes else _COUNTING
    return _NOISE if model == RANDOM else ""
