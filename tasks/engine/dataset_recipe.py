"""Recipe of a dataset: what a specification's table ``[engine]`` says, and what is drawn by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.tasks.engine.affinity import Affinity, calibrated_offsets
from motifidelity.tasks.engine.backgrounds import Background
from motifidelity.tasks.engine.compose import (
    Composition,
    Sites,
    by_chance,
    by_number,
    by_rules,
    place,
    place_at_ends,
    write,
)
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.motif_rules import RULES, Rule, State
from motifidelity.tasks.engine.sites import KINDS, TRUE, SiteTable

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
# offsets that a draft leaves open bind a factor so much of the time at this percentile of so many
# sequences without sites, and are rounded
BOUND, STRONG, FREE, DIGITS = 0.3, 95.0, 5000, 4


@dataclass(frozen=True, eq=False)
class Matrices:
    """The matrices that sites are drawn from, in the order of the task's pools.

    Attributes
    ----------
    ids : tuple of str
    ppms : tuple of ndarray (4, width)
    """

    ids: tuple[str, ...]
    ppms: tuple[Floats, ...]

    @property
    def number(self) -> dict[str, int]:
        """Of each matrix by its id."""
        return {name: i for i, name in enumerate(self.ids)}

    def of(self, ids: Sequence[str]) -> dict[str, Floats]:
        """Some of them by their ids."""
        every = dict(zip(self.ids, self.ppms, strict=True))
        return {name: every[name] for name in ids}


@dataclass(frozen=True, eq=False)
class Drawn:
    """Sequences with their sites.

    Attributes
    ----------
    codes : ndarray (n, length) uint8
        A=0 C=1 G=2 T=3.
    labels : ndarray (n, classes)
        uint8; float32 of a regression target.
    sites : Sites
    """

    codes: NDArray[np.uint8]
    labels: NDArray[Any]
    sites: Sites


@dataclass(frozen=True, eq=False)
class Setting:
    """What sites are written with, and into."""

    matrices: Matrices
    table: SiteTable
    background: Background
    temperature: tuple[float, float]

    def written(
        self, draws: Draws, composition: Composition, start: Ints, length: int
    ) -> tuple[NDArray[np.uint8], Sites]:
        """Letters of sequences (n, length) uint8, and their sites."""
        return write(draws, composition, start, self.table, self.background, length)


@dataclass(frozen=True)
class ByRules:
    """One class a rule: each rule in one of four states, independently of the others.

    Attributes
    ----------
    rules : tuple of Rule
    shares : tuple of float
        Of sequences by `motif_rules.State`; they sum to 1.
    """

    rules: tuple[Rule, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        _require_shares(self.shares)
        taken = [motif for rule in self.rules for motif in (rule.first, rule.second)]
        if again := sorted({motif for motif in taken if taken.count(motif) > 1}):
            raise ValueError(f"matrix {again[0]} is of two rules; each has two of its own")

    @property
    def motifs(self) -> tuple[str, ...]:
        """Ids of the matrices that it takes sites of."""
        return tuple(motif for rule in self.rules for motif in (rule.first, rule.second))

    def renamed(self, names: Mapping[str, str]) -> ByRules:
        """The same of other matrices: ``names`` has their ids by those here."""
        rules = (
            replace(rule, first=names[rule.first], second=names[rule.second]) for rule in self.rules
        )
        return replace(self, rules=tuple(rules))

    def draw(self, draws: Draws, count: int, length: int, made: Setting) -> Drawn:
        """Draw sequences; labels (count, rules) uint8."""
        composition, labels = by_rules(
            draws,
            count,
            self.rules,
            self.shares,
            made.matrices.number,
            made.table.widths,
            made.temperature,
        )
        start = place(draws, composition, length, self.rules)
        codes, sites = made.written(draws, composition, start, length)
        return Drawn(codes, labels, sites)

    def facts(self) -> dict[str, str]:
        """What a reader is told, by heading."""
        states = zip(
            ("satisfied", "violated with both motifs", "one motif", "none"),
            self.shares,
            strict=True,
        )
        return {
            "a rule is": ", ".join(f"{name} in {share:.0%}" for name, share in states),
            **{f"rule {rule.name}": rule.said() for rule in self.rules},
        }


@dataclass(frozen=True)
class ByNumber:
    """Two classes: some sites of any core motif, or as many decoys of one kind.

    Attributes
    ----------
    core : tuple of str
    relatives : tuple of str
        What looks like each of them, in the same order; none without look-alikes.
    number : (int, int)
        Sites of a sequence, from and to.
    positives : float
        Share of sequences with true sites.
    negatives : tuple of str
        Kinds of decoys, of `sites.KINDS`, each of as many sequences.
    mixed : tuple of str
        Not empty: every sequence has one site of each of these kinds, and the label.
    ends : int
        Not 0: two sites, one within so many bases of either end.
    """

    core: tuple[str, ...]
    relatives: tuple[str, ...]
    number: tuple[int, int]
    positives: float
    negatives: tuple[str, ...]
    mixed: tuple[str, ...] = ()
    ends: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.number[0] <= self.number[1]:
            raise ValueError(f"number {list(self.number)} must be two rising counts from 1")
        if not 0 < self.positives < 1:
            raise ValueError(f"positives {self.positives} must lie between 0 and 1")
        for kind in (*self.negatives, *self.mixed):
            if kind not in KINDS:
                raise ValueError(f"no kind {kind!r}; choose of {', '.join(KINDS)}")
        if not self.negatives or "true" in self.negatives:
            raise ValueError(f"negatives must be some of {', '.join(KINDS[1:])}")
        if "look-alike" in (*self.negatives, *self.mixed) and len(self.relatives) != len(self.core):
            raise ValueError("look-alikes need one relative of each core matrix")
        if self.ends and self.number != (2, 2):
            raise ValueError(f"ends {self.ends} wants number [2, 2]")

    @property
    def motifs(self) -> tuple[str, ...]:
        """Ids of the matrices that it takes sites of."""
        return self.core + self.relatives

    def renamed(self, names: Mapping[str, str]) -> ByNumber:
        """As `ByRules.renamed`."""
        core, relatives = (tuple(names[i] for i in ids) for ids in (self.core, self.relatives))
        return replace(self, core=core, relatives=relatives)

    def draw(self, draws: Draws, count: int, length: int, made: Setting) -> Drawn:
        """Draw sequences; labels (count, 1) uint8, 1 of true sites."""
        if self.mixed:
            owner = np.repeat(np.arange(count), len(self.mixed))
            kind = np.tile([KINDS.index(name) for name in self.mixed], count)
            labels = np.ones((count, 1), np.uint8)
        else:
            negatives = [KINDS.index(name) for name in self.negatives]
            of = np.array([TRUE, *negatives])
            share = (1 - self.positives) / len(negatives)
            of_sequence = of[draws.choice([self.positives, *[share] * len(negatives)], count)]
            owner = np.repeat(
                np.arange(count), draws.integers(self.number[0], self.number[1] + 1, count)
            )
            kind = of_sequence[owner]
            labels = (of_sequence == TRUE).astype(np.uint8)[:, None]
        number = made.matrices.number
        composition = by_number(
            draws,
            count,
            owner,
            kind,
            np.array([number[name] for name in self.core], np.intp),
            np.array([number[name] for name in self.relatives], np.intp),
            made.table.widths,
            made.temperature,
        )
        if self.ends:
            start = place_at_ends(draws, composition, length, self.ends)
        else:
            start = place(draws, composition, length)
        codes, sites = made.written(draws, composition, start, length)
        return Drawn(codes, labels, sites)

    def facts(self) -> dict[str, str]:
        """What a reader is told, by heading."""
        low, high = self.number
        return {
            "sites in a sequence": f"{low}" if low == high else f"{low} to {high}",
            "sequences with the label": f"{self.positives:.0%}",
            "sites of the others": ", ".join(self.negatives),
        }


@dataclass(frozen=True)
class ByAffinity:
    """A regression target: each motif at most once, and what the sequence does by its letters.

    Attributes
    ----------
    probability : float
        Of a site of each motif.
    weights : mapping of str to float
        Of each matrix's occupancy.
    cooperation : tuple of (str, str, float)
        Weights of products of two.
    noise : float
        Variance of the Gaussian noise, in variances of the target without it.
    offsets : mapping of str to float, optional
        mu of each matrix, in nats; None: they are still to be found (`calibrated`).
    centre, scale : float
        The target's mean and standard deviation without noise: labels are in units of it.
    """

    probability: float
    weights: Mapping[str, float]
    cooperation: tuple[tuple[str, str, float], ...]
    noise: float
    offsets: Mapping[str, float] | None
    centre: float
    scale: float

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability {self.probability} must lie between 0 and 1")
        if self.noise < 0:
            raise ValueError(f"noise {self.noise} must not be negative")
        if self.scale <= 0:
            raise ValueError(f"scale {self.scale} must be above 0")
        named = {name for first, second, _ in self.cooperation for name in (first, second)}
        if strange := sorted(named - set(self.weights)):
            raise ValueError(f"matrix {strange[0]} cooperates and has no weight")
        if missing := sorted(
            set(self.weights) - set(self.weights if self.offsets is None else self.offsets)
        ):
            raise ValueError(f"matrix {missing[0]} has a weight and no offset")

    @property
    def motifs(self) -> tuple[str, ...]:
        """Ids of the matrices that it takes sites of."""
        return tuple(self.weights)

    def renamed(self, names: Mapping[str, str]) -> ByAffinity:
        """As `ByRules.renamed`; a matrix with its columns in another order has the same offset."""
        weights, offsets = (
            found and {names[i]: value for i, value in found.items()}
            for found in (self.weights, self.offsets)
        )
        cooperation = tuple((names[a], names[b], weight) for a, b, weight in self.cooperation)
        return replace(self, weights=weights or {}, offsets=offsets, cooperation=cooperation)

    def function(self, matrices: Matrices) -> Affinity:
        """The exact function of a sequence, before it is centred and scaled."""
        if self.offsets is None:
            raise ValueError("the offsets of [engine.affinity] are still to be found")
        return Affinity(
            matrices.of(self.motifs), dict(self.offsets), dict(self.weights), self.cooperation
        )

    def exact(self, matrices: Matrices, codes: NDArray[np.uint8]) -> Floats:
        """The label (n,) without noise of sequences (n, length)."""
        exact: Floats = (self.function(matrices)(codes) - self.centre) / self.scale
        return exact

    def changes(self, matrices: Matrices, codes: NDArray[np.uint8]) -> Floats:
        """What the label changes by (n, length, 4), without noise, by each letter at each base."""
        changes: Floats = self.function(matrices).substitutions(codes) / self.scale
        return changes

    def draw(self, draws: Draws, count: int, length: int, made: Setting) -> Drawn:
        """Draw sequences; labels (count, 1) float32."""
        from scipy.special import ndtri

        number = made.matrices.number
        composition = by_chance(
            draws,
            count,
            np.array([number[name] for name in self.motifs], np.intp),
            self.probability,
            made.table.widths,
            made.temperature,
        )
        start = place(draws, composition, length)
        codes, sites = made.written(draws, composition, start, length)
        # away from 0, where a Gaussian number would be infinite
        normal = ndtri(np.maximum(draws.uniform(count), np.finfo(float).tiny))
        labels = self.exact(made.matrices, codes) + np.sqrt(self.noise) * normal
        return Drawn(codes, labels.astype(np.float32)[:, None], sites)

    def facts(self) -> dict[str, str]:
        """What a reader is told, by heading."""
        together = ", ".join(f"{a} with {b} {w:g}" for a, b, w in self.cooperation)
        return {
            "a motif has a site in": f"{self.probability:.0%}",
            "weights of the occupancies": ", ".join(
                f"{name} {weight:g}" for name, weight in self.weights.items()
            ),
            "weights of their products": together or "none",
            "variance of the noise": f"{self.noise:.3g} of the target's",
        }


@dataclass(frozen=True)
class Extra:
    """One more test set by the same recipe, but for what is named here.

    Attributes
    ----------
    name : str
    sequences : int
    gc : (float, float), optional
        As of `Background`.
    number, ends, mixed
        As of `ByNumber`; None and empty: as in the recipe.
    """

    name: str
    sequences: int
    gc: tuple[float, float] | None = None
    number: tuple[int, int] | None = None
    ends: int = 0
    mixed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z0-9-]+", self.name) or self.name in ("train", "valid", "test"):
            raise ValueError(
                f"extra set {self.name!r}: name it by small letters, digits and hyphens, and not "
                "as a split"
            )


@dataclass(frozen=True)
class Recipe:
    """How a dataset is made.

    Attributes
    ----------
    seed : int
    sequences : int
        Of training, validation and test together.
    temperature : (float, float)
        Of a site, uniformly between the two: letters are drawn from its matrix to the power
        1 / temperature.
    background : Background
    contents : ByRules or ByNumber or ByAffinity
        What is in a sequence, and what its label is.
    extras : tuple of Extra
    """

    seed: int
    sequences: int
    temperature: tuple[float, float]
    background: Background
    contents: ByRules | ByNumber | ByAffinity
    extras: tuple[Extra, ...] = ()

    def draw(self, matrices: Matrices, length: int, parts: Mapping[str, slice]) -> dict[str, Drawn]:
        """Draw the dataset.

        Parameters
        ----------
        matrices : Matrices
        length : int
        parts : mapping of str to slice
            Splits of the sequences in the order that they are drawn in, by name.

        Returns
        -------
        dict of str to Drawn
            The splits, then the extra test sets.

        Raises
        ------
        ValueError
            If what belongs into a sequence does not fit.
        """
        draws = Draws(self.seed)
        made = Setting(matrices, SiteTable(matrices.ppms), self.background, self.temperature)
        whole = self.contents.draw(draws, self.sequences, length, made)
        found = {name: _part(whole, rows) for name, rows in parts.items()}
        for extra in self.extras:
            contents = self.contents
            changed = {
                name: value
                for name in ("number", "ends", "mixed")
                if (value := getattr(extra, name))
            }
            if changed and isinstance(contents, ByNumber):
                contents = replace(contents, **changed)
            ground = replace(self.background, gc=extra.gc) if extra.gc else self.background
            there = replace(made, background=ground)
            found[extra.name] = contents.draw(draws, extra.sequences, length, there)
        return found

    def facts(self) -> dict[str, str]:
        """What a reader is told of it, by heading."""
        ground = self.background
        letters = "even" if ground.counts is None else f"a Markov chain of order {ground.order}"
        if ground.gc:
            letters += f" with {ground.gc[0]:.0%} to {ground.gc[1]:.0%} G and C"
        low, high = self.temperature
        found = {
            "sequences": f"{self.sequences:,}",
            "background": letters,
            "temperature of sites": f"{low:g}" if low == high else f"{low:g} to {high:g}",
            **self.contents.facts(),
        }
        if self.extras:
            found["more test sets"] = ", ".join(
                f"{extra.name} ({extra.sequences:,})" for extra in self.extras
            )
        return found


def read_recipe(table: Mapping[str, Any], pools: Mapping[str, Sequence[str]]) -> Recipe:
    """Read the table ``[engine]`` of a specification.

    Parameters
    ----------
    table : mapping
        ``seed``, ``sequences``, ``temperature``; ``background``, and one of ``rules``, ``number``
        and ``affinity``; ``extra``, a list.
    pools : mapping of str to sequence of str
        Ids of matrices; ``core``, and ``relatives`` where there are look-alikes.

    Raises
    ------
    KeyError
        If a value is missing.
    ValueError
        If one is none that the engine takes.
    """
    kinds = [name for name in _CONTENTS if name in table]
    if len(kinds) != 1:
        raise ValueError(f"[engine] needs one of the tables {', '.join(_CONTENTS)}")
    _known("[engine]", table, (*_PLAIN, "background", "extra", kinds[0]))
    contents = _CONTENTS[kinds[0]](table[kinds[0]], pools)
    there = {motif for ids in pools.values() for motif in ids}
    if strange := sorted(set(contents.motifs) - there):
        raise ValueError(f"[engine] names matrix {strange[0]}, which is in no pool")
    extras = tuple(_extra(one) for one in table.get("extra", ()))
    names = [extra.name for extra in extras]
    if again := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two extra test sets are named {again[0]!r}")
    return Recipe(
        seed=table["seed"],
        sequences=table["sequences"],
        temperature=_two("temperature", table["temperature"], float),
        background=_background(table.get("background", {})),
        contents=contents,
        extras=extras,
    )


def _rules(table: Mapping[str, Any], pools: Mapping[str, Sequence[str]]) -> ByRules:
    states = {state: state.name.lower() for state in State}
    _known("[engine.rules]", table, (*states.values(), "rule"))
    return ByRules(
        tuple(_rule(one) for one in table["rule"]),
        tuple(float(table[name]) for name in states.values()),
    )


def _rule(table: Mapping[str, Any]) -> Rule:
    kind = table.get("kind", "")
    if kind not in RULES:
        raise ValueError(f"no kind of rule {kind!r}; choose of {', '.join(RULES)}")
    given = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in table.items()
        if name != "kind"
    }
    _known(f"rule {table.get('name', kind)!r}", given, [f.name for f in fields(RULES[kind])])
    named = f"rule {table.get('name', kind)!r}"
    for motif in ("first", "second"):
        if motif not in given:
            raise ValueError(f"{named} has no {motif} motif; add its id")
    rule = RULES[kind](**{"name": kind, **given})
    for field in fields(rule):
        value = getattr(rule, field.name)
        if isinstance(field.default, tuple):
            value = value if isinstance(value, tuple) else (value,)
            _two(f"{named}: {field.name}", value, int)
        elif isinstance(value, tuple):
            raise ValueError(f"{named}: {field.name} {list(value)} must be one number")
    if problem := rule.problem():
        raise ValueError(f"{named}: {problem}")
    return rule


def _number(table: Mapping[str, Any], pools: Mapping[str, Sequence[str]]) -> ByNumber:
    _known("[engine.number]", table, ("sites", "positives", "negatives"))
    return ByNumber(
        tuple(pools["core"]),
        tuple(pools.get("relatives", ())),
        _two("sites", table["sites"], int),
        float(table["positives"]),
        tuple(table["negatives"]),
    )


def calibrated(recipe: Recipe, matrices: Matrices, length: int) -> ByAffinity:
    """The contents of a recipe by affinity, with offsets, centre and scale found.

    Each offset binds its factor `BOUND` of the time at the `STRONG` percentile of `FREE` sequences
    without sites; centre and scale are those of the target over the recipe's own sequences.

    Raises
    ------
    ValueError
        If what belongs into a sequence does not fit.
    """
    contents = recipe.contents
    assert isinstance(contents, ByAffinity)
    free = recipe.background.draw(Draws(recipe.seed + 1), FREE, length)
    offsets = calibrated_offsets(free, matrices.of(contents.motifs), percentile=STRONG, share=BOUND)
    rounded = {name: round(value, DIGITS) for name, value in offsets.items()}
    raw = replace(contents, offsets=rounded, centre=0.0, scale=1.0)
    whole = {"all": slice(0, recipe.sequences)}
    drawn = replace(recipe, contents=raw, extras=()).draw(matrices, length, whole)["all"]
    exact = raw.exact(matrices, drawn.codes)
    centre, spread = (round(float(value), DIGITS) for value in (exact.mean(), exact.std()))
    # a target that never changes is refused later, by its name
    return replace(raw, centre=centre, scale=spread or 1.0)


def _affinity(table: Mapping[str, Any], pools: Mapping[str, Sequence[str]]) -> ByAffinity:
    names = ("probability", "noise", "centre", "scale", "weights", "offsets", "cooperation")
    _known("[engine.affinity]", table, names)
    found = {name: table.get(name) for name in ("offsets", "centre", "scale")}
    if 0 < sum(value is None for value in found.values()) < len(found):
        missing = next(name for name, value in found.items() if value is None)
        raise KeyError(missing)
    offsets = found["offsets"]
    return ByAffinity(
        float(table["probability"]),
        {name: float(value) for name, value in table["weights"].items()},
        tuple(
            (one["first"], one["second"], float(one["weight"]))
            for one in table.get("cooperation", ())
        ),
        float(table["noise"]),
        None if offsets is None else {name: float(value) for name, value in offsets.items()},
        float(table.get("centre", 0.0)),
        float(table.get("scale", 1.0)),
    )


_PLAIN = ("seed", "sequences", "temperature")
_CONTENTS: Mapping[
    str, Callable[[Mapping[str, Any], Mapping[str, Sequence[str]]], ByRules | ByNumber | ByAffinity]
] = {"rules": _rules, "number": _number, "affinity": _affinity}


def _background(table: Mapping[str, Any]) -> Background:
    _known("[engine.background]", table, ("order", "counts", "gc"))
    return Background(
        table.get("order", 0),
        table.get("counts"),
        _two("gc", table["gc"], float) if "gc" in table else None,
    )


def _extra(table: Mapping[str, Any]) -> Extra:
    _known("[[engine.extra]]", table, [field.name for field in fields(Extra)])
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    return Extra(**given)


def _known(where: str, table: Mapping[str, Any], names: Sequence[str]) -> None:
    if strange := sorted(set(table) - set(names)):
        raise ValueError(f"{where} has no value {strange[0]!r}; it takes {', '.join(names)}")


def _two(where: str, value: Sequence[Any], kind: type) -> Any:
    if len(value) != 2 or value[0] > value[1]:
        shown = value[0] if len(value) == 1 else list(value)
        raise ValueError(f"{where} {shown} must be two rising numbers, such as [2, 12]")
    return (kind(value[0]), kind(value[1]))


def _require_shares(shares: Sequence[float]) -> None:
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"shares {list(shares)} must sum to 1")


def _part(whole: Drawn, rows: slice) -> Drawn:
    sites = whole.sites
    first, last = rows.start, rows.stop
    mine = (first <= sites.owner) & (sites.owner < last)
    taken = Sites(**{field.name: getattr(sites, field.name)[mine] for field in fields(Sites)})
    return Drawn(whole.codes[rows], whole.labels[rows], replace(taken, owner=taken.owner - first))
