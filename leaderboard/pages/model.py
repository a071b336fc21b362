"""A model's page: everything the registry holds on one model with one set of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np
import pandas as pd

from motifidelity.entries import DIVISION
from motifidelity.errors import DataError, UnreachableError
from motifidelity.leaderboard.figures.curves import Chart, draw_history
from motifidelity.leaderboard.figures.distances import DistanceChart, draw_distances
from motifidelity.leaderboard.figures.logo import Logo, draw_logo
from motifidelity.leaderboard.figures.match import Motifs, Pair, align
from motifidelity.leaderboard.figures.responses import ResponseChart, draw_response
from motifidelity.leaderboard.figures.tracks import Strip, draw_example
from motifidelity.leaderboard.library import Shelf, find_task
from motifidelity.leaderboard.page import Material
from motifidelity.leaderboard.pages.capability_section import CapabilityTable, model_capabilities
from motifidelity.leaderboard.pages.command import Command, repeat
from motifidelity.leaderboard.pages.facts import Fact, FactRow, identity, network_origin, run_facts
from motifidelity.leaderboard.pages.filter_files import median_trial, meme_path
from motifidelity.leaderboard.pages.meanings import meanings
from motifidelity.leaderboard.pages.scorecard import ClassTable, ScoreRow, class_table, score_rows
from motifidelity.leaderboard.pages.task import task_page_name
from motifidelity.leaderboard.pages.verdict import verdict
from motifidelity.leaderboard.tables.order import in_order
from motifidelity.leaderboard.tables.rows import (
    Mark,
    RunLink,
    coverage,
    marks,
    run_anchor,
    run_link,
    score_marks,
)
from motifidelity.leaderboard.tables.scale import Scale, find_scale
from motifidelity.leaderboard.tables.siblings import Row
from motifidelity.leaderboard.text import clip, evalue, is_missing, parse_params, safe_url, shorten
from motifidelity.metrics.motifs.hits import MAX_EVALUE
from motifidelity.summary.runs import Summary
from motifidelity.summary.stats import Stats, split_stats

if TYPE_CHECKING:
    from motifidelity.registry.layers import Layer

_DEFINITIONS = (
    ("corrected", "Corrected: sites at the strongest pre-activations"),
    ("paper", "The study's definition: sites above half of the filter's maximum"),
)


@dataclass(frozen=True)
class FilterCard:
    """One first-layer filter.

    ``outdone``: it matches a true motif, and another motif of the database, which is the one that
    is drawn, better. ``lone``: its only match is that of a matrix which fits almost anything, and
    counts as none.
    """

    number: int
    logo: Logo | None
    pair: Pair | None
    bits: str
    flat: bool
    hit: str
    hit_id: str
    evalue: str
    sites: str
    true_tf: str
    true_evalue: str
    outdone: bool
    lone: bool

    @property
    def under(self) -> str:
        """What is written below it on a sheet of all filters."""
        if self.true_tf:
            return f"{self.number:02d} {self.true_tf}, true motif, E = {self.true_evalue}"
        if self.hit_id:
            return f"{self.number:02d} {self.hit}, E = {self.evalue}"
        return f"{self.number:02d} no hit"


@dataclass(frozen=True)
class FilterSet:
    """The filters of one trial under one definition, matches first.

    ``stem`` begins the names of their files, ``sheet`` is the sheet that shows them all: its file
    and its title.
    """

    stem: str
    sheet: tuple[tuple[str, ...], str]
    definition: str
    title: str
    cards: tuple[FilterCard, ...]
    matched: int

    @property
    def paired(self) -> bool:
        """Whether any filter stands above its match."""
        return any(card.pair for card in self.cards)


@dataclass(frozen=True)
class Examples:
    """What a trial's network sees in the task's fixed sequences, or why it cannot be shown."""

    trial: str
    strips: tuple[Strip, ...]
    reason: str = ""
    meanings: tuple[tuple[str, str], ...] = ()
    distances: tuple[DistanceChart, ...] = ()
    responses: tuple[ResponseChart, ...] = ()

    @property
    def kinds(self) -> set[str]:
        """Kinds of sites that are drawn, for the key."""
        return {box.kind for strip in self.strips for box in strip.boxes}


@dataclass(frozen=True)
class TrialResult:
    """One counted or replaced result; ``stem`` and ``sheet`` as in `FilterSet`."""

    stem: str
    sheet: tuple[tuple[str, ...], str]
    trial: str
    seed: str
    status: str
    message: str
    result_id: str
    replaced: bool
    charts: tuple[Chart, ...]
    sets: tuple[FilterSet, ...]
    undrawn: int
    open: bool


@dataclass(frozen=True)
class Section:
    """One run of the model: a task, profile, division and isolation.

    ``stem`` begins the names of its figures' files; ``label`` is task and profile, and a number
    where another run of the page is alike in both.
    """

    stem: str
    anchor: str
    label: str
    task: str
    task_href: str
    profile: str
    shelved: str
    max_evalue: str
    layer: str
    ranked: bool
    coverage: str
    complete: bool
    marks: tuple[Mark, ...]
    trial_labels: tuple[str, ...]
    scores: tuple[ScoreRow, ...]
    classes: ClassTable | None
    shared: tuple[Fact, ...]
    varying: tuple[FactRow, ...]
    trials: tuple[TrialResult, ...]
    no_filters: bool
    examples: Examples
    command: Command
    matched: str
    meme: str
    verdict: str


@dataclass(frozen=True)
class Sibling:
    """The same network with another first activation, and the address of their comparison."""

    link: RunLink
    compared: str


@dataclass(frozen=True)
class ModelPage:
    """What the template of a model's page draws."""

    name: str
    title: str
    activation: str
    parameters: tuple[tuple[str, str], ...]
    url: str | None
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    capabilities: CapabilityTable | None
    sibling: Sibling | None
    layers: tuple[Layer, ...]
    motifs: Mapping[str, Logo]


