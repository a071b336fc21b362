"""Observations of each kind, as they are today."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motifidelity.backends import DEFAULT_BACKEND, how_to_install
from motifidelity.errors import DataError
from motifidelity.files import LFS_POINTER, LFS_REMEDY, file_digest
from motifidelity.metrics.readings import OWN
from motifidelity.regress.drift import ERROR
from motifidelity.regress.fingerprint import Observed
from motifidelity.regress.golden import Key, Recorded, measure
from motifidelity.regress.matrix import ARRAYS, small_truth
from motifidelity.regress.survey import Case
from motifidelity.tasks.spec import all_specs, find_spec

if TYPE_CHECKING:
    from motifidelity.tasks.generate import Split

SEQUENCES = 64
RIGHTS = "a model's code runs as a plain process, with your rights"
READER_SECONDS = 900
READ = ("activations", "networks", "first-layer")
Found = dict[Key, Observed]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Variant:
    """One way of running the same arithmetic, as another machine or day may run it.

    ``units`` are those by which `last_bits` moves the results of operations.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    batch: int = SEQUENCES
    units: int = 0


# each may change the order of additions and the kernels, and nothing else
VARIANTS = (
    Variant("as it comes"),
    Variant("one thread", {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}),
    Variant("without oneDNN", {"TF_ENABLE_ONEDNN_OPTS": "0"}),
    Variant("kernels for SSE4.1", {"ONEDNN_MAX_CPU_ISA": "SSE41"}),
    Variant("batches of 7", batch=7),
    Variant("results a last bit larger", units=1),
    Variant("results a last bit smaller", units=-1),
)


def observe(kinds: Iterable[str], folder: Path, cases: Sequence[Case], say: Say) -> Found:
    """Observe the given kinds once; ``files`` and ``scores`` are not among them.

    Parameters
    ----------
    kinds : iterable of str
    folder : Path
        Committed baselines.
    cases : sequence of Case
        Its networks.
    say : callable
        Receives a line for each kind before it is observed.

    Raises
    ------
    DataError
        If the networks cannot be read at all.
    """
    chosen = set(kinds)
    found: Found = {}
    for kind, function in _IN_PROCESS.items():
        if kind in chosen:
            say(f"observing {kind}")
            found |= function(folder)
    if chosen & set(READ):
        say(f"observing {', '.join(kind for kind in READ if kind in chosen)}")
        if builds := sorted({str(case.file) for case in cases if case.own and case.file}):
            say(f"building what {', '.join(builds)} build{'s' * (len(builds) == 1)}: {RIGHTS}")
        found |= read_networks(cases, VARIANTS[0], chosen)
    return found


def measured(
    kinds: Iterable[str], folder: Path, cases: Sequence[Case], say: Say
) -> tuple[dict[Key, Recorded], dict[str, str]]:
    """Today's values with tolerances from repeated runs, and how each kind was measured.

    Networks are read once in each of `VARIANTS`, metrics are computed twice, texts are read once.
    The remaining parameters and errors are those of `observe`.
    """
    chosen = set(kinds)
    records: dict[Key, Recorded] = {}
    how = {}
    for kind, function in _IN_PROCESS.items():
        if kind not in chosen:
            continue
        say(f"measuring {kind}")
        times = 2 if kind == "metrics" else 1
        records |= _without_errors(measure([function(folder) for _ in range(times)]))
        how[kind] = f"{times} runs" if times > 1 else "text, equal or not"
    if reading := [kind for kind in READ if kind in chosen]:
        runs = []
        for variant in VARIANTS:
            say(f"measuring {', '.join(reading)}: {variant.name}")
            runs.append(read_networks(cases, variant, chosen))
        records |= _without_errors(measure(runs))
        names = ", ".join(variant.name for variant in VARIANTS)
        how |= dict.fromkeys(reading, f"{len(VARIANTS)} runs: {names}")
    return records, how


def read_networks(cases: Sequence[Case], variant: Variant, kinds: Iterable[str]) -> Found:
    """Read committed and built networks, each backend's in a process of its own.

    Raises
    ------
    DataError
        If a process fails as a whole.
    """
    chosen = set(kinds)
    committed = [
        {"subject": c.subject, "graph": str(c.graph), "network": str(c.network)} for c in cases
    ]
    built: dict[str, list[dict[str, Any]]] = {}
    absent: Found = {}
    for case in cases if chosen & {"networks", "first-layer"} else ():
        if case.file is None or not case.built:
            continue
        if importlib.util.find_spec(case.backend) is None:
            key = ("networks", case.subject, ERROR)
            absent[key] = Observed(
                f"backend {case.backend} is not installed here; {how_to_install(case.backend)}"
            )
            continue
        built.setdefault(case.backend, []).append(_to_build(case))
    observed: Found = {key: value for key, value in absent.items() if key[0] in chosen}
    # whatever a network was trained with, the graph that is kept of it is TensorFlow's
    for backend in dict.fromkeys((DEFAULT_BACKEND, *built)):
        request = {
            "sequences": SEQUENCES,
            "batch": variant.batch,
            "units": variant.units,
            "committed": committed
            if "activations" in chosen and backend == DEFAULT_BACKEND
            else [],
            "built": built.get(backend, []),
        }
        if not (request["committed"] or request["built"]):
            continue
        raw = _read(request, {"KERAS_BACKEND": backend, **variant.environment})
        observed |= {
            (kind, subject, name): Observed(**value)
            for kind, subjects in raw.items()
            for subject, values in subjects.items()
            for name, value in values.items()
            if kind in chosen
        }
    if "activations" in chosen:
        for case in cases:
            key = ("activations", case.subject, "network file")
            observed[key] = Observed(file_digest(case.graph))
    return observed


