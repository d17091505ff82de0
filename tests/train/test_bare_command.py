"""``python -m train --mix real:0.9,syn:0.1`` and nothing else, beside a quickstart's output."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.train.runs import read_lines
from train.__main__ import main
from train.config import QUICKSTART_DATA

# The recipe's own model and clips are sized for a workstation; everything else stays as it is.
SMALL = [
    "steps=1",
    "data.frames=5",
    "data.height=32",
    "data.width=32",
    "model.backbone.options={dim: 32, depth: 1, heads: 2}",
    "model.projector.width=16",
    "run.batch=2",
    "run.workers=0",
]


def test_the_bare_command_trains_on_what_the_quickstart_left(
    sample_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    QUICKSTART_DATA.mkdir(parents=True)
    for name in ("real", "syn"):
        (QUICKSTART_DATA / name).symlink_to(sample_data / name)
    assert main(["--mix", "real:0.9,syn:0.1", *SMALL]) == 0
    (log,) = tmp_path.rglob("log.jsonl")
    (record,) = [line for line in read_lines(log) if "loss" in line]
    assert sum(record["drawn"].values()) == 2
    assert (log.parent / "model" / "model.safetensors").is_file()
