"""The whole pipeline at toy size, killed in the render and in the training, finishes the rest."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scaling4d.storage.scene_file import open_scene
from scaling4d.storage.video import read_video

TOY = [
    "size=64",
    "frames=9",
    "cameras=2",
    "train_scenes=2",
    "stand_in_scenes=1",
    "stand_in_cameras=1",
    "stand_in_frames=17",
    "samples=1",
    "train_steps=6",
    "sampler_steps=2",
    "evaluation_pairs=2",
]


def start(out: Path) -> subprocess.Popen[bytes]:
    with (out.parent / "output.txt").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "scaling4d", "quickstart", "--out", str(out), *TOY],
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def kill_when(process: subprocess.Popen[bytes], reached, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def finished_files(out: Path, pattern: str) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.glob(pattern) if path.name[0] != "."}


@pytest.mark.timeout(900)
def test_killed_in_the_render_and_in_the_training_it_finishes_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "quickstart"
    scenes = "data/*/scenes/*.h5"
    kill_when(start(out), lambda: len(finished_files(out, scenes)) >= 1)
    after_first_kill = finished_files(out, scenes)
    assert not (out / "report.html").exists()

    log = out / "training" / "log.jsonl"
    kill_when(start(out), lambda: log.exists() and log.read_text().count("\n") >= 3)
    after_second_kill = finished_files(out, scenes)
    assert len(after_second_kill) == 4
    for path, written in after_first_kill.items():
        assert after_second_kill[path] == written, f"{path} was rendered twice"

    assert start(out).wait(timeout=600) == 0, (tmp_path / "output.txt").read_text()[-3000:]
    assert finished_files(out, scenes) == after_second_kill
    for path in after_second_kill:
        with open_scene(path) as scene:
            scene.rgb(scene.camera_names[-1])
    assert not list(out.rglob("*.partial*")), "a killed writer's leftovers were not cleared"

    page = (out / "report.html").read_text()
    assert len(re.findall(r'src="data:video/mp4;base64,', page)) >= 3
    assert len(re.findall(r'src="data:image/png;base64,', page)) >= 4
    assert "http" not in re.sub(r'"data:[^"]*"', "", page).replace("http-equiv", "")
    comparison = json.loads((out / "results" / "comparison.json").read_text())
    assert set(comparison["psnr_unseen"]) == {"trained", "untrained", "warp", "inpainted"}
    for pair in comparison["pairs"]:
        assert read_video(out / "results" / f"{pair}.mp4").frames.shape == (9, 64, 256, 3)

    steps = [json.loads(line) for line in log.read_text().splitlines()]
    assert [record["step"] for record in steps if "loss" in record] == list(range(1, 7))

    before = (out / "report.html").stat().st_mtime_ns
    assert start(out).wait(timeout=60) == 0
    assert (out / "report.html").stat().st_mtime_ns == before, "a finished run did work again"
