"""Every fenced block has a tag that says how it is tested, so that none escapes."""

from __future__ import annotations

import tomllib

import pytest
from blocks import PAGES, Block, blocks, commands, file_of, name_of

TAGS = ("sh", "python", "toml", "diff", "text")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is_and_is_that(page):
    for block in blocks(page):
        assert block.tag in TAGS, (
            f"{block.where}: a block tagged {block.tag!r}; known are {', '.join(TAGS)}"
        )
        if block.tag == "python":
            compile(block.text, block.where, "exec")
        elif block.tag == "toml":
            tomllib.loads(block.text)
        elif block.tag == "sh":
            assert list(commands(block)), f"{block.where}: no command"


def test_commands_are_read_as_a_shell_reads_them():
    text = """\
# a comment alone
export A=1 B=2
bench run --model x.py \\
    -- run > out.txt   # with a comment
bench results sql "select 1
                   from jobs" --registry r

A=1 pip install 'x[y]' && docker push x
"""
    page = PAGES[0]
    found = list(commands(Block(page, "sh", 10, text)))
    assert [command.where for command in found] == [f"README.md:{n}" for n in (11, 12, 14, 17)]
    assert found[1].programs == [["bench", "run", "--model", "x.py", "--", "run", ">", "out.txt"]]
    assert found[2].programs[0][3].startswith("select 1\n")
    assert found[3].programs == [["pip", "install", "x[y]"], ["docker", "push", "x"]]


def test_a_python_block_whose_docstring_names_a_file_is_that_file():
    page = PAGES[0]
    assert (
        file_of(Block(page, "python", 1, '"""my_model.py - one file"""\nx = 1\n')) == "my_model.py"
    )
    assert file_of(Block(page, "python", 1, '"""Not a file."""\n')) is None
    assert file_of(Block(page, "python", 1, "x = 1\n")) is None
