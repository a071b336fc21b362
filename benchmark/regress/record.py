"""Changing the record: new values with a reason, new tolerances, and the log of both."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from motifidelity import __version__
from motifidelity.errors import DataError, UserError
from motifidelity.regress.beside_record import OF_NETWORKS, left_out
from motifidelity.regress.drift import compare
from motifidelity.regress.fingerprint import Observed
from motifidelity.regress.golden import FILE, Golden, Recorded, read_golden, write_golden
from motifidelity.regress.matrix import store_arrays
from motifidelity.regress.observe import READ, measured
from motifidelity.regress.survey import Case, require_networks, survey
from motifidelity.regress.trained import measured_trained

LOG = "regression-log.jsonl"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Updated:
    """How many values changed beyond their old tolerance, were added and removed.

    ``unseen`` says what was not looked at.
    """

    counts: Mapping[str, int]
    unseen: list[str]


def update(
    folder: Path,
    kinds: Iterable[str],
    reason: str,
    say: Say,
    *,
    author: str | None,
    probe: bool = False,
    models: Sequence[Path] = (),
) -> Updated:
    """Record today's values of the given kinds, measure their tolerances, and log why.

    Parameters
    ----------
    folder : Path
        Committed baselines.
    kinds : iterable of str
        The record of other kinds stays as it is.
    reason : str
        Why the record changes; one line.
    say : callable
        Receives progress.
    author : str, optional
        Who asks for the change.
    probe : bool
        Store arrays anew even where some are stored.
    models : sequence of Path
        Model files, or folders of them, to look in first.

    Returns
    -------
    Updated

    Raises
    ------
    UserError
        If the reason is empty, or the folder holds no network.
    DataError
        If something cannot be observed or written, or a network is not of the file that is there;
        the record stays as it was.
    """
    if not " ".join(reason.split()):
        raise UserError("a change of the record needs a reason: --reason 'why it changes'")
    chosen = list(kinds)
    old = read_golden(folder) if (folder / FILE).exists() else Golden()
    found = survey(folder, models, old.files)
    if {*OF_NETWORKS, "metrics"} & set(chosen):
        require_networks(folder, found)
    if set(OF_NETWORKS) & set(chosen):
        _refuse_changed(folder, found.cases)
    if "metrics" in chosen:
        store_arrays(folder, found.cases, say, again=probe)
    new, how = _measure(folder, chosen, found.cases, say)
    seen = {key: Observed(record.value) for key, record in new.items()}
    findings = compare(old, seen, chosen)
    counts = {
        "changed": sum(f.state == "drifted" for f in findings),
        "added": sum(f.state == "new" for f in findings),
        "removed": sum(f.state == "gone" for f in findings),
    }
    kept = {key: record for key, record in old.records.items() if key[0] not in chosen}
    files = _places(folder, found.cases) if "files" in chosen else old.files
    write_golden(folder, Golden({**kept, **new}, {**old.measured, **how}, files))
    entry = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "author": author,
        "reason": " ".join(reason.split()),
        "version": __version__,
        "kinds": sorted(chosen),
        **counts,
    }
    _append(folder / LOG, entry)
    return Updated(counts, left_out(chosen, found, None))


def measure_again(folder: Path, kinds: Iterable[str], say: Say, models: Sequence[Path] = ()) -> int:
    """Measure the tolerances of the given kinds again; the recorded values stay as they are.

    Returns
    -------
    int
        Number of values whose tolerance was measured.

    Raises
    ------
    DataError
        If there is no record, or something cannot be observed or written.
    """
    chosen = list(kinds)
    old = read_golden(folder)
    found = survey(folder, models, old.files)
    if set(READ) & set(chosen):
        require_networks(folder, found)
    new, how = _measure(folder, chosen, found.cases, say)
    records = dict(old.records)
    number = 0
    for key, record in new.items():
        before = records.get(key)
        if before is None or isinstance(before.value, str) or isinstance(record.value, str):
            continue
        records[key] = Recorded(before.value, record.tolerance, record.spread)
        number += 1
    write_golden(folder, Golden(records, {**old.measured, **how}, old.files))
    return number


def caller() -> str | None:
    """Name and address of the caller as git would sign a commit, or None."""
    try:
        done = subprocess.run(
            ["git", "var", "GIT_AUTHOR_IDENT"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    name, closing, _ = done.stdout.partition(">")
    return name + closing if done.returncode == 0 and closing else None


def _refuse_changed(folder: Path, cases: Sequence[Case]) -> None:
    """Refuse to record a network beside a file that it does not come from."""
    for case in cases:
        if case.changed:
            raise DataError(
                f"{case.file}: changed since the network of {case.subject} was trained from it; "
                f"run '{case.rerun(folder)}' first"
            )


def _places(folder: Path, cases: Sequence[Case]) -> dict[str, str]:
    """Where the files that are not the suite's are, from the record's folder."""
    return {
        case.file_name: Path(os.path.relpath(case.file, folder.resolve())).as_posix()
        for case in cases
        if case.own and case.file is not None
    }


def _measure(
    folder: Path, kinds: list[str], cases: Sequence[Case], say: Say
) -> tuple[dict[tuple[str, str, str], Recorded], dict[str, str]]:
    records, how = measured(kinds, folder, cases, say)
    if "scores" in kinds:
        trained, way = measured_trained(say, cases)
        records |= trained
        how["scores"] = way
    return records, how


def _append(path: Path, entry: Mapping[str, object]) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from error
