"""What stands in a network's place, and the maps that it gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.methods import METHODS
from motifidelity.metrics.motifs.pwm import Matrix
from motifidelity.metrics.oracle import oracle_map, oracle_mutagenesis
from motifidelity.tasks.engine.dataset_recipe import ByNumber, Matrices
from motifidelity.tasks.engine.decoy_likelihoods import number_logit

Array = NDArray[Any]


class Explains(Protocol):
    """What stands in a network's place, and gives its own maps.

    Attributes
    ----------
    classes : int
    """

    classes: int

    def logits(self, one_hot: Array) -> Array:
        """Logits (n, classes) float32 of sequences (n, length, 4)."""

    def maps(self, codes: Array, *, mutagenesis: bool) -> Array:
        """Evidence maps (m, length, 4, classes) float32 of sequences (m, length) uint8."""


class DecoyOracle:
    """True sites against decoys: the likelihood of either; evidence is of the core motifs.

    Parameters
    ----------
    contents : ByNumber
        How the training set is drawn, whatever is asked about.
    matrices : Matrices
    core : sequence of (w, 4) float
        PPMs of the true motifs.
    """

    classes = 1

    def __init__(self, contents: ByNumber, matrices: Matrices, core: Sequence[Matrix]) -> None:
        self._contents, self._matrices, self._core = contents, matrices, core

    def logits(self, one_hot: Array) -> Array:
        """As `Explains`: log posterior odds."""
        return self.logits_of(one_hot.argmax(axis=2).astype(np.uint8))

    def logits_of(self, codes: Array) -> Array:
        """The same of sequences (n, length) uint8."""
        odds = number_logit(self._contents, codes, self._matrices)
        return odds[:, None].astype(np.float32)

    def maps(self, codes: Array, *, mutagenesis: bool) -> Array:
        """As `Explains`."""
        explain = oracle_mutagenesis if mutagenesis else oracle_map
        return explain(codes, self._core)[..., None].astype(np.float32)


@dataclass(frozen=True)
class EvidenceMaps:
    """Maps (m, length, 4, classes) float32 of what says itself what each letter is worth.

    Attributes
    ----------
    maps, hypothetical : dict of str to ndarray
        By method; hypothetical contributions of those whose maps are contributions.
    evidence : ndarray
        What both are made of.
    """

    maps: dict[str, Array]
    hypothetical: dict[str, Array]
    evidence: Array


def evidence_maps(network: Explains, codes: Array, methods: Iterable[str]) -> EvidenceMaps:
    """Maps of every method, by what a network stand-in says of letters.

    Parameters
    ----------
    network : Explains
    codes : ndarray (m, length) uint8
    methods : iterable of str
        Not that of noise.
    """
    one_hot = np.eye(4, dtype=np.float32)[codes][..., None]
    evidence, mutated = (network.maps(codes, mutagenesis=flag) for flag in (False, True))
    contributions = evidence * one_hot
    maps: dict[str, Array] = {}
    hypothetical: dict[str, Array] = {}
    for name in methods:
        method = METHODS[name]
        if method.letters or method.paper_maps:
            maps[name] = mutated if method.base == "norm" else evidence
        else:
            maps[name] = contributions
            hypothetical[name] = evidence
    return EvidenceMaps(maps, hypothetical, evidence)
