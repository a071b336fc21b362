"""From checked arrays and truth to scores: the trusted side, which no submission reaches."""

from __future__ import annotations

import dataclasses
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.intake import Explanations
from motifidelity.metrics.accuracy import score_accuracy
from motifidelity.metrics.attribution import score_attribution
from motifidelity.metrics.completeness import score_completeness
from motifidelity.metrics.consistency import score_agreement, score_randomisation
from motifidelity.metrics.contrast import score_contrast
from motifidelity.metrics.declare import Score
from motifidelity.metrics.faithfulness import score_curves, score_infidelity
from motifidelity.metrics.families import score_families
from motifidelity.metrics.filters import FilterRow, FilterScores, score_filters
from motifidelity.metrics.hits import MotifDatabase
from motifidelity.metrics.instances import score_instances
from motifidelity.metrics.localisation import score_localisation
from motifidelity.metrics.methods import FLOOR_METHOD, METHODS
from motifidelity.metrics.scan import pwm_scan
from motifidelity.metrics.sweep import score_sweep
from motifidelity.metrics.tomtom import compare
from motifidelity.metrics.truth import BaseTruth, Spans, base_truth, find_spans
from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.generate import Split
from motifidelity.tasks.motifs import Motif
from motifidelity.tasks.spec import Profile, TaskSpec

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Truth:
    """The test split of a task at a profile, with what only the host may know of it.

    One object serves every job of a run, so that scans with the true motifs are made once.
    """

    dataset: Dataset
    profile: Profile

    @property
    def spec(self) -> TaskSpec:
        """The task."""
        return self.dataset.spec

    @cached_property
    def test(self) -> Split:
        """Test sequences of the profile."""
        return self.dataset.splits["test"].head(self.profile.test)

    @cached_property
    def positive(self) -> NDArray[np.intp]:
        """Test sequences with any label, in order: the ones that hold what is to be found."""
        return np.flatnonzero(self.test.labels.any(axis=1))

    @cached_property
    def explained(self) -> NDArray[np.intp]:
        """Test sequences that attribution maps explain: the first positive ones."""
        return self.positive[: self.profile.explained]

    @cached_property
    def methods(self) -> dict[str, Mapping[str, Any]]:
        """Attribution methods of the profile, with the worker's settings."""
        return self.spec.methods(self.profile)

    @property
    def tested(self) -> int:
        """Explained sequences, the first ones, on which maps are put to the test."""
        return min(self.spec.attribution.tested, len(self.explained))

    @cached_property
    def curve_counts(self) -> tuple[int, ...]:
        """Numbers of bases that deletion and insertion curves replace."""
        return self.spec.attribution.curve_counts(self.spec.length)

    @cached_property
    def explanations(self) -> Explanations:
        """What a probe is asked for about the explained sequences."""
        own = [name for name in self.methods if not METHODS[name].paper_maps]
        return Explanations(
            methods=tuple(self.methods),
            complete=tuple(name for name in self.methods if METHODS[name].complete),
            hypothetical=tuple(n for n, given in self.methods.items() if given.get("hypothetical")),
            curves=tuple(own),
            randomised=tuple(name for name in own if name != FLOOR_METHOD),
            tested=self.tested,
            counts=len(self.curve_counts),
            perturbations=self.spec.attribution.perturbations,
        )

    @cached_property
    def true_motifs(self) -> list[Motif]:
        """The motifs that a network should know: the core pool."""
        return [self.dataset.motifs[i] for i in self.spec.pools["core"]]

    @cached_property
    def database(self) -> MotifDatabase:
        """Every motif that a filter is compared with."""
        motifs = list(self.dataset.motifs.values())
        return MotifDatabase(
            [m.id for m in motifs], [m.name for m in motifs], [m.ppm.T for m in motifs]
        )

    @cached_property
    def implanted(self) -> list[NDArray[np.float64]]:
        """PPMs (width, 4) that ``spans.motif`` counts through: the core pool first."""
        return [motif.ppm.T for motif in self.dataset.implanted]

    @cached_property
    def spans(self) -> Spans:
        """Every implant of the test sequences, and sites of true motifs that arose by chance."""
        return find_spans(
            self.test.sequences,
            self.test.implants,
            self.implanted,
            sought=range(len(self.true_motifs)),
            percentile=self.spec.scoring.chance_percentile,
        )

    @cached_property
    def bases(self) -> BaseTruth:
        """What each base of the test sequences is."""
        return base_truth(self.test.sequences.shape, self.spans, self.implanted)

    @cached_property
    def explained_bases(self) -> BaseTruth:
        """What each base of the explained sequences is."""
        return self.bases.rows(self.explained)

    @cached_property
    def explained_spans(self) -> Spans:
        """Spans of the explained sequences."""
        return self.spans.of_sequences(self.explained)

    @cached_property
    def reference_localisation(self) -> list[Score]:
        """Localisation of the scan with the true PWMs, beside which a network's is read."""
        rows = self.positive
        scan = pwm_scan(self.test.sequences[rows], [m.ppm.T for m in self.true_motifs])
        return score_localisation(
            scan,
            self.test.truth[rows],
            self.bases.chance[rows],
            buffer=self.spec.scoring.buffer,
            which="pwm",
        )


