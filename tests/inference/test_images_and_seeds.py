"""Lines of scaling4d/CONVENTIONS.md that are decided where pictures meet the model."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch

import scaling4d
from scaling4d.inference.generate import to_uint8
from scaling4d.models.backbones import BackboneConfig
from scaling4d.models.model_config import ModelConfig
from scaling4d.models.vnvs import VNVSModel
from scaling4d.storage.video import write_video

TINY = BackboneConfig(options={"dim": 32, "depth": 1, "heads": 2, "patch": 8})

GLOBAL_STATE = {
    "a global generator": r"^\s*(?:import|from) random\b"
    r"|np\.random\.(?!Generator\b|PCG64\b|default_rng\([^)]|SeedSequence(?:\([^)]|[^(]))",
    "torch's global generator": r"torch\.(?:manual_seed|seed)\(",
    "the clock": r"time\.time(?:_ns)?\(|\b(?:now|utcnow|today|strftime|gmtime)\(",
}
# Where a library draws from torch's global generator, it is seeded first, from what is passed in.
SEEDED = {"scaling4d/models/vnvs.py", "scaling4d/estimators/raft.py", "train/run.py"}
AGES = {"scaling4d/storage/atomic.py"}  # of files that killed writers left, and of nothing else


def test_images_reach_the_model_without_gamma(tmp_path: Path) -> None:
    """RGB levels reach the model as level / 127.5 - 1, and come back."""
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    ramp = torch.from_numpy(levels).permute(0, 3, 1, 2).float() / 127.5 - 1
    np.testing.assert_array_equal(to_uint8(ramp), levels)

    model = VNVSModel.build(ModelConfig(backbone=TINY))
    seen: list[torch.Tensor] = []
    model.projector.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    colours = np.tile(np.array([255, 128, 0], np.uint8), (5, 16, 16, 1))  # red, then green, blue
    write_video(tmp_path / "orange.mp4", colours, 8)
    for video, tolerance in ((colours, 1e-6), (tmp_path / "orange.mp4", 6 / 127.5)):
        seen.clear()
        scaling4d.generate(
            video, "static", model=model, depth="infinity", steps=1, progress=False, device="cpu"
        )
        source = seen[0][0, :, :3]
        for channel, value in enumerate((1.0, 128 / 127.5 - 1, -1.0)):
            assert (source[:, channel] - value).abs().max() <= tolerance


def test_seeds_alone_decide(repository: Path) -> None:
    """No line of ours reads the clock or a global generator that it has not just seeded."""
    found = []
    for package in ("scaling4d", "train", "assets_schema", "houdini_pdg"):
        for file in sorted((repository / package).rglob("*.py")):
            name = file.relative_to(repository).as_posix()
            for what, pattern in GLOBAL_STATE.items():
                if name in SEEDED and what.startswith("torch"):
                    continue
                if name in AGES and what == "the clock":
                    continue
                if re.search(pattern, file.read_text(), re.MULTILINE):
                    found.append(f"{name} uses {what}")
    assert not found
    built = []
    with torch.random.fork_rng(devices=[]):
        for drawn_before in (1, 2):
            torch.manual_seed(drawn_before)
            built.append(VNVSModel.build(ModelConfig(backbone=TINY), seed=4))
    for first, second in zip(*(model.parameters() for model in built), strict=True):
        assert torch.equal(first, second)
