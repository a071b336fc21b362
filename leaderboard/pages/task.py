"""A task's page: its recipe, motifs, example sequences, and the ends of every scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from motifidelity.entries import DIVISION, FLOOR_NETWORKS, KMER_REGRESSION
from motifidelity.errors import DataError, UnreachableError
from motifidelity.leaderboard.figures.logo import Logo, draw_logo
from motifidelity.leaderboard.figures.tracks import Strip, draw_sites
from motifidelity.leaderboard.library import find_task
from motifidelity.leaderboard.page import Material, Page
from motifidelity.leaderboard.pages.facts import Fact
from motifidelity.leaderboard.pages.scorecard import Value
from motifidelity.leaderboard.tables.cells import arrow, describe
from motifidelity.leaderboard.tables.columns import FAMILIES, method_label, metric_order
from motifidelity.leaderboard.tables.rows import (
    Mark,
    coverage,
    marks,
    page_name,
    run_anchor,
    score_marks,
)
from motifidelity.leaderboard.tables.scale import Scale, find_scale
from motifidelity.leaderboard.text import clip, number, parse_params, shorten, slug, text_digest
from motifidelity.metrics.headlines import Headline, short_name
from motifidelity.metrics.truth.grammar import count_distribution
from motifidelity.summary.names import RunName, name_runs
from motifidelity.summary.ranks import kinds
from motifidelity.summary.runs import first_of_each
from motifidelity.summary.stats import Stats
from motifidelity.tasks.spec import accuracy_of

if TYPE_CHECKING:
    from motifidelity.tasks.motifs import Motif
    from motifidelity.tasks.spec import TaskSpec

TASK_KEY = ["task", "task_digest"]


@dataclass(frozen=True)
class MotifCard:
    """A motif of a pool."""

    id: str
    name: str
    logo: Logo | None
    bits: str
    width: int


@dataclass(frozen=True)
class Pool:
    """Motifs that sequences are drawn with."""

    name: str
    note: str
    motifs: tuple[MotifCard, ...]


@dataclass(frozen=True)
class End:
    """Floor, best run and ceiling of a score."""

    family: str
    metric: str
    title: str
    arrow: str
    method: str
    floor: Value
    best: Value
    ceiling: Value


@dataclass(frozen=True)
class Link:
    """A run on this task, and the way to its model's page."""

    name: str
    href: str
    activation: str
    coverage: str
    accuracy: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Gets:
    """What knowing nothing, counting 6-mers, networks and the oracle get in a headline.

    ``best`` is that of the network that is named beside it.
    """

    label: str
    metric: str
    floor: Value
    counting: Value
    best: Value
    name: str
    oracle: Value


@dataclass(frozen=True)
class Board:
    """One profile of the task: its runs, its headlines, and the ends of its scales."""

    profile: str
    gets: tuple[Gets, ...]
    runs: tuple[Link, ...]
    ends: tuple[tuple[str, tuple[End, ...]], ...]
    no_ends: str


@dataclass(frozen=True)
class TaskPage:
    """What the template of a task's page draws; without a recipe where `reason` says why."""

    name: str
    title: str
    summary: str
    source: str
    reason: str
    digest: str
    dataset_digest: str
    recipe: tuple[Fact, ...]
    digests: tuple[tuple[str, str, str], ...]
    pools: tuple[Pool, ...]
    no_motifs: str
    examples: tuple[Strip, ...]
    no_examples: str
    boards: tuple[Board, ...]
    accuracy: str = "AUROC"


def task_pages(material: Material, frame: pd.DataFrame) -> Iterable[Page]:
    """A page for every task that the registry names, by name, version and digest."""
    for _, trials in material.summary.trials.groupby(TASK_KEY, sort=True):

        def draw(trials: pd.DataFrame = trials) -> Mapping[str, object]:
            return {"page": make_task_page(trials, material)}

        yield Page(
            f"tasks/{task_page_name(trials.iloc[0])}", "task.html", material.inputs(trials), draw
        )


def task_page_name(job: pd.Series) -> str:
    """File name of the page of a job's task."""
    return slug(str(job["task"]), _plain(str(job["task_digest"]))) + ".html"


def make_task_page(trials: pd.DataFrame, material: Material) -> TaskPage:
    """Arrange one task's page.

    Parameters
    ----------
    trials : DataFrame
        The task's rows of `Summary.trials`.
    material : Material

    Returns
    -------
    TaskPage
    """
    job = trials.iloc[0]
    shelf = find_task(str(job["task"]), str(job["task_digest"]))
    spec = shelf.spec
    examples, no_examples = _examples(trials, material)
    boards = [
        _board(str(profile), mine, material, spec.headlines if spec else ())
        for profile, mine in trials.groupby("profile", sort=True)
    ]
    return TaskPage(
        name=clip(job["task"]),
        title=clip(spec.title if spec else job["task"]),
        summary=clip(spec.summary if spec else "", 400),
        source=clip(spec.source if spec else "", 400),
        reason="" if spec else shelf.reason,
        digest=clip(job["task_digest"], 80),
        dataset_digest=clip(job["dataset_digest"], 80),
        recipe=tuple(_recipe(spec, shelf.motifs)) if spec else (),
        digests=tuple(_digests(spec)) if spec else (),
        pools=tuple(_pools(spec, shelf.motifs)) if spec else (),
        no_motifs=shelf.reason if spec else "",
        examples=examples,
        no_examples=no_examples,
        boards=tuple(sorted(boards, key=lambda board: (board.profile != "full", board.profile))),
        accuracy=short_name(accuracy_of(str(job["task"])).metric),
    )


