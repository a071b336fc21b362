"""Task specifications: versioned TOML files, read into frozen dataclasses.

A published specification is immutable; a fix is a new version that names what it supersedes. Its
digest covers every value of the file, so no result can be mistaken for one of another task.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from motifidelity.entries import RIVALS
from motifidelity.errors import UserError, unknown
from motifidelity.metrics.attribution import maps
from motifidelity.metrics.gates import GATES
from motifidelity.metrics.headlines import (
    HEADLINES,
    Headline,
    main_scores,
    readings_of,
    shown_capabilities,
)
from motifidelity.metrics.readings import OWN, READINGS, Reading
from motifidelity.tasks.bounds import (
    MOTIF_BYTES,
    TEXT_BYTES,
    content_of,
    refuse_long_keys,
    refuse_oversized,
)
from motifidelity.tasks.engine.dataset_recipe import Recipe, read_recipe

SPLITS = ("train", "valid", "test")
# what filters are compared with beside the motifs of a file, unless it names another release
JASPAR = {"release": "JASPAR2016", "collection": "CORE", "tax_group": "vertebrates"}
EXPLAIN = ("positives", "all")
# which matrices count as a true motif: as the study has it, and as scores that mend it do
DEFINITIONS = ("paper", "corrected")
# how a specification and its motif file are called where they are kept
TEXT, MOTIFS = "task.toml", "motifs"
# --task of every task of the suite
ALL = "all"
_T = TypeVar("_T")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


@dataclass(frozen=True)
class MotifSource:
    """Where the motifs come from: a release of JASPAR and the digest of its matrices.

    With ``file`` (as the specification names it, beside itself) the matrices of that file's
    ``content`` stand before those of the release, and the digest covers both. A draft has the
    digest ``""``.
    """

    release: str
    collection: str
    tax_group: str
    digest: str
    file: str = ""
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Population:
    """Sequences drawn alike: how many, from which pools, and how they are labelled.

    ``label`` is ``"picked"`` (one bit per motif of the core pool) or a list of class bits.
    """

    sequences: int
    pools: tuple[str, ...]
    label: str | tuple[int, ...]


@dataclass(frozen=True)
class Grammar:
    """How a sequence is composed (reference study, Methods).

    ``count_weights`` and ``count_offset`` give the number of motifs; ``gap_scale`` is the upper
    end of the uniform draw that the gaps are made of; ``discard_permutation`` is the length of a
    permutation that the study drew first and threw away (0: none).
    """

    seed: int
    discard_permutation: int
    count_weights: tuple[float, ...]
    count_offset: int
    gap_scale: float
    populations: tuple[Population, ...]


@dataclass(frozen=True)
class FitRecipe:
    """Training recipe of the closed division."""

    learning_rate: float
    batch_size: int
    max_epochs: int
    monitor: str
    stop_patience: int
    rate_patience: int
    rate_factor: float
    rate_floor: float


@dataclass(frozen=True)
class Profile:
    """How much of a task is run: ``None`` means all of it.

    ``explained`` counts the test sequences that attribution maps explain, ``methods`` names the
    attribution methods that explain them.
    """

    name: str
    trials: int
    train: int | None
    valid: int | None
    test: int | None
    max_epochs: int
    explained: int
    methods: tuple[str, ...] | None = None

    @property
    def training(self) -> dict[str, int | str | None]:
        """What a trained network depends on."""
        return {
            "name": self.name,
            "train": self.train,
            "valid": self.valid,
            "max_epochs": self.max_epochs,
        }


@dataclass(frozen=True)
class Scoring:
    """What a task decides about its scores; all else belongs to the metrics and their versions.

    ``window`` and ``buffer`` are in bases, ``half_max`` is a share of a filter's maximum,
    ``top_sites`` a count, ``chance_percentile`` a percentile of implanted log-odds. ``maps_floor``
    is the ``attribution_auroc`` of the best map that knows nothing of a sequence, noise or the
    curve of truth by position in the training split; a task without one has no score ``maps``.
    ``backgrounds``: into how many designed sites are written, 0 without such questions;
    ``strands``: whether reverse complements are asked about.
    ``rivals`` are those of `entries.RIVALS` that are recorded beside the ceilings and floors.
    ``mismatched``: whether maps are also held against the truth of other sequences.
    """

    window: int
    half_max: float
    top_sites: int
    buffer: int
    chance_percentile: float
    maps_floor: float | None = None
    rivals: tuple[str, ...] = ()
    mismatched: bool = False
    backgrounds: int = 0
    strands: bool = False

    def fixed_floor(self, metric: str) -> float | None:
        """The floor of a score of maps, the same for all networks; None where noise is it."""
        if self.maps_floor is None:
            return None
        # maps is scaled from that floor already
        return {maps.OF_VIEW: self.maps_floor, "maps": 0.0}.get(metric)


@dataclass(frozen=True)
class Attribution:
    """Which maps are made of a network, and how they are put to the test.

    Attributes
    ----------
    methods : mapping of str to mapping
        Method and the settings that the worker takes (references, steps, ...).
    tested : int
        Sequences, the first explained ones, whose maps are tested for faithfulness and against
        those of the same network with permuted weights.
    curve_shares : tuple of float
        Shares of the bases that deletion and insertion curves replace, rising from 0 to 1.
    resamples : int
        Dinucleotide shuffles per sequence that replacing letters are taken from.
    perturbations : int
        Copies of a sequence, each with one window of letters replaced, that infidelity is
        measured on.
    paths : int
        Straight paths, from dinucleotide shuffles to each tested sequence, along which the gradient
        is integrated.
    readings : tuple of str
        How maps are read (`metrics.readings`), one set of scores each.
    by_class : bool
        Whether the map of each class that a sequence holds is kept beside their sum, and scored.
    explain : {"positives", "all"}
        Which test sequences maps are made of: the first ones with a label, or as many without any
        beside them.
    extra : int
        Sequences of each extra test set (``[[engine.extra]]``) whose maps are made, by the methods
        of `maps`; 0: nothing is asked about these sets.
    """

    methods: Mapping[str, Mapping[str, Any]]
    tested: int
    curve_shares: tuple[float, ...]
    resamples: int
    perturbations: int
    paths: int = 0
    readings: tuple[Reading, ...] = (OWN,)
    by_class: bool = False
    explain: str = EXPLAIN[0]
    extra: int = 0

    def curve_counts(self, length: int) -> tuple[int, ...]:
        """Numbers of bases that the curves replace in sequences of a length, rising from 0."""
        return tuple(sorted({round(share * length) for share in self.curve_shares}))


@dataclass(frozen=True)
class TaskSpec:
    """One fixed task: data, recipe, metrics and digests.

    ``digest`` covers the whole file. ``training_digest`` covers what a trained network depends on
    alone (name, shapes, training and validation data, recipe), so that a version that only scores
    differently can score the same networks. ``gates`` are bounds by the names of
    `metrics.gates.GATES`; ``headlines`` are the scores that are read first. ``default``: whether
    commands take the task where none is named. ``files`` are what it was read from, by the names of
    `kept_spec`.
    """

    name: str
    version: int
    title: str
    summary: str
    source: str
    supersedes: str | None
    target: str
    length: int
    classes: tuple[str, ...]
    motifs: MotifSource
    pools: Mapping[str, tuple[str, ...]]
    grammar: Grammar | Recipe
    splits: tuple[float, ...]
    fit: FitRecipe
    profiles: Mapping[str, Profile]
    scoring: Scoring
    attribution: Attribution
    accepted: Mapping[str, Mapping[str, tuple[str, ...]]]
    digests: Mapping[str, Mapping[str, Any]]
    digest: str = field(repr=False)
    training_digest: str = field(repr=False)
    gates: Mapping[str, float] = field(default_factory=dict)
    headlines: tuple[Headline, ...] = HEADLINES
    default: bool = True
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    @property
    def id(self) -> str:
        """Name and version, as in ``motif-classes@1``."""
        return f"{self.name}@{self.version}"

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the sets of sequences: the splits, then what else the recipe draws to test."""
        extras = self.grammar.extras if isinstance(self.grammar, Recipe) else ()
        return (*SPLITS, *(extra.name for extra in extras))

    @property
    def dataset_digest(self) -> str:
        """Digest of the locked dataset digests: two tasks may share their data."""
        return canonical_digest(self.digests)

    def profile(self, name: str) -> Profile:
        """Profile by name.

        Raises
        ------
        UserError
            If the task has no such profile.
        """
        if name not in self.profiles:
            raise UserError(f"task {self.id}: {unknown('profile', name, self.profiles)}")
        return self.profiles[name]

    def size(self, profile: Profile, split: str) -> int:
        """Sequences of a split that a profile takes: no more than there are."""
        there = int(self.digests[split]["n"])
        return min(getattr(profile, split) or there, there)

    def methods(self, profile: Profile) -> dict[str, Mapping[str, Any]]:
        """Attribution methods of a profile with their settings; without a choice, all."""
        chosen = self.attribution.methods if profile.methods is None else profile.methods
        return {name: self.attribution.methods[name] for name in chosen}


