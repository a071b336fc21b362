"""A page played in a folder: its blocks one after another, as a reader runs them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blocks import blocks, commands, file_of
from checkout import tail
from played import REFUSED

# pages that one test runs in one folder, in this order
OF_A_STRANGER = ("quickstart.md", "write-a-model.md", "regression.md")


def play(page, checkout, services, monkeypatch):
    """Run a page's blocks in their order; Python that names its file becomes that file."""
    for block in blocks(page):
        if block.tag == "python":
            if name := file_of(block):
                (checkout.path / name).write_text(block.text)
                continue
            with monkeypatch.context() as patch:
                patch.chdir(checkout.path)
                exec(compile(block.text, block.where, "exec"), {})
        elif block.tag == "sh":
            for command in commands(block):
                run(command, checkout, services)


def refused(command):
    """Why a command of ``bench`` is refused on a machine that lacks what it needs, or None."""
    for program in command.programs:
        for entry in REFUSED:
            if Path(program[0]).name == "bench" and set(entry.words) <= set(program):
                return entry
    return None


def run(command, checkout, services):
    """Run a command of a page; a failure tells where it stands and what it said."""
    done = checkout.run(services.here(command.text))
    problem = ""
    if entry := refused(command):
        last = done.stdout.strip().splitlines()[-1:]
        if not done.returncode or not last or not re.match(f"bench: .*{entry.says}", last[0]):
            problem = f"was to be refused for want of {entry.says}"
    elif done.returncode:
        problem = f"exit status {done.returncode}"
    elif missing := checkout.missing(command):
        problem = f"did not write {', '.join(missing)}"
    if problem:
        pytest.fail(f"{command.where}: {command.text}\n{problem}\n{tail(done.stdout)}", False)
