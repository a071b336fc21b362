"""What knows a task's motifs and how it is made, asked in the way that a frozen network is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.oracle import oracle_map, oracle_mutagenesis
from motifidelity.metrics.truth.grammar import class_logits, count_distribution, pool_logits
from motifidelity.scoring.stand_ins import DecoyOracle, Explains
from motifidelity.scoring.truth import Truth
from motifidelity.tasks.engine.dataset_recipe import ByAffinity, ByNumber, ByRules, Recipe
from motifidelity.tasks.engine.motif_rules import Rule
from motifidelity.tasks.engine.rule_likelihoods import bayes_logit
from motifidelity.tasks.engine.sites import tempered
from motifidelity.tasks.spec import Grammar

Array = NDArray[Any]


def oracle_network(truth: Truth) -> Explains:
    """The oracle of a task."""
    grammar = truth.spec.grammar
    if isinstance(grammar, Grammar):
        return _OfStudy(truth, grammar)
    if isinstance(grammar.contents, ByRules):
        return _OfRules(truth, grammar, grammar.contents)
    if isinstance(grammar.contents, ByNumber):
        core = [motif.ppm.T for motif in truth.true_motifs]
        return DecoyOracle(grammar.contents, truth.matrices, core)
    return _OfFunction(truth, grammar.contents)


class _OfStudy:
    """The study's grammar as a classifier: one motif a class, or a core and others."""

    def __init__(self, truth: Truth, grammar: Grammar) -> None:
        self.classes = len(truth.spec.classes)
        self._binary = truth.spec.target == "binary"
        self._core = [motif.ppm.T for motif in truth.true_motifs]
        self._background = [motif.ppm.T for motif in truth.dataset.implanted[len(self._core) :]]
        self._counts = count_distribution(
            np.cumsum(grammar.count_weights).tolist(), grammar.count_offset
        )

    def logits(self, one_hot: Array) -> Array:
        """As `Explains`: log posterior odds."""
        codes = _codes(one_hot)
        if self._binary:
            odds = pool_logits(codes, self._core, self._background, self._counts)[:, None]
        else:
            odds = class_logits(codes, self._core, self._counts)
        return odds.astype(np.float32)

    def maps(self, codes: Array, *, mutagenesis: bool) -> Array:
        """As `Explains`."""
        explain = oracle_mutagenesis if mutagenesis else oracle_map
        groups = [self._core] if self._binary else [[motif] for motif in self._core]
        maps = [explain(codes, motifs).astype(np.float32) for motifs in groups]
        return np.stack(maps, axis=-1)


class _OfFunction:
    """The exact function itself: its maps are what every letter would change."""

    classes = 1

    def __init__(self, truth: Truth, contents: ByAffinity) -> None:
        self._contents, self._matrices = contents, truth.matrices

    def logits(self, one_hot: Array) -> Array:
        """As `Explains`: the target without its noise."""
        return self._contents.exact(self._matrices, _codes(one_hot))[:, None].astype(np.float32)

    def maps(self, codes: Array, *, mutagenesis: bool) -> Array:
        """As `Explains`: changes by every letter; as contributions, from their mean at each base.

        Both differ between letters by exactly what the target changes by.
        """
        changes = self._contents.changes(self._matrices, codes)
        if not mutagenesis:
            changes = changes - changes.mean(axis=2, keepdims=True)
        return np.asarray(changes[..., None], np.float32)


class _OfRules:
    """Rules: the posterior odds of each; evidence of a motif, by what its removal would do.

    Sites are taken to be of the mean temperature.
    """

    def __init__(self, truth: Truth, recipe: Recipe, contents: ByRules) -> None:
        self.classes = len(contents.rules)
        self._contents = contents
        temperature = sum(recipe.temperature) / 2
        self._ppms = {
            name: tempered(ppm, temperature)
            for name, ppm in truth.matrices.of(contents.motifs).items()
        }

    def logits(self, one_hot: Array) -> Array:
        """As `Explains`: log posterior odds."""
        codes = _codes(one_hot)
        odds = [self._odds(rule, codes) for rule in self._contents.rules]
        return np.stack(odds, axis=1).astype(np.float32)

    def maps(self, codes: Array, *, mutagenesis: bool) -> Array:
        """As `Explains`: a site that holds the rule up is for it, one that breaks it against."""
        explain = oracle_mutagenesis if mutagenesis else oracle_map
        maps = []
        for rule in self._contents.rules:
            holds = 1 / (1 + np.exp(-self._odds(rule, codes)))
            maps.append(
                sum(
                    # what the posterior falls by when this site is not there
                    (holds - rule.alone(first=not first))[:, None, None]
                    * explain(codes, [self._ppms[motif].T])
                    for first, motif in ((True, rule.first), (False, rule.second))
                )
            )
        return np.stack(maps, axis=-1).astype(np.float32)

    def _odds(self, rule: Rule, codes: Array) -> Array:
        return bayes_logit(rule, codes, self._ppms, self._contents.shares)


def _codes(one_hot: Array) -> Array:
    codes: Array = one_hot.argmax(axis=2).astype(np.uint8)
    return codes
