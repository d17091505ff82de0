"""The local engine's order, limits, retries and failures, with commands replaced by a recorder."""

from __future__ import annotations

import pytest

from houdini_pdg.engine import command
from houdini_pdg.engine.command import EXIT_DISK_FULL, EXIT_USER_ERROR, run_task
from houdini_pdg.engine.local import Limits, available_memory_gb, run_local
from houdini_pdg.engine.progress import Progress
from houdini_pdg.files import write_json
from houdini_pdg.process import TIMED_OUT
from tests.houdini_pdg.engine.fakes import Recorder, tasks_of


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(command.time, "sleep", lambda seconds: None)


def run(tmp_path, scenes, decide=lambda key, attempt: 0, **limits):
    tasks = tasks_of(tmp_path, scenes)
    recorder = Recorder(tasks, decide)
    limits = Limits(**{"workers": 4, "renders": 1, "memory_gb": 100.0, **limits})
    outcomes = run_local(tasks, Progress(len(tasks), show=False), limits, recorder)
    return recorder, {outcome.key: outcome for outcome in outcomes}


def test_every_task_runs_after_what_it_needs(tmp_path):
    recorder, outcomes = run(tmp_path, 5)
    assert {outcome.status for outcome in outcomes.values()} == {"ok"}
    for task in tasks_of(tmp_path, 5):
        for need in task.needs:
            assert recorder.started.index(need) < recorder.started.index(task.key)
    assert recorder.started[-1] == "index"


def test_renders_never_exceed_their_slots(tmp_path):
    recorder, _ = run(tmp_path, 6, renders=2, workers=6)
    counts = [sum("render" in key for key in together) for together in recorder.together]
    assert max(counts) <= 2


def test_memory_of_what_runs_stays_below_the_limit(tmp_path):
    recorder, _ = run(tmp_path, 6, renders=6, workers=6, memory_gb=4.0)
    need = {"layout": 1.0, "render": 2.0, "index": 0.6}
    for together in recorder.together:
        assert sum(need[key.split("-")[0]] for key in together) <= 4.0


def test_a_task_bigger_than_the_memory_still_runs_alone(tmp_path):
    recorder, outcomes = run(tmp_path, 2, memory_gb=0.1)
    assert all(len(together) == 1 for together in recorder.together)
    assert outcomes["index"].status == "ok"


def test_one_worker_finishes_early_scenes_first(tmp_path):
    recorder, _ = run(tmp_path, 3, workers=1)
    assert recorder.started == [task.key for task in tasks_of(tmp_path, 3)]


@pytest.mark.parametrize("code", [1, -9, TIMED_OUT])
def test_a_crash_a_kill_or_a_time_out_is_tried_again(tmp_path, code):
    _, outcomes = run(tmp_path, 1, lambda key, n: code if "render" in key and n == 1 else 0)
    render = outcomes["render-scene_000000"]
    assert (render.status, render.attempts) == ("ok", 2)


def test_retries_are_bounded_and_dependents_skipped_but_not_the_index(tmp_path):
    bad = "layout-scene_000001"
    recorder, outcomes = run(tmp_path, 3, lambda key, n: 1 if key == bad else 0)
    assert recorder.started.count(bad) == 3
    assert (outcomes[bad].status, outcomes[bad].attempts) == ("failed", 3)
    assert outcomes[bad].message == f"exit status 1: error: {bad} attempt 3"
    assert outcomes["render-scene_000001"].status == "skipped"
    assert outcomes["index"].status == "ok"
    assert outcomes["render-scene_000002"].status == "ok"


def test_a_refused_input_is_not_tried_again(tmp_path):
    bad = "layout-scene_000000"
    recorder, outcomes = run(tmp_path, 1, lambda key, n: EXIT_USER_ERROR if key == bad else 0)
    assert recorder.started.count(bad) == 1
    assert outcomes[bad].status == "failed"


def test_a_full_disk_stops_the_run_without_blaming_the_scene(tmp_path):
    bad = "layout-scene_000001"
    recorder, outcomes = run(
        tmp_path, 20, lambda key, n: EXIT_DISK_FULL if key == bad else 0, workers=1
    )
    assert outcomes[bad].status == "disk_full"
    assert recorder.started[-1] == bad
    assert recorder.started.count(bad) == 1


def test_a_command_that_lies_about_its_marker_has_failed(tmp_path):
    class Liar(Recorder):
        def __call__(self, arguments, *, log, timeout, watch):
            return 0

    tasks = tasks_of(tmp_path, 1)
    outcomes = run_local(tasks, Progress(3, show=False), Limits(workers=1), Liar(tasks))
    assert outcomes[0].status == "failed"
    assert "left no marker" in outcomes[0].message


def test_free_memory_is_a_sane_number():
    assert 0.1 < available_memory_gb() < 1e5


def test_the_reason_of_a_rejection_is_told_once_by_the_stage_that_found_it(tmp_path):
    verdict = {"status": "rejected", "report": {"stage": "layout", "reason": "no room for a door"}}
    outcomes = []
    for task in tasks_of(tmp_path, 1)[:2]:

        def launch(arguments, *, log, timeout, watch, task=task) -> int:
            write_json(task.marker, {**verdict, "outputs": {}})
            return 0

        outcomes.append(run_task(task, launch))
    assert [outcome.status for outcome in outcomes] == ["rejected", "rejected"]
    assert [outcome.message for outcome in outcomes] == ["no room for a door", ""]
