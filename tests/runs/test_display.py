"""What a run shows of jobs that run side by side: pace, time left, whose line it is; and logs."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from motifidelity.errors import DataError
from motifidelity.phase.outputs import ProgressTail
from motifidelity.runs.display import (
    BARS,
    PLAIN_EVERY,
    JsonDisplay,
    Pace,
    PlainDisplay,
    RichDisplay,
    describe,
    shortened,
)
from motifidelity.runs.logs import JobLogs

EPOCH = {"event": "epoch", "epoch": 1, "of": 2, "value": 0.5, "seconds": 3.0, "monitor": "aupr"}


def job(number):
    return SimpleNamespace(id=f"id{number}", label=f"network {number}")


def test_the_pace_is_of_jobs_that_ended_since_the_first_began():
    now = [100.0]
    pace = Pace(clock=lambda: now[0])
    pace.begin(40)
    assert (pace.an_hour, pace.left, str(pace)) == (None, None, "0 of 40")
    now[0] += 360
    for _ in range(4):
        pace.end()
    assert pace.an_hour == pytest.approx(40)
    assert pace.left == pytest.approx(36 * 90)
    assert str(pace) == "4 of 40, 40 jobs an hour, 54 min left"
    pace.done = 40
    assert str(pace).endswith("400 jobs an hour")


def test_lines_of_jobs_side_by_side_name_their_job(capsys):
    display = PlainDisplay()
    display.begin(job(1), 1, 3)
    display.event(job(1), "fit", EPOCH)
    display.begin(job(2), 2, 3)
    display.event(job(2), "fit", EPOCH)
    display.event(job(2), "fit", {"event": "lost", "name": "its node died"})
    display.end(job(1), "ok", "", 5)
    display.begin(job(3), 3, 3)
    display.end(job(2), "model_error", "boom", 5)
    display.end(job(3), "ok", "", 5)
    lines = [line for line in capsys.readouterr().err.splitlines() if "an hour" not in line]
    assert lines == [
        "[1/3] network 1",
        "  epoch 1/2  validation AUPR 0.5000, at most 3 s of training left",
        "[2/3] network 2",
        "  [2] fit was lost (its node died); it runs again",
        "  [1] ok after 5 s",
        "[3/3] network 3",
        "  [2] model_error after 5 s: boom",
        "  [3] ok after 5 s",
    ]


def test_what_a_worker_tells_arrives_bounded(tmp_path):
    told = [
        {"event": "unsupported", "name": "deeplift", "reason": "operation TopK\n" + "x" * 500},
        {"event": "step", "name": "deepshap", "part": "random weights", "done": 1, "of": 2},
        {"event": "step", "name": 3, "part": ["random"], "reason": {}, "of": -1},
    ]
    path = tmp_path / "progress.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in told))
    arrived = []
    ProgressTail(path, arrived.append).poll()
    first, *others = arrived
    assert first["reason"].startswith("operation TopK")
    assert len(first["reason"]) <= 200
    assert "\n" not in first["reason"]
    assert others == [told[1], {"event": "step"}]
    line = describe("probe", first, None)
    assert line.startswith("deeplift does not support this network: operation TopK")
    assert describe("probe", others[0], None) == "deepshap, random weights 1/2"


def test_the_first_and_the_last_of_every_step_are_lines(capsys):
    display = PlainDisplay()
    display.begin(job(1), 1, 1)
    for epoch in (1, 2, 3):
        display.event(job(1), "fit", {**EPOCH, "epoch": epoch, "of": 3})
    for done in (4, 8, 12, 14):
        display.event(job(1), "probe", {"event": "step", "name": "ism", "done": done, "of": 14})
    display.event(job(1), "probe", {"event": "step", "name": "random", "done": 14, "of": 14})
    assert capsys.readouterr().err.splitlines() == [
        "[1/1] network 1",
        "  epoch 1/3  validation AUPR 0.5000, at most 6 s of training left",
        "  epoch 3/3  validation AUPR 0.5000, training ends",
        "  ism 4/14",
        "  ism 14/14",
        "  random 14/14",
    ]


def test_a_long_step_is_told_now_and_then(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("motifidelity.runs.display.time.monotonic", lambda: now[0])
    display = PlainDisplay()
    display.begin(job(1), 1, 1)
    for done in range(1, 50):
        now[0] += PLAIN_EVERY / 10
        display.event(job(1), "probe", {"event": "step", "name": "ism", "done": done, "of": 50})
    shown = [line for line in capsys.readouterr().err.splitlines() if "ism" in line]
    assert shown == [f"  ism {done}/50" for done in (1, 11, 21, 31, 41)]


def test_machines_are_told_whose_event_it_is_and_how_the_run_goes(capsys):
    display = JsonDisplay()
    display.begin(job(1), 1, 2)
    display.begin(job(2), 2, 2)
    display.event(job(2), "fit", EPOCH)
    display.event(job(2), "fit", {"event": "output", "text": "hello"})
    display.end(job(2), "ok", "", 5)
    *_, epoch, done = map(json.loads, capsys.readouterr().out.splitlines())
    assert (epoch["job_id"], epoch["phase"], epoch["epoch"]) == ("id2", "fit", 1)
    assert done["job_id"] == "id2"
    assert done["jobs_an_hour"] > 0
    assert done["seconds_left"] >= 0


def test_a_terminal_shows_a_bar_for_each_of_the_first_jobs():
    with RichDisplay() as display:
        for number in range(BARS + 3):
            display.begin(job(number), number + 1, 20)
            display.event(job(number), "fit", EPOCH)
        shown = [task for task in display._progress.tasks if task.visible]
        assert len(shown) == BARS + 1
        assert shown[0].fields["text"] == "0 of 20 (3 more running)"
        display.end(job(0), "ok", "", 5)
        shown = [task for task in display._progress.tasks if task.visible]
        assert [task.description for task in shown[1:]] == [
            f"network {n}" for n in range(1, BARS + 1)
        ]
        assert shown[0].fields["text"].startswith("1 of 20, ")
        assert "epoch 1/2" in shown[1].fields["text"]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_bar_and_time_left_show_on_a_narrow_terminal(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    named = SimpleNamespace(
        id="id1",
        label="A network of a long name activation=exponential filters=64 units=96 on "
        "regulatory-code, trial 7",
    )
    with RichDisplay() as display:
        display.begin(named, 1, 20)
        display.event(named, "fit", {**EPOCH, "epoch": 12, "of": 100, "seconds": 130.0})
        display._pace.started -= 3600
        display._pace.done = 1
        display._show_run()
        with display._console.capture() as captured:
            display._console.print(display._progress.get_renderable())
    run, line = [text for text in captured.get().splitlines() if text.strip()]
    assert "1 of 20, 1.0 jobs an hour" in run
    assert "19 h 00 min left" in run
    assert "epoch 12/100, AUPR 0.5000" in line
    assert "≤ 3 h 11 min left" in line
    # without colours a bar shows what is done alone
    assert "━" in line
    assert "╸" in run
    assert line.startswith("A network")
    assert ", trial 7 " in line
    assert max(len(line.rstrip()), len(run.rstrip())) <= width
    assert ("0:00:0" in line) == (width >= 110)


def test_a_short_label_keeps_the_name_and_the_trial():
    label = "CNN-deep activation=exponential on motif-classes, trial 3"
    assert shortened(label, 25) == "CNN-deep act…ses, trial 3"
    assert shortened(label, len(label)) == label
    assert len(shortened(label, 18)) == 18


def test_a_job_s_log_goes_on_where_it_was(tmp_path):
    for status in ("infra_error", "ok"):
        logs = JobLogs(tmp_path / "new" / "logs")
        logs.begin(job(1))
        logs.event(job(1), "fit", EPOCH)
        logs.event(job(1), "fit", {"event": "output", "text": "hello\nthere\n"})
        logs.event(job(1), "fit", {"event": "output"})  # as a hostile worker may claim
        logs.end(job(1), status, "")
    text = (tmp_path / "new" / "logs" / "id1.log").read_text()
    assert text.count("network 1\n") == 2
    assert "fit epoch epoch=1 of=2 value=0.5" in text
    assert "fit printed:\nhello\nthere\n" in text
    assert text.endswith(" ok\n")


def test_a_folder_that_cannot_be_written_is_said_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file/logs: cannot be written .* --logs"):
        JobLogs(tmp_path / "file" / "logs")
