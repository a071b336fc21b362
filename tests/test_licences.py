"""The page of the licences names every file of others and every package, with its licence."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VENDOR = ("leaderboard/static/vendor", "tests/leaderboard/vendor")
# how metadata without a licence expression say it
SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "BSD 2-Clause License": "BSD-2-Clause",
    "GNU General Public License (GPL)": "GPL-2.0-or-later",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
}


def table(heading):
    """Rows of the table below a heading, without its two first lines."""
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


FILES = table("Files of others in this repository")
PACKAGES = {
    name.strip("`"): (licence, use) for name, licence, use in table("Packages that it needs")
}
WITHOUT_ROW = dict(re.findall(r"`([\w-]+)` \((GPL-[\w.-]+)\)", PAGE))
LICENCES = {name: licence for name, (licence, _) in PACKAGES.items()} | WITHOUT_ROW


def stated(name):
    """Licences that a package's metadata state."""
    found = metadata(name)
    if expression := found["License-Expression"]:
        return set(expression.split(" AND "))
    classes = [entry for entry in found.get_all("Classifier") or [] if entry.startswith("License")]
    first = (found["License"] or "").partition("\n")[0]
    return {SPELLINGS.get(text, text) for text in [*classes, first]}


def needs():
    """Packages of the project, each with the extras that bring it."""
    project = PROJECT["project"]
    groups = {"always": project["dependencies"], **project["optional-dependencies"]}
    found = {}
    for group, packages in groups.items():
        for text in packages:
            found.setdefault(re.match(r"[\w.-]+", text)[0], set()).add(group)
    return found


def test_every_file_of_others_is_listed_with_the_text_of_its_licence():
    listed = {row[0].strip("`") for row in FILES}
    texts = {path for row in FILES for path in re.findall(r"`([^`]*LICENSE[^`]*)`", row[4])}
    there = {
        path.relative_to(ROOT).as_posix()
        for folder in VENDOR
        for path in (ROOT / folder).iterdir()
        if path.name != "VENDORED.md"
    }
    assert there == listed | texts
    assert all(re.findall("LICENSE", row[4]) for row in FILES)


def test_minified_scripts_lie_in_the_folders_of_others_alone():
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("benchmark", "leaderboard", "docs", "tests", "models", "tasks", "metrics")
        for path in (ROOT / folder).rglob("*.min.*")
    ]
    assert sorted(found) == sorted(row[0].strip("`") for row in FILES)


@pytest.mark.parametrize("row", FILES, ids=lambda row: Path(row[0]).name)
def test_a_file_of_others_is_of_the_stated_version_and_licence(row):
    path, package, version, licence, text, _ = row
    path = ROOT / path.strip("`")
    words = (ROOT / re.findall(r"`([^`]*)`", text)[0]).read_text(encoding="utf-8")
    opening = {"MIT": "MIT", "Unlicense": "unencumbered", "MPL-2.0": "Mozilla Public License"}
    assert opening[licence] in words
    told = path.parent / "VENDORED.md"
    if told.is_file():
        lines = told.read_text(encoding="utf-8").splitlines()
        [line] = [line for line in lines if line.startswith(f"| `{path.name}`")]
        assert f"| {version} |" in line
        assert licence in line
        assert all(number in line for number in re.findall(r"\d+\.\d+\.\d+", package))
    else:
        assert f"v{version}" in path.read_text(encoding="utf-8")[:200]


def test_the_wheel_holds_the_licence_of_every_script_that_it_holds():
    patterns = PROJECT["project"]["license-files"]
    for row in FILES:
        text = re.findall(r"`([^`]*)`", row[4])[0]
        inside = row[5] == "yes"
        assert inside == row[0].strip("`").startswith("leaderboard/")
        assert inside == any(fnmatch.fnmatch(text, pattern) for pattern in patterns)
    assert "LICENSE" in patterns


def test_every_package_of_the_project_is_listed_and_no_other():
    uses = {
        "test": "tests",
        "types": "type checks",
        "lint": "lint",
        **{name: f"extra `{name}`" for name in ("jax", "torch", "patterns", "ray", "plot")},
        "always": "always",
    }
    wanted = {name: {uses[group] for group in groups} for name, groups in needs().items()}
    assert {name: set(use.split(", ")) for name, (_, use) in PACKAGES.items()} == wanted


def test_the_licence_of_an_installed_package_is_the_one_on_the_page():
    wrong, seen = {}, set()
    for name, licence in LICENCES.items():
        try:
            found = stated(name)
        except PackageNotFoundError:
            continue
        seen.add(name)
        if licence not in found:
            wrong[name] = (licence, found)
    assert wrong == {}
    # what every installation and the tests' own have
    assert {name for name, groups in needs().items() if groups & {"always", "test"}} <= seen


def test_what_is_always_needed_is_under_no_copyleft_licence():
    always = [licence for licence, use in PACKAGES.values() if use == "always"]
    assert len(always) == len(PROJECT["project"]["dependencies"])
    # Biopython's own, or BSD-3-Clause, as its files have it
    biopython = "LicenseRef-Biopython-License-Agreement"
    bsd = {"BSD-3-Clause", "3-Clause BSD License"}
    assert set(always) <= {"MIT", *bsd, "Apache-2.0", biopython}
    assert set(WITHOUT_ROW) == {"igraph", "leidenalg"}
