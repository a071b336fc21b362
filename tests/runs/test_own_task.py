"""A user's own task from its motif file to its page, and what any machine knows of it later."""

from __future__ import annotations

import shutil
import textwrap

import pytest

from motifidelity.registry import Registry
from motifidelity.registry.audit import audit
from motifidelity.report.draw import draw_leaderboard
from motifidelity.tasks import spec as specs
from motifidelity.tasks.draft import write_draft

MODEL = """
    import keras
    from keras import layers

    MODEL = dict(name="Tiny", authors="A. Author", license="MIT")

    def build_model(task, *, units=8):
        x = inputs = keras.Input(task.input_shape)
        x = layers.Conv1D(units, 9, padding="same", activation="exponential")(x)
        x = layers.GlobalMaxPooling1D()(x)
        return keras.Model(inputs, layers.Dense(task.num_outputs)(x))
"""
MEME = "MEME version 4\n\nALPHABET= ACGT\n\n"
SITES = {"left": "ACAGTCAG", "right": "GGCTTAGAT"}
SMALLER = {
    "length = 200": "length = 60",
    "sequences = 10000": "sequences = 400",
    "max_epochs = 15": "max_epochs = 2",
    "explained = 20": "explained = 4",
    '"saliency", "gradient_corrected", "ism", "random"': '"saliency", "random"',
    "tested = 20": "tested = 2",
    "perturbations = 50": "perturbations = 3",
    '["GC content", "6-mer regression"]': "[]",
    'readings = ["own", "signed", "magnitude"]': 'readings = ["own"]',
}


def meme():
    text = MEME
    for name, site in SITES.items():
        rows = "".join(" ".join("0.97" if a == b else "0.01" for b in "ACGT") + "\n" for a in site)
        text += f"MOTIF {name}\nletter-probability matrix: alength= 4 w= {len(site)}\n{rows}\n"
    return text


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch):
    """A process that has met no task but the suite's."""
    monkeypatch.setattr(specs, "_OWN", {})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a model, motifs, a locked task, and a registry with a result of it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "tiny.py").write_text(textwrap.dedent(MODEL))
    (folder / "mine.meme").write_text(meme())
    write_draft(folder / "two-sites.toml", motifs=folder / "mine.meme")
    text = (folder / "two-sites.toml").read_text()
    for old, new in SMALLER.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "two-sites.toml").write_text(text)
    return folder


@pytest.fixture
def run(bench, made, monkeypatch):
    monkeypatch.chdir(made)

    def run(*arguments, status=0):
        found, out, err = bench(*arguments)
        assert found == status, err
        return out + err if status else out

    return run


@pytest.fixture
def results(run, made):
    """The registry of one run, made once."""
    if not (made / "results").exists():
        said = run("tasks", "lock", "two-sites.toml")
        assert said.startswith("two-sites@1 is locked: 280 train, 40 valid, 80 test; digest ")
        line = ("--task", "two-sites.toml", "--profile", "quick", "--registry", "results")
        run("run", "--model", "tiny.py", *line)
        specs._OWN.clear()
    return Registry(made / "results")


def pages(registry, out):
    draw_leaderboard(registry, out)
    return {f.relative_to(out).as_posix(): f.read_text("utf-8") for f in out.rglob("*.html")}


def test_a_run_of_the_file_is_recorded_with_what_the_task_was_read_from(results, made):
    tables = results.tables()
    assert set(tables.jobs["task"]) == {"two-sites@1"}
    assert set(tables.jobs["status"]) == {"ok"}
    assert set(tables.jobs["model"]) == {"Tiny", "Oracle", "Random"}
    (digest,) = set(tables.jobs["task_digest"])
    kept = results.folder / "tasks" / f"two-sites@1-{digest[:12]}"
    assert (kept / "task.toml").read_text() == (made / "two-sites.toml").read_text()
    assert (kept / "motifs").read_text() == meme()
    assert audit(results.store).ok
    oracle = tables.jobs[tables.jobs["model"] == "Oracle"]["job_id"].item()
    scores = tables.scores[tables.scores["job_id"] == oracle].set_index(["metric", "target"])
    areas = scores.loc["auroc"]["value"]
    assert areas.min() > 0.98  # nearly every site is there to be seen