def compile_in_background() -> None:
    """Let Tomtom's compiled code be made while the first network trains.

    It takes about a minute of one core, once on a machine; memelite keeps it.
    """

    def compare_something() -> None:
        motif = np.eye(4)[[0, 1, 2, 3, 0, 1]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # memelite's, of a database with few motifs
            compare([motif], [motif, motif[::-1]])

    threading.Thread(target=compare_something, name="compile", daemon=True).start()


def fits(truth: Truth, arrays: Arrays) -> bool:
    """Whether kept arrays are of the sequences that are explained, and of all methods."""
    maps = [arrays.get(method) for method in truth.methods]
    return all(each is not None and len(each) == len(truth.explained) for each in maps)


@dataclass(frozen=True)
class JobScores:
    """Everything that is scored of one job."""

    scores: list[Score]
    filters: list[FilterRow]


def score_job(truth: Truth, arrays: Arrays, others: Sequence[Arrays] = ()) -> JobScores:
    """Score a job's arrays in all families.

    Parameters
    ----------
    truth : Truth
    arrays : mapping of str to ndarray
        As ``take_probe`` checked them, with maps already reduced by ``present_classes``.
    others : sequence of mappings
        The same of other trials of this model, for the agreement with them.
    """
    spec = truth.spec
    scores = score_accuracy(arrays["logits"], truth.test.labels, spec.classes)
    filters: list[FilterRow] = []
    if "filter_max" in arrays:
        found = _filters(truth, arrays)
        scores += found.scores
        filters = found.filters
        scores += _filter_robustness(truth, arrays, filters)
        rows = truth.positive
        scores += score_localisation(
            arrays["scan_max"][rows],
            truth.test.truth[rows],
            truth.bases.chance[rows],
            buffer=spec.scoring.buffer,
        )
        scores += truth.reference_localisation
    for method in truth.methods:
        if method in arrays:
            scores += _attribution(truth, arrays, method)
            scores += _map_tests(truth, arrays, method)
            if not METHODS[method].paper_maps and method != FLOOR_METHOD:
                scores += _agreement(truth, arrays, others, method)
    return JobScores(scores, filters)


def _filters(truth: Truth, arrays: Arrays) -> FilterScores:
    database = truth.database
    return score_filters(
        truth.test.sequences,
        arrays["above_half_max"],
        arrays["top_sites"],
        database_ids=database.ids,
        database_names=database.names,
        database_ppms=database.ppms,
        accepted=truth.spec.accepted["corrected"],
        accepted_paper=truth.spec.accepted["paper"],
        window=truth.spec.scoring.window,
    )


def _filter_robustness(truth: Truth, arrays: Arrays, filters: list[FilterRow]) -> list[Score]:
    """How far the filters' matches hold for fewer or more sites, and for families of factors."""
    accepted = truth.spec.accepted["corrected"]
    families = {motif.id: motif.families for motif in truth.dataset.motifs.values()}
    corrected = [row for row in filters if row.definition == "corrected"]
    return [
        *score_sweep(
            truth.test.sequences,
            arrays["top_sites"],
            truth.database,
            accepted,
            window=truth.spec.scoring.window,
        ),
        *score_families(corrected, families, accepted),
    ]


def present_classes(truth: Truth, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Arrays of a probe with each method's maps reduced to the classes present in a sequence.

    Only the host knows the labels, so the probe explains every class; the maps (m, length, 4,
    classes) become (m, length, 4), the sum over the labelled classes, and so do the explained
    logit and the completeness error (m, classes), which become (m,), and the changes under
    replaced letters. Deletion and insertion curves stay, because each class has an order of its
    own.
    """
    labels = truth.test.labels[truth.explained].astype(np.float32)
    reduced = dict(arrays)
    for name in ("explained_logits", *(f"{m}_completeness" for m in truth.explanations.complete)):
        if name in arrays:
            reduced[name] = (arrays[name] * labels).sum(axis=1)
    suffixes = ("", "_hypothetical", "_randomised")
    for name in (f"{method}{suffix}" for method in truth.methods for suffix in suffixes):
        if name in arrays:
            maps = arrays[name]
            reduced[name] = np.einsum("mlac,mc->mla", maps, labels[: len(maps)])
    if "changes" in arrays:
        reduced["changes"] = np.einsum("mrc,mc->mr", arrays["changes"], labels[: truth.tested])
    return reduced


def _attribution(truth: Truth, arrays: Arrays, method: str) -> list[Score]:
    rows = truth.explained
    maps, sequences = arrays[method], truth.test.sequences[rows]
    bases, spans = truth.explained_bases, truth.explained_spans
    scores = score_attribution(
        method,
        maps,
        arrays["explained_logits"],
        sequences,
        truth.test.truth[rows],
        bases.chance,
        bases.low_information,
    )
    if truth.spec.target != "binary":
        # the study explains one sigmoid output; a sum of logits has none
        scores = [score for score in scores if not score.metric.startswith("paper_")]
    if METHODS[method].paper_maps:
        return scores
    hypothetical = arrays.get(f"{method}_hypothetical")
    return [
        *scores,
        *score_instances(method, maps, sequences, bases, spans, truth.implanted),
        *score_contrast(method, maps, sequences, bases, spans, truth.implanted, hypothetical),
    ]


def _map_tests(truth: Truth, arrays: Arrays, method: str) -> list[Score]:
    """What the network itself says of a map: completeness, faithfulness, random weights."""
    scores: list[Score] = []
    maps = arrays[method]
    if f"{method}_completeness" in arrays:
        scores += score_completeness(method, maps, arrays[f"{method}_completeness"])
    rows = truth.explained[: truth.tested]
    maps, sequences = maps[: truth.tested], truth.test.sequences[rows]
    if f"{method}_deletion" in arrays:
        curves = (arrays[f"{method}_deletion"], arrays[f"{method}_insertion"])
        scores += score_curves(method, *curves, truth.curve_counts, truth.test.labels[rows])
        hypothetical = arrays.get(f"{method}_hypothetical")
        if hypothetical is not None:
            hypothetical = hypothetical[: truth.tested]
        perturbed, changes = arrays["perturbed"], arrays["changes"]
        scores += score_infidelity(method, maps, sequences, perturbed, changes, hypothetical)
    if f"{method}_randomised" in arrays:
        scores += score_randomisation(method, maps, arrays[f"{method}_randomised"], sequences)
    return scores


def _agreement(truth: Truth, arrays: Arrays, others: Sequence[Arrays], method: str) -> list[Score]:
    """Mean agreement of a trial's maps with those of other trials of the same model."""
    sequences = truth.test.sequences[truth.explained]
    pairs = [
        score_agreement(method, np.stack([arrays[method], other[method]]), sequences)
        for other in others
        if method in other and other[method].shape == arrays[method].shape
    ]
    return [
        dataclasses.replace(same[0], value=float(np.mean([score.value for score in same])), sd=None)
        for same in zip(*pairs, strict=True)
    ]
