"""Motif database: JASPAR matrices through ``pyjaspar``, locked by digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import DataError
from motifidelity.tasks.spec import MotifSource


@dataclass(frozen=True, eq=False)
class Motif:
    """One matrix of the database.

    Attributes
    ----------
    id, name : str
        JASPAR matrix id with version (``MA0079.3``) and the factor's name.
    counts : ndarray (4, width) float64
        Position frequency matrix, rows A C G T.
    families : tuple of str
        JASPAR's families of the factor; a dimer has several, some have none.
    """

    id: str
    name: str
    counts: NDArray[np.float64]
    families: tuple[str, ...] = ()

    @cached_property
    def ppm(self) -> NDArray[np.float64]:
        """Position probability matrix (4, width): counts divided by their column sums."""
        ppm = self.counts / np.outer(np.ones(4), self.counts.sum(axis=0))
        ppm.setflags(write=False)
        return ppm

    @property
    def width(self) -> int:
        """Number of positions."""
        return int(self.counts.shape[1])


def reverse_complement_ppm(ppm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reverse complement of a matrix (4, width) with rows A C G T."""
    return ppm[::-1, ::-1]


def motifs_digest(motifs: dict[str, Motif]) -> str:
    """SHA-256 over id, name and counts (C-order float64, little endian), sorted by id."""
    digest = hashlib.sha256()
    for motif_id in sorted(motifs):
        motif = motifs[motif_id]
        counts = np.ascontiguousarray(motif.counts, dtype="<f8")
        digest.update(f"{motif.id}\t{motif.name}\t{motif.width}\n".encode())
        digest.update(counts.tobytes())
    return digest.hexdigest()


@cache
def load_motifs(source: MotifSource) -> dict[str, Motif]:
    """All matrices of a release by id, in the database's own order.

    Raises
    ------
    DataError
        If the installed database differs from the one that the task was locked to.
    """
    from pyjaspar import jaspardb

    database = jaspardb(release=source.release)
    records = database.fetch_motifs(collection=source.collection, tax_group=[source.tax_group])
    motifs = {
        record.matrix_id: Motif(
            record.matrix_id,
            record.name,
            np.array([record.counts[letter] for letter in "ACGT"], dtype=np.float64),
            tuple(record.tf_family or ()),
        )
        for record in records
    }
    found = motifs_digest(motifs)
    if found != source.digest:
        raise DataError(
            f"motif database {source.release}: digest {found[:12]} is not the locked "
            f"{source.digest[:12]}; reinstall the pinned pyjaspar (see constraints.txt)"
        )
    return motifs
