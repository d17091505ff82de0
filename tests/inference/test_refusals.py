"""What `generate` refuses at its command line, in one sentence: damaged files, absent devices."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scaling4d
from scaling4d.__main__ import main
from scaling4d.inference.generate import _check_settings, _check_sizes, _load
from scaling4d.models.backbones import BackboneConfig
from scaling4d.models.model_config import ModelConfig
from scaling4d.models.vnvs import VNVSModel
from scaling4d.storage.video import write_video

TINY = BackboneConfig(options={"dim": 32, "depth": 1, "heads": 2, "patch": 8})


@pytest.fixture(scope="module")
def model() -> VNVSModel:
    return VNVSModel.build(ModelConfig(backbone=TINY))


@pytest.fixture(scope="module")
def command(model: VNVSModel, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A command that works, in a folder of its own; tests add to it."""
    folder = tmp_path_factory.mktemp("generate")
    model.save_pretrained(folder / "model")
    write_video(folder / "clip.mp4", np.zeros((5, 32, 48, 3), np.uint8), 8)
    words = ["generate", str(folder / "clip.mp4"), "static", "--model", str(folder / "model")]
    return [*words, "--depth", "infinity", "--steps", "1", "-o", str(folder / "out.mp4")]


def refusal(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that the command ends with."""
    assert main(command) == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(("option", "what"), [("intrinsics", "intrinsics"), ("poses", "poses")])
@pytest.mark.parametrize("name", ["empty.npy", "cut.npy", "archive.npz"])
def test_damaged_camera_files_are_named(
    command: list[str], tmp_path: Path, capsys, option: str, what: str, name: str
) -> None:
    np.save(tmp_path / "cut.npy", np.eye(4))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:150])
    (tmp_path / "empty.npy").touch()
    np.savez(tmp_path / "archive.npz", np.eye(4))
    said = refusal([*command, f"--{option}", str(tmp_path / name)], capsys)
    assert said.startswith(f"error: cannot read {tmp_path / name} as ")
    assert what in said


SETTINGS: dict[str, Any] = {
    "prompt": "a room",
    "steps": np.int64(1),
    "seed": 0,
    "text_guidance": np.float32(2),
    "control_guidance": 1,
    "footprint": 1,
}


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("prompt", ["a room"], "prompt must be one text"),
        ("steps", 0, "steps must be a whole number >= 1"),
        ("steps", 2.5, "steps must be a whole number >= 1"),
        ("seed", -1, r"seed must be a whole number in \[0, 2\*\*64\)"),
        ("text_guidance", np.nan, "text_guidance must be a finite number >= 0"),
        ("text_guidance", "high", "text_guidance must be a finite number >= 0"),
        ("control_guidance", -1.0, "control_guidance must be a finite number >= 0"),
        ("footprint", 3, "footprint must be 1 or 2 pixels"),
    ],
)
def test_settings_of_the_wrong_kind_are_named(setting: str, value: object, expected: str) -> None:
    _check_settings(**SETTINGS)
    with pytest.raises(ValueError, match=expected):
        _check_settings(**SETTINGS | {setting: value})


@pytest.mark.parametrize(
    ("frames", "size", "step", "expected"),
    [
        (9.0, None, 1, "frames must be a whole number >= 1, got 9.0"),
        (0, None, 1, "frames must be a whole number >= 1, got 0"),
        (None, None, 1.5, "frame_step must be a whole number >= 1, got 1.5"),
        (None, 32, 1, r"size must be \(height, width\) in whole pixels >= 1, got 32"),
        (None, (0, 32), 1, "size must be"),
        (None, (32, 32, 99), 1, "size must be"),
    ],
)
def test_sizes_of_the_wrong_kind_are_named(
    frames: object, size: object, step: object, expected: str
) -> None:
    _check_sizes(np.int64(5), (np.int32(32), 48), 2)
    with pytest.raises(ValueError, match=expected):
        _check_sizes(frames, size, step)


def test_an_illegal_size_is_refused_before_depth_is_estimated(model: VNVSModel) -> None:
    frames = np.zeros((5, 32, 45, 3), np.uint8)
    with pytest.raises(ValueError, match="nearest legal: 5 frames of 32x48"):
        scaling4d.generate(frames, "static", model=model, depth="transformers:no/model")


def test_a_model_whose_backbone_has_moved_says_where_to_name_it(
    command: list[str], tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(command[command.index("--model") + 1], folder)
    description = json.loads((folder / "config.json").read_text())
    description["model"]["backbone"] = {"name": "wan", "path": "./gone", "options": {}}
    (folder / "config.json").write_text(json.dumps(description))
    said = refusal([*command, "--model", str(folder)], capsys)
    assert "was trained on ./gone" in said
    assert "--backbone of generate" in said
    said = refusal([*command, "--model", str(folder), "--backbone", "./elsewhere"], capsys)
    assert "there is no folder './elsewhere'" in said
    with pytest.raises(ValueError, match="has its backbone already"):
        _load(VNVSModel.build(ModelConfig(backbone=TINY)), "./elsewhere")


def test_settings_are_refused_before_anything_is_read() -> None:
    with pytest.raises(ValueError, match="steps must be a whole number >= 1"):
        scaling4d.generate("no.mp4", "static", model="no/model", steps=0)


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_devices_that_are_not_there_are_refused(
    command: list[str], model: VNVSModel, capsys, device: str
) -> None:
    said = refusal([*command, "--device", device], capsys)
    assert said.startswith(f"error: cannot run on the device {device!r} (")
    assert "this machine has cpu" in said
    with pytest.raises(ValueError, match="this machine has cpu"):
        scaling4d.generate(
            np.zeros((5, 32, 48, 3), np.uint8),
            "static",
            model=model,
            device=device,
            depth="infinity",
        )
