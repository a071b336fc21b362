"""Ceilings and floors: entries that are no network, scored by the code that scores networks.

The oracle knows the true motifs and the grammar; the random entry knows nothing. Two floors that
are networks, one untrained and one trained on shuffled labels, are ordinary submissions
(`models/untrained.py`, `models/shuffled_labels.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.entries import DIVISION, ORACLE, RANDOM
from motifidelity.metrics.methods import FLOOR_METHOD, METHODS
from motifidelity.metrics.oracle import (
    oracle_filters,
    oracle_map,
    oracle_mutagenesis,
    random_filters,
    random_maps,
    scan_filters,
)
from motifidelity.metrics.scored import FilterArrays
from motifidelity.metrics.truth.grammar import class_logits, count_distribution, pool_logits
from motifidelity.phase.interface import Place
from motifidelity.provenance import code
from motifidelity.registry import Registry, Result
from motifidelity.runs.phases import curve_settings
from motifidelity.runs.recording import job_row, scored_result
from motifidelity.scoring.truth import Truth, present_classes
from motifidelity.scratch import scratch_folder
from motifidelity.tasks.spec import canonical_digest
from motifidelity.worker.arrays import CURVES, Part
from motifidelity.worker.probing.answers import write_curves

# as many as the widest baseline has
NUM_FILTERS = 32
SEED = 0

Array = NDArray[Any]


class OracleNetwork:
    """The task's grammar as a classifier, asked in the way that a frozen network is.

    Parameters
    ----------
    truth : Truth

    Attributes
    ----------
    classes : int
    """

    def __init__(self, truth: Truth) -> None:
        grammar = truth.spec.grammar
        self.classes = len(truth.spec.classes)
        self._binary = truth.spec.target == "binary"
        self._core = [motif.ppm.T for motif in truth.true_motifs]
        self._background = [motif.ppm.T for motif in truth.dataset.implanted[len(self._core) :]]
        self._counts = count_distribution(
            np.cumsum(grammar.count_weights).tolist(), grammar.count_offset
        )

    def logits(self, one_hot: Array) -> Array:
        """Log posterior odds (n, classes) float32 of sequences (n, length, 4)."""
        codes = one_hot.argmax(axis=2).astype(np.uint8)
        if self._binary:
            odds = pool_logits(codes, self._core, self._background, self._counts)[:, None]
        else:
            odds = class_logits(codes, self._core, self._counts)
        return odds.astype(np.float32)

    def maps(self, codes: Array, *, mutagenesis: bool) -> Array:
        """Evidence maps (m, length, 4, classes) float32 of sequences (m, length) uint8."""
        explain = oracle_mutagenesis if mutagenesis else oracle_map
        groups = [self._core] if self._binary else [[motif] for motif in self._core]
        maps = [explain(codes, motifs).astype(np.float32) for motifs in groups]
        return np.stack(maps, axis=-1)


def record_references(
    registry: Registry,
    truths: Iterable[Truth],
    *,
    again: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> int:
    """Record the oracle and the random entry of each task and profile that lacks them.

    Parameters
    ----------
    registry : Registry
    truths : iterable of Truth
    again : bool
        Also where they are recorded already.
    note : callable
        Receives a line for each entry before it is scored.

    Returns
    -------
    int
        Entries that were recorded.

    Raises
    ------
    DataError
        If the registry cannot be read or written.
    """
    jobs = registry.latest("jobs")["jobs"].to_pylist()
    there = {(row["job_id"], row["task_digest"]) for row in jobs if row["status"] == "ok"}
    written = 0
    for truth in truths:
        for name, make in ((ORACLE, oracle_arrays), (RANDOM, random_arrays)):
            job_id = _job_id(name, truth)
            if again or (job_id, truth.spec.digest) not in there:
                note(f"{name} on {truth.spec.name}, profile {truth.profile.name}")
                registry.record(_scored(name, job_id, truth, make))
                written += 1
    return written


def oracle_arrays(truth: Truth) -> dict[str, Array]:
    """What a probe would give of a network that knows the grammar.

    Its logits, not the explained ones, decide its accuracy; the explained logits are zero, so that
    the study's sigmoid does not saturate.
    """
    network = OracleNetwork(truth)
    codes = truth.test.sequences[truth.asked]
    one_hot = np.eye(4, dtype=np.float32)[codes][..., None]
    evidence, mutated = (network.maps(codes, mutagenesis=flag) for flag in (False, True))
    contributions = evidence * one_hot
    maps: dict[str, Array] = {}
    hypothetical: dict[str, Array] = {}
    for name, method in METHODS.items():
        if name not in truth.methods or name == FLOOR_METHOD:
            continue
        if method.letters or method.paper_maps:
            maps[name] = mutated if method.base == "norm" else evidence
        else:
            maps[name] = contributions
            hypothetical[Part.HYPOTHETICAL.of(name)] = evidence
    motifs = [motif.ppm.T for motif in truth.true_motifs]
    scan = _scan(truth, oracle_filters(motifs), scan_both=True)
    # at the letter that is there contributions are the evidence: one set of curves for both
    ranked = {name: mutated if METHODS[name].base == "norm" else evidence for name in maps}
    tested = _tested(truth, ranked | hypothetical)
    return {**_answers(truth, network), **scan, **maps, **hypothetical, **tested}


def random_arrays(truth: Truth) -> dict[str, Array]:
    """What a probe would give of a network that knows nothing: noise in place of everything."""
    rng = np.random.default_rng(SEED)
    m, classes = len(truth.asked), len(truth.spec.classes)
    noise = np.stack(
        [random_maps(rng, m, truth.spec.length) for _ in range(classes)],
        axis=-1,
    )
    logits = rng.standard_normal((len(truth.test.sequences), classes), dtype=np.float32)
    maps = dict.fromkeys(truth.methods, noise)
    maps |= {Part.HYPOTHETICAL.of(name): noise for name in truth.explanations.hypothetical}
    return {
        "logits": logits,
        "explained_logits": np.zeros((m, classes), np.float32),
        **_scan(truth, random_filters(rng, NUM_FILTERS)),
        **maps,
        **_tested(truth, maps),
    }


def _answers(truth: Truth, network: OracleNetwork) -> dict[str, Array]:
    one_hot = np.eye(4, dtype=np.float32)[truth.test.sequences]
    return {
        "logits": network.logits(one_hot),
        "explained_logits": np.zeros((len(truth.asked), network.classes), np.float32),
    }


def _scan(truth: Truth, filters: list[Any], *, scan_both: bool = False) -> dict[str, Array]:
    scoring = truth.spec.scoring
    found: FilterArrays = scan_filters(
        truth.test.sequences,
        filters,
        top=scoring.top_sites,
        window=scoring.window,
        scan_both=scan_both,
    )
    return dict(vars(found))


def _tested(truth: Truth, maps: Mapping[str, Array]) -> dict[str, Array]:
    """Answers of the grammar to replaced bases, by the worker's own code.

    Methods that share their maps and readings share their curves.
    """
    settings = curve_settings(truth)
    others = settings.get("readings", {})
    alike: dict[tuple[Any, ...], list[str]] = {}
    for name, kind in settings["methods"].items():
        if name in maps:
            read = tuple(
                (reading, id(maps[_source(order).of(name)]), order["base"], order["centred"])
                for reading, order in others.get(name, {}).items()
            )
            alike.setdefault((id(maps[name]), kind, read), []).append(name)
    firsts = {names[0]: kind for (_, kind, _), names in alike.items()}
    codes = truth.test.sequences[truth.explained[: truth.tested]]
    with scratch_folder() as out:
        asked = {**settings, "methods": firsts}
        write_curves(OracleNetwork(truth), codes, maps, asked, out, lambda *_, **__: None)
        found = {path.stem: np.load(path, allow_pickle=False) for path in out.glob("*.npy")}
    for names in alike.values():
        for name in names[1:]:
            for part, reading in product(CURVES, ("", *others.get(name, ()))):
                found[part.of(name, reading)] = found[part.of(names[0], reading)]
    return found


def _source(order: Mapping[str, Any]) -> Part:
    return Part.HYPOTHETICAL if order["hypothetical"] else Part.MAPS


def _job_id(name: str, truth: Truth) -> str:
    return canonical_digest(
        {"reference": name, "task": truth.spec.id, "profile": truth.profile.name}
    )[:24]


def _scored(name: str, job_id: str, truth: Truth, make: Callable[[Truth], Any]) -> Result:
    arrays = present_classes(truth, make(truth))
    row = job_row(
        truth.spec,
        truth.profile.name,
        Place(),
        job_id=job_id,
        model=name,
        model_file="",
        model_digest=canonical_digest({"reference": name}),
        params="{}",
        trial=0,
        seed=SEED,
        division=DIVISION,
        runner=DIVISION,
        # nothing that was submitted ran
        isolation="container",
        backend="numpy",
        num_filters=len(arrays["filter_max"]),
        scored_commit=code().commit,
    )
    return scored_result(row, truth, arrays)