def _grammar(table: Mapping[str, Any]) -> Grammar:
    given = dict(table)
    populations = tuple(
        Population(
            p["sequences"],
            tuple(p["pools"]),
            p["label"] if isinstance(p["label"], str) else tuple(p["label"]),
        )
        for p in given.pop("population")
    )
    given["count_weights"] = tuple(given.get("count_weights", ()))
    return _made(Grammar, "[grammar]", {**given, "populations": populations})


def _made(kind: type[_T], where: str, values: Mapping[str, Any]) -> _T:
    """A dataclass of a table's values, all of which it knows and none of which is missing."""
    of = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    if strange := sorted(set(values) - set(of)):
        raise ValueError(f"{where}: {unknown('value', strange[0], of)}")
    needed = [one.name for one in of.values() if one.default is one.default_factory is MISSING]
    if missing := [name for name in needed if name not in values]:
        raise ValueError(f"{where} has no {missing[0]}; add it")
    return kind(**values)


def _texts(value: Any) -> Iterator[str]:
    """Every text of nested tables, their keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield key
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def _motifs(
    table: Mapping[str, Any], draft: bool, beside: Callable[[str], bytes] | None
) -> MotifSource:
    if "digest" not in table:
        if not draft:
            raise KeyError("digests")
        table = {**table, "digest": ""}
    if "file" not in table:
        return _made(MotifSource, "[motifs]", table)
    if beside is None:
        raise ValueError(f"its motif file {table['file']} is not at hand; read it from a file")
    values = {**JASPAR, **table, "content": beside(table["file"])}
    return _made(MotifSource, "[motifs]", values)


def _accepted(raw: Mapping[str, Any]) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Matrices that count as a true factor's; by default each core one as its own."""
    own = {motif_id: (motif_id,) for motif_id in raw["pools"]["core"]}
    found = {
        definition: {tf: tuple(ids) for tf, ids in table.items()}
        for definition, table in raw.get("accepted", {}).items()
    }
    return {**dict.fromkeys(DEFINITIONS, own), **found}


