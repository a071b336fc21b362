"""What makes a specification no task: each in one line, before anything is generated of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from motifidelity.errors import UserError, unknown
from motifidelity.metrics.declare import all_metrics
from motifidelity.metrics.methods import MEAN_METHOD, METHODS
from motifidelity.metrics.scored import REGRESSION
from motifidelity.metrics.truth.grammar import count_distribution
from motifidelity.tasks.engine.dataset_recipe import ByAffinity, ByNumber, ByRules
from motifidelity.tasks.generate import Split
from motifidelity.tasks.motifs import Motif
from motifidelity.tasks.spec import SPLITS, Grammar, TaskSpec

# what a recipe may monitor
OF_CLASSES, CORRELATIONS = ("aupr", "auroc"), ("pearson",)
TARGETS = ("multi-label", "binary", REGRESSION)


def refuse_unsound(spec: TaskSpec, motifs: Mapping[str, Motif]) -> None:
    """Refuse a specification whose motifs, pools, labels or sizes cannot be what they say.

    Raises
    ------
    UserError
        Naming the value and the remedy.
    """
    try:
        _pools(spec, motifs)
        _sizes(spec)
        if isinstance(spec.grammar, Grammar):
            if spec.target == REGRESSION:
                raise UserError("a 'regression' target comes from [engine.affinity]; add it")
            _populations(spec, spec.grammar, motifs)
        else:
            _contents(spec, spec.grammar.contents)
        _monitor(spec)
    except UserError as error:
        raise UserError(f"task {spec.id}: {error}") from error


def refuse_constant_labels(spec: TaskSpec, splits: Mapping[str, Split]) -> None:
    """Refuse data in which a label never or always occurs, or a target never changes.

    Raises
    ------
    UserError
        Naming the label, the split and the profile, which decides how many sequences are taken.
    """
    for profile in spec.profiles.values():
        for name in SPLITS:
            labels = splits[name].labels[: getattr(profile, name)]
            if spec.target == REGRESSION:
                _refuse_constant(spec, labels, name, profile.name)
                continue
            shares = labels.mean(axis=0) if len(labels) else np.zeros(len(spec.classes))
            for label, share in zip(spec.classes, shares, strict=True):
                if share in (0, 1):
                    raise UserError(
                        f"task {spec.id}: label {label!r} {'always' if share else 'never'} occurs "
                        f"in the {len(labels):,} {name} sequences of profile {profile.name}; take "
                        "more sequences, more motifs, or fewer motifs in a sequence"
                    )


def _refuse_constant(
    spec: TaskSpec, labels: NDArray[np.floating], split: str, profile: str
) -> None:
    if len(labels) < 2 or not np.ptp(labels, axis=0).all():
        raise UserError(
            f"task {spec.id}: the target is the same in all {len(labels):,} {split} sequences of "
            f"profile {profile}; take more sequences, or weights that are not 0"
        )


def _pools(spec: TaskSpec, motifs: Mapping[str, Motif]) -> None:
    for pool, ids in spec.pools.items():
        if not ids:
            raise UserError(f"pool {pool} is empty; give it the id of at least one motif")
        for motif_id in ids:
            if motif_id not in motifs:
                raise UserError(f"pool {pool}: {_unknown_motif(motif_id, motifs)}")
    for definition, table in spec.accepted.items():
        for factor, ids in table.items():
            if not set(ids) & set(motifs):
                shown = _unknown_motif(ids[0], motifs) if ids else "it names no motif"
                raise UserError(f"accepted.{definition}, {factor}: {shown}")


def _unknown_motif(motif_id: str, motifs: Mapping[str, Motif]) -> str:
    """What is said of an id that is none; who gave a name is told its ids."""
    named = [i for i, motif in motifs.items() if motif.name.lower() == motif_id.lower()]
    if named:
        return f"unknown motif '{motif_id}'; did you mean {' or '.join(named[:3])}?"
    said = str(unknown("motif", motif_id, motifs))
    # a release has hundreds
    return said if len(said) < 200 else f"unknown motif '{motif_id}'; take an id of [motifs]"


def _sizes(spec: TaskSpec) -> None:
    if not spec.classes or len(set(spec.classes)) < len(spec.classes):
        raise UserError("classes: name each once, and at least one")
    if spec.target not in TARGETS:
        raise UserError(f"target {spec.target!r}: choose one of {', '.join(TARGETS)}")
    if spec.target in ("binary", REGRESSION) and len(spec.classes) != 1:
        raise UserError(f"a {spec.target} target has one class, not {len(spec.classes)}")
    if min(spec.splits) <= 0 or abs(sum(spec.splits) - 1) > 1e-6:
        raise UserError(
            f"splits {', '.join(map(str, spec.splits))}: each must be above 0, and their sum 1"
        )
    chosen = [name for p in spec.profiles.values() for name in p.methods or ()]
    for name in (*spec.attribution.methods, *chosen):
        if name not in METHODS:
            raise unknown("attribution method", name, METHODS)
    for headline in spec.headlines:
        if headline.metric not in all_metrics():
            raise unknown("metric", headline.metric, all_metrics())
        metric = all_metrics()[headline.metric]
        if headline.method == MEAN_METHOD and (
            metric.chance is None or metric.direction != "higher"
        ):
            raise UserError(
                f"headline {headline.metric}: a mean over methods is of a score that has a chance "
                "level and is better where it is higher; name one method"
            )
    for name in chosen:
        if name not in spec.attribution.methods:
            raise UserError(f"method {name} of a profile has no settings in [attribution.methods]")


def _contents(spec: TaskSpec, contents: ByRules | ByNumber | ByAffinity) -> None:
    if isinstance(contents, ByAffinity) != (spec.target == REGRESSION):
        made = "a 'regression'" if isinstance(contents, ByAffinity) else "no 'regression'"
        raise UserError(f"target {spec.target!r}: its [engine] makes {made} target")
    if isinstance(contents, ByAffinity):
        return
    if isinstance(contents, ByNumber):
        if spec.target != "binary":
            raise UserError(f"target {spec.target!r}: [engine.number] makes a 'binary' one")
        return
    names = [rule.name for rule in contents.rules]
    if list(spec.classes) != names:
        raise UserError(
            f"classes {', '.join(spec.classes)}: name the rules, in their order: {', '.join(names)}"
        )


def _monitor(spec: TaskSpec) -> None:
    takes = CORRELATIONS if spec.target == REGRESSION else OF_CLASSES
    if spec.fit.monitor not in takes:
        raise UserError(
            f"monitor {spec.fit.monitor!r} is no validation score of a {spec.target} target; "
            f"choose one of {', '.join(takes)}"
        )


def _populations(spec: TaskSpec, grammar: Grammar, motifs: Mapping[str, Motif]) -> None:
    if grammar.count_weights[:1] != (0,):
        raise UserError("count_weights: the first one must be 0; put a 0 before the shares")
    counts = count_distribution(np.cumsum(grammar.count_weights).tolist(), grammar.count_offset)
    # weights like .6, .3, .1 fall short of 1 by a rounding error
    most = max((count for count, share in counts.items() if share > 1e-9), default=0)
    if most < 1:
        raise UserError("count_weights: they give no motif to any sequence; give one a share")
    for population in grammar.populations:
        for pool in population.pools:
            if pool not in spec.pools:
                raise unknown("pool", pool, spec.pools)
        widest = max(
            (motifs[i] for pool in population.pools for i in spec.pools[pool]),
            key=lambda motif: motif.width,
        )
        if most * widest.width >= spec.length:
            raise UserError(
                f"{most} motifs of up to {widest.width} bases ({widest.id}) do not fit in a length "
                f"of {spec.length}; take fewer motifs, narrower ones, or longer sequences"
            )
        label, bits = population.label, len(spec.classes)
        if isinstance(label, str):
            if label != "picked":
                raise unknown("label", label, ["picked"])
            if population.pools != ("core",) or len(spec.pools["core"]) != bits:
                raise UserError(
                    f"label 'picked' is one class a motif of pool core alone, which has "
                    f"{len(spec.pools['core'])} and the task {bits} classes; make these as many"
                )
        elif len(label) != bits or set(label) - {0, 1}:
            raise UserError(f"label {list(label)}: give one 0 or 1 for each of {bits} classes")
