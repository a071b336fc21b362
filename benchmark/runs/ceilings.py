"""Ceilings, floors and rivals: no networks, scored by the code that scores networks.

The oracle knows the true motifs and the grammar; the random entry knows nothing; rivals count the
letters of the training data. Two floors that are networks, one untrained and one trained on
shuffled labels, are ordinary submissions (`models/untrained.py`, `models/shuffled_labels.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.entries import DIVISION, GC_CONTENT, ORACLE, RANDOM
from motifidelity.metrics.kmers import (
    KmerModel,
    fit_gc,
    fit_gc_line,
    fit_kmer_ridge,
    fit_kmers,
)
from motifidelity.metrics.methods import FLOOR_METHOD, METHODS
from motifidelity.metrics.oracle import (
    oracle_filters,
    random_filters,
    random_maps,
    scan_filters,
)
from motifidelity.metrics.scored import REGRESSION, FilterArrays
from motifidelity.phase.interface import Place
from motifidelity.provenance import code
from motifidelity.registry import Registry, Result
from motifidelity.runs.oracle_networks import oracle_network
from motifidelity.runs.phases import curve_settings
from motifidelity.runs.recording import job_row, scored_result
from motifidelity.scoring.stand_ins import Explains, evidence_maps
from motifidelity.scoring.truth import Truth, present_classes
from motifidelity.scratch import scratch_folder
from motifidelity.tasks.spec import canonical_digest
from motifidelity.worker.arrays import ASKED_LOGITS, OF_EXTRA, Part
from motifidelity.worker.probing.answers import write_curves

# as many as the widest baseline has
NUM_FILTERS = 32
# sequences that are held as one-hot letters
AT_ONCE = 5000
SEED = 0

Array = NDArray[Any]


class CountingNetwork:
    """A model of k-mer counts, asked in the way that a frozen network is.

    Parameters
    ----------
    model : KmerModel

    Attributes
    ----------
    classes : int
    """

    def __init__(self, model: KmerModel) -> None:
        self.classes = len(model.intercepts)
        self._model = model

    def logits(self, one_hot: Array) -> Array:
        """Logits (n, classes) float32 of sequences (n, length, 4)."""
        codes = one_hot.argmax(axis=2).astype(np.uint8)
        return self._model.logits(codes).astype(np.float32)

    def maps(self, codes: Array, *, mutagenesis: bool) -> Array:
        """Maps (m, length, 4, classes) float32 of sequences (m, length) uint8.

        Sums of the weights over a base (`KmerModel.maps`); by mutagenesis less the one of the
        letter that is there, which is exactly what the logit changes by.
        """
        maps = self._model.maps(codes)
        if mutagenesis:
            maps -= np.take_along_axis(maps, codes[..., None, None].astype(np.intp), axis=2)
        return maps.astype(np.float32)


def record_references(
    registry: Registry,
    truths: Iterable[Truth],
    *,
    again: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> int:
    """Record the oracle, the random entry and the rivals of each task and profile that lacks them.

    Rivals are those that the specification names.

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
        entries: dict[str, Callable[[Truth], Any]] = {ORACLE: oracle_arrays, RANDOM: random_arrays}
        entries |= {name: partial(rival_arrays, name) for name in truth.spec.scoring.rivals}
        for name, make in entries.items():
            job_id = _job_id(name, truth)
            if again or (job_id, truth.spec.digest) not in there:
                note(f"{name} on {truth.spec.id}, profile {truth.profile.name}")
                registry.record(_scored(name, job_id, truth, make))
                written += 1
    return written


def oracle_arrays(truth: Truth) -> dict[str, Array]:
    """What a probe would give of a network that knows the grammar.

    Its logits, not the explained ones, decide its accuracy; the explained logits are zero, so that
    the study's sigmoid does not saturate.
    """
    network = oracle_network(truth)
    motifs = [motif.ppm.T for motif in truth.true_motifs]
    return {
        **_answers(truth, network),
        "explained_logits": np.zeros((len(truth.asked), network.classes), np.float32),
        **_scan(truth, oracle_filters(motifs), scan_both=True),
        **_explained(truth, network),
    }


