"""Everything that is asked of a folder set beside its record, and what was not looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from motifidelity.regress.drift import ERROR, KINDS, Drift, compare
from motifidelity.regress.fingerprint import Observed
from motifidelity.regress.golden import Golden, Key, Recorded, read_golden
from motifidelity.regress.observe import READ, observe
from motifidelity.regress.survey import Case, Survey, require_networks, survey
from motifidelity.regress.trained import observe_trained

OF_NETWORKS = ("files", *READ)


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes
    ----------
    findings : list of Drift
    unseen : list of str
        What was not looked at, in words.
    changed : list of Case
        Networks whose model file is another today.
    """

    findings: list[Drift]
    unseen: list[str]
    changed: list[Case]

    @property
    def bad(self) -> int:
        """How many values fail."""
        return sum(finding.bad for finding in self.findings)

    @property
    def compared(self) -> int:
        """How many values stood beside a recorded one."""
        return sum(finding.state != "new" for finding in self.findings)

    @property
    def first_line(self) -> str:
        """What was not looked at, in one line."""
        return not_looked_at(self.unseen)


def check(
    folder: Path,
    kinds: Iterable[str],
    say: Callable[[str], None],
    *,
    models: Sequence[Path] = (),
    source: Path | None = None,
) -> Report:
    """Set what the code does today beside the record of a folder.

    Parameters
    ----------
    folder : Path
        A registry of networks with its record.
    kinds : iterable of str
        Of `drift.KINDS`.
    say : callable
        Receives progress.
    models : sequence of Path
        Model files, or folders of them, to look in first.
    source : Path, optional
        Registry of trained networks, as of `observe_trained`.

    Raises
    ------
    UserError
        If the folder holds no network.
    DataError
        If the record or the registry cannot be read, or the networks cannot be read at all.
    """
    chosen = [kind for kind in KINDS if kind in set(kinds)]
    golden = read_golden(folder)
    found = survey(folder, models, golden.files)
    if set(OF_NETWORKS) & set(chosen):
        require_networks(folder, found)
    observed = observe(chosen, folder, found.cases, say)
    recorded = dict(golden.records)
    if "files" in chosen:
        digests, today = compare_files(found.cases, golden.files)
        recorded |= digests
        observed |= today
    if "scores" in chosen:
        observed |= observe_trained(source, say, cases=found.cases)
    findings = compare(Golden(recorded), observed, chosen)
    changed = [case for case in found.cases if "files" in chosen and case.changed]
    return Report(findings, left_out(chosen, found, findings), changed)


def compare_files(
    cases: Iterable[Case], recorded: Mapping[str, str]
) -> tuple[dict[Key, Recorded], dict[Key, Observed]]:
    """Digests of the files that networks were trained from, and of the files as they are today.

    The registry itself is the record of the former. A file that was there when the record was made
    and is no longer found is an error.
    """
    digests: dict[Key, Recorded] = {}
    today: dict[Key, Observed] = {}
    for case in cases:
        key = ("files", case.subject, case.file_name)
        if case.today is not None:
            digests[key] = Recorded(case.digest)
            today[key] = Observed(case.today)
        elif case.file_name in recorded:
            today["files", case.subject, ERROR] = Observed(
                f"{case.file_name} was {recorded[case.file_name]} from the record and is gone; "
                "give its folder with --models"
            )
    return digests, today


def left_out(kinds: Sequence[str], found: Survey, findings: Sequence[Drift] | None) -> list[str]:
    """What was not looked at, in words.

    Parameters
    ----------
    kinds : sequence of str
        Those that were looked at.
    found : Survey
    findings : sequence of Drift, optional
        None where nothing was to be compared.
    """
    unseen = []
    if others := [kind for kind in KINDS if kind not in (*kinds, "scores")]:
        unseen.append(f"{', '.join(others)} (--only)")
    if "scores" not in kinds:
        unseen.append("scores of trained networks (--train or --from)")
    elif given := [case.subject for case in found.cases if case.weights]:
        unseen.append(f"scores of {', '.join(given)} (their weights were given)")
    if set(OF_NETWORKS) & set(kinds):
        unseen += found.unseen
    if findings is None:
        return unseen
    compared = {f.key[0] for f in findings if f.state != "new"}
    new = {f.key[0] for f in findings} - compared
    if new:
        names = ", ".join(kind for kind in kinds if kind in new)
        unseen.append(f"{names} (not recorded: 'bench regress update' records it)")
    if nothing := [kind for kind in kinds if kind not in compared | new]:
        unseen.append(f"{', '.join(nothing)} (there is nothing of it)")
    of_networks = [f for f in findings if f.key[0] in READ and f.key[0] in compared]
    known = {f.key[1] for f in of_networks if f.state != "new"}
    for subject in sorted({f.key[1] for f in of_networks} - known):
        unseen.append(f"{subject} (not recorded: 'bench regress update' records it)")
    return unseen


def not_looked_at(unseen: Sequence[str]) -> str:
    """The first line of every report."""
    if not unseen:
        return "Looked at: everything that is recorded"
    return f"Not looked at: {'; '.join(unseen)}"
