"""What the values of a specification may be: it may be a stranger's, and its data cost memory.

Each value is looked at before anything is made of it. The bounds are far above what a task needs,
and keep what is drawn, asked and explained within some gigabytes.
"""

from __future__ import annotations

import errno
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# bytes of a specification, and of its motif file
TEXT_BYTES, MOTIF_BYTES = 1_000_000, 20_000_000
# matrices of a motif file, and their columns
MATRICES, COLUMNS = 5000, 1000
# sequences x bases: drawn in all sets, explained, and written into (a design has hundreds)
DRAWN, EXPLAINED, WRITTEN = 10**8, 2 * 10**6, 10**5
# sequences x classes
LABELS = 10**8
_LETTERS, _NAME, _SHOWN, _DEEP = 2000, 100, 40, 8
# a reader takes time and memory by the square of a dotted key's parts
_PARTS = 200
_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*\.[ \t]*){200}"""
)
SEED, _MANY = 2**32 - 2, 10**6


@dataclass(frozen=True)
class Number:
    """A number within bounds, a whole one unless ``real``."""

    low: float
    high: float
    real: bool = False

    def problem(self, value: object) -> str:
        """What is wrong with a value, and the remedy; or nothing."""
        kind = (int, float) if self.real else (int,)
        plain = isinstance(value, kind) and not isinstance(value, bool)
        if plain and self.low <= value <= self.high:  # type: ignore[operator]
            return ""
        if self.real:
            return f"is {_shown(value)}; take a number from {self.low:g} to {self.high:g}"
        return f"is {_shown(value)}; take a whole number from {self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class Text:
    """A text of so many letters at most."""

    most: int = _LETTERS

    def problem(self, value: object) -> str:
        """As `Number`."""
        if isinstance(value, str) and len(value) <= self.most:
            return ""
        return f"is {_shown(value)}; take a text of at most {self.most:,} letters"


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def problem(self, value: object) -> str:
        """As `Number`."""
        return "" if isinstance(value, bool) else f"is {_shown(value)}; take true or false"


@dataclass(frozen=True)
class Many:
    """A list of so many entries at most, each of which fits."""

    of: Number | Text
    most: int

    def problem(self, value: object) -> str:
        """As `Number`."""
        if not isinstance(value, list):
            return f"is {_shown(value)}; take a list"
        if len(value) > self.most:
            return f"has {len(value):,} entries; take at most {self.most:,}"
        wrong = ((n, found) for n, one in enumerate(value, 1) if (found := self.of.problem(one)))
        number, found = next(wrong, (0, ""))
        return f"entry {number} {found}" if found else ""


@dataclass(frozen=True)
class Rising(Many):
    """A list as `Many` that rises from 0 to 1."""

    def problem(self, value: object) -> str:
        """As `Number`."""
        if found := super().problem(value):
            return found
        ends = len(value) > 1 and (value[0], value[-1]) == (0, 1)  # type: ignore[arg-type, index]
        rises = ends and value == sorted(set(value))  # type: ignore[call-overload]
        return "" if rises else "does not rise from 0 to 1; let each entry be above the last"


@dataclass(frozen=True)
class Either:
    """What one of two takes; messages are the first one's."""

    first: Number | Text | Many
    second: Number | Text | Many

    def problem(self, value: object) -> str:
        """As `Number`."""
        return self.second.problem(value) and self.first.problem(value)


@dataclass(frozen=True)
class Tables:
    """A table, or with ``several`` a list of so many at most."""

    several: int = 0

    def problem(self, value: object) -> str:
        """As `Number`."""
        if not self.several:
            return "" if isinstance(value, dict) else f"is {_shown(value)}; make it a table"
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            return f"is {_shown(value)}; make it a list of tables, as [[...]]"
        if len(value) > self.several:
            return f"has {len(value):,} tables; take at most {self.several:,}"
        return ""


Kind = Number | Text | Flag | Many | Either | Tables

_NAMED, _TEXT, _FLAG = Text(_NAME), Text(), Flag()
_SHARE = Number(0, 1, real=True)
_WEIGHT = Number(-1e6, 1e6, real=True)
_COUNT, _SIZE = Number(0, _MANY), Number(1, _MANY)
_BASES = Number(0, 20_000)
_TABLE = Tables()
_TWO_SHARES = Many(_SHARE, 2)
_SITES = Many(Number(1, 1000), 2)

