"""The truth of a task at a profile, and the arrays of a probe that it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.attribution.maps import METHODS as MAPS_OF
from motifidelity.metrics.methods import FLOOR_METHOD, METHODS
from motifidelity.metrics.motifs.hits import MotifDatabase
from motifidelity.metrics.readings import OWN, letters_of
from motifidelity.metrics.scored import REGRESSION, ScoredTask
from motifidelity.metrics.truth.asked import REVERSE, FunctionTruth, Questions, RuleTruth
from motifidelity.metrics.truth.bases import BaseTruth, Spans, base_truth, find_spans
from motifidelity.metrics.truth.extra_sets import ExtraTruth
from motifidelity.scoring.asked_sets import ExtraSets, extra_sets
from motifidelity.scoring.explanations import Explanations
from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.engine.dataset_recipe import (
    ByAffinity,
    ByNumber,
    ByRules,
    Matrices,
    Recipe,
)
from motifidelity.tasks.engine.draws import Draws
from motifidelity.tasks.engine.questions import ask_function, ask_rules
from motifidelity.tasks.engine.truths import function_truth, negative_kinds, rule_truth
from motifidelity.tasks.fresh import SEEDS
from motifidelity.tasks.generate import Split, implanted_matrices
from motifidelity.tasks.motifs import Motif
from motifidelity.tasks.spec import Grammar, Profile, TaskSpec
from motifidelity.worker.arrays import ASKED_LOGITS, OF_EXTRA, PATH_CHANGES, PATH_INTEGRALS, Part

Arrays = Mapping[str, NDArray[Any]]
# questions are drawn with the seed of the data and this
QUESTIONS = 1 << 16


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
    def held(self) -> NDArray[np.uint8]:
        """Outputs (n, classes) that each test sequence holds, 0 or 1: what is explained of it.

        Its labels; of a regression the target, where the sequence has any site.
        """
        if self.spec.target != REGRESSION:
            return self.test.labels
        sites = np.bincount(self.test.implants.sequence, minlength=len(self.test.sequences))
        return np.repeat((sites > 0).astype(np.uint8)[:, None], len(self.spec.classes), axis=1)

    @cached_property
    def positive(self) -> NDArray[np.intp]:
        """Test sequences with any label, in order: the ones that hold what is to be found."""
        return np.flatnonzero(self.held.any(axis=1))

    @cached_property
    def explained(self) -> NDArray[np.intp]:
        """Test sequences that attribution maps explain: the first positive ones."""
        return self.positive[: self.profile.explained]

    @cached_property
    def negatives(self) -> NDArray[np.intp]:
        """The first test sequences without any label, at most as many, where they are explained."""
        if self.spec.attribution.explain != "all":
            return np.zeros(0, np.intp)
        without = np.flatnonzero(~self.held.any(axis=1))
        return without[: self.profile.explained]

    @property
    def asked(self) -> NDArray[np.intp]:
        """Test sequences that a probe explains: the explained ones, then the negatives."""
        return np.concatenate([self.explained, self.negatives])

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
        read = [
            (name, reading, letters.hypothetical)
            for name in own
            for reading in self.spec.attribution.readings
            if reading != OWN and (letters := letters_of(name, reading)) is not None
            if not letters.hypothetical or self.methods[name].get("hypothetical")
        ]
        extra = tuple(name for name in MAPS_OF if name in own) if self.extra is not None else ()
        return Explanations(
            methods=tuple(self.methods),
            complete=tuple(name for name in self.methods if METHODS[name].complete),
            hypothetical=tuple(n for n, given in self.methods.items() if given.get("hypothetical")),
            curves=tuple(own),
            read_curves=tuple((name, reading) for name, reading, _ in read),
            randomised_hypothetical=tuple(name for name, _, shares in read if shares),
            randomised=tuple(name for name in own if name != FLOOR_METHOD),
            extra=extra,
            extra_hypothetical=tuple(n for n in extra if self.methods[n].get("hypothetical")),
            extras=0 if self.extra is None else len(self.extra.explained),
            tested=self.tested,
            counts=len(self.curve_counts),
            perturbations=self.spec.attribution.perturbations,
            paths=self.spec.attribution.paths,
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
    def class_motifs(self) -> tuple[int, ...]:
        """The motif that each class names, as ``spans.motif`` counts; none where none does."""
        grammar = self.spec.grammar
        named = isinstance(grammar, Grammar) and all(
            group.label == "picked" for group in grammar.populations
        )
        return tuple(range(len(self.spec.classes))) if named else ()

    @property
    def contents(self) -> ByRules | ByNumber | ByAffinity | None:
        """What is in a sequence by the task's recipe; None of the study's own grammar."""
        grammar = self.spec.grammar
        return grammar.contents if isinstance(grammar, Recipe) else None

    @cached_property
    def matrices(self) -> Matrices:
        """Every implanted matrix, in the order that implants count through."""
        return implanted_matrices(self.spec, self.dataset.motifs)

    @cached_property
    def site_bounds(self) -> dict[str, float]:
        """Log-odds in bits from which each implanted matrix has a site: a percentile of its own."""
        sites, percentile = self.test.implants, self.spec.scoring.chance_percentile
        return {
            name: float(np.percentile(sites.log_odds[sites.motif == place], percentile))
            for name, place in self.matrices.number.items()
        }

    @cached_property
    def _rules(self) -> tuple[RuleTruth | None, Mapping[str, NDArray[np.uint8]]]:
        """What is true of rules, and what is asked about them."""
        recipe, contents = self.spec.grammar, self.contents
        if not isinstance(recipe, Recipe) or not isinstance(contents, ByRules):
            return None, {}
        implants = self.test.implants
        truth = rule_truth(
            contents,
            self.matrices,
            self.test.labels,
            implants,
            self.explained,
            implants.of_sequences(self.explained),
        )
        backgrounds = self.spec.scoring.backgrounds
        if not backgrounds:
            return truth, {}
        questions, pairs = ask_rules(
            _draws_of(recipe),
            contents.rules,
            self.matrices.of(self.matrices.ids),
            self.site_bounds,
            recipe.background,
            self.test.sequences[self.explained],
            truth.instances,
            backgrounds,
        )
        return replace(truth, pairs=pairs), questions.parts

    @cached_property
    def _function(self) -> tuple[FunctionTruth | None, Mapping[str, NDArray[np.uint8]]]:
        """What is true of an exact function, and what is asked about it."""
        recipe, contents = self.spec.grammar, self.contents
        if not isinstance(recipe, Recipe) or not isinstance(contents, ByAffinity):
            return None, {}
        truth = function_truth(contents, self.matrices, self.test.sequences, self.explained)
        backgrounds = self.spec.scoring.backgrounds
        if not backgrounds:
            return truth, {}
        function = contents.function(self.matrices)
        questions, crossed = ask_function(
            _draws_of(recipe),
            function,
            self.site_bounds,
            recipe.background,
            recipe.temperature,
            self.spec.length,
            backgrounds,
        )
        exact = contents.exact(self.matrices, questions.sequences)[:, None]
        factors = tuple(function.ppms)
        names = tuple(self.dataset.motifs[name].name for name in factors)
        answered = replace(
            truth,
            answers=questions.answers(exact),
            factors=factors,
            crossed=crossed,
            names=names if len(set(names)) == len(names) else factors,
        )
        return answered, questions.parts

    @cached_property
    def questions(self) -> Questions | None:
        """Sequences beyond the test set that a network is asked about; None: it is asked none."""
        parts = dict(self._rules[1]) | dict(self._function[1])
        if self._extra is not None:
            parts |= self._extra.questions
        if self.spec.scoring.strands:
            parts[REVERSE] = 3 - self.test.sequences[:, ::-1]
        return Questions(parts) if parts else None

    def answers(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """What a network answered to `questions`, by their parts; empty where it was asked none."""
        if self.questions is None or ASKED_LOGITS not in arrays:
            return {}
        return self.questions.answers(arrays[ASKED_LOGITS])

    @cached_property
    def _extra(self) -> ExtraSets | None:
        number = min(self.spec.attribution.extra, self.profile.explained)
        recipe = self.spec.grammar
        if not number or not isinstance(recipe, Recipe) or not isinstance(self.contents, ByNumber):
            return None
        return extra_sets(self.dataset, recipe, self.contents, self.matrices, number)

    @property
    def extra(self) -> ExtraTruth | None:
        """What is true of extra test sets that a network is asked about; None: of none."""
        return None if self._extra is None else self._extra.truth

    @property
    def function(self) -> FunctionTruth | None:
        """What is true of a task's target, where it is an exact function's."""
        return self._function[0]

    @cached_property
    def kinds(self) -> NDArray[np.intp] | None:
        """What kind of negative each test sequence is, where a task has kinds."""
        decoys = self.test.decoys
        if not isinstance(self.contents, ByNumber) or decoys is None:
            return None
        return negative_kinds(self.contents, decoys.sequence, decoys.kind, len(self.test.sequences))

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
    def scored(self) -> ScoredTask:
        """What metrics are given of the task."""
        spec = self.spec
        return ScoredTask(
            target=spec.target,
            classes=spec.classes,
            sequences=self.test.sequences,
            labels=self.held,
            planted=self.test.truth,
            bases=self.bases,
            spans=self.spans,
            explained=self.explained,
            tested=self.tested,
            true_motifs=[motif.ppm.T for motif in self.true_motifs],
            implanted=self.implanted,
            database=self.database,
            families={motif.id: motif.families for motif in self.dataset.motifs.values()},
            accepted=spec.accepted["corrected"],
            accepted_paper=spec.accepted["paper"],
            accepted_implanted={
                **{name: [name] for pool in spec.pools.values() for name in pool},
                **spec.accepted["corrected"],
            },
            window=spec.scoring.window,
            buffer=spec.scoring.buffer,
            replaced=self.curve_counts,
            mismatched=spec.scoring.mismatched,
            # of a network of few trials, to be held against a rival
            errors=bool(spec.scoring.rivals),
            class_motifs=self.class_motifs,
            negatives=self.negatives,
            rules=self._rules[0],
            function=self.function,
            kinds=self.kinds,
            kind_names=self.contents.negatives if isinstance(self.contents, ByNumber) else (),
            extra=self.extra,
        )


def _draws_of(recipe: Recipe) -> Draws:
    """What questions are drawn with: a stream of its own, of the data's seed."""
    return Draws((recipe.seed + QUESTIONS) % SEEDS)


