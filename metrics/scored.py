"""What a metric is given, and how it says that it scores it.

The trusted side of the benchmark fills these; no metric asks for a file, a process or a
specification. A module that declares `METRICS` scores them by its `SCORERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.declare import Score, modules
from motifidelity.metrics.methods import Codes, Floats, Method
from motifidelity.metrics.motifs.hits import MotifDatabase
from motifidelity.metrics.motifs.pwm import Matrix
from motifidelity.metrics.readings import OWN, Reading, read_maps
from motifidelity.metrics.truth.asked import FunctionTruth, RuleTruth
from motifidelity.metrics.truth.bases import BaseTruth
from motifidelity.metrics.truth.extra_sets import ExtraTruth
from motifidelity.metrics.truth.spans import Spans

T = TypeVar("T")
# a target that is no class: accuracy is `regression`'s
REGRESSION = "regression"


class _Remembers:
    """What several metrics need is computed once of an object."""

    def once(self, make: Callable[[Self], T]) -> T:
        """What ``make`` gives of this object, computed at the first call."""
        made: dict[object, T] = self.__dict__.setdefault("_made", {})
        if make not in made:
            made[make] = make(self)
        return made[make]


@dataclass(frozen=True, eq=False)
class ScoredTask(_Remembers):
    """The test sequences of a task, and what only the trusted side knows of them.

    Attributes
    ----------
    target : {"multi-label", "binary", "regression"}
    classes : tuple of C str
    sequences : (n, L) uint8
        A=0 C=1 G=2 T=3.
    labels : (n, C) uint8
        0 or 1; of a regression whether a sequence has any site, so that its target is explained.
    planted : (n, L) uint8, 0 or 1
        Implanted bases as the study has them.
    bases : BaseTruth
        What each base is; ``spans``: every implant and chance site.
    explained : (m,) int
        Sequences that attribution maps explain; all hold a label.
    tested : int
        The first of those, on which maps are put to the test.
    true_motifs : sequence of (w, 4) float
        PPMs that a network should know; ``implanted``: all that ``spans.motif`` counts through.
    database : MotifDatabase
        Every motif that a filter is compared with, and its ``families`` by matrix id.
    accepted, accepted_paper : mapping of TF name to matrix ids
        Matrices that count as the true motif, corrected and as the study has them.
    accepted_implanted : mapping of TF name to matrix ids
        The corrected ones, and those of every other motif that sequences hold on purpose.
    window, buffer : int
        Bases around a site, and those that a truth region is extended by.
    replaced : tuple of int
        Numbers of bases that deletion and insertion curves replace.
    mismatched : bool
        Whether maps are also held against the truth of other sequences.
    errors : bool
        Whether standard errors over sequences are scored.
    class_motifs : tuple of C int
        The motif that each class names, as ``spans.motif`` counts; empty where classes are not
        motifs.
    negatives : (k,) int
        Sequences without any label whose maps are made too.
    rules : RuleTruth or None
        Of a task whose classes are rules; ``function``: of one whose target is an exact function.
    kinds : (n,) int or None
        What kind of negative each sequence is, as ``kind_names`` counts; of positives not read.
    extra : ExtraTruth or None
        What is true of test sets that are drawn otherwise.
    """

    target: str
    classes: tuple[str, ...]
    sequences: Codes
    labels: npt.NDArray[np.uint8]
    planted: npt.NDArray[np.uint8]
    bases: BaseTruth
    spans: Spans
    explained: npt.NDArray[np.intp]
    tested: int
    true_motifs: Sequence[Matrix]
    implanted: Sequence[Matrix]
    database: MotifDatabase
    families: Mapping[str, Collection[str]]
    accepted: Mapping[str, Sequence[str]]
    accepted_paper: Mapping[str, Sequence[str]]
    accepted_implanted: Mapping[str, Sequence[str]]
    window: int
    buffer: int
    replaced: tuple[int, ...]
    mismatched: bool = False
    errors: bool = False
    class_motifs: tuple[int, ...] = ()
    negatives: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    rules: RuleTruth | None = None
    function: FunctionTruth | None = None
    kinds: npt.NDArray[np.integer] | None = None
    kind_names: tuple[str, ...] = ()
    extra: ExtraTruth | None = None

    @cached_property
    def positive(self) -> npt.NDArray[np.intp]:
        """Sequences with any label, in order: the ones that hold what is to be found."""
        return np.flatnonzero(self.labels.any(axis=1))

    @cached_property
    def held(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Every explained sequence, as a place among them, with each class that it holds: (k,)."""
        sequence, classes = np.nonzero(self.labels[self.explained])
        return sequence, classes

    @cached_property
    def explained_sequences(self) -> Codes:
        """Explained sequences (m, L)."""
        return self.sequences[self.explained]

    @cached_property
    def explained_bases(self) -> BaseTruth:
        """What each base of the explained sequences is."""
        return self.bases.rows(self.explained)

    @cached_property
    def explained_spans(self) -> Spans:
        """Spans of the explained sequences."""
        return self.spans.of_sequences(self.explained)


