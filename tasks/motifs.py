"""Motif database: JASPAR matrices through ``pyjaspar`` and a file's own, locked by digest."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import DataError, UserError, unknown
from motifidelity.tasks.motif_files import read_motif_file
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
        JASPAR's families of the factor; a dimer has several, some have none. So has a matrix of a
        file that has no id of JASPAR's: `metrics.filters.families` leaves it out.
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
    """All matrices of a source by id: those of its file, then a release's in its own order.

    Filters are compared with both, so that one which holds a known motif that the task has not is
    seen to do so. A matrix of the file takes the place of one of the release with its id.

    Raises
    ------
    UserError
        If there is no such release, or the file cannot be read.
    DataError
        If the matrices differ from those that the task was locked to.
    """
    known = _released(source)
    given = read_motif_file(source.file, source.content) if source.file else []
    families = {motif_id: motif.families for motif_id, motif in known.items()}
    own = {i: Motif(i, name, counts, families.get(i, ())) for i, name, counts in given}
    motifs = {**own, **{i: motif for i, motif in known.items() if i not in own}}
    found = motifs_digest(motifs)
    if source.digest and found != source.digest:
        raise DataError(
            f"motif database {source.release}: digest {found[:12]} is not the locked "
            f"{source.digest[:12]}; reinstall the pinned pyjaspar (see constraints.txt)"
            if not source.file
            else f"motif file {source.file} and {source.release}: digest {found[:12]} is not the "
            f"locked {source.digest[:12]}; bring the file back as it was, or delete the digests of "
            "a draft and lock it anew"
        )
    return motifs


def _released(source: MotifSource) -> dict[str, Motif]:
    from pyjaspar import jaspar_releases, jaspardb

    if source.release not in jaspar_releases:
        raise unknown("release of JASPAR", source.release, jaspar_releases)
    database = jaspardb(release=source.release)
    with warnings.catch_warnings():  # of no motif, which is refused here
        warnings.simplefilter("ignore")
        records = database.fetch_motifs(collection=source.collection, tax_group=[source.tax_group])
    if not records:
        raise UserError(
            f"[motifs]: {source.release} has no motif of collection {source.collection!r} and "
            f"tax_group {source.tax_group!r}; take CORE and vertebrates, as the suite's tasks do"
        )
    return {
        record.matrix_id: Motif(
            record.matrix_id,
            record.name,
            np.array([record.counts[letter] for letter in "ACGT"], dtype=np.float64),
            tuple(record.tf_family or ()),
        )
        for record in records
    }
