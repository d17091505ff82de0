"""Two processes train as one: DDP and FSDP2 through accelerate, with gloo on the CPU."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from safetensors.torch import load_file
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from scaling4d.models.vnvs import VNVSModel
from tests.process_group import one_process_group
from tests.train.runs import MIX, arguments, losses, run
from train import processes
from train.config import RunConfig, resolve
from train.settings import ConfigError
from train.step import LossConfig, TrainingStep, WeightAverage

CONFIGS = Path(processes.__file__).parent / "accelerate"
SETTINGS = ("optimizer.ema_decay=0.9", "run.checkpoint_every=2")


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


@pytest.fixture(scope="module")
def alone(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four steps of two samples in one process."""
    out = tmp_path_factory.mktemp("alone") / "out"
    assert run(sample_data, out, "steps=4", *SETTINGS) == 0
    return out


@pytest.mark.full
@pytest.mark.parametrize("module", ["train", "tests.train.fsdp2_process"])
def test_two_processes_equal_one_and_hand_over_to_it(
    module: str, sample_data: Path, alone: Path, tmp_path: Path
) -> None:
    """Two processes with a sample each take three steps; one process with two goes on, and back."""
    out = tmp_path / "out"
    outputs = run_two(module, sample_data, out, "steps=2", "run.batch=1")
    if "fsdp2" in module:
        units = outputs[0].split("units: ")[1].split()
        assert units.count("VNVSBlock") == units.count("ControlledBlock") == 2
        assert units[-1] == "TrainingStep"
    assert run(sample_data, out, "steps=3", *SETTINGS, "--resume") == 0
    run_two(module, sample_data, out, "steps=4", "run.batch=1", "--resume")
    assert_same_run(out, alone)


def test_shared_weights_are_gathered_averaged_and_saved_whole(tmp_path: Path) -> None:
    folders = {"real": str(tmp_path), "syn": str(tmp_path)}
    config = resolve("tiny_cpu", mix=MIX, folders=folders, overrides=[])
    module = TrainingStep(VNVSModel.build(config.model, seed=1), LossConfig())
    plain = {name: p.detach().clone() for name, p in module.model.named_parameters()}
    with one_process_group(tmp_path):
        fully_shard(module, mesh=torch.distributed.init_device_mesh("cpu", (1,)))
        assert all(isinstance(p, DTensor) for p in module.parameters())
        whole = processes.gather_weights(module.model)
        assert all(torch.equal(whole[name], value) for name, value in plain.items())
        average, again = WeightAverage(0.9), WeightAverage(0.9)
        average.update(module.named_parameters(), 0)
        again.load(average.gather(), module)
        assert all(isinstance(value, DTensor) for value in again.weights.values())
        again.copy_to(module)
        weights = processes.gather_weights(module.model)
        module.model.save_pretrained(tmp_path / "model", weights=weights)
    loaded = VNVSModel.from_pretrained(tmp_path / "model")
    for name, value in loaded.named_parameters():
        assert torch.equal(value, plain[name]), name


@pytest.mark.parametrize("name", ["ddp", "fsdp2"])
def test_launch_files_are_what_accelerate_reads(name: str) -> None:
    config = load_config_from_file(str(CONFIGS / f"{name}.yaml"))
    assert config.num_processes == 8
    if name == "fsdp2":
        assert config.fsdp_config["fsdp_version"] == 2


def test_deepspeed_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(ConfigError, match=r"train/accelerate/fsdp2\.yaml"):
        processes.make_accelerator(RunConfig())
