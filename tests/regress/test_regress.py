"""``bench regress`` on the committed baselines, and with one fault of each kind put in."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from motifidelity.metrics import accuracy, declare
from motifidelity.registry import Registry, Result
from motifidelity.regress import trained
from motifidelity.regress.drift import ERROR, compare
from motifidelity.regress.golden import FILE, Golden, Recorded, read_golden, write_golden
from motifidelity.regress.matrix import arrays_path
from motifidelity.regress.observe import READ
from motifidelity.regress.record import LOG
from motifidelity.tasks import generate as generator
from motifidelity.tasks import spec as specs
from motifidelity.tasks.spec import Profile

IN_PROCESS = ("datasets", "definitions", "metrics")


def only(*kinds):
    return [word for kind in kinds for word in ("--only", kind)]


def lines_of(text, kind):
    """The report's lines on one kind."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[1:2] == [kind])
    rest = (i for i, line in enumerate(lines) if i > start and not line.startswith(" "))
    return lines[start : next(rest, len(lines))]


@pytest.mark.parametrize("kinds", [IN_PROCESS, ("files", *READ)])
def test_the_committed_baselines_are_as_recorded(bench, committed, kinds):
    status, out, err = bench("regress", "--against", committed, *only(*kinds))
    assert status == 0, out + err
    # the first line: what the words above leave out, and what is never looked at unasked
    assert out.startswith("Not looked at: ")
    assert "scores of trained networks (--train or --from)" in out.splitlines()[0]
    for kind in kinds:
        (line,) = lines_of(out, kind)
        assert line.startswith("ok ")
        assert int(line.split()[2]) > 10
        # a baseline that is not watched would change without a word
        assert "not recorded" not in line


# one fault of each kind, each with a cause of its own


def test_a_changed_activation_in_a_committed_network_is_named(bench, baselines):
    golden = read_golden(baselines)
    registry = Registry(baselines)
    row = next(
        row
        for row in registry.latest("jobs")["jobs"].to_pylist()
        if row["model"] == "CNN-2" and row["trial"] == 0 and "expo" in row["params"]
        and registry.network(row["arrays_of"] or row["result_id"])
    )  # fmt: skip
    graph = registry.network(row["arrays_of"] or row["result_id"])["graph"]
    # softplus is close to the exponential for what is far below zero, and no more
    code = (
        "import sys; from pathlib import Path; import tensorflow as tf\n"
        "path = Path(sys.argv[1]); graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())\n"
        "(node,) = [node for node in graph.node if node.op == 'Exp']\n"
        "node.op = 'Softplus'; path.write_bytes(graph.SerializeToString())\n"
    )
    subprocess.run([sys.executable, "-c", code, str(graph)], check=True, capture_output=True)
    status, out, _ = bench("regress", "--against", baselines, *only("activations"), "--all")
    assert status == 1
    head, subject, *values = lines_of(out, "activations")
    assert "activations of the committed networks changed on fixed weights and inputs" in head
    assert subject.strip() == "CNN-2 activation=exponential on motif-classes@1"
    assert any("after mean is" in value and "tolerance" in value for value in values)
    assert any("network file is" in value for value in values)
    # what is before the activation, and every other network, stayed
    assert not any("before" in value or "CNN-50" in value for value in values)
    assert len(values) < len([k for k in golden.records if k[1] == subject.strip()])


def test_a_changed_activation_in_a_baseline_s_file_is_named(package_with, few):
    bench = package_with("models/cnn_2.py", '"relu": ops.relu,', '"relu": ops.elu,')
    done = bench("regress", "--against", few, *only("networks", "first-layer"), "--all")
    assert done.returncode == 1, done.stderr
    networks, first = lines_of(done.stdout, "networks"), lines_of(done.stdout, "first-layer")
    assert "the networks that the baselines' files build changed" in networks[0]
    assert any("1 Elu" in line for line in networks)
    assert any("after is of operation is Elu, recorded Relu" in line for line in first)
    subjects = {line.strip() for line in first[1:] if " on " in line and "[" not in line}
    assert subjects == {"CNN-2 activation=relu on motif-classes@1"}


def test_a_broken_pick_of_the_first_layer_is_named(package_with, few):
    # the scan is taken before the activation instead of after it
    bench = package_with(
        "worker/frozen/convolutions.py",
        "after=_activation(graph, head.before)",
        "after=head.before",
    )
    done = bench("regress", "--against", few, *only("networks", "first-layer"), "--all")
    assert done.returncode == 1, done.stderr
    first = lines_of(done.stdout, "first-layer")
    assert "the pick of the first layer changed" in first[0]
    assert any("after is of operation is AddV2, recorded Exp" in line for line in first)
    # the networks themselves are as they were: the cause is the pick
    assert lines_of(done.stdout, "networks")[0].startswith("ok ")


