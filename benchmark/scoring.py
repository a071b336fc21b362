"""From checked arrays and truth to scores: the trusted side, which no submission reaches."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.accuracy import score_accuracy
from motifidelity.metrics.attribution import score_attribution
from motifidelity.metrics.declare import Score
from motifidelity.metrics.filters import FilterRow, FilterScores, score_filters
from motifidelity.metrics.localisation import score_localisation
from motifidelity.metrics.scan import chance_mask, pwm_scan
from motifidelity.metrics.tomtom import compare
from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.generate import Split
from motifidelity.tasks.motifs import Motif
from motifidelity.tasks.spec import Profile, TaskSpec


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
    def true_motifs(self) -> list[Motif]:
        """The motifs that a network should know: the core pool."""
        return [self.dataset.motifs[i] for i in self.spec.pools["core"]]

    @cached_property
    def chance(self) -> NDArray[np.bool_]:
        """Bases (n, length) of sites of true motifs that arose by chance."""
        implants = self.test.implants
        core = np.full(len(self.dataset.implanted), -1)
        core[: len(self.true_motifs)] = np.arange(len(self.true_motifs))
        rows = np.stack(
            [implants.sequence, core[implants.motif], implants.start, implants.strand < 0], axis=1
        )
        return chance_mask(
            self.test.sequences,
            rows,
            [motif.ppm.T for motif in self.true_motifs],
            truth=self.test.truth,
            percentile=self.spec.scoring.chance_percentile,
        )

    @cached_property
    def reference_localisation(self) -> list[Score]:
        """Localisation of the scan with the true PWMs, beside which a network's is read."""
        rows = self.positive
        scan = pwm_scan(self.test.sequences[rows], [m.ppm.T for m in self.true_motifs])
        return score_localisation(
            scan,
            self.test.truth[rows],
            self.chance[rows],
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


@dataclass(frozen=True)
class JobScores:
    """Everything that is scored of one job."""

    scores: list[Score]
    filters: list[FilterRow]


def score_job(truth: Truth, arrays: Mapping[str, NDArray[Any]]) -> JobScores:
    """Score a job's arrays in all families.

    Parameters
    ----------
    truth : Truth
    arrays : mapping of str to ndarray
        As ``take_probe`` checked them, with maps already reduced by ``present_classes``.
    """
    spec = truth.spec
    scores = score_accuracy(arrays["logits"], truth.test.labels, spec.classes)
    filters: list[FilterRow] = []
    if "filter_max" in arrays:
        found = _filters(truth, arrays)
        scores += found.scores
        filters = found.filters
        rows = truth.positive
        scores += score_localisation(
            arrays["scan_max"][rows],
            truth.test.truth[rows],
            truth.chance[rows],
            buffer=spec.scoring.buffer,
        )
        scores += truth.reference_localisation
    for method in spec.scoring.attribution_methods:
        if method in arrays:
            scores += _attribution(truth, arrays, method)
    return JobScores(scores, filters)


def _filters(truth: Truth, arrays: Mapping[str, NDArray[Any]]) -> FilterScores:
    database = list(truth.dataset.motifs.values())
    return score_filters(
        truth.test.sequences,
        arrays["above_half_max"],
        arrays["top_sites"],
        database_ids=[m.id for m in database],
        database_names=[m.name for m in database],
        database_ppms=[m.ppm.T for m in database],
        accepted=truth.spec.accepted["corrected"],
        accepted_paper=truth.spec.accepted["paper"],
        window=truth.spec.scoring.window,
    )


def present_classes(truth: Truth, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Arrays of a probe with each method's maps reduced to the classes present in a sequence.

    Only the host knows the labels, so the probe explains every class; the maps (m, length, 4,
    classes) become (m, length, 4), the sum over the labelled classes, and so does the explained
    logit (m, classes), which becomes (m,).
    """
    labels = truth.test.labels[truth.explained].astype(np.float32)
    reduced = dict(arrays)
    reduced["explained_logits"] = (arrays["explained_logits"] * labels).sum(axis=1)
    for method in truth.spec.scoring.attribution_methods:
        if method in arrays:
            reduced[method] = np.einsum("mlac,mc->mla", arrays[method], labels)
    return reduced


def _attribution(truth: Truth, arrays: Mapping[str, NDArray[Any]], method: str) -> list[Score]:
    rows = truth.explained
    scores = score_attribution(
        method,
        arrays[method],
        arrays["explained_logits"],
        truth.test.sequences[rows],
        truth.test.truth[rows],
        truth.chance[rows],
    )
    if truth.spec.target != "binary":
        # the study explains one sigmoid output; a sum of logits has none
        scores = [score for score in scores if not score.metric.startswith("paper_")]
    return scores