@dataclass(frozen=True)
class _Shown:
    """The trials, scores by run, filters and epochs by result, marks by run."""

    summary: Summary
    stats: Mapping[str, Stats]
    filters: Mapping[object, pd.DataFrame]
    history: Mapping[object, pd.DataFrame]
    said: Mapping[str, tuple[Mark, ...]]


def make_page(
    trials: pd.DataFrame,
    material: Material,
    rows: Sequence[Row],
    beside: Mapping[str, Row],
) -> ModelPage:
    """Arrange one model's page.

    Parameters
    ----------
    trials : DataFrame
        The model's rows of `Summary.trials`.
    material : Material
        Of it only what the page shows: the model's, and the references beside it.
    rows : sequence of mapping
        The model's runs, of `standings.standings`.
    beside : mapping of str to mapping
        By run, the row of its sibling (`siblings.siblings`).

    Returns
    -------
    ModelPage
    """
    last = trials.sort_values(["started", "result_id"], na_position="first").iloc[-1]
    activation, others = parse_params(str(last["params"]))
    order = ["_quick", "_task", "profile", "run"]
    places = {task: place for place, task in enumerate(in_order(trials["task"]))}
    placed = trials.assign(
        _quick=trials["profile"] != "full", _task=trials["task"].map(places)
    ).sort_values(order, kind="stable")
    motifs = Motifs()
    shown = _Shown(
        summary=material.summary,
        stats=split_stats(material.stats),
        filters=dict(list(material.filters.groupby("result_id"))),
        history=dict(list(material.history.groupby("result_id"))),
        said=score_marks(material.summary.trials, material.stats),
    )
    stem = f"{shorten(last['model'], 40) or 'unnamed'} {shorten(activation, 30)}".strip()
    lone = placed["run"].nunique() == 1
    own = {str(row["run"]): row for row in rows}
    labels = _labels(placed.drop_duplicates("run"))
    ok = placed[placed["counted"] & (placed["status"] == "ok")].drop_duplicates("run")
    finished = (job for _, job in ok.iterrows())
    sections = tuple(
        _make_section(
            str(run),
            group.drop(columns=["_quick", "_task"]),
            material,
            shown,
            motifs,
            stem if lone else _on_task(stem, group.iloc[0]),
            own.get(str(run)),
            labels[str(run)],
        )
        for run, group in placed.groupby("run", sort=False)
    )
    return ModelPage(
        name=shorten(last["model"], 80) or "unnamed",
        title=clip(last["model"], 500),
        activation=shorten(activation, 60),
        parameters=tuple((shorten(key, 60), clip(value, 200)) for key, value in others),
        url=safe_url(last["url"]),
        facts=identity(last),
        sections=sections,
        capabilities=model_capabilities([row for row in rows if row["profile"] == "full"], beside),
        sibling=_sibling(rows, beside),
        layers=next((found for job in finished if (found := _layers(job, material))), ()),
        motifs=motifs.drawn,
    )


