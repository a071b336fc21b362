"""Counting: logits that are a weight for every k-mer of a sequence, and their maps.

No motif, position or network is in them; what a network adds stands above them. As the logit is
linear in counts, a map is exact: what a base adds is the weights of the k-mers that cover it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from motifidelity.metrics.areas import rank_rows
from motifidelity.metrics.association import pearson
from motifidelity.metrics.motifs.pwm import Codes

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.int64]
PENALTIES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Inverse strengths of the ridge penalty, of which the validation split chooses."""
RIDGE = (3000.0, 1000.0, 300.0, 100.0, 30.0)
"""Strengths of the ridge penalty on squared errors."""
_G_OR_C = np.array([0.0, 1.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class KmerModel:
    """A weight for every k-mer and class.

    Attributes
    ----------
    weights : (4**k, C) float64
        By the k-mer read as a number to the base 4, A=0 C=1 G=2 T=3, the first letter first.
    intercepts : (C,) float64
    """

    weights: Floats
    intercepts: Floats

    @property
    def k(self) -> int:
        """Letters of a k-mer."""
        return (len(self.weights).bit_length() - 1) // 2

    def logits(self, sequences: Codes) -> Floats:
        """Logits (n, C) float64 of sequences (n, L) uint8."""
        counts = count_kmers(sequences, self.k)
        return np.asarray(counts @ self.weights + self.intercepts)

    def maps(self, sequences: Codes) -> Floats:
        """Sum of the weights of the k-mers that cover a base, by the letter that stands there.

        Parameters
        ----------
        sequences : (n, L) uint8

        Returns
        -------
        (n, L, 4, C) float64
            At the letter that is there, what the k-mers over the base add to the logit; at another
            letter, what they would add with it. The difference of two letters is exactly the change
            of the logit when one replaces the other.
        """
        k, (n, length) = self.k, sequences.shape
        words = kmer_words(sequences, k)
        number = words.shape[1]
        found = np.zeros((n, length, 4, self.weights.shape[1]))
        for place in range(k):
            here = slice(place, place + number)
            scale = 4 ** (k - 1 - place)
            without = words - sequences[:, here].astype(np.int64) * scale
            for letter in range(4):
                found[:, here, letter] += self.weights[without + letter * scale]
        return found


def kmer_words(sequences: Codes, k: int) -> Words:
    """Number of the k-mer that begins at each position, (n, L - k + 1) int64.

    Raises
    ------
    ValueError
        If a sequence is shorter than k.
    """
    number = sequences.shape[1] - k + 1
    if number < 1:
        raise ValueError(f"sequences of {sequences.shape[1]} bases hold no {k}-mer")
    words = np.zeros((len(sequences), number), np.int64)
    for place in range(k):
        words = words * 4 + sequences[:, place : place + number]
    return words


def count_kmers(sequences: Codes, k: int) -> Any:
    """Counts of every k-mer, a sparse CSR matrix (n, 4**k) float64, on the strand given."""
    from scipy.sparse import csr_matrix

    words = kmer_words(sequences, k)
    ends = np.arange(0, words.size + 1, words.shape[1])
    counts = csr_matrix((np.ones(words.size), words.ravel(), ends), shape=(len(words), 4**k))
    counts.sum_duplicates()
    return counts


def fit_kmers(
    sequences: Codes,
    labels: npt.ArrayLike,
    valid_sequences: Codes,
    valid_labels: npt.ArrayLike,
    *,
    k: int = 6,
    penalties: Sequence[float] = PENALTIES,
) -> KmerModel:
    """Ridge-logistic regression on k-mer counts, one a class.

    Parameters
    ----------
    sequences, labels : (n, L) uint8, (n, C) 0 or 1
        To train on.
    valid_sequences, valid_labels : (v, L) uint8, (v, C) 0 or 1
        To choose the penalty on: for each class that of the largest AUROC.
    k : int
    penalties : sequence of float
        Inverse strengths, rising; each fit begins where the last one ended.

    Returns
    -------
    KmerModel
        Counts are of the strand given: a motif on the other strand is other k-mers. The weights of
        a class that the training data tell nothing of, one with one label alone, are zero.
    """
    from sklearn.linear_model import LogisticRegression

    given, asked = np.asarray(labels), np.asarray(valid_labels)
    counts, valid_counts = count_kmers(sequences, k), count_kmers(valid_sequences, k)
    weights, intercepts = np.zeros((4**k, given.shape[1])), np.zeros(given.shape[1])
    for index in _told(given):
        model = LogisticRegression(max_iter=300, warm_start=True)
        best = -1.0
        for penalty in penalties:
            model.set_params(C=penalty).fit(counts, given[:, index])
            logits = model.decision_function(valid_counts)
            # undefined where the split has one label: the strongest penalty stays
            area = float(np.nan_to_num(rank_rows(logits[None], asked[None, :, index]).auroc[0]))
            if area > best:
                best = area
                weights[:, index], intercepts[index] = model.coef_[0], model.intercept_[0]
    return KmerModel(weights, intercepts)


def fit_gc(sequences: Codes, labels: npt.ArrayLike) -> KmerModel:
    """Logistic regression on the share of G and C, without a penalty, one a class.

    Parameters
    ----------
    sequences, labels : (n, L) uint8, (n, C) 0 or 1

    Returns
    -------
    KmerModel
        Of single letters: G and C have the slope divided by the length as their weight, A and T
        none, so that a map says by how much a base moves the logit, and with which sign.
    """
    from sklearn.linear_model import LogisticRegression

    given, share = np.asarray(labels), _G_OR_C[sequences].mean(axis=1, keepdims=True)
    weights, intercepts = np.zeros((4, given.shape[1])), np.zeros(given.shape[1])
    for index in _told(given):
        model = LogisticRegression(C=np.inf).fit(share, given[:, index])
        weights[:, index] = _G_OR_C * model.coef_[0, 0] / sequences.shape[1]
        intercepts[index] = model.intercept_[0]
    return KmerModel(weights, intercepts)


def fit_kmer_ridge(
    sequences: Codes,
    values: npt.ArrayLike,
    valid_sequences: Codes,
    valid_values: npt.ArrayLike,
    *,
    k: int = 6,
    penalties: Sequence[float] = RIDGE,
) -> KmerModel:
    """Ridge regression of numbers on k-mer counts, one a target.

    Parameters
    ----------
    sequences, values : (n, L) uint8, (n, C) float
        To train on.
    valid_sequences, valid_values : (v, L) uint8, (v, C) float
        To choose the penalty on: for each target that of the largest Pearson correlation.
    k : int
    penalties : sequence of float
        Strengths, falling: of equals the strongest is taken.

    Returns
    -------
    KmerModel
        Its logits are the predicted numbers. Counts are of the strand given.
    """
    from sklearn.linear_model import Ridge

    given, asked = np.asarray(values, np.float64), np.asarray(valid_values, np.float64)
    counts, valid_counts = count_kmers(sequences, k), count_kmers(valid_sequences, k)
    weights, intercepts = np.zeros((4**k, given.shape[1])), given.mean(axis=0)
    for index in range(given.shape[1]):
        best = -np.inf
        for penalty in penalties:
            model = Ridge(alpha=penalty, solver="sparse_cg").fit(counts, given[:, index])
            predicted = model.predict(valid_counts)
            # undefined where the split is constant: the strongest penalty stays
            found = float(np.nan_to_num(pearson(predicted[None], asked[None, :, index])[0]))
            if found > best:
                best = found
                weights[:, index], intercepts[index] = model.coef_, model.intercept_
    return KmerModel(weights, intercepts)


def fit_gc_line(sequences: Codes, values: npt.ArrayLike) -> KmerModel:
    """Linear regression of numbers (n, C) on the share of G and C, as `fit_gc` otherwise."""
    given, share = np.asarray(values, np.float64), _G_OR_C[sequences].mean(axis=1)
    from_mean = share - share.mean()
    spread = np.square(from_mean).sum()
    slopes = from_mean @ given / spread if spread > 0 else np.zeros(given.shape[1])
    intercepts = given.mean(axis=0) - slopes * share.mean()
    return KmerModel(np.outer(_G_OR_C, slopes / sequences.shape[1]), intercepts)


def _told(labels: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Classes of which there are both labels."""
    return np.flatnonzero((labels.min(axis=0) == 0) & (labels.max(axis=0) == 1))
