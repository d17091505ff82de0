from __future__ import annotations

import json
import math
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from scaling4d.models.vnvs import VNVSModel
from tests.train.runs import arguments, losses, read_lines, run, start, write_sample_data
from train.__main__ import main
from train.report import JsonLines
from train.run import _Run


def test_run_writes_everything_that_it_promises(straight_run: Path) -> None:
    names = {path.name for path in straight_run.iterdir()}
    assert names == {"config.yaml", "log.jsonl", "pairs.jsonl", "checkpoints", "model"}
    assert sorted(p.name for p in (straight_run / "checkpoints").iterdir()) == [
        "step_000005",
        "step_000010",
    ]
    config = yaml.safe_load((straight_run / "config.yaml").read_text())
    assert config["optimizer"]["lr"] == 1e-3
    assert config["data"]["pairs"]["min_valid"] == 0.4, "defaults are resolved too"
    model = VNVSModel.from_pretrained(straight_run / "model")
    trained = load_file(straight_run / "checkpoints" / "step_000010" / "model.safetensors")
    for name, value in model.trainable_parameters():
        torch.testing.assert_close(value.data, trained[f"model.{name}"], rtol=0, atol=0)


def test_log_has_a_line_per_step_and_counts_what_was_drawn(straight_run: Path) -> None:
    log = read_lines(straight_run / "log.jsonl")
    assert [record["step"] for record in log] == list(range(1, 11))
    for record in log:
        assert math.isfinite(record["loss"])
        assert sum(record["drawn"].values()) == 2 * record["step"]
        assert record["samples_per_second"] == pytest.approx(2 / record["seconds"], rel=0.01)
    pairs = read_lines(straight_run / "pairs.jsonl")
    assert [line["draw"] for line in pairs] == list(range(20))
    counts = {name: sum(line["source"] == name for line in pairs) for name in ("real", "syn")}
    assert counts == log[-1]["drawn"]
    assert all(line["accepted"] and "covered_share" in line["measure"] for line in pairs)


def test_learning_rate_warms_up_and_stays(straight_run: Path) -> None:
    rates = [record["lr"] for record in read_lines(straight_run / "log.jsonl")]
    assert rates == [5e-4] + [1e-3] * 9


def test_same_seed_gives_the_same_losses_and_another_seed_others(
    sample_data: Path, straight_run: Path, tmp_path: Path
) -> None:
    assert run(sample_data, tmp_path / "again", "steps=3") == 0
    assert losses(tmp_path / "again") == losses(straight_run)[:3]
    assert run(sample_data, tmp_path / "other", "steps=3", "seed=1") == 0
    assert losses(tmp_path / "other") != losses(straight_run)[:3]


def test_training_lowers_the_loss(sample_data: Path, tmp_path: Path) -> None:
    assert run(sample_data, tmp_path / "out", "steps=60", "optimizer.ema_decay=0.9") == 0
    values = losses(tmp_path / "out")
    assert sum(values[-20:]) < 0.5 * sum(values[:20])


def test_resumed_run_equals_uninterrupted_run_bit_for_bit(
    sample_data: Path, tmp_path: Path
) -> None:
    settings = ["optimizer.ema_decay=0.9", "steps=9", "run.checkpoint_every=4"]
    assert run(sample_data, tmp_path / "straight", *settings) == 0
    assert run(sample_data, tmp_path / "parts", *settings, "steps=6") == 0
    # As if killed in step 9: the log is ahead of the last checkpoint, and its last line is torn.
    (tmp_path / "parts" / "checkpoints" / "step_000006").rename(tmp_path / "gone")
    with (tmp_path / "parts" / "log.jsonl").open("a") as log:
        log.write('{"step": 7, "lo')
    (tmp_path / "parts" / "checkpoints" / ".step_000008.ab12.partial").mkdir()
    assert run(sample_data, tmp_path / "parts", *settings, "--resume") == 0
    assert losses(tmp_path / "parts") == losses(tmp_path / "straight")
    for name in ("pairs.jsonl", "model/model.safetensors"):
        straight, parts = (tmp_path / folder / name for folder in ("straight", "parts"))
        assert straight.read_bytes() == parts.read_bytes(), name
    left = {path.name for path in (tmp_path / "parts" / "checkpoints").iterdir()}
    assert left == {"step_000008", "step_000009"}


