"""What a run is called, and what tells runs of one name apart.

Any edit of a model's file makes another model of the same name: its results never mix with those
from before. The same holds for other parameters, another backend, isolation or division. Whatever
of these differs between runs of one name is said wherever they stand together, in words that
`find_runs` takes back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motifidelity.backends import named_on
from motifidelity.entries import CLOSED, OPEN
from motifidelity.errors import UserError, unknown
from motifidelity.untrusted import clean, clean_text

if TYPE_CHECKING:
    import pandas as pd

# what a run is known by, beside when its file was first run
NAMED_BY = ("model", "model_digest", "params", "division", "isolation", "backend")
VERSION = 8
_WHEN = re.compile(r"(?<!\S)of \d{4}-\d\d-\d\d \d\d:\d\d(?!\S)")
# all parameters are said where they are shorter than this, else those that differ
BRIEF = 40


@dataclass(frozen=True)
class RunName:
    """A run's name and the marks beside it.

    Attributes
    ----------
    model : str
    parameters : tuple of str
        Such as ``activation=relu``; where they are many, those alone in which runs of the name
        differ.
    version : str
        ``@`` and the beginning of the file's digest; "" where all runs of the name have one file.
    when : str
        When that file was first run, UTC, to the minute; "" where ``version`` is.
    others : tuple of str
        Such as ``on jax``, ``no container``, ``open``.
    """

    model: str
    parameters: tuple[str, ...]
    version: str
    when: str
    others: tuple[str, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """What stands beside the name but its parameters, a mark each."""
        version = f"{self.version} of {self.when}" if self.when else self.version
        return tuple(filter(None, (version, *self.others)))

    @property
    def beside(self) -> tuple[str, ...]:
        """What stands beside name and activation where these have places of their own."""
        return tuple(filter(None, (*self.parameters_but("activation"), self.version, *self.others)))

    def parameters_but(self, name: str) -> tuple[str, ...]:
        """The parameters without one of them."""
        return tuple(one for one in self.parameters if not one.startswith(f"{name}="))

    @property
    def label(self) -> str:
        """The name and what tells it from others, as `find_runs` reads it."""
        parts = (self.model, *self.parameters, self.version, *self.others)
        return " ".join(part for part in parts if part)

    @property
    def in_full(self) -> str:
        """The label with when its file was first run; `find_runs` reads it too."""
        return " ".join((self.model, *self.parameters, *self.marks))


def name_runs(runs: pd.DataFrame) -> list[RunName]:
    """Name every run beside the others.

    Parameters
    ----------
    runs : DataFrame
        A row each, with the columns of `NAMED_BY` and ``started`` (of any of its trials).

    Returns
    -------
    list of RunName
        In the order of the rows; equal only for rows that are equal in all of `NAMED_BY`.
    """
    import pandas as pd

    started = pd.to_datetime(runs["started"], utc=True)
    first = started.groupby([runs["model"], runs["model_digest"]], dropna=False).transform("min")
    moments = first.dt.strftime("%Y-%m-%d %H:%M").fillna("")
    varying = {
        name: runs.groupby("model", dropna=False)[name].transform("nunique") > 1
        for name in ("model_digest", "division", "isolation")
    }
    parsed = [parameters(str(text)) for text in runs["params"]]
    alike = _alike(list(runs["model"]), parsed)
    found = []
    for place, row in enumerate(runs[list(NAMED_BY)].to_dict("records")):
        several = {name: bool(values.iloc[place]) for name, values in varying.items()}
        others = (
            named_on("", str(row["backend"])).strip(),
            _isolation(str(row["isolation"])) if several["isolation"] else "",
            str(row["division"]) if several["division"] else "",
        )
        version = f"@{str(row['model_digest'])[:VERSION]}" if several["model_digest"] else ""
        found.append(
            RunName(
                model=str(row["model"]),
                parameters=_said(parsed[place], alike[row["model"]]),
                version=version,
                when=moments.iloc[place] if version else "",
                others=tuple(filter(None, others)),
            )
        )
    return found


def parameters(text: str) -> dict[str, str]:
    """Names and values of a run's parameters, sorted, as people type them.

    A string stands as it is, anything else as JSON without spaces.

    Parameters
    ----------
    text : str
        Canonical JSON; anything else is the value of ``parameters``.
    """
    try:
        loaded = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        loaded = None
    if not isinstance(loaded, dict):
        return {"parameters": text}
    return {str(key): _typed(value) for key, value in sorted(loaded.items())}


def assigned(values: Mapping[str, str]) -> tuple[str, ...]:
    """Parameters as they are typed, ``name=value``."""
    return tuple(f"{name}={value}" for name, value in values.items())


def is_assigned(values: Mapping[str, str], name: str, value: str) -> bool:
    """Whether a parameter has a value; numbers are equal as numbers (``1`` and ``1.0``)."""
    own = values.get(name)
    if own is None or own == value:
        return own is not None
    try:
        return float(own) == float(value)
    except ValueError:
        return own.lower() == value.lower() and value.lower() in ("true", "false")


def find_runs(runs: pd.DataFrame, text: str) -> pd.Series[bool]:
    """Which runs a text names: a model, and whatever else is said of them.

    Parameters
    ----------
    runs : DataFrame
        As `name_runs` takes them.
    text : str
        A model's name, then in any order ``@`` and a digest's beginning, parameters (``a=b``, or
        a value alone), ``on BACKEND``, ``container``, ``no container``, ``closed`` or ``open``.

    Returns
    -------
    Series of bool

    Raises
    ------
    UserError
        If no run is named so, with the names that there are.
    """
    names = {str(name) for name in runs["model"]}
    model, words = _split(text, names)
    found = runs["model"] == model
    for word in words:
        here = found & _has(runs, word)
        if not here.any():
            there = dict.fromkeys(name.label for name in name_runs(runs[found]))
            listed = ", ".join(clean_text(label, 100) for label in list(there)[:8])
            more = f" and {len(there) - 8} more" if len(there) > 8 else ""
            raise UserError(f"'{text}': no run of {model} has '{word}'; there are {listed}{more}")
        found = here
    return found


def _split(text: str, names: set[str]) -> tuple[str, list[str]]:
    """The model that a text begins with, and its other words."""
    whole = " ".join(text.split())
    for name in sorted(names, key=len, reverse=True):
        rest = whole[len(name) :]
        if name and whole.startswith(name) and (not rest or rest[0] in " @"):
            words = " ".join(_WHEN.sub("", rest).replace("@", " @").split())
            return name, re.sub(r"(?<!\S)(on|no) (?=\S)", r"\1-", words).split()
    raise unknown("model", whole.partition("@")[0], sorted(names))


def _has(runs: pd.DataFrame, word: str) -> pd.Series[bool]:
    """Which runs have a mark."""
    if word.startswith("@"):
        return runs["model_digest"].astype(str).str.startswith(word[1:])
    if word.startswith("on-"):
        return runs["backend"] == word.removeprefix("on-")
    if word in ("container", "no-container"):
        return (runs["isolation"] == "container") == (word == "container")
    if word in (CLOSED, OPEN):
        return runs["division"] == word
    name, equals, value = word.partition("=")
    parsed = runs["params"].map(lambda text: parameters(str(text)))
    if equals:
        return parsed.map(lambda own: is_assigned(own, name, value)).astype(bool)
    return parsed.map(lambda own: any(is_assigned(own, key, word) for key in own)).astype(bool)


def _typed(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _isolation(name: str) -> str:
    return "container" if name == "container" else "no container"


def _alike(models: Sequence[Any], parsed: Sequence[Mapping[str, str]]) -> dict[Any, set[str]]:
    """Of every model the parameters, as they are typed, that all of its runs have."""
    found: dict[Any, set[str]] = {}
    for model, values in zip(models, parsed, strict=True):
        mine = set(assigned(values))
        found[model] = found[model] & mine if model in found else mine
    return found


def _said(values: Mapping[str, str], alike: set[str]) -> tuple[str, ...]:
    """All parameters where they are few, else those in which runs of the name differ."""
    every = assigned(values)
    different = tuple(one for one in every if one not in alike)
    brief = len(" ".join(every)) <= BRIEF or not different
    return tuple(clean(one) for one in (every if brief else different))
