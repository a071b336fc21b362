"""Tables of what the tasks and the attribution methods are, from their declarations."""

from __future__ import annotations

from itertools import accumulate

from motifidelity.metrics.methods import METHODS
from motifidelity.metrics.truth.grammar import count_distribution
from motifidelity.report.markdown import head, line
from motifidelity.tasks.engine.dataset_recipe import Recipe
from motifidelity.tasks.spec import SPLITS, Population, Profile, TaskSpec, all_specs


def recipe_table(*, by_study: bool) -> str:
    """How the sequences of the study's tasks, or of all others, are made.

    Each has a column; versions may share one.
    """
    every = all_specs().values()
    specs = [spec for spec in every if isinstance(spec.grammar, Recipe) != by_study]
    rows = {
        "outputs": [f"{spec.target}, {len(spec.classes)}" for spec in specs],
        "length": [f"{spec.length} bases" for spec in specs],
        "sequences": [_sequences(spec) for spec in specs],
        "train, validation, test": [
            " / ".join(f"{spec.digests[split]['n']:,}" for split in SPLITS) for spec in specs
        ],
        "pools": [
            ", ".join(f"{name}: {len(ids)} matrices" for name, ids in spec.pools.items())
            for spec in specs
        ],
        ("motifs in a sequence" if by_study else "recipe"): [_counts(spec) for spec in specs],
        "seed": [str(spec.grammar.seed) for spec in specs],
        "a chance site reaches": [
            f"the {spec.scoring.chance_percentile:g}th percentile of implanted log-odds"
            for spec in specs
        ],
    }
    columns: dict[tuple[str, ...], list[str]] = {}
    for spec, *cells in zip(specs, *rows.values(), strict=True):
        columns.setdefault((spec.name, *cells), []).append(f"`{spec.id}`")
    lines = head(["", *(", ".join(names) for names in columns.values())])
    of = zip(rows, *(cells for _, *cells in columns), strict=True)
    return "\n".join([*lines, *(line(cells) for cells in of)])


def _explained(spec: TaskSpec, profile: Profile) -> str:
    negatives = " and as many without a label" if spec.attribution.explain == "all" else ""
    return f"{profile.explained}{negatives}"


def profile_table() -> str:
    """How much of every task a profile runs."""
    headings = ["task", "profile", "trials", *SPLITS, "epochs", "sequences explained", "methods"]
    lines = head(headings)
    for spec in all_specs().values():
        for profile in spec.profiles.values():
            sizes = [f"{spec.size(profile, split):,}" for split in SPLITS]
            lines.append(
                line(
                    [
                        f"`{spec.id}`",
                        profile.name,
                        str(profile.trials),
                        *sizes,
                        f"at most {profile.max_epochs}",
                        _explained(spec, profile),
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


def _sequences(spec: TaskSpec) -> str:
    if isinstance(spec.grammar, Recipe):
        return f"{spec.grammar.sequences:,}"
    return "; ".join(_population(p) for p in spec.grammar.populations)


def _counts(spec: TaskSpec) -> str:
    grammar = spec.grammar
    if isinstance(grammar, Recipe):
        return "; ".join(f"{name}: {said}" for name, said in grammar.facts().items())
    shares = count_distribution(list(accumulate(grammar.count_weights)), grammar.count_offset)
    return ", ".join(f"{number}: {100 * share:.0f} %" for number, share in shares.items())
