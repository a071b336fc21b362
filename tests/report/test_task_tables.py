"""Tables of the tasks, against the study's own description."""

from __future__ import annotations

from motifidelity.report.task_tables import profile_table, recipe_table


def cells(table):
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_recipe_is_the_study_s():
    rows = {name: tuple(row) for name, *row in cells(recipe_table(by_study=True))}
    # a version that only scores differently has the same recipe
    names = ("motif-classes", "regulatory-code")
    assert rows[""] == tuple(f"`{name}@1`, `{name}@2`" for name in names)
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


def test_the_other_recipes_are_told_by_what_they_draw():
    rows = {name: dict(zip(order, row, strict=True)) for order, name, row in recipes()}
    assert set(rows["recipe"]) == {"hard-negatives@1", "motif-grammar@1", "site-affinity@1"}
    assert rows["length"]["motif-grammar@1"] == "250 bases"
    assert set(rows["train, validation, test"].values()) == {"14,000 / 2,000 / 4,000"}
    # a fact each, of different tables of the specification
    assert "42% to 52% G and C" in rows["recipe"]["hard-negatives@1"]
    assert "4 to 9 bases between MA0058.3 and MA0083.3" in rows["recipe"]["motif-grammar@1"]
    assert "MA0466.2 with MA0502.1 1.8" in rows["recipe"]["site-affinity@1"]


def recipes():
    (_, *names), _, *rows = cells(recipe_table(by_study=False))
    order = [name.strip("`") for name in names]
    return [(order, name, row) for name, *row in rows]