def _read(request: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """What the reader's process found, by kind, subject and name."""
    from motifidelity.scratch import scratch_folder

    with scratch_folder() as work:
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
        out = work / "observed.json"
        command = [sys.executable, "-m", "motifidelity.regress.reader"]
        try:
            done = subprocess.run(
                [*command, str(work / "request.json"), str(out)],
                env={**os.environ, **_QUIET, **environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=READER_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise DataError(
                f"reading the networks took longer than {READER_SECONDS} s; try again on a machine "
                "that is less busy"
            ) from error
        if done.returncode or not out.exists():
            last = (done.stderr.strip().splitlines() or ["no output"])[-1][:300]
            raise DataError(f"the networks cannot be read: {last}")
        raw: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return raw


def _to_build(case: Case) -> dict[str, Any]:
    spec = find_spec(case.task)
    return {
        "subject": case.subject,
        "path": str(case.file),
        "params": dict(case.params),
        "seed": 0,
        "task": {
            "name": spec.name,
            "input_shape": [spec.length, 4],
            "num_outputs": len(spec.classes),
            "classes": list(spec.classes),
        },
    }


def _datasets(folder: Path) -> Found:
    """Digests of every task's arrays, generated anew: a cache would hide a changed generator.

    Versions with the same grammar are generated once.
    """
    from motifidelity.tasks.dataset import check_digests
    from motifidelity.tasks.generate import generate
    from motifidelity.tasks.motifs import load_motifs

    found: Found = {}
    made: dict[str, dict[str, Split]] = {}
    for spec in all_specs().values():
        found["datasets", spec.id, "specification"] = Observed(spec.digest)
        of = repr((spec.motifs, spec.pools, spec.grammar, spec.splits, spec.length, spec.classes))
        try:
            if of not in made:
                made[of] = generate(spec, load_motifs(spec.motifs))
            for check in check_digests(spec, made[of]):
                name = f"{check.split} {check.array}"
                found["datasets", spec.id, name] = Observed(check.found)
        except Exception as error:
            found["datasets", spec.id, ERROR] = Observed(_error(error))
    return found


def _definitions(folder: Path) -> Found:
    """Every declared metric in one line: family, definition, direction, range, version."""
    from motifidelity.metrics.declare import all_metrics

    return {
        ("definitions", m.name, "declaration"): Observed(
            f"{m.family}, {m.definition}, {m.direction} is better, {_bound(m.low)} to "
            f"{_bound(m.high)}, chance {_bound(m.chance)}, version {m.version}"
        )
        for m in all_metrics().values()
    }


def _metrics(folder: Path) -> Found:
    """Scores of the stored arrays: no network runs, so that nothing but a metric can move them."""
    import numpy as np

    from motifidelity.scoring.score import score_job

    found: Found = {}
    files = sorted((folder / ARRAYS).glob("*.npz"))
    if not files:
        found["metrics", "stored arrays", ERROR] = Observed(
            f"{folder / ARRAYS} holds none; 'bench regress update' stores some"
        )
    for file in files:
        subject = f"stored arrays of {file.stem}"
        try:
            found["metrics", subject, "arrays file"] = Observed(file_digest(file))
            if file.read_bytes().startswith(LFS_POINTER):
                raise DataError(LFS_REMEDY)
            with np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            scores = score_job(small_truth(find_spec(file.stem)), arrays).scores
        except Exception as error:
            found["metrics", subject, ERROR] = Observed(_error(error))
            continue
        for score in scores:
            if score.target is None:
                of = [part for part in (score.method, score.reading) if part and part != OWN]
                name = score.metric + (f" [{', '.join(of)}]" if of else "")
                value = float(score.value)
                found["metrics", subject, name] = Observed(value, max(abs(value), 1e-3))
    return found


def _without_errors(records: dict[Key, Recorded]) -> dict[Key, Recorded]:
    """The records themselves.

    Raises
    ------
    DataError
        If anything could not be observed: a failure must not become what is expected.
    """
    for key, record in records.items():
        if key[2] == ERROR:
            raise DataError(f"{key[0]}: {key[1]} could not be observed: {record.value}")
    return records


def _error(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _bound(value: float | None) -> str:
    return "open" if value is None else f"{value:g}"


_IN_PROCESS: dict[str, Callable[[Path], Found]] = {
    "datasets": _datasets,
    "definitions": _definitions,
    "metrics": _metrics,
}
_QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
