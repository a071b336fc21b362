"""Evidence as a registry would give it, and a registry whose task the package holds."""

from __future__ import annotations

import leaderboard_fixtures as fx
import numpy as np

from motifidelity.errors import DataError, UnreachableError
from motifidelity.scoring.evidence import Evidence, Example, Site
from motifidelity.tasks.motifs import load_motifs
from motifidelity.tasks.spec import find_spec

SPEC = find_spec("motif-classes@1")
METHODS = ("saliency", "ism")


def example(length: int = 60, *, sequence: int = 7, name: str = "SP1", start: int = 0) -> Example:
    rng = np.random.default_rng(sequence)
    codes = rng.integers(0, 4, length).astype(np.uint8)
    sites = (
        Site("MA0079.3", name, start + 10, start + 21, 1, 12.5, implanted=True, core=True),
        Site("MA0083.3", "SRF", start + 30, start + 46, -1, 9.0, implanted=False, core=True),
    )
    saliency = np.where((np.arange(length) >= 10) & (np.arange(length) < 21), 2.0, -0.1)
    return Example(
        sequence=sequence,
        start=start,
        length=start + length,
        classes=(name,),
        codes=codes,
        sites=sites,
        scan=rng.standard_exponential(length),
        pwm=rng.standard_normal(length),
        maps={"saliency": saliency, "ism": np.abs(saliency)},
    )


def evidence(_: str = "") -> Evidence:
    return Evidence((example(), example(sequence=8)))


def damaged(result: str) -> Evidence:
    raise DataError(f"registry/evidence/{result}.npz: it cannot be read; make it anew")


def unanswered(result: str) -> Evidence:
    raise UnreachableError(f"registry/evidence/{result}.npz: bucket 'b' did not answer; try again")


def held_task(builder: fx.Builder | None = None, **job: object) -> fx.Builder:
    """A registry with one model, and the oracle and noise, on a task that the package holds."""
    builder = builder or fx.Builder()
    place = {"task_digest": SPEC.digest, "dataset_digest": SPEC.dataset_digest}
    rng = np.random.default_rng(0)
    scores = fx.cnn_scores(rng, 0.97, 0.9, 0.9, found=12)
    builder.add("cnn-deep", 0, scores, activation="exponential", good_filters=0.9, **place, **job)
    for model, value in (("Oracle", 1.0), ("Random", 0.5)):
        builder.add(
            model, 0, {("auroc", ""): value}, activation=None, division="reference", **place
        )
    return builder


def with_matches(builder: fx.Builder, **changes: object) -> fx.Tables:
    """Every filter of the registry matches SP1, two columns in, on the other strand."""
    motif = load_motifs(SPEC.motifs)["MA0079.3"]
    for row in builder.rows["filters"]:
        row |= {
            "best_hit": motif.id, "best_hit_name": motif.name, "strand": "-",
            "offset": np.int32(2), **changes,
        }  # fmt: skip
    return builder.tables()
