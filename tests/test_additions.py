"""Adding a metric, an attribution method or a task is adding one file."""

from __future__ import annotations

import json
import sys
import textwrap
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
import registry_rows as rr

from motifidelity.metrics import declare
from motifidelity.registry import Registry, Result
from motifidelity.regress import trained
from motifidelity.report.draw import draw_leaderboard
from motifidelity.report.tables import DocumentTables
from motifidelity.runs.ceilings import random_arrays, record_references
from motifidelity.runs.recording import filter_rows, score_rows
from motifidelity.scoring.evidence import gather_evidence
from motifidelity.scoring.score import score_job
from motifidelity.scoring.truth import Truth, present_classes
from motifidelity.tasks import spec as specs
from motifidelity.tasks.dataset import load_dataset
from motifidelity.worker.probing import attribution

METRIC = """
    from motifidelity.metrics.declare import Metric, Score
    from motifidelity.metrics.scored import MapScorer, NetworkScorer

    METRICS = (
        Metric("logit_range", "accuracy", "standard", "neutral", 0.0, None, None, 1, "ours",
               "How far apart the logits are."),
        Metric("map_peak", "attribution", "standard", "higher", None, None, None, 1, "ours",
               "Largest entry of a map.", own_network=True),
    )

    def spread(network):
        return [Score("logit_range", float(network.logits.max() - network.logits.min()))]

    def peak(found):
        return [Score("map_peak", float(found.maps.max()), method=found.method.name)]

    SCORERS = (NetworkScorer(spread), MapScorer(peak))
"""
METHOD = """
    import numpy as np

    from motifidelity.worker.probing.attribution.result import AttributionResult, Method

    def letters(network, one_hot, settings, report):
        return AttributionResult(np.repeat(one_hot[..., None], network.classes, axis=3))

    METHODS = (
        Method(
            letters,
            name="letter_presence",
            label="Letters alone",
            summary="one at the letter that is there",
            meaning="one, whatever the network has learned",
            base="observed",
            reason="it is the sequence itself",
        ),
    )
"""


def forget():
    """Let what is found by a walk through packages be found anew."""
    declare.modules.cache_clear()
    specs.all_specs.cache_clear()
    attribution.METHODS.clear()
    attribution.METHODS.update(attribution.find_methods())


@pytest.fixture(scope="module")
def extended(tmp_path_factory, spec_texts):
    """A file beside those of each of three packages, from a folder that is no package's own."""
    text = spec_texts["regulatory-code@1"].partition("[digests.train]")[0]
    text = text.replace("sequences = 10000", "sequences = 30")
    text = text.replace('name = "regulatory-code"', 'name = "toy-code"')
    text = text.replace("[attribution.methods]", "[attribution.methods]\nletter_presence = {}")
    files = {
        "motifidelity.metrics": ("logit_range.py", METRIC),
        "motifidelity.worker.probing.attribution": ("letter_presence.py", METHOD),
        "motifidelity.tasks": ("toy_code_1.toml", text),
    }
    loaded = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        for name, (file, content) in files.items():
            folder = tmp_path_factory.mktemp("added")
            (folder / file).write_text(textwrap.dedent(content), encoding="utf-8")
            package = import_module(name)
            patch.setattr(package, "__path__", [*package.__path__, str(folder)])
        forget()
        yield folder / file
    for name in set(sys.modules) - loaded:
        if name.endswith((".logit_range", ".letter_presence")):
            del sys.modules[name]
    forget()


@pytest.fixture(scope="module")
def locked(extended):
    """The task's file, once its data are locked."""
    from motifidelity.tasks.lock import lock

    lock(extended)
    forget()
    return extended


@pytest.fixture(scope="module")
def scored(locked, tmp_path_factory):
    """A registry with a network of the new task, explained by the new method; and its arrays."""
    spec = specs.find_spec("toy-code")
    truth = Truth(load_dataset(spec), spec.profile("full"))
    out = tmp_path_factory.mktemp("maps")
    one_hot = np.eye(4, dtype=np.float32)[truth.test.sequences[truth.explained]]
    network = SimpleNamespace(classes=len(spec.classes))
    written = attribution.write_maps(
        network, one_hot, {"letter_presence": {}}, out, lambda *_, **__: None
    )
    assert np.load(out / "letter_presence.npy").shape == (*one_hot.shape, 1)
    arrays = present_classes(truth, {**random_arrays(truth), **written})
    scores = score_job(truth, arrays)
    row = rr.row("jobs", full=False, status="ok", task=spec.id, task_digest=spec.digest)
    row |= {"dataset_digest": spec.dataset_digest, "profile": "full", "model": "Toy"}
    row |= {"params": json.dumps({"activation": "relu"}), "division": "closed"}
    row |= {"backend": "tensorflow", "isolation": "container", "job_id": "c" * 24}
    registry = Registry(tmp_path_factory.mktemp("registry") / "registry")
    evidence = gather_evidence(truth, arrays)
    registry.record(Result(row, score_rows(scores.scores), filter_rows(scores), evidence=evidence))
    record_references(registry, [truth])
    return SimpleNamespace(registry=registry, arrays=arrays, scores=scores.scores)