KINDS: Mapping[str, Kind] = {
    "name": _TEXT,
    "version": _SIZE,
    "title": _TEXT,
    "summary": _TEXT,
    "source": _TEXT,
    "supersedes": _NAMED,
    "target": _NAMED,
    "length": Number(1, 20_000),
    "classes": Many(_NAMED, 1000),
    "default": _FLAG,
    "motifs": _TABLE,
    "motifs.*": Text(500),
    "pools": _TABLE,
    "pools.*": Many(_NAMED, MATRICES),
    "accepted": _TABLE,
    "accepted.*": _TABLE,
    "accepted.*.*": Many(_NAMED, MATRICES),
    "grammar": _TABLE,
    "grammar.seed": Number(0, SEED),
    "grammar.discard_permutation": _COUNT,
    "grammar.count_weights": Many(Number(0, 1e6, real=True), 1000),
    "grammar.count_offset": Number(0, 1000),
    "grammar.gap_scale": Number(1e-6, 1e6, real=True),
    "grammar.population": Tables(100),
    "grammar.population.sequences": _SIZE,
    "grammar.population.pools": Many(_NAMED, 100),
    "grammar.population.label": Either(_NAMED, Many(Number(0, 1), 1000)),
    "engine": _TABLE,
    "engine.seed": Number(0, SEED),
    "engine.sequences": _SIZE,
    "engine.temperature": Many(Number(0.01, 100, real=True), 2),
    "engine.background": _TABLE,
    # the tilts of a share of G and C are solved for each word
    "engine.background.order": Number(0, 4),
    "engine.background.counts": _TABLE,
    "engine.background.counts.*": Number(1e-12, 1e15, real=True),
    "engine.background.gc": _TWO_SHARES,
    "engine.rules": _TABLE,
    "engine.rules.*": _SHARE,
    "engine.rules.rule": Tables(30),
    "engine.rules.rule.*": _NAMED,
    "engine.rules.rule.gap": Many(_BASES, 2),
    "engine.rules.rule.near": Many(_BASES, 2),
    "engine.rules.rule.far": Either(Many(_BASES, 2), _BASES),
    "engine.number": _TABLE,
    "engine.number.sites": _SITES,
    "engine.number.positives": _SHARE,
    "engine.number.negatives": Many(_NAMED, 10),
    "engine.affinity": _TABLE,
    "engine.affinity.probability": _SHARE,
    "engine.affinity.noise": Number(0, 1e6, real=True),
    "engine.affinity.centre": _WEIGHT,
    "engine.affinity.scale": Number(1e-9, 1e6, real=True),
    "engine.affinity.weights": _TABLE,
    "engine.affinity.weights.*": _WEIGHT,
    "engine.affinity.offsets": _TABLE,
    "engine.affinity.offsets.*": Number(-500, 500, real=True),
    "engine.affinity.cooperation": Tables(100),
    "engine.affinity.cooperation.*": _NAMED,
    "engine.affinity.cooperation.weight": _WEIGHT,
    "engine.extra": Tables(20),
    "engine.extra.name": _NAMED,
    "engine.extra.sequences": _SIZE,
    "engine.extra.gc": _TWO_SHARES,
    "engine.extra.number": _SITES,
    "engine.extra.ends": _BASES,
    "engine.extra.mixed": Many(_NAMED, 10),
    "splits": _TABLE,
    "splits.*": _SHARE,
    "fit": _TABLE,
    "fit.learning_rate": Number(1e-12, 1e3, real=True),
    "fit.batch_size": Number(1, 100_000),
    "fit.max_epochs": Number(1, 100_000),
    "fit.monitor": _NAMED,
    "fit.stop_patience": _SIZE,
    "fit.rate_patience": _SIZE,
    "fit.rate_factor": Number(1e-6, 1, real=True),
    "fit.rate_floor": Number(0, 1e3, real=True),
    "profile": _TABLE,
    "profile.*": _TABLE,
    "profile.*.trials": Number(1, 1000),
    "profile.*.train": _SIZE,
    "profile.*.valid": _SIZE,
    "profile.*.test": _SIZE,
    "profile.*.max_epochs": Number(1, 100_000),
    "profile.*.explained": Number(1, 100_000),
    "profile.*.methods": Many(_NAMED, 100),
    "scoring": _TABLE,
    "scoring.window": Number(1, 1000),
    "scoring.half_max": _SHARE,
    "scoring.top_sites": Number(1, 100_000),
    "scoring.buffer": _BASES,
    "scoring.chance_percentile": Number(0, 100, real=True),
    "scoring.maps_floor": _SHARE,
    "scoring.rivals": Many(_NAMED, 10),
    "scoring.mismatched": _FLAG,
    "scoring.backgrounds": Number(0, 1000),
    "scoring.strands": _FLAG,
    "attribution": _TABLE,
    "attribution.tested": Number(1, 100_000),
    "attribution.curve_shares": Rising(_SHARE, 1000),
    "attribution.resamples": Number(1, 1000),
    "attribution.perturbations": Number(1, 10_000),
    "attribution.paths": Number(0, 1000),
    "attribution.readings": Many(_NAMED, 10),
    "attribution.by_class": _FLAG,
    "attribution.explain": _NAMED,
    "attribution.extra": Number(0, 100_000),
    "attribution.methods": _TABLE,
    "attribution.methods.*": _TABLE,
    "attribution.methods.*.references": Number(1, 1000),
    "attribution.methods.*.steps": Number(1, 10_000),
    "attribution.methods.*.seed": Number(0, SEED),
    "headline": Tables(100),
    "headline.*": _NAMED,
    "headline.main": _FLAG,
    "headline.label": Text(200),
    "gates": _TABLE,
    "gates.*": _WEIGHT,
    "digests": _TABLE,
    "digests.*": _TABLE,
    "digests.*.*": _NAMED,
    "digests.*.n": _COUNT,
}
"""By the path of a value; ``*`` is any key that has no line of its own."""


