"""Evidence of a result: what its network sees in a few fixed sequences, small enough to be kept.

The pages draw it; no score is taken from it. The sequences are chosen by the task's truth alone, so
that the evidence of all results of a task can be laid side by side. A record is one ``.npz`` file
without pickled objects: arrays, and ``about``, UTF-8 JSON. It holds at most `EXAMPLES` windows of
`WINDOW` bases, so its size is bounded whatever the task (about 20 kB for 200 bases and 8 methods).
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import DataError
from motifidelity.registry.manifest import evidence_path

if TYPE_CHECKING:
    from motifidelity.metrics.truth.spans import Spans
    from motifidelity.registry import Registry
    from motifidelity.scoring.truth import Truth

FORMAT = 1
EXAMPLES = 4
WINDOW = 300
MAX_BYTES = 60_000
# importances are kept as shares of their map's peak
_STEPS = np.iinfo(np.int16).max
_MAX_UNPACKED = 4 << 20

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Site:
    """A site of a motif in an example.

    Attributes
    ----------
    motif, name : str
        Matrix id and factor.
    start, end : int
        Half-open, in bases of the whole sequence, from 0.
    strand : {1, -1}
        1 for the matrix as given.
    log_odds : float
        Bits, of the letters that are there.
    implanted : bool
        False: it arose by chance, as strong as an implanted one.
    core : bool
        The motif is one that a network should know.
    """

    motif: str
    name: str
    start: int
    end: int
    strand: int
    log_odds: float
    implanted: bool
    core: bool


@dataclass(frozen=True, eq=False)
class Example:
    """One sequence, or a window of it, with what was seen there.

    Attributes
    ----------
    sequence : int
        Row in the test split.
    start, length : int
        First base that is kept, from 0, and length of the whole sequence.
    classes : tuple of str
        Labels of the sequence; empty where it is a positive one of a single output.
    codes : (w,) uint8
        A=0 C=1 G=2 T=3.
    sites : tuple of Site
        Those that overlap the window.
    scan : (w,) float or None
        Maximum over filters; None for a network without filters.
    pwm : (w,) float
        Best log-odds of any true motif, in bits (`metrics.scan.pwm_scan`).
    maps : mapping of str to (w,) float
        By attribution method: the importance of each base as the metrics read it
        (`metrics.methods.base_scores`), of the sum of the logits of the sequence's classes.
    """

    sequence: int
    start: int
    length: int
    classes: tuple[str, ...]
    codes: NDArray[np.uint8]
    sites: tuple[Site, ...]
    scan: Floats | None
    pwm: Floats
    maps: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Curve:
    """How a network answers designed sequences, by one thing that varies.

    Attributes
    ----------
    name : str
        Of the rule.
    distance : (k,) int
        Bases between the two sites.
    logit : (k,) float
        Mean over configurations and backgrounds.
    drawn : (k,) int
        Of distances that the recipe draws 1 where they satisfy the rule and -1 where not; else 0.
    """

    name: str
    distance: NDArray[np.intp]
    logit: Floats
    drawn: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Response:
    """How a network answers one site at rising strengths, beside the exact function.

    Attributes
    ----------
    name : str
        Of the factor.
    exact, found : (s,) float
        Mean change of the target and of the output by the site, over backgrounds without sites, in
        SDs of the target, from the weakest site to the strongest.
    """

    name: str
    exact: Floats
    found: Floats


@dataclass(frozen=True, eq=False)
class Evidence:
    """The examples of one result, in an order that is the task's, its curves and responses."""

    examples: tuple[Example, ...]
    curves: tuple[Curve, ...] = ()
    responses: tuple[Response, ...] = ()