def test_renamed_file_is_refused_on_resume_and_a_moved_folder_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = write_sample_data(tmp_path / "data"), tmp_path / "out"
    assert run(data, out, "steps=1") == 0
    video = data / "real" / "first.mp4"
    video.rename(video.with_name("third.mp4"))
    assert run(data, out, "steps=2", "--resume") == 2
    said = capsys.readouterr().err
    assert "'real' holds as many items" in said
    assert "put its files back" in said
    video.with_name("third.mp4").rename(video)
    data.rename(tmp_path / "moved")
    assert run(tmp_path / "moved", out, "steps=2", "--resume") == 0


def test_log_stays_json_when_a_figure_is_not_finite(tmp_path: Path) -> None:
    record = {"step": 1, "rejected": [{"mean": math.inf, "p95": math.nan, "share": 0.5}]}
    with JsonLines(tmp_path / "pairs.jsonl", after_step=0) as lines:
        lines.write(record)

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    found = json.loads((tmp_path / "pairs.jsonl").read_text(), parse_constant=refuse)
    assert found == {"step": 1, "rejected": [{"mean": None, "p95": None, "share": 0.5}]}


@pytest.mark.parametrize("wrong", ["loss", "gradient"])
def test_numbers_that_are_not_finite_never_reach_a_checkpoint(
    sample_data: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    backward = _Run._backward

    def poisoned(self: _Run, *arguments: Any, **named: Any) -> torch.Tensor:
        loss = backward(self, *arguments, **named)
        if self.done == 4:
            if wrong == "loss":
                return loss * torch.nan
            next(p for p in self.plain.parameters() if p.grad is not None).grad[..., :1] = torch.inf
        return loss

    monkeypatch.setattr(_Run, "_backward", poisoned)
    assert run(sample_data, tmp_path, "steps=5", "run.checkpoint_every=2") == 2
    said = capsys.readouterr().err
    assert f"the {wrong} of step 5 is " in said
    assert "the last checkpoint is unharmed" in said
    left = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert left == {"step_000002", "step_000004"}
    monkeypatch.undo()
    assert run(sample_data, tmp_path, "steps=5", "run.checkpoint_every=2", "--resume") == 0


def test_gradient_accumulation_sees_the_same_samples_as_a_large_batch(
    sample_data: Path, tmp_path: Path
) -> None:
    run(sample_data, tmp_path / "large", "steps=2", "run.batch=4")
    run(sample_data, tmp_path / "parts", "steps=2", "run.batch=2", "run.accumulate=2")
    first, second = (read_lines(tmp_path / name / "pairs.jsonl") for name in ("large", "parts"))
    assert first == second
    assert losses(tmp_path / "large") == pytest.approx(losses(tmp_path / "parts"), rel=1e-5)


def test_workers_make_the_same_pairs(sample_data: Path, straight_run: Path, tmp_path: Path) -> None:
    assert run(sample_data, tmp_path / "out", "steps=2", "run.workers=1") == 0
    assert losses(tmp_path / "out") == losses(straight_run)[:2]


def test_cache_can_be_bounded_and_left_out_without_changing_the_run(
    sample_data: Path, straight_run: Path, tmp_path: Path
) -> None:
    """What two videos of 40 and 24 frames need is over 1 MB."""
    out = tmp_path / "bounded"
    bound = (f"run.cache={tmp_path / 'cache'}", "run.cache_limit=300kB", "run.workers=2")
    assert main([*arguments(sample_data, out)[:-1], *bound]) == 0
    assert losses(out) == losses(straight_run)
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert 0 < sum(path.stat().st_size for path in files) <= 300_000
    before = set(sample_data.rglob("*"))
    assert main([*arguments(sample_data, tmp_path / "none")[:-1], "run.cache=none"]) == 0
    assert losses(tmp_path / "none") == losses(straight_run)
    assert {path.name for path in (tmp_path / "none").iterdir()} == {
        path.name for path in straight_run.iterdir()
    }
    assert set(sample_data.rglob("*")) == before


def test_untrained_model_is_written_by_zero_steps(
    sample_data: Path, straight_run: Path, tmp_path: Path
) -> None:
    assert run(sample_data, tmp_path / "out", "steps=0") == 0
    untrained = load_file(tmp_path / "out" / "model" / "model.safetensors")
    trained = load_file(straight_run / "model" / "model.safetensors")
    assert untrained.keys() == trained.keys()
    assert any(not torch.equal(untrained[name], trained[name]) for name in trained)


def test_finished_run_resumes_to_nothing_and_can_be_prolonged(
    sample_data: Path, straight_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(sample_data, out, "steps=4") == 0
    assert run(sample_data, out, "steps=4", "--resume") == 0
    assert run(sample_data, out, "--resume") == 0
    assert losses(out) == losses(straight_run)


def test_frozen_backbone_is_left_as_it_was(sample_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    frozen = "model.freeze_backbone=true"
    assert run(sample_data, tmp_path / "before", "steps=0", frozen) == 0
    assert run(sample_data, out, "steps=3", frozen) == 0
    saved = load_file(out / "checkpoints" / "step_000003" / "model.safetensors")
    trained = {name.removeprefix("model.") for name in saved}
    before, after = (
        load_file(tmp_path / name / "model" / "model.safetensors") for name in ("before", "out")
    )
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert changed
    assert changed <= trained
    assert any("projector" in name for name in trained)
    assert "backbone.transformer.embed.weight" not in trained


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.full)]
)
def test_signal_saves_the_finished_step_and_resume_goes_on(
    sample_data: Path, straight_run: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out"
    process = start(sample_data, out, "run.checkpoint_every=1000")
    _wait_for_step(out, 2)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=120)
    if process.returncode == 0:  # it was faster than the signal
        assert losses(out) == losses(straight_run)
        return
    assert process.returncode == 130
    assert "--resume" in stderr
    assert "Traceback" not in stderr
    done = len(losses(out))
    state = json.loads((out / "checkpoints" / f"step_{done:06d}" / "state.json").read_text())
    assert state["step"] == done
    assert run(sample_data, out, "run.checkpoint_every=1000", "--resume") == 0
    assert losses(out) == pytest.approx(losses(straight_run), rel=1e-6)


@pytest.mark.full
@pytest.mark.parametrize("kill", range(6))
def test_sigkill_at_any_moment_leaves_a_run_that_resumes_to_the_same_losses(
    sample_data: Path, tmp_path: Path, kill: int
) -> None:
    settings = ("steps=12", "run.checkpoint_every=2")
    straight, out = tmp_path / "straight", tmp_path / "out"
    assert start(sample_data, straight, *settings).wait(timeout=300) == 0
    process = start(sample_data, out, *settings)
    _wait_for_step(out, 1 + 2 * kill)
    time.sleep(0.02 * kill)
    process.kill()
    process.communicate()
    resumed = start(sample_data, out, *settings, "--resume")
    _, stderr = resumed.communicate(timeout=300)
    assert resumed.returncode == 0, stderr
    assert losses(out) == losses(straight)
    assert not list((out / "checkpoints").glob(".*"))


def _wait_for_step(out: Path, step: int) -> None:
    path = out / "log.jsonl"
    until = time.monotonic() + 180
    while time.monotonic() < until:
        if path.is_file() and path.read_text().count("\n") >= step:
            return
        time.sleep(0.05)
    raise AssertionError(f"no step {step} in {out} after 3 minutes")