def _gates(table: Mapping[str, Any]) -> Mapping[str, float]:
    if strange := set(table) - set(GATES):
        raise ValueError(f"no gate {', '.join(sorted(strange))}; choose of {', '.join(GATES)}")
    return {name: float(bound) for name, bound in table.items()}


def _scoring(table: Mapping[str, Any]) -> Scoring:
    rivals = tuple(table.get("rivals", ()))
    if strange := set(rivals) - set(RIVALS):
        raise ValueError(f"no rival {', '.join(sorted(strange))}; choose of {', '.join(RIVALS)}")
    return _made(Scoring, "[scoring]", {**table, "rivals": rivals})


def _headlines(tables: Sequence[Mapping[str, Any]]) -> tuple[Headline, ...]:
    found = tuple(_made(Headline, "[[headline]]", table) for table in tables)
    if strange := {one.reading for one in found} - set(READINGS):
        raise ValueError(
            f"no reading {', '.join(sorted(strange))}; choose of {', '.join(READINGS)}"
        )
    main_scores(found)
    readings_of(found)
    shown_capabilities(found)
    return found


def canonical_digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of a plain value (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(text: str) -> dict[str, Any]:
    """The values of TOML text, which may be a stranger's: shown on pages, and made data of."""
    refuse_long_keys(text)
    try:
        raw = tomllib.loads(text)
        odd = next((found for found in _texts(raw) if not found.isprintable()), None)
    except RecursionError as error:
        raise ValueError("its tables or lists are nested too deep; take fewer") from error
    if odd is not None:
        raise ValueError(f"{odd[:30]!r} holds control characters; take them out")
    refuse_oversized(raw)
    return raw


def parse_spec(
    text: str, *, draft: bool = False, beside: Callable[[str], bytes] | None = None
) -> TaskSpec:
    """Read a specification from TOML text.

    Parameters
    ----------
    text : str
    draft : bool
        The digests may be missing.
    beside : callable, optional
        Gives the content of a file that lies beside the specification, such as one of motifs.

    Raises
    ------
    KeyError
        If a value is missing.
    """
    raw = _plain(text)
    if draft:
        raw = {"digests": {}, **raw}
    motifs = _motifs(raw["motifs"], draft, beside)
    pools = {k: tuple(v) for k, v in raw["pools"].items()}
    recipe = read_recipe(raw["engine"], pools) if "engine" in raw else _grammar(raw["grammar"])
    attribution = dict(raw["attribution"])
    attribution["curve_shares"] = tuple(attribution["curve_shares"])
    attribution["readings"] = tuple(attribution.get("readings", (OWN,)))
    if strange := set(attribution["readings"]) - set(READINGS):
        raise ValueError(
            f"no reading {', '.join(sorted(strange))}; choose of {', '.join(READINGS)}"
        )
    if (explain := attribution.get("explain", EXPLAIN[0])) not in EXPLAIN:
        raise ValueError(f"no explain {explain!r}; choose one of {', '.join(EXPLAIN)}")
    profiles = {
        name: Profile(
            name=name,
            trials=p["trials"],
            train=p.get("train"),
            valid=p.get("valid"),
            test=p.get("test"),
            max_epochs=p.get("max_epochs", raw["fit"]["max_epochs"]),
            explained=p["explained"],
            methods=tuple(p["methods"]) if "methods" in p else None,
        )
        for name, p in raw["profile"].items()
    }
    return TaskSpec(
        name=raw["name"],
        version=raw["version"],
        title=raw["title"],
        summary=raw["summary"],
        source=raw["source"],
        supersedes=raw.get("supersedes"),
        target=raw["target"],
        length=raw["length"],
        classes=tuple(raw["classes"]),
        motifs=motifs,
        pools=pools,
        grammar=recipe,
        splits=tuple(raw["splits"][s] for s in SPLITS),
        fit=_made(FitRecipe, "[fit]", raw["fit"]),
        profiles=profiles,
        scoring=_scoring(raw["scoring"]),
        attribution=_made(Attribution, "[attribution]", attribution),
        accepted=_accepted(raw),
        digests=raw["digests"],
        digest=canonical_digest(raw),
        gates=_gates(raw.get("gates", {})),
        headlines=_headlines(raw["headline"]) if "headline" in raw else HEADLINES,
        default=raw.get("default", True),
        files={TEXT: text.encode()} | ({MOTIFS: motifs.content} if motifs.file else {}),
        training_digest=canonical_digest(
            {
                **{key: raw[key] for key in ("name", "target", "length", "classes", "fit")},
                "data": [raw["digests"][split] for split in ("train", "valid") if raw["digests"]],
            }
        ),
    )


@cache
def all_specs() -> dict[str, TaskSpec]:
    """Every specification of the suite by ``name@version``, in the order of the files' names.

    Raises
    ------
    UserError
        If one is no specification, or lacks the digests of its data.
    """
    package = importlib.import_module(__name__.rpartition(".")[0])
    files = [file for folder in package.__path__ for file in Path(folder).glob("*.toml")]
    specs = [read_spec(file) for file in sorted(files, key=lambda file: file.name)]
    return {spec.id: spec for spec in specs}


def read_spec(path: Path, *, draft: bool = False) -> TaskSpec:
    """Read a specification from a file, as `parse_spec` does.

    Raises
    ------
    UserError
        If it cannot be read or is no specification.
    """

    def beside(name: str) -> bytes:
        file = path.parent / name
        try:
            return content_of(file, MOTIF_BYTES)
        except OSError as error:
            raise UserError(
                f"task {path}: motif file {file}: {error.strerror or error}; [motifs] file is "
                "relative to the specification's folder"
            ) from error

    try:
        text = content_of(path, TEXT_BYTES).decode()
        return parse_spec(text, draft=draft, beside=beside)
    except OSError as error:
        raise UserError(f"task {path}: {error.strerror or error}") from error
    except KeyError as error:
        missing = str(error.args[0])
        remedy = f"'bench tasks lock {path}' writes them" if missing == "digests" else "add it"
        raise UserError(f"task {path}: there is no {missing}; {remedy}") from error
    except (ValueError, TypeError) as error:
        raise UserError(f"task {path}: no specification: {' '.join(str(error).split())}") from error


# a user's own tasks that this process has met, by id and digest
_OWN: dict[tuple[str, str], TaskSpec] = {}


def own_spec(path: Path) -> TaskSpec:
    """A user's own task, read from its locked file; from now on it is found by its name too.

    Raises
    ------
    UserError
        If it is no specification, is not locked, or has a name that the suite has or none can have.
    """
    spec = read_spec(path)
    if problem := name_problem(spec.name):
        raise UserError(f"task {path}: {problem}")
    return know(spec)


def kept_spec(files: Mapping[str, bytes]) -> TaskSpec:
    """A user's own task from its kept `TaskSpec.files`.

    Raises
    ------
    UserError, ValueError, KeyError, TypeError
        If they are no specification that this version can read.
    """
    spec = parse_spec(files[TEXT].decode(), beside=lambda _: files[MOTIFS])
    if problem := name_problem(spec.name):
        raise ValueError(problem)
    return spec


def know(spec: TaskSpec) -> TaskSpec:
    """Let a user's own task be found by its name; of several with one name the last."""
    _OWN.pop((spec.id, spec.digest), None)
    _OWN[spec.id, spec.digest] = spec
    return spec


def own_as(task: str, digest: str) -> TaskSpec | None:
    """The user's own task of an id and a digest, where this process has met it."""
    return _OWN.get((task, digest))


def is_own(spec: TaskSpec) -> bool:
    """Whether a task is a user's own, and not one of the suite."""
    return (spec.id, spec.digest) in _OWN


def known_specs() -> dict[str, TaskSpec]:
    """Every specification by ``name@version``: the suite's, then users' own."""
    return {**{spec.id: spec for spec in _OWN.values()}, **all_specs()}


def name_problem(name: str) -> str:
    """What is wrong with the name of a user's own task, and the remedy; or nothing."""
    if name in latest_specs():
        return f"the suite has a task named {name!r}; give yours another name"
    if not _NAME.fullmatch(name):
        return (
            f"{name[:60]!r} is no task's name; take at most 60 small letters, digits and ._-, the "
            "first a letter or digit"
        )
    return ""


def given_spec(name: str) -> TaskSpec:
    """Specification by name, or of a user's own file: what ends in ``.toml`` or has a slash.

    Raises
    ------
    UserError
        As `find_spec` and `own_spec`.
    """
    return own_spec(Path(name)) if name.endswith(".toml") or "/" in name else find_spec(name)


def find_spec(name: str) -> TaskSpec:
    """Specification by ``name`` (its latest version) or ``name@version``, a user's own among them.

    Raises
    ------
    UserError
        If there is none, with the near names.
    """
    specs = known_specs()
    if "@" in name:
        if name in specs:
            return specs[name]
        raise unknown("task", name, specs)
    versions = [spec for spec in specs.values() if spec.name == name]
    if not versions:
        raise unknown("task", name, dict.fromkeys(spec.name for spec in specs.values()))
    return max(versions, key=lambda spec: spec.version)


def headlines_of(task: str) -> tuple[Headline, ...]:
    """Headlines of a task by name; `HEADLINES` of one that this version does not know."""
    try:
        return find_spec(task).headlines
    except UserError:
        return HEADLINES


def read_first(task: str) -> Mapping[tuple[str, str], Reading]:
    """How a task's scores of maps are read first, where that is not the method's own way."""
    return readings_of(headlines_of(task))


def is_read_first(row: Mapping[str, Any], first: Mapping[tuple[str, str], Reading]) -> bool:
    """Whether a row of scores is of the reading that its task reads first (`read_first`)."""
    return bool((row.get("reading") or OWN) == first.get((row["metric"], row["method"] or ""), OWN))


def accuracy_of(task: str) -> Headline:
    """The headline that stands for a task's accuracy; that of `HEADLINES` where none does."""
    own = (one for one in (*headlines_of(task), *HEADLINES) if one.main)
    return next(one for one in own if one.family == "accuracy")


def chosen_specs(names: Sequence[str], profile: str | None = None) -> list[TaskSpec]:
    """Specifications by name, each once; without names the latest version of default tasks.

    Parameters
    ----------
    names : sequence of str
        As of `given_spec`, or ``all``: the latest version of every task of the suite.
    profile : str, optional
        Of tasks that are not named, only those that have such a profile.

    Raises
    ------
    UserError
        If one does not exist, or no task has the profile.
    """
    latest = latest_specs().values()
    found: list[TaskSpec] = []
    for name in names or [""]:
        if name not in ("", ALL):
            found.append(given_spec(name))
            continue
        every = [spec for spec in latest if name == ALL or spec.default]
        fit = [spec for spec in every if profile is None or profile in spec.profiles]
        if not fit and profile is not None:
            raise unknown("profile", profile, {name for spec in every for name in spec.profiles})
        found += fit
    return list({spec.id: spec for spec in found}.values())


def earlier_specs(later: TaskSpec) -> list[TaskSpec]:
    """The versions of a task before the given one, the oldest first."""
    mine = (spec for spec in known_specs().values() if spec.name == later.name)
    before = (spec for spec in mine if spec.version < later.version)
    return sorted(before, key=lambda spec: spec.version)


def alike_specs(one: TaskSpec) -> list[TaskSpec]:
    """The versions of a task that train the same networks, the given one too, oldest first."""
    mine = (spec for spec in known_specs().values() if spec.name == one.name)
    alike = (spec for spec in mine if spec.training_digest == one.training_digest)
    return sorted(alike, key=lambda spec: spec.version)


def latest_specs() -> dict[str, TaskSpec]:
    """The latest version of every task, by plain name."""
    latest: dict[str, TaskSpec] = {}
    for spec in all_specs().values():
        if spec.name not in latest or spec.version > latest[spec.name].version:
            latest[spec.name] = spec
    if not latest:
        raise UserError("no task specification is installed; reinstall the package")
    return latest