@pytest.mark.parametrize("place", ["packed", "s3"])
def test_another_machine_draws_recipe_and_motifs_from_the_registry_alone(
    place, results, run, tmp_path, request
):
    target = request.getfixturevalue("s3") if place == "s3" else tmp_path / "copy"
    run("registry", "merge", results.folder, "--registry", target)
    if place == "packed":
        run("registry", "compact", "--registry", target)
        run("registry", "merge", target, "--registry", tmp_path / "packed")
        target = tmp_path / "packed"
    run("registry", "verify", "--registry", target)
    specs._OWN.clear()
    found = pages(Registry(target), tmp_path / "page")
    (page,) = (text for name, text in found.items() if name.startswith("tasks/two-sites-1-"))
    assert "mine.meme, and JASPAR2016 CORE vertebrates" in page
    assert "Which of 2 motifs stand in a sequence." in page
    for name in SITES:
        assert name in page
    assert "does not hold this task" not in page
    (board,) = (text for name, text in found.items() if name.startswith("boards/two-sites-1-"))
    assert "F1 of the filters" in board
    assert "two-sites@1" in run("results", "--registry", target, "--task", "two-sites")


def test_a_kept_result_is_scored_again_without_the_file(results, run, tmp_path):
    shutil.copytree(results.folder, tmp_path / "copy")
    said = run("rescore", "--registry", tmp_path / "copy")
    assert "1 result scored again" in said
    rows = Registry(tmp_path / "copy").every("jobs")["jobs"].to_pylist()
    (row,) = (row for row in rows if row["arrays_of"])
    assert {f["path"] for f in row["files"] if f["path"].startswith("tasks/")} == {
        f"tasks/two-sites@1-{row['task_digest'][:12]}/{name}" for name in ("task.toml", "motifs")
    }
    assert audit(Registry(tmp_path / "copy").store).ok


def test_a_task_that_was_changed_needs_another_version_or_registry(results, run, made, tmp_path):
    text = (made / "two-sites.toml").read_text().partition("\n[digests")[0]
    changed = text.replace("seed = 1 ", "seed = 2 ")
    (tmp_path / "two-sites.toml").write_text(changed)
    (tmp_path / "next.toml").write_text(changed.replace("version = 1", "version = 2"))
    shutil.copy(made / "mine.meme", tmp_path)
    line = ("run", "--model", "tiny.py", "--profile", "quick", "--registry", "results", "--task")
    assert "no digests; 'bench tasks lock" in run(*line, tmp_path / "two-sites.toml", status=2)
    for file in ("two-sites", "next"):
        run("tasks", "lock", tmp_path / f"{file}.toml")
    said = run(*line, tmp_path / "two-sites.toml", status=2)
    assert "two-sites@1: registry results has results of another specification" in said
    run(*line, tmp_path / "next.toml", "--dry-run")


def test_a_model_of_another_length_is_refused_by_check_and_by_run(results, run, made):
    text = (made / "tiny.py").read_text()
    (made / "long.py").write_text(text.replace("task.input_shape", "(200, 4)"))
    said = run("run", "--model", "long.py", "--task", "two-sites.toml", status=2)
    assert "long.py:8: the network does not take sequences of shape (60, 4)" in said
    assert "(two-sites@1); begin with keras.Input(task.input_shape)" in said
    said = run("check", "long.py", "--task", "two-sites.toml", status=1)
    assert "the network does not take sequences of shape (60, 4)" in said