@pytest.fixture(scope="module")
def pages(scored):
    """All pages of the registry as one text."""
    index = draw_leaderboard(scored.registry)
    return {path.name: path.read_text("utf-8") for path in index.parent.rglob("*.html")}


@pytest.fixture(scope="module")
def tables(scored):
    return DocumentTables(scored.registry)


def test_a_metric_is_scored_shown_and_documented(scored, pages, tables):
    found = {(s.metric, s.method): s.value for s in scored.scores if s.target is None}
    assert found["logit_range", None] == pytest.approx(np.ptp(scored.arrays["logits"]))
    assert found["map_peak", "letter_presence"] == 1
    # after all that were there before, of a network and of each method
    of_network = [s.metric for s in scored.scores if s.method in (None, "filter", "pwm")]
    assert of_network[-1] == "logit_range"
    stored = {row["metric"]: row for row in scored.registry.latest("scores")["scores"].to_pylist()}
    assert stored["logit_range"]["family"] == "accuracy"
    assert any("logit_range" in text for text in pages.values())
    assert "| `logit_range` | 0 to any | neutral | depends | How far apart the logits are. |" in (
        tables.table("metrics accuracy")
    )
    # it says of itself that a ceiling bounds nothing
    row = next(r for r in tables.table("scale toy-code").splitlines() if "`map_peak`" in r)
    assert row.split("|")[-2].strip() == "–"


def test_a_method_is_scored_shown_and_documented(scored, pages, tables):
    found = {(s.metric, s.method): s.value for s in scored.scores if s.target is None}
    # every base is as important as any other
    assert found["attribution_auroc", "letter_presence"] == 0.5
    # it says nothing of letters that are not there, has no completeness and is none of the study's
    for metric in ("pwm_cosine", "completeness_error", "paper_attribution_auroc"):
        assert (metric, "letter_presence") not in found
    (page,) = (text for text in pages.values() if "one, whatever the network has learned" in text)
    assert "Letters alone" in page
    assert (
        "| `letter_presence` | Letters alone | one at the letter that is there | "
        "at the letter there |"
    ) in tables.table("methods")


def test_a_task_is_locked_scored_shown_and_documented(
    bench, locked, tiny_spec, scored, pages, tables
):
    spec = specs.find_spec("toy-code@1")
    # the digests of an independent computation over the same recipe
    assert spec.digests == tiny_spec.digests
    assert "toy-code" in specs.latest_specs()
    before = locked.read_text("utf-8")
    status, out, _ = bench("tasks", "lock", locked)
    assert (status, locked.read_text("utf-8")) == (0, before)
    assert f"toy-code@1 is locked: 42 train, 6 valid, 12 test; digest {spec.digest}" in out

    assert any(text.count("toy-code@1") for text in pages.values())
    assert "`toy-code@1`" in tables.table("tasks")
    assert "| `toy-code@1` | full | 10 |" in tables.table("profiles")
    (row,) = tables.table("results toy-code").splitlines()[2:]
    assert row.startswith("| Toy relu | 1 |")
    assert tables.table("filters toy-code@1").splitlines()[2].startswith("| Toy relu | 1 |")
    assert ("cnn_local.py", "exponential", spec) in trained.matrix()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seed = 22", "seed = 23"), "it is locked to other data, and a published task is immutab"),
        (("length = 200\n", ""), "there is no length; add it"),
        (("version = 1", "version = ="), "no specification: Invalid value"),
    ],
)
def test_a_file_that_cannot_be_locked_is_refused_in_one_line(
    bench, locked, tmp_path, change, message
):
    path = tmp_path / "other.toml"
    text = locked.read_text("utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    status, _, err = bench("tasks", "lock", path)
    assert (status, len(err.splitlines())) == (2, 1)
    assert f"task {path}: {message}" in err


def test_a_task_without_digests_says_how_to_lock_it(tmp_path, locked):
    path = tmp_path / "draft.toml"
    path.write_text(locked.read_text("utf-8").partition("[digests.train]")[0], encoding="utf-8")
    with pytest.raises(specs.UserError, match=f"no digests; 'bench tasks lock {path}' writes"):
        specs.read_spec(path)