def fits(truth: Truth, arrays: Arrays) -> bool:
    """Whether kept arrays are of the sequences that are explained, and of all methods."""
    wanted = {Part.MAPS: len(truth.explained)}
    if truth.spec.attribution.by_class:
        wanted[Part.BY_CLASS] = len(truth.scored.held[0])
    if len(truth.negatives):
        wanted[Part.NEGATIVES] = len(truth.negatives)
    if truth.extra is not None:
        extras = len(truth.extra.explained)
        if any(len(arrays.get(Part.EXTRA.of(n), ())) != extras for n in truth.explanations.extra):
            return False
    return all(
        part.of(method) in arrays and len(arrays[part.of(method)]) == number
        for method in truth.methods
        for part, number in wanted.items()
    )


def present_classes(truth: Truth, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Arrays of a probe with each method's maps reduced to the classes present in a sequence.

    Only the host knows the labels, so the probe explains every class; the maps (m, length, 4,
    classes) become (m, length, 4), the sum over the labelled classes, and so do the explained
    logit and the completeness error (m, classes), which become (m,), the changes under replaced
    letters, and what paths of gradients add up to. Deletion and insertion curves stay,
    because each class has an order of its own.

    Where the specification asks for it, maps of each class that a sequence holds are kept beside
    the sum (`Part.BY_CLASS`), and those of sequences without a label, summed over all classes, none
    of which they hold (`Part.NEGATIVES`).
    """
    labels = truth.held[truth.explained].astype(np.float32)
    held, count = np.nonzero(labels), len(truth.explained)
    reduced = dict(arrays)
    errors = (Part.COMPLETENESS.of(method) for method in truth.explanations.complete)
    for name in ("explained_logits", *errors):
        if name in arrays:
            reduced[name] = (arrays[name][:count] * labels).sum(axis=1)
    if truth.scored.rules is not None:
        # a rule's map is read in sequences that break it too
        for method in truth.methods:
            if Part.MAPS.of(method) in arrays:
                every = arrays[Part.MAPS.of(method)][:count]
                reduced[Part.OF_OUTPUTS.of(method)] = np.moveaxis(every, -1, 1)
    for method in truth.methods:
        for part, by_class, negatives in (
            (Part.MAPS, Part.BY_CLASS, Part.NEGATIVES),
            (Part.HYPOTHETICAL, Part.HYPOTHETICAL_BY_CLASS, Part.HYPOTHETICAL_NEGATIVES),
            (Part.RANDOMISED, None, None),
            (Part.RANDOMISED_HYPOTHETICAL, None, None),
        ):
            maps = arrays.get(part.of(method))
            if maps is None:
                continue
            here = maps[:count]
            reduced[part.of(method)] = np.einsum("mlac,mc->mla", here, labels[: len(here)])
            if by_class and truth.spec.attribution.by_class:
                reduced[by_class.of(method)] = here[held[0], :, :, held[1]]
            if negatives and len(truth.negatives):
                reduced[negatives.of(method)] = maps[count:].sum(axis=-1)
    for part, method in product(OF_EXTRA, truth.explanations.extra):
        if (name := part.of(method)) in arrays:
            # a task with such sets has one class
            reduced[name] = arrays[name].sum(axis=-1)
    for name in (PATH_INTEGRALS, PATH_CHANGES):
        if name in arrays:
            reduced[name] = np.einsum("mpc,mc->mp", arrays[name], labels[: len(arrays[name])])
    if "changes" in arrays:
        reduced["changes"] = np.einsum("mrc,mc->mr", arrays["changes"], labels[: truth.tested])
    return reduced
