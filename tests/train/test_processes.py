"""Two processes train as one: DDP, FSDP2 and DeepSpeed through accelerate, gloo on the CPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.utils import DistributedType
from safetensors.torch import load_file
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from scaling4d.models.vnvs import VNVSModel
from tests.process_group import one_process_group
from tests.train.launches import (
    CONFIGS,
    OFFLOAD,
    SETTINGS,
    assert_same_run,
    launch_deepspeed,
    needs_deepspeed,
    run_two,
)
from tests.train.runs import MIX, losses, read_lines, run, start
from train import processes, zero
from train.config import TrainConfig, resolve
from train.settings import ConfigError
from train.step import LossConfig, TrainingStep, WeightAverage


def tiny(tmp_path: Path, *overrides: str) -> TrainConfig:
    folders = {"real": str(tmp_path), "syn": str(tmp_path)}
    return resolve("tiny_cpu", mix=MIX, folders=folders, overrides=list(overrides))


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


@pytest.mark.full
@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_two_processes_share_frozen_weights_in_bf16(
    precision: str, two_experts: Path, sample_data: Path, tmp_path: Path
) -> None:
    settings = ("--recipe", str(two_experts), "model.backbone.options.dtype=bfloat16")
    settings = ("steps=4", *settings, f"run.precision={precision}")
    one, two = tmp_path / "one", tmp_path / "two"
    assert start(sample_data, one, *SETTINGS, *settings).wait(timeout=300) == 0
    run_two("tests.train.fsdp2_process", sample_data, two, *settings, "run.batch=1")
    # Roundings of bf16 differ with the size of a pass's batch, and add up over the steps; VNVS
    # Blocks multiply in it beside a bf16 backbone even without autocast.
    assert losses(two)[0] == pytest.approx(losses(one)[0], rel=1e-4)
    assert losses(two) == pytest.approx(losses(one), rel=1e-3)
    norms = [[line["grad_norm"] for line in read_lines(p / "log.jsonl")] for p in (two, one)]
    assert norms[0] == pytest.approx(norms[1], rel=5e-3)
    model = VNVSModel.from_pretrained(two / "model")
    frozen = {p.dtype for p in model.parameters() if not p.requires_grad}
    assert frozen == {torch.bfloat16, torch.float32}  # diffusers keeps norms in float32
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}


def test_fsdp2_leaves_precision_to_autocast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    class Noted(Accelerator):  # a real one would decide the precision of all later tests
        def __init__(self, **given: Any) -> None:
            asked.update(given)

    monkeypatch.setattr(processes, "Accelerator", Noted)
    processes.make_accelerator(tiny(tmp_path, "run.precision=bf16"))
    assert asked["fsdp_plugin"] is None
    for name, value in {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}.items():
        monkeypatch.setenv(name, value)
    processes.make_accelerator(tiny(tmp_path, "run.precision=bf16"))
    plugin = asked["fsdp_plugin"]
    plugin.set_mixed_precision("bf16")  # as accelerate does
    assert plugin.mixed_precision_policy == MixedPrecisionPolicy()
    assert asked["mixed_precision"] == "bf16"


def test_shared_weights_are_gathered_averaged_and_saved_whole(tmp_path: Path) -> None:
    module = TrainingStep(VNVSModel.build(tiny(tmp_path).model, seed=1), LossConfig())
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


@pytest.mark.full
@needs_deepspeed
@pytest.mark.parametrize("zero", [("1",), ("2",), ("1", *OFFLOAD), ("2", *OFFLOAD)])
def test_deepspeed_equals_one_process_and_hands_over_to_it(
    zero: tuple[str, ...], sample_data: Path, alone: Path, tmp_path: Path
) -> None:
    """Two processes take two steps, one without DeepSpeed a third, then it in two passes."""
    out, zero_stage = tmp_path / "out", ("--zero_stage", *zero)
    two, one = (*zero_stage, "--num_processes", "2"), (*zero_stage, "--num_processes", "1")
    launch_deepspeed(sample_data, out, two, "steps=2", "run.batch=1")
    assert run(sample_data, out, "steps=3", *SETTINGS, "--resume") == 0
    launch_deepspeed(
        sample_data, out, one, "steps=4", "run.batch=1", "run.accumulate=2", "--resume"
    )
    assert_same_run(out, alone)
    norms = [[line["grad_norm"] for line in read_lines(p / "log.jsonl")] for p in (out, alone)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)
    assert max(norms[0]) > 1  # so clipping was at work
    model = VNVSModel.from_pretrained(out / "model")
    averages = load_file(out / "checkpoints/step_000004/ema.safetensors")
    for name, weight in model.named_parameters():
        assert torch.equal(weight, averages[f"model.{name}"]), name


@pytest.mark.parametrize("name", ["ddp", "fsdp2", "deepspeed"])
def test_launch_files_are_what_accelerate_reads(name: str) -> None:
    config = load_config_from_file(str(CONFIGS / f"{name}.yaml"))
    assert config.num_processes == 8
    if name == "fsdp2":
        assert config.fsdp_config["fsdp_version"] == 2
    if name == "deepspeed":
        assert config.distributed_type == DistributedType.DEEPSPEED
        assert config.deepspeed_config["zero_stage"] == 2


def test_deepspeed_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setattr(zero, "is_deepspeed_available", lambda: False)
    with pytest.raises(ConfigError, match=r"pip install 'scaling4d\[deepspeed\]'"):
        processes.make_accelerator(tiny(tmp_path))


def test_recipe_decides_deepspeeds_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_DEEPSPEED_ZERO_STAGE", "1")
    config = tiny(tmp_path, "optimizer.max_grad_norm=0.5", "run.accumulate=3", "run.precision=bf16")
    settings = zero.make_plugin(config).deepspeed_config
    assert settings["zero_optimization"]["stage"] == 1
    assert settings["gradient_clipping"] == 0.5
    assert settings["train_micro_batch_size_per_gpu"] == 2
    assert settings["gradient_accumulation_steps"] == 1
    assert settings["torch_autocast"]["dtype"] == "bfloat16"
    assert "torch_autocast" not in zero.make_plugin(tiny(tmp_path)).deepspeed_config


def test_deepspeed_settings_of_a_file_are_kept_where_the_recipe_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "zero.json"
    monkeypatch.setenv("ACCELERATE_DEEPSPEED_CONFIG_FILE", str(file))
    sharing = {"stage": 2, "reduce_bucket_size": 1000}
    file.write_text(json.dumps({"zero_optimization": sharing, "gradient_clipping": 9}))
    settings = zero.make_plugin(tiny(tmp_path)).deepspeed_config
    assert settings["zero_optimization"]["reduce_bucket_size"] == 1000
    assert settings["gradient_clipping"] == 1
    file.write_text(json.dumps({"zero_optimization": sharing, "bf16": {}, "optimizer": {}}))
    with pytest.raises(ConfigError, match=r"bf16, optimizer, which the recipe decides"):
        zero.make_plugin(tiny(tmp_path))


@pytest.mark.parametrize(
    ("variable", "value", "override", "message"),
    [
        ("ZERO_STAGE", "3", "steps=1", "stages 1 and 2, got 3"),
        ("OFFLOAD_OPTIMIZER_DEVICE", "nvme", "steps=1", "offload_optimizer to nvme"),
        ("OFFLOAD_PARAM_DEVICE", "cpu", "steps=1", "offload_param to cpu"),
        ("ZERO_STAGE", "2", "run.precision=fp16", "run.precision=fp16"),
    ],
)
def test_what_deepspeed_cannot_do_here_is_refused(
    variable: str,
    value: str,
    override: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(f"ACCELERATE_DEEPSPEED_{variable}", value)
    with pytest.raises(ConfigError, match=message):
        zero.make_plugin(tiny(tmp_path, override))
