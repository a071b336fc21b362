"""Small specifications whose data the engine draws, of the matrices that the suite has."""

from __future__ import annotations

import json
import re

RULES = """[engine]
seed = 5
sequences = 400
temperature = [0.5, 0.5]

[engine.rules]
satisfied = 0.5
violated = 0.25
one = 0.2
none = 0.05

[[engine.rules.rule]]
kind = "repressor"
first = "MA0137.3"
second = "MA0466.2"

[[engine.rules.rule]]
kind = "orientation"
first = "MA0079.3"
second = "MA0502.1"
gap = [2, 12]
"""

NUMBER = """[engine]
seed = 6
sequences = 400
temperature = [1.0, 1.0]

[engine.background]
order = 1
gc = [0.42, 0.52]

[engine.background.counts]
AA = 97
AC = 50
AG = 70
AT = 77
CA = 73
CC = 52
CG = 10
GA = 60
GC = 43
TA = 65

[engine.number]
sites = [2, 4]
positives = 0.5
negatives = ["permuted", "look-alike", "mutated"]

[[engine.extra]]
name = "gc-65"
sequences = 60
gc = [0.65, 0.65]

[[engine.extra]]
name = "outer-sites"
sequences = 60
number = [2, 2]
ends = 20

[[engine.extra]]
name = "decoys"
sequences = 20
mixed = ["true", "true", "permuted", "look-alike", "mutated"]
"""

AFFINITY = """[engine]
seed = 7
sequences = 400
temperature = [0.5, 1.25]

[engine.affinity]
probability = 0.6
noise = 0.11
centre = 0.9
scale = 0.6

[engine.affinity.weights]
"MA0079.3" = 1.0
"MA0062.2" = 0.9
"MA0095.2" = -0.8

[engine.affinity.offsets]
"MA0079.3" = 6.0
"MA0062.2" = 7.0
"MA0095.2" = 6.5

[[engine.affinity.cooperation]]
first = "MA0079.3"
second = "MA0062.2"
weight = 0.5
"""

POOLS = {
    RULES: {"core": ["MA0137.3", "MA0466.2", "MA0079.3", "MA0502.1"]},
    NUMBER: {"core": ["MA0079.3", "MA0466.2"], "relatives": ["MA0599.1", "MA0043.2"]},
    AFFINITY: {"core": ["MA0079.3", "MA0062.2", "MA0095.2"]},
}
CLASSES = {RULES: ["repressor", "orientation"], NUMBER: ["bound"], AFFINITY: ["activity"]}
TARGETS = {RULES: "multi-label", NUMBER: "binary", AFFINITY: "regression"}
NAMES = {RULES: "some-rules", NUMBER: "some-decoys", AFFINITY: "some-affinities"}


def engine_text(study: str, engine: str) -> str:
    """The text of a specification without digests.

    Parameters
    ----------
    study : str
        That of a task of the study, which all else is taken from.
    engine : str
        `RULES`, `NUMBER` or `AFFINITY`.
    """
    text = study[: study.index("[digests.")]
    pools = "\n".join(f"{name} = {json.dumps(ids)}" for name, ids in POOLS[engine].items())
    changes = {
        r"^name = .*$": f'name = "{NAMES[engine]}"',
        r"^version = .*$": "version = 1",
        r"^supersedes = .*\n": "",
        r"^target = .*$": f'target = "{TARGETS[engine]}"',
        r"^classes = .*$": f"classes = {json.dumps(CLASSES[engine])}",
        r"^by_class = .*\n": "",
    }
    if TARGETS[engine] == "regression":
        changes[r"^monitor = .*$"] = 'monitor = "pearson"'
    for pattern, value in changes.items():
        text = re.sub(pattern, lambda _, value=value: value, text, flags=re.MULTILINE)
    for table, value in (("pools", f"[pools]\n{pools}\n\n"), ("grammar", f"{engine}\n")):
        # up to the next table that is none of its own
        pattern = rf"^\[{table}\].*?(?=^\[(?!\[?{table}))"
        text = re.sub(pattern, lambda _, value=value: value, text, flags=re.M | re.S)
    names = "\n".join(f'"{one}" = ["{one}"]' for one in POOLS[engine]["core"])
    accepted = "".join(f"[accepted.{one}]\n{names}\n\n" for one in ("paper", "corrected"))
    return text[: text.index("[accepted.")] + accepted
