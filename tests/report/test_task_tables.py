"""Tables of the tasks, against the study's own description."""

from __future__ import annotations

from motifidelity.report.task_tables import profile_table, recipe_table


def cells(table):
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_recipe_is_the_study_s():
    rows = {name: (classes, code) for name, classes, code in cells(recipe_table())}
    assert rows[""] == ("`motif-classes@1`", "`regulatory-code@1`")
    assert rows["motifs in a sequence"] == (
        "1: 50 %, 2: 25 %, 3: 17 %, 4: 5 %, 5: 3 %",
        "3: 50 %, 4: 25 %, 5: 17 %, 6: 5 %, 7: 3 %",
    )
    assert rows["train, validation, test"] == (
        "21,000 / 3,000 / 6,000",
        "14,000 / 2,000 / 4,000",
    )
    assert rows["pools"] == ("core: 12 matrices", "core: 5 matrices, background: 50 matrices")
    assert rows["seed"] == ("33", "22")


def test_a_profile_without_a_size_runs_the_whole_split():
    rows = {tuple(row[:2]): row[2:] for row in cells(profile_table())[2:]}
    full = rows["`regulatory-code@1`", "full"]
    assert full[:6] == ["10", "14,000", "2,000", "4,000", "at most 100", "500"]
    quick = rows["`motif-classes@1`", "quick"]
    assert quick == ["1", "6,000", "500", "1,000", "at most 10", "20", "4"]
