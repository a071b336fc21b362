"""Motifs of a user's own file: MEME (minimal), JASPAR (counts) or TRANSFAC, of any width.

JASPAR and TRANSFAC are read by Biopython. MEME is read here: Biopython rounds its probabilities to
counts, asks for a background that the format leaves open, and passes over a damaged row.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import UserError
from motifidelity.tasks.bounds import COLUMNS, MATRICES

# id, name, and counts or probabilities (4, width) with rows A C G T
Record = tuple[str, str, NDArray[np.float64]]

# how far the sum of a column of probabilities may be from 1: they are often given with few digits
TOLERANCE = 0.02
LETTERS = "ACGT"
_TRANSFAC = re.compile(r"(VV|XX|AC|ID|NA|DE|P0|PO|CC)\b")


def read_motif_file(name: str, content: bytes) -> list[Record]:
    """Matrices of a motif file, in its order; what is in it tells its format.

    Columns stay as they are given. No pseudocount is added, except that a column of counts without
    any gets 1 of each letter, as it says nothing.

    Parameters
    ----------
    name : str
        How messages name the file.
    content : bytes

    Returns
    -------
    list of (str, str, (4, width) float64)
        Id, name and matrix of each, rows A C G T.

    Raises
    ------
    UserError
        If the format is unknown, the file has no motif, two have one id, or a matrix is damaged.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _problem(name, "it is no text; give it as MEME, JASPAR or TRANSFAC") from error
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not first:
        raise _problem(name, "it is empty; put at least one motif into it")
    kind, read = _reader(name, first)
    try:
        found = list(read(text))
    except Exception as error:  # Biopython raises whatever a damaged line leads to
        said = " ".join(str(error).split())[:120]
        raise _problem(name, f"no {kind} file: {said or type(error).__name__}; mend it") from error
    if not found:
        raise _problem(name, f"the {kind} file has no motif; put at least one into it")
    if len(found) > MATRICES:
        raise _problem(name, f"it has {len(found):,} motifs; take at most {MATRICES:,}")
    seen: set[str] = set()
    for motif_id, called, _ in found:
        if not (motif_id + called).isprintable():
            raise _problem(name, f"the name {called[:30]!r} holds control characters; rename it")
        if motif_id in seen:
            raise _problem(name, f"two motifs have the id {motif_id}; rename one")
        seen.add(motif_id)
    return [(i, called, _checked(name, i, kind, matrix)) for i, called, matrix in found]


def _reader(name: str, first: str) -> tuple[str, Callable[[str], Iterator[Record]]]:
    if first.startswith("MEME version"):
        return "MEME", _meme
    if first.startswith(">"):
        return "JASPAR", _jaspar
    if _TRANSFAC.match(first):
        return "TRANSFAC", _transfac
    raise _problem(
        name,
        f"unknown format: it begins with {first[:30]!r}; MEME begins with 'MEME version 4', JASPAR "
        "with '>ID NAME', TRANSFAC with a key such as 'AC' or 'ID'",
    )


def _meme(text: str) -> Iterator[Record]:
    """Format: meme-suite.org/meme/doc/meme-format.html (minimal)."""
    lines = [line.strip() for line in text.splitlines()]
    for line in lines:
        alphabet = line.partition("ALPHABET")[2].lstrip("= ").split() if "ALPHABET" in line else []
        if alphabet and alphabet[0].strip('"') not in (LETTERS, "DNA"):
            raise ValueError(f"its alphabet is {alphabet[0]}, not {LETTERS}")
    starts = [number for number, line in enumerate(lines) if line.split()[:1] == ["MOTIF"]]
    for start, end in pairwise([*starts, len(lines)]):
        words = lines[start].split()[1:]
        if not words:
            raise ValueError(f"line {start + 1}: MOTIF without a name")
        part = lines[start + 1 : end]
        heads = [n for n, line in enumerate(part) if line.startswith("letter-probability matrix")]
        if not heads:
            raise ValueError(f"motif {words[0]} has no letter-probability matrix")
        rows = []
        for line in part[heads[0] + 1 :]:
            if line and (line[0].isdigit() or line[0] in ".+-"):
                rows.append([float(word) for word in line.split()])
            elif line or rows:
                break
        width = re.search(r"\bw=\s*(\d+)", part[heads[0]])
        if not rows or {len(row) for row in rows} != {len(LETTERS)}:
            raise ValueError(f"motif {words[0]}: each row of its matrix must have 4 numbers")
        if width and int(width[1]) != len(rows):
            raise ValueError(f"motif {words[0]} has w= {width[1]} and {len(rows)} rows")
        yield words[0], " ".join(words[1:]) or words[0], np.array(rows).T


def _jaspar(text: str) -> Iterator[Record]:
    from Bio.motifs.jaspar import read

    for motif in read(io.StringIO(text), "jaspar"):
        yield motif.matrix_id, motif.name, _rows(motif.counts)


def _transfac(text: str) -> Iterator[Record]:
    from Bio.motifs.transfac import read

    for number, motif in enumerate(read(io.StringIO(text), strict=False), start=1):
        if motif.counts is None:
            continue
        keys = [motif.get(key) for key in ("AC", "ID", "NA")]
        first = next((key for key in keys if key), None)
        if first is None:
            raise ValueError(f"motif {number} has neither AC nor ID")
        yield first, keys[2] or keys[1] or first, _rows(motif.counts)


def _rows(counts: dict[str, Sequence[float]]) -> NDArray[np.float64]:
    return np.array([counts[letter] for letter in LETTERS], dtype=np.float64)


def _checked(
    name: str, motif_id: str, kind: str, matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A matrix whose columns can be divided by their sums."""
    if matrix.shape[1] == 0:
        raise _problem(name, f"motif {motif_id} has no column; give it at least one")
    if matrix.shape[1] > COLUMNS:
        raise _problem(
            name, f"motif {motif_id} has {matrix.shape[1]:,} columns; take at most {COLUMNS:,}"
        )
    sums = matrix.sum(axis=0)
    for column in np.flatnonzero(~np.isfinite(sums) | (matrix < 0).any(axis=0)):
        raise _problem(name, f"motif {motif_id}, column {column + 1}: a number below 0, or none")
    if kind == "MEME":
        for column in np.flatnonzero(abs(sums - 1) > TOLERANCE):
            raise _problem(
                name,
                f"motif {motif_id}, column {column + 1}: its probabilities sum to "
                f"{sums[column]:.3g}, not 1; mend the row",
            )
    return np.where(sums > 0, matrix, 1.0)


def _problem(name: str, text: str) -> UserError:
    return UserError(f"motif file {name}: {text}")
