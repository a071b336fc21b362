"""Datasets in the formats that other tools read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.metrics.scored import REGRESSION
from motifidelity.metrics.truth.bases import Spans, find_spans
from motifidelity.tasks.dataset import Dataset
from motifidelity.tasks.generate import BACKGROUND, Implants, Split
from motifidelity.tasks.motifs import reverse_complement_ppm
from motifidelity.tasks.spec import SPLITS, TaskSpec

if TYPE_CHECKING:
    import pyarrow as pa

LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)
# the study's own file names, which its public scripts open
STUDY_FILES = {
    "motif-classes": "synthetic_dataset.h5",
    "regulatory-code": "synthetic_code_dataset.h5",
}
CHUNK = 1000


def sequence_names(split: str, number: int) -> list[str]:
    """Names of a split's sequences, as in ``test_000042``."""
    return [f"{split}_{i:06d}" for i in range(number)]


def sequence_texts(split: Split) -> list[str]:
    """Sequences as text."""
    return [row.tobytes().decode("ascii") for row in LETTERS[split.sequences]]


def export_fasta(dataset: Dataset, out: Path) -> list[Path]:
    """One FASTA file a split; the header names the sequence and its classes, or its values."""
    written = []
    for name in SPLITS:
        split = dataset.splits[name]
        lines = [
            f">{title} {_told(dataset.spec, labels)}\n{text}\n"
            for title, labels, text in zip(
                sequence_names(name, len(split.sequences)),
                split.labels,
                sequence_texts(split),
                strict=True,
            )
        ]
        written.append(out / f"{dataset.spec.id}.{name}.fasta")
        written[-1].write_text("".join(lines), encoding="ascii")
    return written


def _told(spec: TaskSpec, labels: NDArray[Any]) -> str:
    """What a sequence's labels (classes,) are, in a header."""
    if spec.target == REGRESSION:
        return " ".join(
            f"{name}={value:.6g}" for name, value in zip(spec.classes, labels, strict=True)
        )
    return f"classes={','.join(np.array(spec.classes)[labels.astype(bool)]) or 'none'}"


def export_bed(dataset: Dataset, out: Path) -> list[Path]:
    """One BED6+2 file a split: every implant, its log-odds in bits, and the factor's name.

    The score column is the log-odds times 10, cut to BED's range of 0 to 1000.
    """
    written = []
    for name in SPLITS:
        split = dataset.splits[name]
        titles = sequence_names(name, len(split.sequences))
        implants = split.implants
        lines = []
        for sequence, motif, strand, start, end, log_odds in zip(
            implants.sequence,
            implants.motif,
            implants.strand,
            implants.start,
            implants.end,
            implants.log_odds,
            strict=True,
        ):
            matrix = dataset.implanted[motif]
            score = int(np.clip(round(10 * float(log_odds)), 0, 1000))
            sign = "+" if strand > 0 else "-"
            lines.append(
                f"{titles[sequence]}\t{start}\t{end}\t{matrix.id}\t{score}\t{sign}"
                f"\t{log_odds:.4f}\t{matrix.name}\n"
            )
        written.append(out / f"{dataset.spec.id}.{name}.bed")
        written[-1].write_text("".join(lines), encoding="utf-8")
    return written