def test_a_swapped_metric_definition_is_named(bench, few, monkeypatch):
    real, other = accuracy.score_accuracy, {"aupr": "paper_aupr", "paper_aupr": "aupr"}

    def swapped(*arguments, **named):
        scores = real(*arguments, **named)
        return [dataclasses.replace(s, metric=other.get(s.metric, s.metric)) for s in scores]

    monkeypatch.setattr(accuracy, "score_accuracy", swapped)
    status, out, _ = bench("regress", "--against", few, *only("metrics", "definitions"))
    assert status == 1
    found = lines_of(out, "metrics")
    assert "the value of a metric changed on stored arrays" in found[0]
    named = {line.split()[0] for line in found if "tolerance" in line}
    assert named == {"aupr", "paper_aupr"}
    assert lines_of(out, "definitions")[0].startswith("ok ")


def test_a_changed_declaration_is_named(bench, few, monkeypatch):
    changed = [
        dataclasses.replace(m, version=m.version + 1, direction="lower") if m.name == "auroc" else m
        for m in declare.all_metrics().values()
    ]
    monkeypatch.setattr(declare, "_declared", lambda: tuple(changed))
    status, out, _ = bench("regress", "--against", few, *only("definitions"))
    assert status == 1
    head, subject, line = lines_of(out, "definitions")
    assert "the declaration of a metric changed" in head
    assert subject.strip() == "auroc"
    assert "lower is better" in line.partition("recorded")[0]


def test_a_changed_dataset_is_named_even_where_the_cache_holds_the_old_one(bench, few, monkeypatch):
    real = generator.generate

    def one_base_off(spec, motifs):
        splits = real(spec, motifs)
        if spec.name == "regulatory-code":
            splits["test"].sequences[5, 17] = (splits["test"].sequences[5, 17] + 1) % 4
        return splits

    monkeypatch.setattr(generator, "generate", one_base_off)
    small = {n: s for n, s in specs.all_specs().items() if s.name == "regulatory-code"}
    monkeypatch.setattr("motifidelity.regress.observe.all_specs", lambda: small)
    status, out, _ = bench("regress", "--against", few, *only("datasets"), "--all")
    assert status == 1
    found = lines_of(out, "datasets")
    assert "a dataset or its specification changed" in found[0]
    changed = [line for line in found if "recorded" in line]
    # both versions have the data
    assert len(changed) == len(small) == 2
    assert all(line.strip().startswith("test sequences is ") for line in changed)


def test_a_network_that_cannot_be_read_is_named_and_the_others_are_still_checked(bench, baselines):
    jobs = Registry(baselines).jobs()
    # of every model and task the first trial is checked
    first = jobs[(jobs["model"] == "CNN-local") & (jobs["trial"] == 0)]
    origin = sorted(first["arrays_of"].fillna(first["result_id"]))[0]
    (baselines / "networks" / origin / "graph.pb").write_bytes(b"nothing of the kind")
    status, out, _ = bench("regress", "--against", baselines, *only("activations"))
    assert status == 1
    assert "could not be observed: " in out
    failed = [line for line in out.splitlines() if line.startswith("  ") and " on " in line]
    assert len({line.strip() for line in failed}) == 1


def test_damaged_arrays_are_named(bench, baselines):
    path = sorted((baselines / "regression").glob("*.npz"))[0]
    path.write_bytes(path.read_bytes()[:1000])
    status, out, _ = bench("regress", "--against", baselines, *only("metrics"))
    assert status == 1
    assert f"stored arrays of {path.stem}" in out
    assert "could not be observed: " in out


# reports


