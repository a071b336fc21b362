"""Every command of the pages is run, in the order in which it stands there.

The folder looks like a fresh checkout in which some results are there, and the tasks are small
(`small_tasks.py`). What cannot be run anywhere is listed in `played.py`.
"""

from __future__ import annotations

from importlib.metadata import metadata
from pathlib import Path

import click
import pytest
from blocks import PAGES, blocks, commands, name_of
from packaging.requirements import Requirement
from play import OF_A_STRANGER, play, refused
from played import PROGRAMS, REFUSED
from services import ENVIRONMENT

from motifidelity.cli import bench


def every_command(page):
    return [c for block in blocks(page) if block.tag == "sh" for c in commands(block)]


@pytest.mark.parametrize(
    "page", [p for p in PAGES if any(blocks(p)) and p.name not in OF_A_STRANGER], ids=name_of
)
def test_a_page_s_blocks_run_one_after_another(page, make_checkout, services, monkeypatch):
    play(page, make_checkout(**ENVIRONMENT), services, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_command_lines_that_others_run_are_ones_that_bench_takes(page, monkeypatch):
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)
    for command in every_command(page):
        for program in command.programs:
            if "--" in program and program[:2] == ["bench", "cluster"]:
                line = program[program.index("--") + 1 :]
                line = line[: line.index(">")] if ">" in line else line
                try:
                    bench.main(line, standalone_mode=False)
                except click.ClickException as error:
                    pytest.fail(f"{command.where}: {error.format_message()}", False)
            if Path(program[0]).name == "pip":
                for word in program[2:]:
                    if word.startswith("motifidelity"):
                        extras = Requirement(word).extras
                        known = metadata("motifidelity").get_all("Provides-Extra")
                        assert extras <= set(known), f"{command.where}: {word}"


def test_what_is_played_or_refused_stands_on_a_page():
    every = [command for page in PAGES for command in every_command(page)]
    programs = {Path(words[0]).name for command in every for words in command.programs}
    folders = {Path(words[0]).parts[0] for command in every for words in command.programs}
    assert set(PROGRAMS) <= programs | folders
    assert set(REFUSED) <= {refused(command) for command in every}
