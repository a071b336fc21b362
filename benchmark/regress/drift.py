"""What drifted, by how much, against which tolerance; as text, Markdown and JUnit XML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from motifidelity.regress.fingerprint import Observed
from motifidelity.regress.golden import Golden, Key, Recorded
from motifidelity.untrusted import clean_text

State = Literal["ok", "drifted", "gone", "failed", "new"]
ERROR = "error"
# kinds in the order in which one explains the next, and what a drift of each means
KINDS = {
    "datasets": "a dataset or its specification changed",
    "files": "a model's file is not the one that its network was trained from",
    "activations": "activations of the committed networks changed on fixed weights and inputs",
    "networks": "the networks that the baselines' files build changed",
    "first-layer": "the pick of the first layer changed",
    "definitions": "the declaration of a metric changed",
    "metrics": "the value of a metric changed on stored arrays",
    "scores": "scores of quick trained runs changed",
}
SHOWN = 6


@dataclass(frozen=True)
class Drift:
    """One recorded value beside what was found.

    ``state``: ``ok``; ``drifted`` beyond its tolerance; ``gone``: recorded but not found;
    ``failed``: the subject could not be observed; ``new``: found but not recorded, which is no
    failure.
    """

    key: Key
    state: State
    recorded: Recorded | None
    found: float | str | None

    @property
    def bad(self) -> bool:
        """Whether it fails the check."""
        return self.state in ("drifted", "gone", "failed")

    @property
    def excess(self) -> float:
        """How many times its tolerance a number is off; infinite for anything but a number."""
        if self.recorded is None or not self._numeric:
            return math.inf
        off = abs(float(self.found or 0.0) - float(self.recorded.value))
        return off / self.recorded.tolerance if self.recorded.tolerance else math.inf

    @property
    def text(self) -> str:
        """What happened, in one line."""
        name = self.key[2]
        if self.state == "failed":
            return f"could not be observed: {self.found}"
        if self.state == "gone":
            return f"{name} is gone"
        if self.recorded is None:
            return f"{name} is {_shown(self.found)}, not recorded yet"
        was = f"{name} is {_shown(self.found)}, recorded {_shown(self.recorded.value)}"
        if not self._numeric:
            return was
        off = abs(float(self.found or 0.0) - float(self.recorded.value))
        return f"{was}; off by {off:.2g}, tolerance {self.recorded.tolerance:.2g}"

    @property
    def _numeric(self) -> bool:
        return (
            isinstance(self.found, float)
            and self.recorded is not None
            and isinstance(self.recorded.value, float)
        )


def compare(golden: Golden, observed: Mapping[Key, Observed], kinds: Iterable[str]) -> list[Drift]:
    """Set what was found beside the record.

    Parameters
    ----------
    golden : Golden
    observed : mapping of Key to Observed
        A name ``error`` says that its subject could not be observed.
    kinds : iterable of str
        Kinds that were observed; the record of others is passed over.

    Returns
    -------
    list of Drift
        In the order of kinds, subjects and names; of a failed subject the failure alone.
    """
    chosen = set(kinds)
    failed = {key[:2] for key in observed if key[2] == ERROR}
    # a network that cannot be built has no first layer to look at
    failed |= {("first-layer", subject) for kind, subject in failed if kind == "networks"}
    findings = [
        Drift(key, "failed", None, observed[key].value) for key in observed if key[2] == ERROR
    ]
    for key, recorded in golden.records.items():
        if key[0] not in chosen or key[:2] in failed:
            continue
        if key not in observed:
            findings.append(Drift(key, "gone", recorded, None))
            continue
        value = observed[key].value
        state: State = "ok" if _same(recorded, value) else "drifted"
        findings.append(Drift(key, state, recorded, value))
    findings += [
        Drift(key, "new", None, value.value)
        for key, value in observed.items()
        if key not in golden.records and key[:2] not in failed
    ]
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(findings, key=lambda f: (order.get(f.key[0], len(order)), f.key))


def as_text(findings: Sequence[Drift], *, every: bool = False) -> str:
    """A line for each kind, and under it what drifted, the worst first."""
    lines = []
    for kind, mine in _by_kind(findings).items():
        bad = [f for f in mine if f.bad]
        new = sum(f.state == "new" for f in mine)
        note = f"; {new} not recorded yet" if new else ""
        if new == len(mine):
            lines.append(f"NEW      {kind:12} nothing was compared: {new} values not recorded yet")
            continue
        if not bad:
            lines.append(f"ok       {kind:12} {len(mine) - new} values as recorded{note}")
            continue
        lines.append(
            f"DRIFTED  {kind:12} {KINDS.get(kind, kind)}: {len(bad)} of {len(mine) - new} values"
            f"{note}"
        )
        for subject, group in _by_subject(bad).items():
            lines.append(f"  {clean_text(subject, 120)}")
            worst = sorted(group, key=lambda f: -f.excess)
            shown = worst if every else worst[:SHOWN]
            lines += [f"    {clean_text(f.text, 240)}" for f in shown]
            if len(worst) > len(shown):
                lines.append(f"    and {len(worst) - len(shown)} more")
    return "\n".join(lines)


def as_markdown(findings: Sequence[Drift], unseen: Sequence[str] = ()) -> str:
    """A summary for a pull request: what was not looked at, kinds, every value that drifted."""

    def row(*cells: object) -> str:
        safe = (clean_text(str(cell), 240).replace("|", "\\|") for cell in cells)
        return "| " + " | ".join(safe) + " |"

    bad = [f for f in findings if f.bad]
    title = f"{len(bad)} values drifted" if bad else "everything is as recorded"
    lines = [f"### Regression: {title}", ""]
    if unseen:
        lines += ["Not looked at:", "", *(f"- {clean_text(text, 300)}" for text in unseen), ""]
    lines += [row("check", "result", "values", "drifted", "not recorded yet"), "|---" * 5 + "|"]
    for kind, mine in _by_kind(findings).items():
        drifted, new = sum(f.bad for f in mine), sum(f.state == "new" for f in mine)
        verdict = "not recorded yet" if new == len(mine) else "ok"
        if drifted:
            verdict = f"**{KINDS.get(kind, kind)}**"
        lines.append(row(kind, verdict, len(mine) - new, drifted, new))
    if bad:
        lines += ["", row("check", "subject", "what"), "|---" * 3 + "|"]
        lines += [row(f.key[0], f.key[1], f.text) for f in bad]
    return "\n".join(lines) + "\n"


def as_junit(findings: Sequence[Drift], unseen: Sequence[str] = ()) -> str:
    """JUnit XML: a suite for each kind, a case for each subject; what was not looked at skipped."""
    root = ET.Element("testsuites", name="bench regress")
    for kind, mine in _by_kind(findings).items():
        subjects = _by_subject(mine)
        failures = sum(any(f.bad for f in group) for group in subjects.values())
        suite = ET.SubElement(
            root, "testsuite", name=kind, tests=str(len(subjects)), failures=str(failures)
        )
        for subject, group in subjects.items():
            case = ET.SubElement(
                suite, "testcase", classname=f"regress.{kind}", name=clean_text(subject, 200)
            )
            if bad := sorted((f for f in group if f.bad), key=lambda f: -f.excess):
                message = f"{KINDS.get(kind, kind)}: {bad[0].text}"
                failure = ET.SubElement(case, "failure", message=clean_text(message, 300))
                failure.text = "\n".join(clean_text(f.text, 300) for f in bad)
    if unseen:
        number = str(len(unseen))
        suite = ET.SubElement(root, "testsuite", name="not looked at", tests=number, skipped=number)
        for text in unseen:
            case = ET.SubElement(
                suite, "testcase", classname="regress.unseen", name=clean_text(text, 200)
            )
            ET.SubElement(case, "skipped", message=clean_text(text, 300))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _same(recorded: Recorded, value: float | str) -> bool:
    if isinstance(recorded.value, str) or isinstance(value, str):
        return recorded.value == value
    if math.isnan(recorded.value) or math.isnan(value):
        return math.isnan(recorded.value) and math.isnan(value)
    return recorded.value == value or abs(value - recorded.value) <= recorded.tolerance


def _shown(value: float | str | None) -> str:
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _by_kind(findings: Iterable[Drift]) -> dict[str, list[Drift]]:
    found: dict[str, list[Drift]] = {}
    for finding in findings:
        found.setdefault(finding.key[0], []).append(finding)
    return found


def _by_subject(findings: Iterable[Drift]) -> dict[str, list[Drift]]:
    found: dict[str, list[Drift]] = {}
    for finding in findings:
        found.setdefault(finding.key[1], []).append(finding)
    return found