def refuse_oversized(raw: Mapping[str, Any]) -> None:
    """Refuse a specification with a value that is out of bounds or of another kind.

    Parameters
    ----------
    raw : mapping
        As its TOML says.

    Raises
    ------
    ValueError
        Naming the value and the remedy.
    """
    for path, names, value in _values(raw, (), ()):
        if problem := _problem(names, value):
            raise ValueError(f"{path} {problem}")
    _refuse_products(raw)


def refuse_long_keys(text: str) -> None:
    """Refuse TOML text with a dotted key of so many parts that reading it takes all memory.

    Raises
    ------
    ValueError
        If there is one.
    """
    if _LONG_KEY.search(text):
        raise ValueError(f"it has a key of more than {_PARTS} parts; take fewer")


def content_of(path: Path, most: int) -> bytes:
    """Content of a file, which is read no further than its bound.

    Raises
    ------
    OSError
        If it cannot be read, or has more bytes.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes")
    return content


def _problem(names: tuple[str, ...], value: object) -> str:
    if len(names[-1]) > _NAME:
        return f"has a key of {len(names[-1]):,} letters; take at most {_NAME}"
    if (kind := _kind(names)) is not None:
        return kind.problem(value)
    # what no table here knows is refused where it is read, or is a setting of the worker's
    if isinstance(value, str):
        return _TEXT.problem(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}; take a finite number"
    return ""


def _kind(names: tuple[str, ...]) -> Kind | None:
    """The first of the lines that a path fits, those with its own names before ``*``."""
    if len(names) > _DEEP:
        raise ValueError(f"{'.'.join(names[:2])} has tables {_DEEP} deep; take fewer")
    tries = [names]
    for place in range(len(names) - 1, 0, -1):
        tries += [(*one[:place], "*", *one[place + 1 :]) for one in tries]
    return next((KINDS[found] for one in tries if (found := ".".join(one)) in KINDS), None)


def _values(
    table: Mapping[str, Any], names: tuple[str, ...], shown: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Every value of nested tables: how messages name it, its keys, and it."""
    for key, value in table.items():
        path, where = (*names, key), (*shown, key[:_SHOWN])
        yield ".".join(where), path, value
        if isinstance(value, dict):
            yield from _values(value, path, where)
        elif isinstance(value, list):
            for number, one in enumerate(value, 1):
                if isinstance(one, dict):
                    yield from _values(one, path, (*where[:-1], f"{where[-1]} {number}"))


def _refuse_products(raw: Mapping[str, Any]) -> None:
    """What is within bounds alone may be too much together."""
    engine, length = raw.get("engine", {}), raw.get("length", 0)
    drawn = sum(one.get("sequences", 0) for one in engine.get("extra", ()))
    drawn += engine.get("sequences", 0)
    drawn += sum(one.get("sequences", 0) for one in raw.get("grammar", {}).get("population", ()))
    explained = max((one.get("explained", 0) for one in raw.get("profile", {}).values()), default=0)
    written = raw.get("scoring", {}).get("backgrounds", 0)
    classes = len(raw.get("classes", ()))
    for count, of, each, what, most in (
        (drawn, "sequences", length, "bases", DRAWN),
        (drawn, "sequences", classes, "classes", LABELS),
        (explained, "explained sequences", length, "bases", EXPLAINED),
        (written, "backgrounds", length, "bases", WRITTEN),
    ):
        if count * each > most:
            raise ValueError(
                f"{count:,} {of} of {each:,} {what} are {count * each:,}; take at most {most:,}"
            )


def _shown(value: object) -> str:
    """A value as messages show it: short, whatever it is."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_SHOWN:
        return f"{value:,}"
    text = repr(value)
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}..."
