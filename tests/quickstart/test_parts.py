"""The quickstart's machinery: settings, commands without orphans, stages done once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.quickstart.command import CommandError, run_command
from scaling4d.quickstart.compare import inpaint
from scaling4d.quickstart.pipeline import _export_clips
from scaling4d.quickstart.report import _results
from scaling4d.quickstart.settings import QuickstartSettings
from scaling4d.quickstart.stages import Stages, exclusive
from scaling4d.storage.video import probe_video, write_video
from tests.data.samples import write_sample_scene, write_sample_video


def test_settings_are_read_with_their_types() -> None:
    settings = QuickstartSettings.parse(["size=64", "fps=12.5"])
    assert (settings.size, settings.fps, settings.frames) == (64, 12.5, 17)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("colour=3", "'colour=3' is no setting: .* train_steps"),
        ("size", "'size' is no setting"),
        ("size=big", "size must be int, got 'big'"),
        ("frames=0", "frames is too small"),
    ],
)
def test_a_wrong_setting_is_named(override, message) -> None:
    with pytest.raises(ValueError, match=message):
        QuickstartSettings.parse([override])


def test_a_command_that_fails_ends_with_its_last_line_and_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    with pytest.raises(CommandError, match=r"status 2: .*this is no file.*a\.log"):
        run_command(["json.tool", str(tmp_path / "this is no file")], log)
    assert log.read_bytes().startswith(b"$ python -m json.tool")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a signal that Linux alone has")
def test_a_command_dies_with_a_killed_parent(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(
        "import os, pathlib, time\n"
        "pathlib.Path('pid').write_text(str(os.getpid()))\n"
        "time.sleep(120)\n"
    )
    script = (
        "from pathlib import Path; from scaling4d.quickstart.command import run_command; "
        "run_command(['sleeper'], Path('log'))"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": "."}
    )
    pid = wait_for_text(tmp_path / "pid")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 10
    while is_running(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(int(pid))


def test_a_video_too_short_to_train_on_is_told_before_any_work(tmp_path: Path, capsys) -> None:
    write_sample_video(tmp_path / "videos" / "long.mp4", frames=40)
    write_sample_video(tmp_path / "videos" / "short.mp4", frames=9)
    out = tmp_path / "out"
    assert main(["quickstart", "--real", str(tmp_path / "videos"), "--out", str(out)]) == 2
    assert "short.mp4 gives 9 frames" in capsys.readouterr().err
    assert not out.exists()


def test_stand_in_videos_are_those_of_the_present_scenes(tmp_path: Path) -> None:
    scenes, videos = tmp_path / "stand_in", tmp_path / "real"
    write_sample_scene(scenes / "scenes" / "a.h5", frames=5)
    write_sample_scene(scenes / "scenes" / "b.h5", frames=5)
    _export_clips(scenes, videos)
    (scenes / "scenes" / "a.h5").unlink()
    write_sample_scene(scenes / "scenes" / "b.h5", frames=9)
    _export_clips(scenes, videos)
    assert sorted(path.name for path in videos.iterdir()) == [f"b_cam{i}.mp4" for i in range(3)]
    assert probe_video(videos / "b_cam0.mp4").frames == 9


@pytest.mark.parametrize(
    ("trained_on", "words"), [(True, "trained on it too"), (False, "kept out")]
)
def test_the_report_says_whether_a_real_video_was_trained_on(
    trained_on: bool, words: str, tmp_path: Path
) -> None:
    video = tmp_path / "results" / "real_video.mp4"
    for name in ("real_video", "new_path"):
        write_video(video.with_name(f"{name}.mp4"), np.zeros((2, 16, 16, 3), np.uint8), 8)
    record = {"source": "a.mp4", "trajectory": "pan", "trained_on": trained_on}
    comparison = {"pairs": [], "new_path": {"trajectory": "orbit"}, "real_video": record}
    assert words in "".join(_results(tmp_path, comparison))


def wait_for_text(path: Path, seconds: float = 30) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.05)
    raise AssertionError(f"{path} did not appear")


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_stage_runs_once_and_again_when_anything_before_it_changes(tmp_path: Path) -> None:
    calls: list[str] = []

    def both(first_input: str) -> Stages:
        stages = Stages(tmp_path, total=2)
        stages.run("a", "first", first_input, lambda: calls.append("a"))
        stages.run("b", "second", "same", lambda: calls.append("b") or {"answer": 42})
        return stages

    both("x")
    assert both("x").records["b"]["answer"] == 42
    assert calls == ["a", "b"]
    both("y")
    assert calls == ["a", "b", "a", "b"]


def test_what_a_stage_owns_is_cleared_only_when_its_inputs_change(tmp_path: Path) -> None:
    folder = tmp_path / "training"

    def run(inputs: str) -> list[str]:
        def work() -> None:
            folder.mkdir(exist_ok=True)
            (folder / inputs).touch()
            raise KeyboardInterrupt  # stopped half-way, so that the next run goes on

        with pytest.raises(KeyboardInterrupt):
            Stages(tmp_path, total=1).run("train", "train", inputs, work, owns=[folder])
        return sorted(path.name for path in folder.iterdir())

    assert run("first") == ["first"]
    (folder / "step_1").touch()
    assert run("first") == ["first", "step_1"]
    assert run("second") == ["second"]


def test_a_stage_that_fails_leaves_no_marker(tmp_path: Path) -> None:
    stages = Stages(tmp_path, total=1)
    with pytest.raises(ZeroDivisionError):
        stages.run("a", "first", None, lambda: {"x": 1 / 0})
    assert list(tmp_path.rglob("*.json")) == []


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        script = (
            "from pathlib import Path; from scaling4d.quickstart.stages import exclusive\n"
            f"with exclusive(Path({str(tmp_path)!r})): pass"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
        assert b"another quickstart is working in" in done.stderr
    with exclusive(tmp_path):
        pass


def test_inpainting_changes_only_what_the_warp_could_not_see() -> None:
    generator = np.random.default_rng(0)
    warped = generator.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    mask = generator.random((2, 16, 16)) > 0.3
    filled = inpaint(warped, mask)
    np.testing.assert_array_equal(filled[mask], warped[mask])
    assert (filled[~mask] != warped[~mask]).any()


@pytest.mark.parametrize("videos", ["missing", "empty"])
def test_a_folder_without_videos_ends_in_one_sentence(tmp_path: Path, capsys, videos) -> None:
    (tmp_path / "empty").mkdir()
    status = main(["quickstart", "--out", str(tmp_path / "out"), "--real", str(tmp_path / videos)])
    assert status == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert not (tmp_path / "out").exists()
