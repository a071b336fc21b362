"""Pytest plugin: golden activations and the regression of a registry, for other repositories.

Installed with the package; it adds two fixtures and one option, and imports nothing heavy until a
fixture is used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

OPTION = "--update-activations"
INI = "activation_golden"
# runs that a callable is measured over when it is recorded
RUNS = 3


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that records, and the setting that says where."""
    parser.getgroup("motifidelity").addoption(
        OPTION, action="store_true", help="Record golden activations instead of comparing."
    )
    parser.addini(
        INI,
        "Folder of the golden activations, from the root of the tests; default: "
        "tests/golden_activations.",
        default="tests/golden_activations",
    )


class ActivationGolden:
    """Compares arrays with recorded fingerprints; see the fixture ``activation_golden``."""

    def __init__(self, folder: Path, test: str, update: bool) -> None:
        self._folder = folder
        self._test = test
        self._update = update
        self._recorded: dict[Any, Any] = {}

    def __call__(self, name: str, array: Any) -> None:
        """Compare one array, or what a callable returns, with its recorded fingerprint.

        Parameters
        ----------
        name : str
            Of the array, unique within the test.
        array : array_like or callable
            A callable is called once to compare, and several times to record, so that its
            tolerance is measured from repeated runs.

        Raises
        ------
        AssertionError
            Naming every value that drifted, by how much, against which tolerance.
        """
        __tracebackhide__ = True
        from motifidelity.regress.drift import as_text, compare
        from motifidelity.regress.fingerprint import fingerprint
        from motifidelity.regress.golden import FILE, Golden, measure, read_golden

        def observe() -> dict[tuple[str, str, str], Any]:
            values = array() if callable(array) else array
            found = fingerprint(values)
            return {("activations", f"{self._test} {name}", n): v for n, v in found.items()}

        if self._update:
            runs = [observe() for _ in range(RUNS if callable(array) else 1)]
            self._recorded |= measure(runs)
            return
        golden = Golden()
        if (self._folder / FILE).exists():
            golden = read_golden(self._folder)
        subject = f"{self._test} {name}"
        mine = {key: value for key, value in golden.records.items() if key[1] == subject}
        if not mine:
            pytest.fail(
                f"{name}: no golden activations of {self._test} are recorded; run pytest {OPTION}",
                pytrace=False,
            )
        findings = compare(Golden(mine), observe(), ["activations"])
        if any(finding.state != "ok" for finding in findings):
            drifted = [f for f in findings if f.state != "ok"]
            text = (
                as_text(findings, every=True)
                if any(f.bad for f in findings)
                else "\n".join(f.text for f in drifted)
            )
            pytest.fail(
                f"{text}\nif that is intended: pytest {OPTION}, and commit {self._folder / FILE}",
                pytrace=False,
            )

    def write(self) -> None:
        """Write what was recorded, beside what other tests recorded."""
        if not self._recorded:
            return
        from motifidelity.regress.golden import FILE, Golden, read_golden, write_golden

        old = read_golden(self._folder) if (self._folder / FILE).exists() else Golden()
        subjects = {key[1] for key in self._recorded}
        kept = {key: value for key, value in old.records.items() if key[1] not in subjects}
        how = {"activations": f"{RUNS} runs of a callable, one of an array"}
        write_golden(self._folder, Golden({**kept, **self._recorded}, {**old.measured, **how}))


@pytest.fixture
def activation_golden(request: pytest.FixtureRequest) -> Iterator[ActivationGolden]:
    """Compare activations with recorded fingerprints: moments and a few exact values.

    ``activation_golden("first layer", lambda: first_layer(inputs))`` passes while the array's
    shape, moments and values are within the tolerance that was measured when it was recorded by
    ``pytest --update-activations``.
    """
    config = request.config
    folder = config.rootpath / str(config.getini(INI))
    golden = ActivationGolden(folder, request.node.nodeid, bool(config.getoption(OPTION)))
    yield golden
    golden.write()


@pytest.fixture(scope="session")
def bench_regress() -> Callable[..., None]:
    """Assert that a folder of committed baselines is as recorded, as ``bench regress`` does.

    ``bench_regress("baselines", models=["src/models"])``: every check but the trained one is made,
    with ``train=True`` that too, and with ``only=["activations"]`` no other. A warning tells what
    was not looked at.
    """

    def check(
        folder: str | Path = "baselines",
        only: tuple[str, ...] | list[str] = (),
        models: Iterable[str | Path] = (),
        train: bool = False,
    ) -> None:
        __tracebackhide__ = True
        from motifidelity.regress import beside_record as regress
        from motifidelity.regress.drift import KINDS, as_text

        kinds = list(only) or [kind for kind in KINDS if kind != "scores"]
        kinds += ["scores"] * train
        report = regress.check(Path(folder), kinds, print, models=[Path(path) for path in models])
        if report.unseen:
            warnings.warn(report.first_line, NotLookedAt, stacklevel=2)
        if report.bad or not report.compared:
            text = as_text(report.findings, every=True)
            pytest.fail(f"{report.first_line}\n{text or 'nothing was compared'}", pytrace=False)

    return check


class NotLookedAt(UserWarning):
    """Something that is recorded, or could be, was not compared."""
