"""A regression target: what a sequence does, by the occupancy of its motifs.

The share of time that a factor is bound, p = Z / (1 + Z), with Z the sum over all places and both
strands of exp(s - mu), s the log-odds in nats; the target is the weighted sum of the factors' p and
of products of two. Source of the form: Bintu et al., Current Opinion in Genetics & Development 15,
116-124 (2005), with independent sites.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.motifs.pwm import sum_sites, words_of

Floats = NDArray[np.float64]
# what is added to a probability, so that no log-odds is infinite
PSEUDO = 1e-3
# sequences that are scanned at a time
_PART = 200


@dataclass(frozen=True, eq=False)
class Affinity:
    """An exact function of a sequence.

    Attributes
    ----------
    ppms : mapping of str to ndarray (4, width)
        Matrices of the factors, by their names.
    offsets : mapping of str to float
        mu of each, in nats.
    weights : mapping of str to float
        Of each p.
    cooperation : sequence of (str, str, float)
        Of products of two p.
    """

    ppms: Mapping[str, Floats]
    offsets: Mapping[str, float]
    weights: Mapping[str, float]
    cooperation: Sequence[tuple[str, str, float]]

    def occupancies(self, codes: NDArray[np.uint8]) -> dict[str, Floats]:
        """P of every factor in sequences (n, L): (n,) each."""
        return {
            name: _bound(z * np.exp(-self.offsets[name]))
            for name, z in partition_sums(codes, self.ppms).items()
        }

    def __call__(self, codes: NDArray[np.uint8]) -> Floats:
        """The target (n,) of sequences (n, L)."""
        return self._total(self.occupancies(codes))

    def substitutions(self, codes: NDArray[np.uint8]) -> Floats:
        """Changes (n, L, 4) of the target by every letter at every place; 0 at the letter there.

        Exact: a substitution changes the sites that cover it, and these are computed again.
        """
        length = codes.shape[1]
        changed = {}
        for name, ppm in self.ppms.items():
            table, width = nats(ppm), ppm.shape[1]
            weight = np.exp(site_scores(codes, ppm) - self.offsets[name])
            z = weight.sum(axis=(1, 2))
            found = np.repeat(z[:, None, None], length, 1).repeat(4, 2)
            for strand, columns in enumerate((table, table[::-1, ::-1])):
                for column in range(width):
                    # sites whose column lies at each base
                    there = np.arange(length - width + 1) + column
                    site = weight[:, : length - width + 1, strand]
                    ratio = np.exp(
                        columns[:, column][None, None, :]
                        - columns[codes[:, there], column][..., None]
                    )
                    found[:, there] += site[..., None] * (ratio - 1.0)
            changed[name] = _bound(found)
        return self._total(changed) - self(codes)[:, None, None]

    def _total(self, p: Mapping[str, Floats]) -> Floats:
        total = sum(weight * p[name] for name, weight in self.weights.items())
        return np.asarray(total + sum(w * p[a] * p[b] for a, b, w in self.cooperation))


def nats(ppm: Floats, pseudo: float = PSEUDO) -> Floats:
    """Log-odds (4, width) in nats against a uniform background, ``pseudo`` on each probability."""
    smooth = (ppm + pseudo) / (1.0 + 4 * pseudo)
    return np.log(smooth / 0.25)


def site_scores(codes: NDArray[np.uint8], ppm: Floats, pseudo: float = PSEUDO) -> Floats:
    """`nats` (n, L - width + 1, 2) of every place, as given and reverse complemented."""
    table, words = nats(ppm, pseudo).T, words_of(codes, 0, 0)
    places = codes.shape[1] - len(table) + 1
    strands = (table, table[::-1, ::-1])
    return np.stack([sum_sites(words, one, 0, places) for one in strands], axis=2)


def partition_sums(codes: NDArray[np.uint8], ppms: Mapping[str, Floats]) -> dict[str, Floats]:
    """Sum (n,) of exp(s) over all places and both strands of sequences (n, L), of each matrix."""
    tables = {name: nats(ppm).T for name, ppm in ppms.items()}
    found = {name: np.zeros(len(codes)) for name in ppms}
    # a part at a time stays in the processor's cache
    for first in range(0, len(codes), _PART):
        part = slice(first, first + _PART)
        words = words_of(codes[part], 0, 0)
        for name, table in tables.items():
            places = codes.shape[1] - len(table) + 1
            for strand in (table, table[::-1, ::-1]):
                scores = sum_sites(words, strand, 0, places)
                found[name][part] += np.exp(scores, out=scores).sum(axis=1)
    return found


def _bound(z: Floats) -> Floats:
    return z / (1.0 + z)


def calibrated_offsets(
    codes: NDArray[np.uint8], ppms: Mapping[str, Floats], *, percentile: float, share: float
) -> dict[str, float]:
    """The mu of each factor that bind a share of the time where a site-free sequence is strong.

    Parameters
    ----------
    codes : ndarray (n, L) uint8
        Sequences without sites.
    ppms : mapping of str to ndarray (4, width)
    percentile : float
        Of the sequences' Z, from 0 to 100.
    share : float
        p at that percentile, between 0 and 1.
    """
    found = {}
    for name, z in partition_sums(codes, ppms).items():
        found[name] = float(np.log(np.percentile(z, percentile)) - np.log(share / (1 - share)))
    return found