def choose_examples(truth: Truth, count: int = EXAMPLES) -> NDArray[np.intp]:
    """Places, among the explained sequences, of those that are kept.

    Each next one shows the most true motifs that were not shown yet; where all were, counting
    begins anew. Of equals the first is taken.
    """
    from motifidelity.metrics.truth.bases import Role

    spans = truth.scored.explained_spans.of(Role.IMPLANT)
    core = spans.motif < len(truth.true_motifs)
    held: list[set[int]] = [set() for _ in truth.explained]
    for place, motif in zip(spans.sequence[core], spans.motif[core], strict=True):
        held[place].add(int(motif))
    chosen: list[int] = []
    shown: set[int] = set()
    left = list(range(len(held)))
    while left and len(chosen) < count:
        if not any(held[place] - shown for place in left):
            shown = set()
        best = max(left, key=lambda place: (len(held[place] - shown), -place))
        shown |= held[best]
        left.remove(best)
        chosen.append(best)
    return np.array(chosen, np.intp)


def gather_evidence(truth: Truth, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The record of one result.

    Parameters
    ----------
    truth : Truth
    arrays : mapping of str to ndarray
        As ``score_job`` takes them.

    Returns
    -------
    bytes
        Of the record's file, at most `MAX_BYTES`; equal arrays give equal bytes.
    """
    from motifidelity.metrics.methods import FLOOR_METHOD, METHODS, base_scores
    from motifidelity.metrics.truth.scan import pwm_scan

    places = choose_examples(truth)
    rows = truth.explained[places]
    codes = truth.test.sequences[rows]
    spans = truth.scored.explained_spans.of_sequences(places)
    starts = _window_starts(spans, len(rows), truth.spec.length)
    columns = starts[:, None] + np.arange(min(WINDOW, truth.spec.length))

    def window(values: NDArray[Any]) -> NDArray[Any]:
        return np.take_along_axis(values, columns, axis=1)

    wanted = [name for name in truth.methods if name in arrays and name != FLOOR_METHOD]
    methods = [name for name in wanted if not METHODS[name].paper_maps]
    maps = [window(base_scores(name, arrays[name][places], codes)) for name in methods]
    shares, peaks = _shares(np.array(maps, np.float32).reshape(len(methods), *columns.shape))
    scan = pwm_scan(codes, [motif.ppm.T for motif in truth.true_motifs])
    designed = {"curves": _curves(truth, arrays), "responses": _responses(truth, arrays)}
    stored: dict[str, Any] = {
        "codes": window(codes).astype(np.uint8),
        "pwm": window(scan).astype(np.float32),
        "maps": shares,
        "peaks": peaks,
        "about": _about(truth, rows, starts, spans, methods, designed),
    }
    if "scan_max" in arrays:
        stored["scan"] = window(arrays["scan_max"][rows]).astype(np.float32)
    sink = io.BytesIO()
    np.savez_compressed(sink, allow_pickle=False, **stored)
    return sink.getvalue()


def read_evidence(content: bytes) -> Evidence:
    """The examples of a record.

    Raises
    ------
    ValueError
        If it is damaged, no such record, or of a later format.
    """
    try:
        if len(content) > MAX_BYTES:
            raise ValueError(f"it has {len(content)} bytes; at most {MAX_BYTES} are allowed")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_UNPACKED:
                raise ValueError("it unpacks to more than a record can hold")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(arrays["about"].tobytes())
        if about["format"] > FORMAT:
            raise ValueError("a newer version wrote it: run 'pip install -U motifidelity'")
        return _checked(about, arrays)
    except ValueError:
        raise
    except Exception as error:  # a damaged archive raises errors of half a dozen libraries
        raise ValueError(f"it cannot be read ({type(error).__name__})") from error


def stored_evidence(registry: Registry, result_id: str) -> Evidence | None:
    """What a result's network sees in a few sequences; None where it was not recorded.

    Raises
    ------
    DataError
        If the record is damaged.
    UnreachableError
        If the registry does not answer.
    """
    content = registry.evidence(result_id)
    if content is None:
        return None
    try:
        return read_evidence(content)
    except ValueError as error:
        raise DataError(
            f"{registry.name}/{evidence_path(result_id)}: {error}; make it anew with 'bench "
            "rescore --probe'"
        ) from error


def _about(
    truth: Truth,
    rows: NDArray[np.intp],
    starts: NDArray[np.intp],
    spans: Spans,
    methods: list[str],
    designed: Mapping[str, list[dict[str, Any]]],
) -> NDArray[np.uint8]:
    from motifidelity.metrics.truth.bases import Role

    motifs = truth.dataset.implanted
    several = len(truth.spec.classes) > 1
    about: dict[str, Any] = {
        "format": FORMAT,
        "task": truth.spec.id,
        "methods": methods,
        "examples": [
            {
                "sequence": int(row),
                "start": int(start),
                "length": truth.spec.length,
                "classes": [
                    name
                    for name, bit in zip(truth.spec.classes, truth.held[row], strict=True)
                    if bit and several
                ],
                "sites": [],
            }
            for row, start in zip(rows, starts, strict=True)
        ],
    }
    width = min(WINDOW, truth.spec.length)
    for k in range(len(spans.sequence)):
        example = about["examples"][spans.sequence[k]]
        if spans.end[k] <= example["start"] or spans.start[k] >= example["start"] + width:
            continue
        motif = motifs[spans.motif[k]]
        example["sites"].append(
            {
                "motif": motif.id,
                "name": motif.name,
                "start": int(spans.start[k]),
                "end": int(spans.end[k]),
                "strand": int(spans.strand[k]),
                "log_odds": round(float(spans.log_odds[k]), 3),
                "implanted": bool(spans.role[k] == Role.IMPLANT),
                "core": bool(spans.motif[k] < len(truth.true_motifs)),
            }
        )
    about |= {name: found for name, found in designed.items() if found}
    return np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8)


def _curves(truth: Truth, arrays: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """A curve of each rule that hangs on the distance of its sites."""
    from motifidelity.metrics.rules.spacing_curve import LONGEST, spacing_curve
    from motifidelity.metrics.truth.asked import pairs_part

    rules = truth.scored.rules
    if rules is None or not rules.pairs or not (answers := truth.answers(arrays)):
        return []
    found = []
    for number, (name, one) in enumerate(zip(truth.spec.classes, rules.pairs, strict=True)):
        drawn = np.zeros(LONGEST + 1, np.intp)
        mine = one.on_curve & one.ranked & (one.gap <= LONGEST)
        drawn[one.gap[mine]] = np.where(one.satisfied[mine], 1, -1)
        if {1, -1} - set(drawn):
            continue
        curve = spacing_curve(answers[pairs_part(name)][..., number], one.gap, one.on_curve)
        there = np.flatnonzero(np.isfinite(curve))
        found.append(
            {
                "name": name,
                "distance": there.tolist(),
                "logit": [round(float(value), 4) for value in curve[there]],
                "drawn": drawn[there].tolist(),
            }
        )
    return found


def _responses(truth: Truth, arrays: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """What a site of each factor does at each strength, to the network and to the function."""
    from motifidelity.metrics.effects.designed_effects import responses

    known = truth.function
    if known is None or not known.factors or not (answers := truth.answers(arrays)):
        return []
    found, exact = (
        responses(each, known.factors, 0).round(4).tolist() for each in (answers, known.answers)
    )
    names = known.names or known.factors
    return [
        {"name": name, "exact": true, "found": answer}
        for name, true, answer in zip(names, exact, found, strict=True)
    ]


def _window_starts(spans: Spans, count: int, length: int) -> NDArray[np.intp]:
    """First base of each window, about the middle of the sites of its sequence."""
    starts = np.zeros(count, np.intp)
    if length > WINDOW:
        for k in range(count):
            mine = spans.sequence == k
            middle = np.median((spans.start[mine] + spans.end[mine]) / 2) if mine.any() else 0
            starts[k] = np.clip(int(middle) - WINDOW // 2, 0, length - WINDOW)
    return starts


def _shares(maps: NDArray[np.float32]) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Maps (methods, examples, w) as shares of their peaks (methods, examples)."""
    peaks = np.abs(maps).max(axis=2, initial=0.0)
    safe = np.where(peaks > 0, peaks, 1.0)
    shares = np.rint(maps / safe[:, :, None] * _STEPS).astype(np.int16)
    return shares, peaks.astype(np.float32)


def _checked(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Evidence:
    count, methods = len(about["examples"]), [str(name) for name in about["methods"]]
    width = arrays["codes"].shape[1]
    shapes = {
        "codes": ("u", (count, width)),
        "pwm": ("f", (count, width)),
        "scan": ("f", (count, width)),
        "maps": ("i", (len(methods), count, width)),
        "peaks": ("f", (len(methods), count)),
    }
    for name, (kind, shape) in shapes.items():
        if name == "scan" and name not in arrays:
            continue
        found = arrays[name]
        if found.dtype.kind != kind or found.shape != shape:
            raise ValueError(f"{name} has type {found.dtype} and shape {found.shape}")
        if kind == "f" and not np.isfinite(found).all():
            raise ValueError(f"{name} holds nan or infinity")
    if arrays["codes"].max(initial=0) > 3:
        raise ValueError("codes holds a letter beyond A, C, G, T")
    maps = arrays["maps"] / _STEPS * arrays["peaks"][:, :, None]
    return Evidence(
        tuple(
            _example(one, k, methods, maps, arrays, width)
            for k, one in enumerate(about["examples"])
        ),
        tuple(_curve(one) for one in about.get("curves", ())),
        tuple(_response(one) for one in about.get("responses", ())),
    )


def _curve(one: Mapping[str, Any]) -> Curve:
    distance, drawn = (np.array(one[name], np.intp) for name in ("distance", "drawn"))
    logit = np.array(one["logit"], float)
    if not distance.shape == logit.shape == drawn.shape == (len(logit),):
        raise ValueError("a curve has points without a value")
    if not len(logit) or not np.isfinite(logit).all() or (np.diff(distance) <= 0).any():
        raise ValueError("a curve holds no points, nan, or distances out of order")
    return Curve(str(one["name"]), distance, logit, drawn)


def _response(one: Mapping[str, Any]) -> Response:
    exact, found = (np.array(one[name], float) for name in ("exact", "found"))
    if exact.shape != found.shape or exact.ndim != 1 or not len(exact):
        raise ValueError("a response has strengths without a value")
    if not (np.isfinite(exact).all() and np.isfinite(found).all()):
        raise ValueError("a response holds nan or infinity")
    return Response(str(one["name"]), exact, found)


def _example(
    one: Mapping[str, Any],
    k: int,
    methods: list[str],
    maps: Floats,
    arrays: Mapping[str, NDArray[Any]],
    width: int,
) -> Example:
    start, length = int(one["start"]), int(one["length"])
    if not 0 <= start <= length - width:
        raise ValueError(f"example {k} begins at {start} of {length} bases")
    sites = []
    for site in one["sites"]:
        place = Site(
            motif=str(site["motif"]),
            name=str(site["name"]),
            start=int(site["start"]),
            end=int(site["end"]),
            strand=1 if site["strand"] == 1 else -1,
            log_odds=float(site["log_odds"]),
            implanted=bool(site["implanted"]),
            core=bool(site["core"]),
        )
        if not 0 <= place.start < place.end <= length or not math.isfinite(place.log_odds):
            raise ValueError(f"a site of example {k} lies outside its sequence")
        sites.append(place)
    return Example(
        sequence=int(one["sequence"]),
        start=start,
        length=length,
        classes=tuple(str(name) for name in one["classes"]),
        codes=arrays["codes"][k],
        sites=tuple(sites),
        scan=arrays["scan"][k] if "scan" in arrays else None,
        pwm=arrays["pwm"][k],
        maps={name: maps[m, k] for m, name in enumerate(methods)},
    )