def rival_arrays(name: str, truth: Truth) -> dict[str, Array]:
    """What a probe would give of one of `entries.RIVALS`, trained as a network of the profile is.

    It has no filters. Its logit is linear in counts, so that its gradients, its contributions and
    its mutagenesis say the same.
    """
    train = truth.dataset.splits["train"].head(truth.profile.train)
    valid = truth.dataset.splits["valid"].head(truth.profile.valid)
    given = (train.sequences, train.labels)
    chosen = (valid.sequences, valid.labels)
    values = truth.spec.target == REGRESSION
    if name == GC_CONTENT:
        model = (fit_gc_line if values else fit_gc)(*given)
    else:
        model = (fit_kmer_ridge if values else fit_kmers)(*given, *chosen)
    network = CountingNetwork(model)
    answers = _answers(truth, network)
    return {
        **answers,
        "explained_logits": answers["logits"][truth.asked],
        **_explained(truth, network),
    }


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
    number = len(truth.questions.sequences) if truth.questions else 0
    answers = {ASKED_LOGITS: rng.standard_normal((number, classes), dtype=np.float32)}
    return {
        "logits": logits,
        **(answers if number else {}),
        "explained_logits": np.zeros((m, classes), np.float32),
        **_scan(truth, random_filters(rng, NUM_FILTERS)),
        **maps,
        **_noise_of_extra(truth),
        **_tested(truth, oracle_network(truth), maps),
    }


def _noise_of_extra(truth: Truth) -> dict[str, Array]:
    """Noise in place of maps of extra test sets."""
    if truth.extra is None:
        return {}
    rng, asked = np.random.default_rng(SEED), truth.explanations
    noise = random_maps(rng, len(truth.extra.explained), truth.spec.length)[..., None]
    return {
        part.of(name): noise
        for part, names in zip(OF_EXTRA, (asked.extra, asked.extra_hypothetical), strict=True)
        for name in names
    }


def _answers(truth: Truth, network: Explains) -> dict[str, Array]:
    asked = {"logits": truth.test.sequences}
    if truth.questions:
        asked[ASKED_LOGITS] = truth.questions.sequences
    letters = np.eye(4, dtype=np.float32)
    return {
        name: np.concatenate(
            [network.logits(letters[codes[i : i + AT_ONCE]]) for i in range(0, len(codes), AT_ONCE)]
        )
        for name, codes in asked.items()
    }


def _explained(truth: Truth, network: Explains) -> dict[str, Array]:
    """Maps of every method but noise, hypothetical contributions, and what answers them."""
    wanted = [name for name in METHODS if name in truth.methods and name != FLOOR_METHOD]
    made = evidence_maps(network, truth.test.sequences[truth.asked], wanted)
    # at the letter that is there contributions are the evidence: one set of curves for both
    ranked = {
        name: made.maps[name] if METHODS[name].base == "norm" else made.evidence for name in wanted
    }
    shares = {Part.HYPOTHETICAL.of(name): array for name, array in made.hypothetical.items()}
    extra: dict[str, Array] = {}
    if truth.extra is not None:
        more = evidence_maps(network, truth.extra.explained, truth.explanations.extra)
        extra = {Part.EXTRA.of(name): array for name, array in more.maps.items()}
        extra |= {Part.HYPOTHETICAL_EXTRA.of(n): array for n, array in more.hypothetical.items()}
    return {**made.maps, **shares, **extra, **_tested(truth, network, ranked | shares)}


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


def _tested(truth: Truth, network: Explains, maps: Mapping[str, Array]) -> dict[str, Array]:
    """Answers to replaced bases, by the worker's own code."""
    codes = truth.test.sequences[truth.explained[: truth.tested]]
    with scratch_folder() as out:
        write_curves(network, codes, maps, curve_settings(truth), out, lambda *_, **__: None)
        return {path.stem: np.load(path, allow_pickle=False) for path in out.glob("*.npy")}


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
        num_filters=len(arrays.get("filter_max", ())),
        scored_commit=code().commit,
    )
    return scored_result(row, truth, arrays)
