"""Runs of several processes on the CPU, and their comparison with a run of one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate.utils import is_deepspeed_available
from safetensors.torch import load_file

from tests.train.runs import arguments, losses
from train import processes

CONFIGS = Path(processes.__file__).parent / "accelerate"
SETTINGS = ("optimizer.ema_decay=0.9", "run.checkpoint_every=2")

OFFLOAD = ("--offload_optimizer_device", "cpu")
"""What moves DeepSpeed's moments and AdamW to the CPU; here all is there, but other code runs."""

needs_deepspeed = pytest.mark.skipif(
    not is_deepspeed_available(), reason="needs DeepSpeed: pip install 'scaling4d[deepspeed]'"
)


def run_two(module: str, data: Path, out: Path, *more: str) -> list[str]:
    """Run the command of a module in two processes; return what each wrote."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    both = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "ACCELERATE_USE_CPU": "true"}
    both |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", module, *arguments(data, out, *SETTINGS, *more)]
    started = [
        subprocess.Popen(
            command,
            env={**os.environ, **both, "OMP_NUM_THREADS": "1", "RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in ("0", "1")
    ]
    outputs = [process.communicate(timeout=600)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs[0][-3000:]
    return outputs


def assert_same_run(out: Path, wanted: Path) -> None:
    assert losses(out) == pytest.approx(losses(wanted), rel=1e-5)
    newest = "checkpoints/step_000004"
    for name in (
        "model/model.safetensors",
        f"{newest}/model.safetensors",
        f"{newest}/optimizer.safetensors",
        f"{newest}/ema.safetensors",
    ):
        got, expected = load_file(out / name), load_file(wanted / name)
        # A resumed optimizer holds moments of weights that never had a gradient too: zeros.
        extra = [key for key in got.keys() - expected.keys() if not key.endswith("|step")]
        assert all(not got[key].any() for key in extra)
        for key, value in expected.items():
            torch.testing.assert_close(got[key], value, rtol=1e-3, atol=2e-5, msg=f"{name} {key}")


def launch_deepspeed(data: Path, out: Path, launch: tuple[str, ...], *more: str) -> None:
    """Start a run as a user does, on CPUs."""
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--main_process_port", "0"]
    file = ["--config_file", str(CONFIGS / "deepspeed.yaml"), *launch, "-m", "train"]
    local = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        [*launcher, *file, *arguments(data, out, *SETTINGS, *more)],
        env={**os.environ, **local, "CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