@dataclass(frozen=True, eq=False)
class FilterArrays:
    """What a probe says of first-layer filters.

    Attributes
    ----------
    above_half_max : (n, L, ceil(F/8)) uint8
        Bit-packed along filters: activation above half of the filter's maximum.
    top_sites : (F, K, 2) int32
        Sequence and position of the strongest sites, strongest first, -1 where there are fewer.
    scan_max : (n, L) float32
        Maximum over filters of the activation.
    filter_max : (F,) float32
        Largest activation.
    """

    above_half_max: npt.NDArray[np.uint8]
    top_sites: npt.NDArray[np.int32]
    scan_max: npt.NDArray[np.float32]
    filter_max: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ScoredNetwork(_Remembers):
    """A network's answers to the test sequences.

    Attributes
    ----------
    task : ScoredTask
    logits : (n, C) float
    filters : FilterArrays or None
        None for a network without a first layer of filters.
    path_integrals, path_changes : (t, paths) float or None
        Integral of the gradient of what is explained along straight paths to the first t explained
        sequences, and what it changes by.
    scan_logits : (n, C) float or None
        Logits where the filter scan alone sees the sequences.
    untrained_top_sites : (F, K, 2) int or None
        The strongest sites of the filters that it had before its training.
    answers : mapping of str to ndarray (..., C), or None
        To what is asked beyond the test set (`asked.Questions.answers`).
    reverse_logits : (n, C) float or None
        Logits of the reverse complements.
    """

    task: ScoredTask
    logits: Floats
    filters: FilterArrays | None
    path_integrals: Floats | None = None
    path_changes: Floats | None = None
    scan_logits: Floats | None = None
    untrained_top_sites: npt.NDArray[np.int32] | None = None
    answers: Mapping[str, Floats] | None = None
    reverse_logits: Floats | None = None


