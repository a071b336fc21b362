"""Letters around the sites: independent ones, or a Markov chain with a genome's composition."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from motifidelity.tasks.engine.draws import Draws

LETTERS = "ACGT"
GC = np.array([0.0, 1.0, 1.0, 0.0])
# letters that a chain runs before those that are kept: it forgets where it began
BURN = 64
# tilts between which the one for a share of GC is interpolated
TILTS = np.linspace(-4.0, 4.0, 801)
_COMPLEMENT = str.maketrans(LETTERS, LETTERS[::-1])


@dataclass(frozen=True)
class Background:
    """A Markov chain of letters; of order 0 they are independent.

    Attributes
    ----------
    order : int
        Letters that the next one depends on.
    counts : mapping of str to float
        How often words of ``order + 1`` letters occur. A word and its reverse complement share one
        count, as in counts of a genome that has no preferred strand; either may be named. None at
        all: every letter is as likely.
    gc : (float, float), optional
        Share of G and C, drawn for each sequence uniformly between the two: transitions are tilted,
        P(c | before) exp(t [c is G or C]), by the t that gives the chain this share. By default
        the share is what the counts make it.
    """

    order: int = 0
    counts: Mapping[str, float] | None = None
    gc: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        words = {"".join(word) for word in itertools.product(LETTERS, repeat=self.order + 1)}
        if self.counts is None:
            if self.order:
                raise ValueError(f"a chain of order {self.order} needs counts of words")
        else:
            if wrong := sorted(set(self.counts) - words):
                raise ValueError(f"no word of {self.order + 1} letters of ACGT: {wrong[0]!r}")
            given = set(self.counts) | {reverse_complement(word) for word in self.counts}
            if missing := sorted(words - given):
                raise ValueError(f"no count of {missing[0]!r} nor of its reverse complement")
            if min(self.counts.values()) <= 0:
                raise ValueError("a count must be above 0")
        if self.gc is not None and not 0 < self.gc[0] <= self.gc[1] < 1:
            raise ValueError(f"gc {list(self.gc)} must be two rising shares between 0 and 1")
        if self.gc is not None and not (
            self._shares[0] <= self.gc[0] and self.gc[1] <= self._shares[-1]
        ):
            raise ValueError(f"gc {list(self.gc)} is out of the chain's reach")

    @cached_property
    def transitions(self) -> NDArray[np.float64]:
        """Probabilities (4**order, 4) of the next letter; words in alphabetical order."""
        if self.counts is None:
            return np.full((1, 4), 0.25)
        words = ["".join(word) for word in itertools.product(LETTERS, repeat=self.order + 1)]
        both = [[word, reverse_complement(word)] for word in words]
        of_strand = [next(self.counts[w] for w in pair if w in self.counts) for pair in both]
        # the count of a word that is its own reverse complement is of both strands already
        doubled = [n * (2 if a == b else 1) for n, (a, b) in zip(of_strand, both, strict=True)]
        table = np.array(doubled, dtype=float).reshape(-1, 4)
        normal: NDArray[np.float64] = table / table.sum(axis=1, keepdims=True)
        return normal

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """Share of G and C of the chain at each of `TILTS`: it rises."""
        return np.array([gc_share(tilted(self.transitions, tilt)) for tilt in TILTS])

    def draw(self, draws: Draws, count: int, length: int) -> NDArray[np.uint8]:
        """Sequences (count, length) uint8, A=0 C=1 G=2 T=3."""
        if self.gc is None:
            tilts = np.zeros(count)
        else:
            low, high = self.gc
            wanted = low + draws.uniform(count) * (high - low)
            tilts = np.interp(wanted, self._shares, TILTS)
        boost = np.where(GC, np.exp(tilts)[:, None], 1.0)
        letters = np.empty((length, count), np.uint8)
        before = np.zeros(count, np.intp)
        words = 4**self.order
        for place in range(-BURN if self.order else 0, length):
            cumulative = np.cumsum(self.transitions[before] * boost, axis=1)
            reach = draws.uniform(count) * cumulative[:, 3]
            letter = (reach[:, None] >= cumulative[:, :3]).sum(axis=1)
            before = (4 * before + letter) % words
            if place >= 0:
                letters[place] = letter
        return np.ascontiguousarray(letters.T)


def reverse_complement(word: str) -> str:
    """The word as the other strand has it."""
    return word.translate(_COMPLEMENT)[::-1]


def tilted(transitions: NDArray[np.float64], tilt: float) -> NDArray[np.float64]:
    """Transitions (words, 4) with G and C exp(tilt) times as likely, before they are normalised."""
    raised = transitions * np.exp(tilt * GC)
    normal: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return normal


def gc_share(transitions: NDArray[np.float64]) -> float:
    """Share of G and C in the long run of a chain (words, 4)."""
    words = len(transitions)
    after = (4 * np.arange(words)[:, None] + np.arange(4)) % words
    step = np.zeros((words, words))
    np.add.at(step, (np.repeat(np.arange(words), 4), after.ravel()), transitions.ravel())
    # the stationary distribution: unchanged by a step, with sum 1
    equations = np.vstack([step.T - np.eye(words), np.ones(words)])
    stationary, *_ = np.linalg.lstsq(equations, np.append(np.zeros(words), 1.0), rcond=None)
    return float(stationary @ transitions @ GC)
