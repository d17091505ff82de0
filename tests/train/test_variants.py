"""The controls that §4.1 compares, end to end: trained on scenes, saved, loaded, generating."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

import scaling4d
from scaling4d.models.control_variants import ControlVariant
from scaling4d.models.vnvs import VNVSModel
from tests.scenes import Camera, moving_box
from tests.train.runs import arguments
from train.__main__ import main


@pytest.mark.parametrize("variant", get_args(ControlVariant))
def test_variant_trains_saves_loads_and_follows_another_path(
    variant: str, sample_data: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    settings = ("steps=5", f"model.control={variant}", "optimizer.lr=1e-2", "run.batch=1")
    assert main(arguments(sample_data, tmp_path / "out", *settings, mix="syn:1")) == 0
    model = VNVSModel.from_pretrained(tmp_path / "out" / "model")
    assert model.config.control == variant
    camera = Camera.look_at(32, 32, eye=(0, -4, 1.5), target=(0, 0, 0.5), fov=60)
    clip = moving_box().clip([camera] * 5, fps=8)
    views = [
        scaling4d.generate(
            clip.rgb,
            f"orbit:yaw={yaw}",
            model=model,
            depth=clip.depth.astype(np.float32),
            intrinsics=clip.intrinsics,
            steps=1,
            progress=False,
        ).frames.astype(float)
        for yaw in (0, 25)
    ]
    assert views[0].shape == clip.rgb.shape
    assert np.abs(views[0] - views[1]).mean() > 0.5, "the path reaches the picture"


@pytest.mark.parametrize("variant", ["inpainting", "aligned", "camera"])
def test_variant_that_needs_cameras_refuses_videos(
    variant: str, sample_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(sample_data, tmp_path / "out", f"model.control={variant}")) == 2
    assert "needs depth and cameras for training" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()