@dataclass(frozen=True, eq=False)
class ScoredMaps:
    """Maps of one method, of the classes that a sequence holds, and how they were put to the test.

    Attributes
    ----------
    task : ScoredTask
    method : Method
    maps : (m, L, 4) float
    logits : (m,) float
        What is explained.
    hypothetical : (m, L, 4) float or None
        Contributions that the letters would have.
    completeness : (m,) float or None
        Sum of contributions less the difference of logits.
    deletion, insertion : (t, C, counts) float or None
        Logits after so many bases were replaced, in the first t explained sequences.
    perturbed : (t, R, L) uint8 or None
        Copies with a window of letters replaced, and by how much the logit changes: ``changes``
        (t, R).
    randomised, randomised_hypothetical : (t, L, 4) float or None
        Maps of the network with random weights, and its hypothetical contributions.
    substitutions : (m, L, 4) float or None
        Exact change of what is explained under every other letter, where it was computed.
    reading : {"own", "signed", "magnitude"}
        How the maps are read; what there is of the maps has this reading.
    by_class, hypothetical_by_class : (k, L, 4) float or None
        Maps of one class each, in the order of `ScoredTask.held`, and hypothetical contributions.
    negatives, hypothetical_negatives : (k, L, 4) float or None
        Those of `ScoredTask.negatives`, of all classes.
    of_outputs : (m, C, L, 4) float or None
        Maps of every class of every explained sequence, whether it holds the class or not.
    extra, hypothetical_extra : (e, L, 4) float or None
        Those of the explained sequences of extra test sets, of all classes.
    """

    task: ScoredTask
    method: Method
    maps: Floats
    logits: Floats
    hypothetical: Floats | None = None
    completeness: Floats | None = None
    deletion: Floats | None = None
    insertion: Floats | None = None
    perturbed: Codes | None = None
    changes: Floats | None = None
    randomised: Floats | None = None
    substitutions: Floats | None = None
    reading: Reading = OWN
    by_class: Floats | None = None
    hypothetical_by_class: Floats | None = None
    negatives: Floats | None = None
    hypothetical_negatives: Floats | None = None
    randomised_hypothetical: Floats | None = None
    of_outputs: Floats | None = None
    extra: Floats | None = None
    hypothetical_extra: Floats | None = None

    @cached_property
    def importance(self) -> Floats:
        """One importance per base (m, L), by this reading.

        Raises
        ------
        ValueError
            If the maps have no such reading.
        """
        return self._read(self.maps, self.task.explained_sequences, self.hypothetical)

    @cached_property
    def importance_by_class(self) -> Floats | None:
        """The same (k, L) of each class that a sequence holds, where those maps are there."""
        if self.by_class is None:
            return None
        sequences = self.task.explained_sequences[self.task.held[0]]
        return self._read(self.by_class, sequences, self.hypothetical_by_class)

    @cached_property
    def importance_of_negatives(self) -> Floats | None:
        """The same (k, L) of sequences without a label, where those maps are there."""
        if self.negatives is None:
            return None
        sequences = self.task.sequences[self.task.negatives]
        return self._read(self.negatives, sequences, self.hypothetical_negatives)

    @cached_property
    def importance_of_outputs(self) -> Floats | None:
        """The same (m, C, L) of every class, where those maps are there; no magnitude of shares."""
        if self.of_outputs is None:
            return None
        sequences = np.repeat(self.task.explained_sequences, self.of_outputs.shape[1], axis=0)
        read = self._read(self.of_outputs.reshape(*sequences.shape, 4), sequences, None)
        return read.reshape(self.of_outputs.shape[:3])

    @cached_property
    def importance_of_extra(self) -> Floats | None:
        """The same (e, L) of the explained sequences of extra sets, where those maps are there."""
        if self.extra is None or self.task.extra is None:
            return None
        return self._read(self.extra, self.task.extra.explained, self.hypothetical_extra)

    def _read(self, maps: Floats, sequences: Codes, hypothetical: Floats | None) -> Floats:
        found = read_maps(self.method.name, maps, sequences, self.reading, hypothetical)
        if found is None:
            raise ValueError(f"maps of {self.method.name} have no reading {self.reading}")
        return found


@dataclass(frozen=True)
class NetworkScorer:
    """Scores a network as a whole.

    Attributes
    ----------
    score : callable
        Empty where the network has nothing to be scored.
    place : int
        Rows of scores stand in this order, and at equal places in that of the modules' names.
    """

    score: Callable[[ScoredNetwork], list[Score]]
    place: int = 100


@dataclass(frozen=True)
class MapScorer:
    """Scores the maps of one method; the other attributes are those of `NetworkScorer`.

    Attributes
    ----------
    read : bool
        Whether the scores depend on how maps are read: they are then made of every reading.
    """

    score: Callable[[ScoredMaps], list[Score]]
    place: int = 100
    read: bool = False


Scorer = TypeVar("Scorer", NetworkScorer, MapScorer)


def scorers(kind: type[Scorer]) -> list[Scorer]:
    """Every scorer of a kind that a module of `metrics` has in its `SCORERS`, in order."""
    found = (one for module in modules() for one in getattr(module, "SCORERS", ()))
    return sorted((one for one in found if isinstance(one, kind)), key=lambda one: one.place)