def test_reports_are_written_for_machines_and_for_a_pull_request(bench, baselines, tmp_path):
    golden = read_golden(baselines)
    key = next(key for key in golden.records if key[0] == "definitions")
    write_golden(baselines, Golden({**golden.records, key: Recorded("another")}, golden.measured))
    junit, markdown = tmp_path / "new" / "regress.xml", tmp_path / "regress.md"
    status, _, err = bench(
        *("regress", "--against", baselines, *only("definitions")),
        *("--junit", junit, "--markdown", markdown),
    )
    assert status == 1
    assert (
        f"1 value drifted. If that is intended: bench regress update --against {baselines}" in err
    )
    suites = ET.parse(junit).getroot()
    assert [suite.get("failures") for suite in suites if suite.get("failures", "0") != "0"] == ["1"]
    assert "recorded another" in markdown.read_text()


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (("--only", "activation"), "unknown check 'activation'; did you mean activations", 2),
        (("--against", "{tmp}/none"), "no such file; 'bench regress update --reason", 1),
        (("--against", "{tmp}/damaged"), "damaged", 1),
        (("update", "--against", "{tmp}", "--reason", " "), "needs a reason", 2),
        (("update", "--against", "{tmp}"), "--reason", 2),
        (("measure", "--against", "{tmp}/none"), "no such file", 1),
        (
            ("update", "--against", "{tmp}/none", "--reason", "x", "--only", "activations"),
            "none: no such folder",
            2,
        ),
        (
            ("update", "--against", "{tmp}", "--reason", "x", "--only", "activations"),
            "no frozen network is kept there",
            2,
        ),
    ],
)
def test_wrong_usage_is_one_line(bench, tmp_path, arguments, message, status):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / FILE).write_text("version =")
    code, out, err = bench("regress", *(word.format(tmp=tmp_path) for word in arguments))
    assert (code, out) == (status, "")
    assert message in err
    last = err.strip().splitlines()[-1]
    assert last.startswith("bench: ")


def test_a_report_that_cannot_be_written_is_one_line(bench, few, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = bench(
        *("regress", "--against", few, *only("definitions")),
        *("--junit", tmp_path / "file" / "regress.xml"),
    )
    assert status == 1
    assert "cannot be written" in err


# changing the record


def test_an_update_records_new_values_and_logs_who_and_why(bench, baselines, monkeypatch):
    golden = read_golden(baselines)
    keys = [key for key in golden.records if key[0] == "definitions"]
    changed = {keys[0]: Recorded("another"), ("definitions", "old", "declaration"): Recorded("x")}
    kept = {key: value for key, value in golden.records.items() if key != keys[1]}
    write_golden(baselines, Golden({**kept, **changed}, golden.measured))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "A Maintainer")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "maintainer@example.org")
    before = (baselines / LOG).read_text() if (baselines / LOG).exists() else ""
    line = ("regress", "update", "--against", baselines, *only("definitions"))
    status, out, err = bench(*line, "--reason", "auroc was\n renamed")
    assert status == 0, err
    first, counts = out.splitlines()
    assert first.startswith("Not looked at: datasets, files, activations, networks, first-layer, ")
    assert "scores of trained networks (--train or --from)" in first
    assert counts == "1 changed, 1 added, 1 removed"
    assert read_golden(baselines) == golden
    text = (baselines / LOG).read_text()
    assert text.startswith(before)
    entry = json.loads(text.removeprefix(before))
    assert entry["reason"] == "auroc was renamed"
    assert entry["author"] == "A Maintainer <maintainer@example.org>"
    assert (entry["changed"], entry["added"], entry["removed"]) == (1, 1, 1)
    assert entry["when"].endswith("+00:00")
    bench(*line, "--reason", "again", "--anonymous")
    assert json.loads((baselines / LOG).read_text().splitlines()[-1])["author"] is None


def test_metrics_are_measured_from_repeated_runs_and_stored_with_their_range(
    bench, baselines, monkeypatch
):
    golden = read_golden(baselines)
    real, calls = accuracy.score_accuracy, []

    def drifting(*arguments, **named):
        calls.append(1)
        scores = real(*arguments, **named)
        if len(calls) <= 2:
            return scores
        return [dataclasses.replace(s, value=s.value + 0.001) for s in scores]

    monkeypatch.setattr(accuracy, "score_accuracy", drifting)
    status, _, err = bench("regress", "measure", "--against", baselines, *only("metrics"))
    assert status == 0, err
    found = read_golden(baselines)
    subject = next(key[1] for key in golden.records if key[0] == "metrics")
    record = found.records["metrics", subject, "auroc"]
    assert record.spread == pytest.approx(0.001, rel=0.1)
    assert record.tolerance == pytest.approx(0.01, rel=0.1)
    # values stay as they were recorded, whatever is measured
    assert {k: r.value for k, r in found.records.items()} == {
        k: r.value for k, r in golden.records.items()
    }


def test_a_failure_never_becomes_what_is_expected(bench, baselines):
    before = (baselines / FILE).read_bytes()
    path = sorted((baselines / "regression").glob("*.npz"))[0]
    path.write_bytes(b"damaged")
    line = ("regress", "update", "--against", baselines, *only("metrics"), "--reason", "x")
    status, _, err = bench(*line)
    assert status == 1
    assert "could not be observed" in err
    assert (baselines / FILE).read_bytes() == before