def export_parquet(dataset: Dataset, out: Path) -> list[Path]:
    """Three Parquet files: sequences with labels and truth, implants, and sites.

    The sites are the truth that corrected scores use, a row each: the implants of every pool
    (role ``implant``), and the sites of core motifs that arose by chance and are as strong (role
    ``chance``), which no score counts as background.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sequences, implants, sites = [], [], []
    for name in SPLITS:
        split = dataset.splits[name]
        titles = sequence_names(name, len(split.sequences))
        columns = {
            "split": pa.array([name] * len(titles)).dictionary_encode(),
            "name": pa.array(titles),
            "sequence": pa.array(sequence_texts(split)),
            "truth": pa.array([row.tobytes().decode() for row in split.truth + ord("0")]),
        }
        prefix = "value" if dataset.spec.target == REGRESSION else "class"
        for index, title in enumerate(dataset.spec.classes):
            columns[f"{prefix}_{title}"] = pa.array(split.labels[:, index])
        sequences.append(pa.table(columns))
        implants.append(_site_table(dataset, name, split.implants))
        spans = find_spans(
            split.sequences,
            split.implants,
            [motif.ppm.T for motif in dataset.implanted],
            sought=range(len(dataset.spec.pools["core"])),
            percentile=dataset.spec.scoring.chance_percentile,
        )
        roles = pa.array(["implant", "chance"]).take(pa.array(spans.role))
        sites.append(_site_table(dataset, name, spans).append_column("role", roles))
    written = []
    for kind, tables in (("sequences", sequences), ("implants", implants), ("sites", sites)):
        written.append(out / f"{dataset.spec.id}.{kind}.parquet")
        pq.write_table(pa.concat_tables(tables).unify_dictionaries(), written[-1])
    return written


def _site_table(dataset: Dataset, name: str, rows: Implants | Spans) -> pa.Table:
    """Sites of a split's sequences, a row each."""
    import pyarrow as pa

    titles = sequence_names(name, len(dataset.splits[name].sequences))
    motifs, which = dataset.implanted, pa.array(rows.motif)
    return pa.table(
        {
            "split": pa.array([name] * len(rows.start)).dictionary_encode(),
            "name": pa.array(titles).take(pa.array(rows.sequence)),
            "matrix": pa.array([motif.id for motif in motifs]).take(which),
            "factor": pa.array([motif.name for motif in motifs]).take(which),
            "strand": pa.array(["-", "+"]).take(pa.array((rows.strand > 0).astype(np.int8))),
            "start": pa.array(rows.start),
            "end": pa.array(rows.end),
            "log_odds": pa.array(rows.log_odds),
        }
    )


def export_h5(dataset: Dataset, out: Path) -> list[Path]:
    """One HDF5 file in the study's own layout, so that its public scripts can read it.

    ``X_*`` (n, 4, length) one-hot, ``Y_*`` (n, classes) and ``model_*`` (n, 4, length), the
    probabilities that every letter was drawn from; for ``train``, ``valid`` and ``test``.
    """
    import h5py

    path = out / STUDY_FILES.get(dataset.spec.name, f"{dataset.spec.id}.h5")
    one_hot = np.eye(4, dtype=np.float32)
    with h5py.File(path, "w") as file:
        for name in SPLITS:
            split = dataset.splits[name]
            n, length = split.sequences.shape
            file.create_dataset(
                f"Y_{name}", data=split.labels.astype(np.float32), compression="gzip"
            )
            settings = {
                "shape": (n, 4, length),
                "chunks": (min(n, 100), 4, length),
                "compression": "gzip",
                "compression_opts": 1,
            }
            letters = file.create_dataset(f"X_{name}", dtype=np.float32, **settings)
            model = file.create_dataset(f"model_{name}", dtype=np.float64, **settings)
            for first in range(0, n, CHUNK):
                rows = np.arange(first, min(first + CHUNK, n))
                part = split.rows(rows)
                letters[rows[0] : rows[-1] + 1] = one_hot[part.sequences].transpose(0, 2, 1)
                model[rows[0] : rows[-1] + 1] = generating_ppms(dataset, part)
    return [path]


def generating_ppms(dataset: Dataset, split: Split) -> NDArray[np.float64]:
    """Probabilities (n, 4, length) that every letter was drawn from; background is uniform."""
    n, length = split.sequences.shape
    ppms = np.full((n, length, 4), BACKGROUND)
    implants = split.implants
    for index, motif in enumerate(dataset.implanted):
        for sign, ppm in ((1, motif.ppm), (-1, reverse_complement_ppm(motif.ppm))):
            here = (implants.motif == index) & (implants.strand == sign)
            bases = implants.start[here].astype(np.intp)[:, None] + np.arange(motif.width)
            ppms[implants.sequence[here][:, None], bases] = ppm.T
    return ppms.transpose(0, 2, 1)


FORMATS: dict[str, Callable[[Dataset, Path], list[Path]]] = {
    "fasta": export_fasta,
    "bed": export_bed,
    "h5": export_h5,
    "parquet": export_parquet,
}