def test_a_damaged_task_is_named_by_verify_and_its_results_are_shown_without_recipe(
    results, run, tmp_path
):
    shutil.copytree(results.folder, tmp_path / "copy")
    (kept,) = (tmp_path / "copy" / "tasks").iterdir()
    (kept / "task.toml").write_text("damaged")
    copy = Registry(tmp_path / "copy")
    found = pages(copy, tmp_path / "page")
    (page,) = (text for name, text in found.items() if name.startswith("tasks/two-sites-1-"))
    assert "does not hold this task" in page
    assert [p.kind for p in audit(copy.store).problems] == ["changed"]


def test_what_a_killed_writer_left_of_a_task_is_no_foreign_file(results, tmp_path):
    shutil.copytree(results.folder / "tasks", tmp_path / "copy" / "tasks")
    report = audit(Registry(tmp_path / "copy").store)
    assert report.ok
    assert len(report.unfinished) == 2


def test_show_and_verify_take_the_file(results, run):
    said = run("tasks", "show", "two-sites.toml")
    assert "Pool        core: left left, right right" in said
    assert "12 of 12 digests match their lock" in run("tasks", "verify", "two-sites.toml")


def test_a_submission_is_verified_with_the_file_of_whoever_verifies(results, run, tmp_path):
    run("submit", "tiny.py", "--registry", "results", "--out", tmp_path / "submitted")
    specs._OWN.clear()
    line = ("verify", tmp_path / "submitted", "--digests-only")
    assert "unknown task 'two-sites@1'" in run(*line, status=1)
    said = run(*line, "--task", "two-sites.toml")
    assert "Tier: self-reported" in said


def test_a_regression_of_a_user_s_own_is_run_and_has_a_page(run, made, tmp_path, monkeypatch):
    run("tasks", "new", "some-values.toml", "--template", "affinity")
    text = (made / "some-values.toml").read_text()
    methods = {'"saliency", "gradient_corrected", "ism", "random"': '"ism", "random"'}
    kept = ("length = 200", '["GC content", "6-mer regression"]')
    for old, new in (SMALLER | methods).items():
        if old not in kept:
            assert old in text, old
            text = text.replace(old, new)
    (made / "some-values.toml").write_text(text)
    assert "280 train, 40 valid, 80 test" in run("tasks", "lock", "some-values.toml")
    assert "the best validation r," in run("tasks", "show", "some-values.toml")
    line = ("--task", "some-values.toml", "--profile", "quick", "--registry", "values")
    sigmoid = (
        (made / "tiny.py").read_text().replace("num_outputs)(x)", "num_outputs, 'sigmoid')(x)")
    )
    (made / "bounded.py").write_text(sigmoid)
    said = run("run", "--model", "bounded.py", *line, status=1)
    assert "bounded.py: the network ends in a sigmoid, and some-values asks for any number" in said
    said = run("run", "--model", "tiny.py", *line)
    assert "r with the target without noise" in said
    assert "AUROC" not in said.replace("localisation AUROC", "")
    registry = Registry(made / "values")
    scores = registry.tables().jobs.merge(registry.tables().scores, on=["result_id", "job_id"])
    whole = scores[scores["target"].isna()].set_index(["model", "metric"])["value"]
    for metric in ("pearson", "r2", "variant_effect_r", "epistasis", "affinity_response"):
        assert whole["Oracle", metric] == pytest.approx(1, abs=1e-4)
    assert abs(whole["Random", "pearson"]) < 0.5
    assert not {"auroc", "scan_reliance"} & set(scores["metric"])
    history = registry.every("history")["history"].to_pandas()
    assert history["val_pearson"].between(-1, 1).all()
    assert history["val_auroc"].isna().all()
    found = pages(registry, tmp_path / "page")
    (page,) = (text for name, text in found.items() if name.startswith("tasks/some-values-1-"))
    assert "Accuracy (r)" in page
    assert "AUROC" not in page.replace("localisation AUROC", "").partition("Floors and ceilings")[0]
    assert "Tiny" in run("results", "rivals", "--registry", "values", "--profile", "quick")
