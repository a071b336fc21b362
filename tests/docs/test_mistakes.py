"""The mistakes of docs/write-a-model.md: made as the page makes them, told as it tells them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from motifidelity.executors.process import ProcessExecutor
from motifidelity.submitting.check import check_submission
from motifidelity.submitting.findings import lines
from motifidelity.tasks.spec import Profile, find_spec

PAGE = Path(__file__).parents[2] / "docs" / "write-a-model.md"
SLICE = Profile("check", 1, 200, 60, 8, 2, 2)


def _blocks(tag):
    return re.findall(rf"^```{tag}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


MODEL = _blocks("python")[0]
MISTAKES = list(zip(_blocks("diff"), _blocks("text"), strict=True))


def _applied(diff, text):
    for hunk in diff.split("@@\n"):
        changes = hunk.splitlines()
        old = "\n".join(line[1:] for line in changes if line[:1] != "+")
        new = "\n".join(line[1:] for line in changes if line[:1] != "-")
        assert text.count(old) == 1, f"the page's file does not hold once:\n{old}"
        text = text.replace(old, new)
    return text


def _findings(folder, text):
    path = folder / "my_model.py"
    path.write_text(text, encoding="utf-8")
    task = find_spec("regulatory-code")
    return check_submission(
        path, (), [task], ProcessExecutor(200.0), lambda _: None, SLICE, ("saliency",)
    )


def _squeezed(text):
    return " ".join(text.split())


def test_the_file_itself_has_no_problem(tmp_path):
    assert _findings(tmp_path, MODEL).problems == []


@pytest.mark.parametrize(("diff", "said"), MISTAKES, ids=[said.split()[0] for _, said in MISTAKES])
def test_a_mistake_is_told_as_the_page_tells_it(tmp_path, diff, said):
    report = _findings(tmp_path, _applied(diff, MODEL))
    printed = _squeezed("\n".join(lines(report.problems)))
    assert report.problems
    for line in said.splitlines():
        for part in line.split("..."):
            assert _squeezed(part) in printed