def _recipe(spec: TaskSpec, motifs: Mapping[str, Motif]) -> Iterable[Fact]:
    grammar, fit = spec.grammar, spec.fit
    outputs = "1 output" if len(spec.classes) == 1 else f"{len(spec.classes)} outputs"
    yield Fact("Target", f"{spec.target}, {outputs}")
    yield Fact("Length", f"{spec.length} bases")
    yield from _made(spec, motifs)
    shares = zip(("training", "validation", "test"), spec.splits, strict=True)
    yield Fact("Splits", ", ".join(f"{share:.0%} {name}" for name, share in shares))
    yield Fact("Seed", str(grammar.seed))
    source = spec.motifs
    released = f"{source.release} {source.collection} {source.tax_group}"
    yield Fact("Motif database", f"{source.file}, and {released}" if source.file else released)
    yield Fact(
        "Training of the closed division",
        f"Adam {fit.learning_rate:g}, batches of {fit.batch_size}, at most {fit.max_epochs} "
        f"epochs; stops after {fit.stop_patience} without a better validation "
        f"{short_name(fit.monitor)}",
    )
    yield Fact("Attribution methods", ", ".join(map(method_label, spec.attribution.methods)))
    if spec.supersedes:
        yield Fact("Supersedes", spec.supersedes)


def _made(spec: TaskSpec, motifs: Mapping[str, Motif]) -> Iterable[Fact]:
    from motifidelity.tasks.engine.dataset_recipe import Recipe

    grammar = spec.grammar
    if isinstance(grammar, Recipe):
        for heading, said in grammar.facts().items():
            for motif_id in grammar.contents.motifs:
                if motif_id in motifs:
                    said = said.replace(motif_id, motifs[motif_id].name)
            yield Fact(heading[0].upper() + heading[1:], said)
        return
    for population in grammar.populations:
        label = population.label
        named = label if isinstance(label, str) else ", ".join(map(str, label))
        yield Fact(
            f"{population.sequences:,} sequences",
            f"motifs of the pools {', '.join(population.pools)}; label: {named}",
        )
    yield Fact("Motifs in a sequence", _counts(grammar.count_weights, grammar.count_offset))


def _counts(weights: tuple[float, ...], offset: int) -> str:
    shares = count_distribution(np.cumsum(weights).tolist(), offset)
    return ", ".join(f"{count} in {share:.0%}" for count, share in shares.items())


def _digests(spec: TaskSpec) -> Iterable[tuple[str, str, str]]:
    for split, arrays in spec.digests.items():
        for name, value in arrays.items():
            if name != "n":
                yield f"{split}, {arrays['n']:,} sequences", name, str(value)


def _pools(spec: TaskSpec, motifs: Mapping[str, Motif]) -> Iterable[Pool]:
    for name, ids in spec.pools.items():
        cards = []
        for motif_id in ids:
            motif = motifs.get(motif_id)
            if motif is None:
                continue
            ppm = np.asarray(motif.ppm.T)
            logo = draw_logo(ppm, len(ppm))
            bits = f"{logo.bits:.1f}" if logo else "–"
            cards.append(MotifCard(motif_id, motif.name, logo, bits, len(ppm)))
        note = "what a network should know" if name == "core" else "what tells nothing of the label"
        yield Pool(name, note, tuple(cards))


def _examples(trials: pd.DataFrame, material: Material) -> tuple[tuple[Strip, ...], str]:
    """The task's fixed sequences, from the first evidence that any of its results has."""
    ok = trials[(trials["status"] == "ok") & trials["counted"]]
    # the oracle is there in every registry that a run has written
    order = ok.assign(_oracle=ok["division"] != DIVISION, _full=ok["profile"] != "full")
    damaged = ""
    for result in order.sort_values(["_full", "_oracle", "result_id"])["result_id"]:
        try:
            evidence = material.evidence(str(result))
        except UnreachableError:
            raise
        except DataError as error:
            damaged = f"The stored evidence cannot be read: {clip(error, 300)}."
            continue
        if evidence is not None:
            return tuple(draw_sites(example) for example in evidence.examples), ""
    return (), damaged or (
        "No result of this task has evidence, which holds the example sequences: run "
        "'bench rescore --probe' on the registry."
    )


