"""Tiny real training runs, in this process or as a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
import yaml

from tests.data.samples import write_sample_scene, write_sample_video
from tests.models import tiny_pipelines
from train.__main__ import main
from train.config import read_recipe

MIX = "real:0.6,syn:0.4"


def write_sample_data(folder: Path) -> Path:
    """Write two videos to ``folder/real`` and a scene file to ``folder/syn``."""
    for name in ("real", "syn"):
        (folder / name).mkdir(parents=True)
    write_sample_video(folder / "real" / "first.mp4")
    write_sample_video(folder / "real" / "second.mp4", frames=24)
    write_sample_scene(folder / "syn" / "scene.h5")
    return folder


def write_wan_recipe(folder: Path, name: str, dtype: str = "float32") -> Path:
    """Save a toy Wan of the real classes; write the recipe that trains on it as tiny_cpu does."""
    family, builder = tiny_pipelines.BUILDERS[name]
    tiny_pipelines.seeded(builder).save_pretrained(folder / name)
    values = read_recipe("tiny_cpu")
    options = {"dtype": dtype, "local_files_only": True}
    values["model"] = {
        "backbone": {"name": family, "path": str(folder / name), "options": options},
        "projector": {"width": 16, "depth": 1, "frequencies": 8},
    }
    recipe = folder / f"{name}.yaml"
    recipe.write_text(yaml.safe_dump(values), encoding="utf-8")
    return recipe


def arguments(data: Path, out: Path, *more: str, mix: str = MIX) -> list[str]:
    """Command line of a run of recipe tiny_cpu that keeps its caches beside the data."""
    folders = [f"--data.{name}={data / name}" for name in ("real", "syn") if name in mix]
    cache = f"run.cache={data / 'cache'}"
    return ["--mix", mix, "--recipe", "tiny_cpu", *folders, "--out", str(out), *more, cache]


def run(data: Path, out: Path, *more: str) -> int:
    """Train in this process, on one thread so that figures do not depend on the machine's load."""
    torch.set_num_threads(1)
    return main(arguments(data, out, *more))


def start(data: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    """Start the same as a command of its own."""
    command = [sys.executable, "-m", "train", *arguments(data, out, *more)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a log of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def losses(out: Path) -> list[float]:
    """The losses of a run, by step."""
    return [record["loss"] for record in read_lines(out / "log.jsonl")]