def _make_section(
    run: str,
    trials: pd.DataFrame,
    material: Material,
    shown: _Shown,
    motifs: Motifs,
    stem: str,
    row: Row | None,
    label: str,
) -> Section:
    metrics = material.metrics
    counted = trials[trials["counted"]]
    ok = counted["status"] == "ok"
    scores = shown.stats.get(run, {})
    scale = _scale(counted, shown)
    first = counted[ok].iloc[0] if ok.any() else None
    shelf = find_task(str(counted.iloc[0]["task"]), str(counted.iloc[0]["task_digest"]))
    shared, varying = run_facts(trials)
    median, counts = median_trial(counted[ok], shown.filters)
    return Section(
        stem=stem,
        anchor=run_anchor(run),
        label=label,
        task=clip(counted.iloc[0]["task"]),
        task_href=f"../tasks/{task_page_name(counted.iloc[0])}",
        profile=clip(counted.iloc[0]["profile"], 20),
        shelved="" if shelf.motifs else shelf.reason,
        max_evalue=f"{MAX_EVALUE:g}",
        layer=_layer(first, material),
        ranked=counted.iloc[0]["profile"] == "full",
        coverage=coverage(int(ok.sum()), len(counted)),
        complete=bool(ok.all()),
        marks=marks(counted.iloc[-1], shown.said.get(run, ())),
        trial_labels=tuple(clip(trial) for trial in counted["trial"]),
        scores=score_rows(scores, list(counted["result_id"]), metrics, scale),
        classes=class_table(scores, metrics),
        shared=shared,
        varying=varying,
        trials=tuple(
            _make_trial(job, shown, shelf, motifs, stem, opened=job["result_id"] == median)
            for _, job in trials.iterrows()
        ),
        matched=", ".join(map(str, counts)) if len(counts) > 1 else "",
        meme=f"../{meme_path(run)}" if counts and not material.large else "",
        verdict="" if row is None else verdict(row, scores, scale),
        no_filters=bool(ok.any()) and bool((counted[ok]["num_filters"].fillna(-1) == 0).all()),
        examples=_examples(first, material, shelf),
        command=repeat(trials),
    )


def _labels(runs: pd.DataFrame) -> dict[str, str]:
    """What each run of a page is called in its landmarks, no two alike."""
    names = [
        f"{clip(task)}, {clip(profile, 20)}"
        for task, profile in zip(runs["task"], runs["profile"], strict=True)
    ]
    return {
        str(run): name if names.count(name) == 1 else f"{name}, run {names[:place].count(name) + 1}"
        for place, (run, name) in enumerate(zip(runs["run"], names, strict=True))
    }


def _on_task(stem: str, job: pd.Series) -> str:
    """A beginning of file names that tells a model's runs apart."""
    profile = "" if job["profile"] == "full" else clip(job["profile"], 20)
    return f"{stem} {clip(job['task'])} {profile}".strip()


def _examples(job: pd.Series | None, material: Material, shelf: Shelf) -> Examples:
    """Examples of a run's first successful trial."""
    if job is None:
        return Examples("", (), "No trial has finished, so there is nothing to show.")
    trial = clip(job["trial"])
    try:
        evidence = material.evidence(str(job["result_id"]))
    except UnreachableError:
        raise
    except DataError as error:
        return Examples(trial, (), f"The stored evidence cannot be read: {clip(error, 300)}.")
    if evidence is None:
        return Examples(
            trial,
            (),
            "No evidence is stored with this result. Its kept network gives it: run "
            "'bench rescore --probe' on the registry.",
        )
    methods = dict.fromkeys(name for example in evidence.examples for name in example.maps)
    settings = shelf.spec.attribution.methods if shelf.spec else {}
    return Examples(
        trial,
        tuple(draw_example(example) for example in evidence.examples),
        distances=tuple(draw_distances(curve) for curve in evidence.curves),
        responses=tuple(draw_response(one) for one in evidence.responses),
        meanings=meanings(methods, settings, str(job["division"]), str(job["model"])),
    )


def _layers(job: pd.Series, material: Material) -> tuple[Layer, ...]:
    """The layers of a trial's kept network; none where it cannot be read, which `_layer` says."""
    origin = network_origin(job["files"])
    try:
        return (material.layers(origin) if origin else None) or ()
    except UnreachableError:
        raise
    except DataError:
        return ()


def _sibling(rows: Sequence[Row], beside: Mapping[str, Row]) -> Sibling | None:
    """The first sibling of a model's runs, and where the two are compared."""
    pair = next(((row, beside[row["run"]]) for row in rows if row["run"] in beside), None)
    if pair is None:
        return None
    own, other = (run_link(row) for row in pair)
    address = urlencode({"first": own.label, "second": other.label})
    return Sibling(other, f"../compare.html#{address}")