def _board(
    profile: str, trials: pd.DataFrame, material: Material, headlines: Sequence[Headline]
) -> Board:
    runs = set(trials["run"])
    stats = {key: stat for key, stat in material.stats.items() if key[0] in runs}
    said = score_marks(trials, stats)
    scale = find_scale(trials, stats)
    ends = tuple(
        (family, tuple(mine))
        for family, mine in groupby(_ends(trials, stats, scale, material), lambda end: end.family)
    )
    links = [
        _link(mine, stats, name, said.get(str(run), ()))
        for (run, mine), name in zip(
            trials.groupby("run", sort=True), name_runs(first_of_each(trials)), strict=True
        )
    ]
    return Board(
        profile=clip(profile, 20),
        gets=tuple(_gets(headlines, trials, stats, scale)),
        runs=tuple(sorted(links, key=lambda link: (link.name.lower(), link.activation))),
        ends=ends,
        no_ends=""
        if ends
        else "The registry has no Oracle and Random entries of this profile: 'bench rescore' "
        "records them.",
    )


def _link(trials: pd.DataFrame, stats: Stats, name: RunName, more: Sequence[Mark]) -> Link:
    counted = trials[trials["counted"]]
    last = counted.iloc[-1]
    activation, _ = parse_params(str(last["params"]))
    told = " ".join((*name.parameters_but("activation"), name.version))
    accuracy = stats.get((str(last["run"]), accuracy_of(str(last["task"])).metric, "", ""))
    return Link(
        # backend and isolation are among the marks
        name=f"{shorten(last['model'], 60) or 'unnamed'} {shorten(told, 60)}".strip(),
        href=f"../models/{page_name(last)}#{run_anchor(str(last['run']))}",
        activation=shorten(activation, 30),
        coverage=coverage(int((counted["status"] == "ok").sum()), len(counted)),
        accuracy=number(accuracy.mean) if accuracy and accuracy.n else "–",
        marks=marks(last, more),
    )


def _ends(trials: pd.DataFrame, stats: Stats, scale: Scale, material: Material) -> Iterable[End]:
    """Floor and ceiling of every score, and the best run that is no floor itself."""
    beside = (trials["division"] == DIVISION) | trials["model"].isin(FLOOR_NETWORKS)
    left_out = set(trials[beside]["run"])
    order = metric_order(material.metrics)
    means: dict[tuple[str, str], list[float]] = {}
    for (run, name, how, target), stat in stats.items():
        if target == "" and run not in left_out and stat.n:
            means.setdefault((name, how), []).append(stat.mean)

    def place(key: tuple[str, str]) -> tuple[object, ...]:
        metric = material.metrics.get(key[0])
        return *order(metric.family if metric else "", key[0]), key

    for metric, method in sorted({*scale.floors, *scale.ceilings}, key=place):
        declared = material.metrics.get(metric)
        family = FAMILIES.get(declared.family, "Other") if declared else "Other"
        better = declared.direction if declared else "neutral"
        mine = means.get((metric, method), [])
        best = (max if better == "higher" else min)(mine, default=float("nan"))
        yield End(
            family=family,
            metric=shorten(metric, 40),
            title=describe(metric, declared),
            arrow=arrow(declared),
            method=shorten(method_label(method), 30),
            floor=_value(scale.floors.get((metric, method))),
            best=_value(best if better != "neutral" else None),
            ceiling=_value(scale.ceilings.get((metric, method))),
        )


def _gets(
    headlines: Sequence[Headline], trials: pd.DataFrame, stats: Stats, scale: Scale
) -> Iterable[Gets]:
    """Every headline that the oracle has, by mean over trials."""
    runs = trials.drop_duplicates("run")
    models = runs[kinds(runs) == "model"]
    counting = set(runs.loc[runs["model"] == KMER_REGRESSION, "run"])
    names = dict(zip(models["run"], models["model"], strict=True))
    activations = dict(zip(models["run"], models["params"], strict=True))
    for one in headlines:
        # what true matrices get is no network's
        if one.score not in scale.ceilings or one.method == "pwm":
            continue
        means = {
            run: stat.mean
            for run in (*names, *counting)
            if (stat := stats.get((run, *one.score, ""))) and stat.n
        }
        of_models = {run: mean for run, mean in means.items() if run in names}
        best = max(of_models, key=lambda run: (of_models[run], run), default="")
        activation = parse_params(str(activations[best]))[0] if best else ""
        yield Gets(
            label=clip(one.label.strip(), 100),
            metric=shorten(one.metric, 40),
            floor=_value(scale.floors.get(one.score)),
            counting=_value(next((means[run] for run in counting if run in means), None)),
            best=_value(of_models.get(best)),
            name=shorten(f"{names.get(best, '')} {activation or ''}".strip(), 60),
            oracle=_value(scale.ceilings[one.score]),
        )


def _value(value: float | None) -> Value:
    if value is None or not np.isfinite(value):
        return Value("–", "none recorded")
    return Value(number(value), f"{value:.6g}", repr(value))


def _plain(digest: str) -> str:
    """A digest as part of a file's name; anything else by its own digest."""
    return digest if digest.isalnum() and digest.isascii() else text_digest(digest)
