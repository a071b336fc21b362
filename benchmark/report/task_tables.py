"""Tables of what the tasks and the attribution methods are, from their declarations."""

from __future__ import annotations

from itertools import accumulate

from motifidelity.metrics.methods import METHODS
from motifidelity.metrics.truth.grammar import count_distribution
from motifidelity.report.markdown import head, line
from motifidelity.tasks.spec import SPLITS, Population, TaskSpec, all_specs


def recipe_table() -> str:
    """How the sequences of every task are made, a column each."""
    specs = list(all_specs().values())
    rows = {
        "outputs": [f"{spec.target}, {len(spec.classes)}" for spec in specs],
        "length": [f"{spec.length} bases" for spec in specs],
        "sequences": [
            "; ".join(_population(p) for p in spec.grammar.populations) for spec in specs
        ],
        "train, validation, test": [
            " / ".join(f"{spec.digests[split]['n']:,}" for split in SPLITS) for spec in specs
        ],
        "pools": [
            ", ".join(f"{name}: {len(ids)} matrices" for name, ids in spec.pools.items())
            for spec in specs
        ],
        "motifs in a sequence": [_counts(spec) for spec in specs],
        "seed": [str(spec.grammar.seed) for spec in specs],
        "a chance site reaches": [
            f"the {spec.scoring.chance_percentile:g}th percentile of implanted log-odds"
            for spec in specs
        ],
    }
    lines = head(["", *(f"`{spec.id}`" for spec in specs)])
    return "\n".join([*lines, *(line([name, *cells]) for name, cells in rows.items())])


def profile_table() -> str:
    """How much of every task a profile runs."""
    headings = ["task", "profile", "trials", *SPLITS, "epochs", "sequences explained", "methods"]
    lines = head(headings)
    for spec in all_specs().values():
        for profile in spec.profiles.values():
            sizes = [f"{getattr(profile, split) or spec.digests[split]['n']:,}" for split in SPLITS]
            lines.append(
                line(
                    [
                        f"`{spec.id}`",
                        profile.name,
                        str(profile.trials),
                        *sizes,
                        f"at most {profile.max_epochs}",
                        str(profile.explained),
                        str(len(spec.methods(profile))),
                    ]
                )
            )
    return "\n".join(lines)


def method_table() -> str:
    """Every attribution method: what its map is, and how a base's importance is read off it."""
    asked = {name for spec in all_specs().values() for name in spec.attribution.methods}
    lines = head(["method", "written", "map", "importance of a base"])
    for name, method in METHODS.items():
        summary = method.summary + ("" if name in asked else "; in no specification")
        if method.base == "norm":
            base = "L2 norm over letters"
        else:
            adds_up = method.complete and not method.paper_maps
            base = "contribution of the letter there" if adds_up else "at the letter there"
        lines.append(line([f"`{name}`", method.label, summary, base]))
    return "\n".join(lines)


def _population(population: Population) -> str:
    label = population.label
    said = "the picked motifs" if isinstance(label, str) else ", ".join(map(str, label))
    pools = " and ".join(population.pools)
    return f"{population.sequences:,} of {pools}, label {said}"


def _counts(spec: TaskSpec) -> str:
    grammar = spec.grammar
    shares = count_distribution(list(accumulate(grammar.count_weights)), grammar.count_offset)
    return ", ".join(f"{number}: {100 * share:.0f} %" for number, share in shares.items())