def _layer(job: pd.Series | None, material: Material) -> str:
    """Name of the layer whose filters the scores are of; "" where the registry does not hold it."""
    origin = None if job is None else network_origin(job["files"])
    try:
        found = material.scan_name(origin) if origin else None
    except UnreachableError:
        raise
    except DataError as error:
        return f"a layer whose name cannot be read ({clip(error, 300)})"
    return clip((found or "").removeprefix("network/"), 120)


def _scale(counted: pd.DataFrame, shown: _Shown) -> Scale:
    """Floors and ceilings of a run's task and profile."""
    job = counted.iloc[0]
    trials = shown.summary.trials
    same = [trials[name] == job[name] for name in ("task", "task_digest", "profile")]
    beside = trials[np.logical_and.reduce(same)]
    references = beside[beside["division"] == DIVISION]["run"].unique()
    ends = {key: stat for run in references for key, stat in shown.stats.get(run, {}).items()}
    return find_scale(beside, ends)


def _make_trial(
    job: pd.Series, shown: _Shown, shelf: Shelf, motifs: Motifs, stem: str, *, opened: bool
) -> TrialResult:
    filters, epochs = (
        table.get(job["result_id"], pd.DataFrame()) for table in (shown.filters, shown.history)
    )
    best = None if is_missing(job["best_epoch"]) else int(job["best_epoch"])
    stem = f"{stem} trial {clip(job['trial'], 20)}"
    sets = tuple(_filter_sets(filters, shelf, motifs, stem))
    return TrialResult(
        stem=stem,
        sheet=((stem,), f"{stem}: training and filters"),
        trial=clip(job["trial"]),
        seed=clip(job["seed"]),
        status=clip(job["status"], 30),
        message=clip(job["message"], 3000),
        result_id=shorten(job["result_id"], 16),
        replaced=not job["counted"],
        charts=draw_history(epochs, best),
        sets=sets,
        undrawn=0 if sets or is_missing(job["num_filters"]) else int(job["num_filters"]),
        open=opened,
    )


def _filter_sets(
    filters: pd.DataFrame, shelf: Shelf, motifs: Motifs, stem: str
) -> Sequence[FilterSet]:
    sets: list[FilterSet] = []
    for definition, title in _DEFINITIONS:
        rows = filters[filters["definition"] == definition] if len(filters) else filters
        if rows.empty:
            continue
        cards = sorted(
            (_card(row, shelf, motifs) for row in rows.to_dict("records")),
            key=lambda placed: placed[0],
        )
        matched = sum(bool(card.true_tf) for _, card in cards)
        own = stem if definition == "corrected" else f"{stem} {definition}"
        words = "training and filters" if own == stem else "filters by the study's definition"
        sets.append(
            FilterSet(
                own,
                ((own,), f"{stem}: {words}"),
                definition,
                title,
                tuple(card for _, card in cards),
                matched,
            )
        )
    return sets


def _card(
    row: Mapping[object, object], shelf: Shelf, motifs: Motifs
) -> tuple[tuple[object, ...], FilterCard]:
    """A filter and its place: true matches by factor, then other hits, then the rest."""
    logo = draw_logo(row["ppm"], int(str(row["width"])))
    true_tf = shorten(row["true_tf"], 30)
    card = FilterCard(
        number=int(str(row["filter"])),
        logo=logo,
        pair=None if logo is None else align(row, shelf.motifs, motifs),
        bits="–" if logo is None else f"{logo.bits:.1f}",
        flat=logo is not None and not logo.glyphs,
        hit=shorten(row["best_hit_name"], 30),
        hit_id=shorten(row["best_hit"], 20),
        evalue=evalue(row["evalue"], MAX_EVALUE),
        sites="–" if is_missing(row["num_sites"]) else f"{int(str(row['num_sites'])):,}",
        true_tf=true_tf,
        true_evalue=evalue(row["true_evalue"], MAX_EVALUE),
        outdone=bool(true_tf) and _less(row["evalue"], row["true_evalue"]),
        lone=is_missing(row["best_hit"]) and _less(row["evalue"], MAX_EVALUE, equal=True),
    )
    rank = 0 if true_tf else 1 if card.hit_id else 3 if card.flat else 2
    return (rank, true_tf.lower(), card.number), card


def _less(one: object, other: object, *, equal: bool = False) -> bool:
    """Whether a number is less than another; False where one of them is missing."""
    if is_missing(one) or is_missing(other):
        return False
    first, second = float(str(one)), float(str(other))
    return first < second or (equal and first == second)
