"""What a submission will cost, from a few measured steps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from motifidelity.containers.policy import Policy
from motifidelity.phase.cores import count_cores
from motifidelity.runs.display import duration
from motifidelity.runs.forecast import sequences
from motifidelity.submitting.findings import Finding
from motifidelity.submitting.trial import TriedOut
from motifidelity.worker.limits import MAX_GRAPH_BYTES

GIB = 1 << 30


def load() -> str:
    """How busy this machine is, which decides what a time that was measured on it means."""
    busy = f"load {os.getloadavg()[0]:.1f} on " if hasattr(os, "getloadavg") else ""
    cores = count_cores()
    return f"{busy}{cores} core{'s' * (cores != 1)}"


def cost_findings(trial: TriedOut) -> Iterator[Finding]:
    """Size, time of an epoch and of a full run, and memory.

    Time is that of the last epoch on the slice, scaled by the number of sequences. A full run is
    an upper bound: every trial to the last epoch that the recipe allows.
    """
    assert trial.fit is not None
    name, fit = trial.job.task.id, trial.fit
    large = trial.graph_bytes > MAX_GRAPH_BYTES // 2
    yield Finding(
        "size",
        "warning" if large else "ok",
        f"{fit.num_weights:,} weights, {trial.graph_bytes / (1 << 20):.1f} MiB frozen",
        f"at most {MAX_GRAPH_BYTES >> 20} MiB are allowed" if large else "",
        task=name,
    )
    yield _time(trial)
    yield _memory(trial)


def _sizes(trial: TriedOut) -> tuple[int, int]:
    digests = trial.job.task.digests
    return int(digests["train"]["n"]), int(digests["valid"]["n"])


def _time(trial: TriedOut) -> Finding:
    assert trial.fit is not None
    spec, profile = trial.job.task, trial.job.profile
    seconds = [row["seconds"] for row in trial.fit.history if row.get("seconds", 0) > 0]
    if trial.job.submission.own_fit or not seconds:
        return Finding(
            "time",
            "warning",
            f"{duration(trial.fitted.seconds)} on {spec.size(profile, 'train'):,} training "
            "sequences; its own training decides how this grows",
            "try 'bench run --profile quick'",
            task=spec.id,
        )
    full = spec.profiles.get("full")
    whole = sequences(spec, replace(profile, train=None, valid=None))
    epoch = seconds[-1] * whole / sequences(spec, profile)
    text = f"about {duration(epoch)} an epoch"
    if full:
        text += (
            f", at most {duration(epoch * full.max_epochs)} a trial and "
            f"{duration(epoch * full.max_epochs * full.trials)} for {full.trials} trials"
        )
    return Finding(
        "time", "ok", text + f" ({trial.fitted.device}, measured now: {load()})", task=spec.id
    )


def _memory(trial: TriedOut) -> Finding:
    """Peak of the trial, plus the rest of the data as one-hot float32, twice."""
    spec, profile = trial.job.task, trial.job.profile
    train, valid = _sizes(trial)
    more = train + valid - spec.size(profile, "train") - spec.size(profile, "valid")
    need = trial.peak_memory + 2 * more * spec.length * 4 * 4
    limit = Policy().memory
    tight = need > 0.8 * limit
    return Finding(
        "memory",
        "warning" if tight else "ok",
        f"{trial.peak_memory / GIB:.1f} GiB now, about {need / GIB:.1f} GiB with all data; the "
        f"standard limit is {limit / GIB:g} GiB",
        "use a smaller network, or run it with a larger --memory, which marks its rows"
        if tight
        else "",
        task=spec.id,
    )