def test_stored_arrays_are_small_and_hold_no_pickle(committed):
    golden = read_golden(committed)
    tasks = {key[1].split()[-1] for key in golden.records if key[0] == "metrics"}
    for task in tasks:
        path = arrays_path(committed, task)
        assert path.stat().st_size < 5 << 20
        with np.load(path, allow_pickle=False) as stored:
            assert {"logits", "explained_logits"} <= set(stored.files)


def test_every_recorded_number_has_a_tolerance_and_nothing_failed_is_recorded(committed):
    golden = read_golden(committed)
    numbers = [r for r in golden.records.values() if isinstance(r.value, float)]
    assert len(numbers) > 100
    # undefined values must stay undefined; all others may move a little
    assert all(r.tolerance > 0 for r in numbers if r.value == r.value)
    # at least twice the range, which is rounded up itself
    assert all(r.tolerance > 1.8 * r.spread or r.spread == 0 for r in numbers)
    assert not any(key[2] == ERROR for key in golden.records)
    assert {key[0] for key in golden.records} <= set(golden.measured)
    assert not any(f.bad for f in compare(golden, {}, ()))


# trained runs


def quick_registry(folder, golden, shift=0.0, status="ok"):
    """A registry of quick results that equals the record, or is off by ``shift``."""
    from motifidelity.registry import schema

    registry = Registry(folder)
    empty = {"string": "", "int32": 0, "int64": 0, "double": 0.0, "timestamp[ms, tz=UTC]": 0}
    for file, activation, task in trained.matrix():
        row = {f.name: empty.get(str(f.type), []) for f in schema.JOBS if not f.nullable}
        subject = next(
            k[1] for k in golden.records if k[0] == "scores" and k[1].endswith(f"on {task.id}")
        )
        row |= {"model": subject.split()[0], "model_file": file, "profile": "quick"}
        row |= {"params": json.dumps({"activation": activation}), "task": subject.split()[-1]}
        row |= {"status": status, "message": "it failed", "job_id": file, "seed": 0}
        scores = []
        for (kind, about, name), record in golden.records.items():
            if (kind, about) == ("scores", subject):
                metric, _, method = name.partition(" [")
                score = {f.name: empty.get(str(f.type)) for f in schema.SCORES if not f.nullable}
                value = float(record.value) + shift
                score |= {"metric": metric, "method": method.rstrip("]") or None, "value": value}
                scores.append(score)
        registry.record(Result(row, scores if status == "ok" else []))
    return folder


@pytest.mark.parametrize(
    ("metric", "step"),
    [
        ("completeness_error", 0.005),
        ("auroc", 0.005),
        ("motifs_found", 1),
        ("match_fraction", 1 / 32),
    ],
)
def test_a_score_moves_by_steps_where_it_is_a_count_or_a_share_of_filters(metric, step):
    assert trained._step(metric, 32) == step


def test_scores_of_trained_runs_are_taken_from_a_registry(bench, few, tmp_path):
    golden = read_golden(few)
    line = ("regress", "--against", few, *only("definitions"), "--from")
    status, out, _ = bench(*line, quick_registry(tmp_path / "same", golden))
    assert status == 0, out
    assert lines_of(out, "scores")[0].startswith("ok ")
    status, out, _ = bench(*line, quick_registry(tmp_path / "off", golden, shift=0.9))
    assert status == 1
    assert "scores of quick trained runs changed" in out
    status, out, _ = bench(*line, quick_registry(tmp_path / "bad", golden, status="model_error"))
    assert status == 1
    assert "could not be observed: model_error: it failed" in out
    status, out, _ = bench(*line, tmp_path)
    assert status == 1
    assert "no result of seed 0 at profile quick; 'bench run --model models/" in out
    status, _, err = bench(*line, tmp_path / "none")
    assert (status, "no such folder" in err) == (1, True)


def test_networks_of_the_matrix_are_trained_here_and_scored(monkeypatch):
    small = {
        name: dataclasses.replace(s, profiles={"quick": Profile("quick", 1, 120, 60, 60, 1, 4)})
        for name, s in specs.all_specs().items()
    }
    monkeypatch.setattr(specs, "all_specs", lambda: small)
    # one of the two, for the time that it takes
    every = trained.matrix()
    monkeypatch.setattr(trained, "matrix", lambda: every[1:])
    found = trained.observe_trained(None, lambda _: None)
    (subject,) = {key[1] for key in found}
    assert subject == "CNN-local activation=exponential on regulatory-code@1"
    assert ("scores", subject, ERROR) not in found
    assert 0 <= found["scores", subject, "auroc"].value <= 1
    # a share of 24 filters moves by one of them, a count by one
    assert found["scores", subject, "match_fraction"].scale == 1 / 24
    assert found["scores", subject, "motifs_found"].scale == 1
    assert found["scores", subject, "auroc"].scale < 0.01
