"""A model of two experts: each step trains one, and noise levels keep the family's distribution."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy import special, stats
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor

from scaling4d.models.vnvs import VNVSModel
from tests.process_group import one_process_group
from tests.train.launches import (
    OFFLOAD,
    SETTINGS,
    assert_same_run,
    launch_deepspeed,
    needs_deepspeed,
    run_two,
)
from tests.train.runs import MIX, losses, run
from train.config import TrainConfig, resolve
from train.step import LossConfig, TrainingStep, make_optimizer

BOUNDARY = 0.875
"""Of the toy, as of Wan 2.2 A14B: the first expert serves noise levels from here on."""
EXPERTS = ("transformer", "transformer_2")


@pytest.fixture(scope="module")
def config(two_experts: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    folder = str(tmp_path_factory.mktemp("data"))
    folders = {"real": folder, "syn": folder}
    return resolve(str(two_experts), mix=MIX, folders=folders, overrides=[])


@pytest.fixture(scope="module")
def module(config: TrainConfig) -> TrainingStep:
    return TrainingStep(VNVSModel.build(config.model, seed=1), LossConfig())


def family_share_below(sigma: Any) -> Any:
    """Closed form of the toy's distribution: logit-normal, then shifted by 3."""
    unshifted = sigma / (3 - 2 * sigma)
    return stats.norm.cdf(special.logit(unshifted))


def seed_that_trains(module: TrainingStep, *experts: str) -> str:
    """The first setting of a seed whose steps train these experts."""
    wanted = dict(enumerate(experts))
    return next(
        f"seed={seed}"
        for seed in range(1000)
        if all(module.expert_of_step(seed, step) == name for step, name in wanted.items())
    )


def test_steps_choose_an_expert_as_often_as_its_noise_levels_occur(module: TrainingStep) -> None:
    steps = 4000
    counts = Counter(module.expert_of_step(3, step) for step in range(steps))
    high = 1 - family_share_below(BOUNDARY)
    assert 0.15 < high < 0.25
    expected = [steps * high, steps * (1 - high)]
    assert stats.chisquare([counts[name] for name in EXPERTS], expected).pvalue > 0.01
    assert module.expert_of_step(3, 5) == module.expert_of_step(3, 5)
    orders = [[module.expert_of_step(seed, step) for step in range(50)] for seed in (3, 4)]
    assert orders[0] != orders[1]


def test_noise_levels_keep_the_familys_distribution_over_the_steps(module: TrainingStep) -> None:
    experts = [module.expert_of_step(7, step) for step in range(4000)]
    drawn = [module.draw(1000 + n, torch.Size([1]), e) for n, e in enumerate(experts)]
    levels = np.array([draw.sigma.item() for draw in drawn])
    assert stats.kstest(levels, family_share_below).pvalue > 0.01
    high = levels >= BOUNDARY
    assert high.tolist() == [expert == EXPERTS[0] for expert in experts]
    # Within an expert's levels too, lest a small one's shape is lost among the others.
    below = family_share_below(BOUNDARY)
    assert stats.kstest(levels[~high], lambda v: family_share_below(v) / below).pvalue > 0.01
    above = stats.kstest(levels[high], lambda v: (family_share_below(v) - below) / (1 - below))
    assert above.pvalue > 0.01


def test_level_follows_from_the_sample_and_the_expert_of_its_step(module: TrainingStep) -> None:
    shape = torch.Size([2, 3])
    for seed in range(20):
        free = module.draw(seed, shape)
        chosen = EXPERTS[int(free.sigma.item() < BOUNDARY)]
        for expert in EXPERTS:
            first, again = (module.draw(seed, shape, expert) for _ in range(2))
            assert torch.equal(first.noise, again.noise)
            assert (first.sigma.item() == free.sigma.item()) == (expert == chosen)
            assert (first.sigma.item() >= BOUNDARY) == (expert == EXPERTS[0])


def test_each_expert_has_groups_of_its_own(module: TrainingStep, config: TrainConfig) -> None:
    names = {id(p): name for name, p in module.named_parameters()}
    groups = make_optimizer(module, config.optimizer).param_groups
    assert [group["expert"] for group in groups] == ["", "", *EXPERTS[:1] * 2, *EXPERTS[1:] * 2]
    assert [bool(group["weight_decay"]) for group in groups] == [True, False] * 3
    for group in groups:
        for parameter in group["params"]:
            name = names[id(parameter)]
            assert ("projector" in name) == (group["expert"] == "")
            assert group["expert"] in name
    counted = sum(len(group["params"]) for group in groups)
    assert counted == sum(p.requires_grad for p in module.parameters())


def test_resting_expert_stays_as_it_is_and_runs_resume(
    two_experts: Path, sample_data: Path, module: TrainingStep, tmp_path: Path
) -> None:
    """Of these steps the third is the first that trains the other expert."""
    seed = seed_that_trains(module, *(EXPERTS[n] for n in (1, 1, 0, 1)))
    settings = ("--recipe", str(two_experts), seed, "run.checkpoint_every=1")
    settings = (*settings, "run.keep_checkpoints=9", "optimizer.warmup_steps=0")
    straight, resumed = tmp_path / "straight", tmp_path / "resumed"
    assert run(sample_data, straight, "steps=4", *settings) == 0
    assert run(sample_data, resumed, "steps=2", *settings) == 0
    assert run(sample_data, resumed, "steps=4", *settings, "--resume") == 0
    assert losses(resumed) == losses(straight)
    for name in ("model", "optimizer"):
        file = f"checkpoints/step_000004/{name}.safetensors"
        got, wanted = load_file(resumed / file), load_file(straight / file)
        assert got.keys() == wanted.keys()
        assert all(torch.equal(got[key], wanted[key]) for key in wanted)
    states = [load_file(straight / f"checkpoints/step_{n:06d}/model.safetensors") for n in (2, 3)]
    assert states[0].keys() == {n for n, p in module.named_parameters() if p.requires_grad}
    changed = {key for key in states[0] if not torch.equal(states[0][key], states[1][key])}
    resting = {key for key in states[0] if f".{EXPERTS[1]}." in key}
    assert resting
    assert not changed & resting
    assert any(f".{EXPERTS[0]}." in key for key in changed)
    assert any("projector" in key for key in changed)
    moments = load_file(straight / "checkpoints/step_000004/optimizer.safetensors")
    steps = {key: int(value) for key, value in moments.items() if key.endswith("|step")}
    taken = {"projector": 4, f".{EXPERTS[0]}.": 1, f".{EXPERTS[1]}.": 3}
    for part, count in taken.items():
        assert {value for key, value in steps.items() if part in key} == {count}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_shared_weights_train_the_expert_of_the_step_alone(
    dtype: str, two_experts: Path, config: TrainConfig, tmp_path: Path
) -> None:
    overrides = [f"model.backbone.options.dtype={dtype}"]
    stored = resolve(str(two_experts), mix=MIX, folders=config.data.sources, overrides=overrides)
    module, shared = (
        TrainingStep(VNVSModel.build(stored.model, seed=1), LossConfig()) for _ in range(2)
    )
    target, control = torch.rand(1, 5, 3, 32, 32), torch.rand(1, 5, 9, 32, 32)
    with one_process_group(tmp_path):
        mesh = torch.distributed.init_device_mesh("cpu", (1,))
        for part in list(shared.modules())[::-1]:
            if type(part).__name__ in shared._no_split_modules:
                fully_shard(part, mesh=mesh)
        fully_shard(shared, mesh=mesh)
        assert isinstance(shared.model.backbone.text_encoder.encoder.block[0], FSDPModule)
        for expert in EXPERTS:
            for one in (module, shared):
                one.zero_grad(set_to_none=True)
                for seed in (4, 5):  # two passes, as of a step that accumulates
                    one(target, control, ["a"], [seed], expert=expert).backward()
            wanted = {n: p.grad for n, p in module.named_parameters() if p.requires_grad}
            for name, parameter in shared.named_parameters():
                if name not in wanted:
                    continue
                trains = any(part in name for part in (f".{expert}.", "projector"))
                assert (parameter.grad is not None) == (wanted[name] is not None) == trains, name
                if isinstance(parameter.grad, DTensor):
                    torch.testing.assert_close(parameter.grad.full_tensor(), wanted[name])


@pytest.fixture(scope="module")
def alone(
    two_experts: Path,
    sample_data: Path,
    module: TrainingStep,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, tuple[str, ...]]:
    """Four steps of two samples, which train either expert twice, in one process; its settings."""
    seed = seed_that_trains(module, *(EXPERTS[n] for n in (1, 0, 1, 0)))
    settings = ("--recipe", str(two_experts), seed)
    out = tmp_path_factory.mktemp("alone") / "out"
    assert run(sample_data, out, "steps=4", *SETTINGS, *settings) == 0
    return out, settings


@pytest.mark.full
@pytest.mark.parametrize("way", ["train", "tests.train.fsdp2_process"])
def test_two_processes_train_experts_as_one_and_hand_over_to_it(
    way: str, sample_data: Path, alone: tuple[Path, tuple[str, ...]], tmp_path: Path
) -> None:
    """Two processes take a step with each expert, one process a third, two a fourth."""
    (wanted, settings), out = alone, tmp_path / "out"
    run_two(way, sample_data, out, "steps=2", "run.batch=1", *settings)
    assert run(sample_data, out, "steps=3", *SETTINGS, *settings, "--resume") == 0
    run_two(way, sample_data, out, "steps=4", "run.batch=1", *settings, "--resume")
    assert_same_run(out, wanted)


@pytest.mark.full
@needs_deepspeed
@pytest.mark.parametrize("zero", [("1",), ("2",), ("2", *OFFLOAD)])
def test_deepspeed_trains_experts_as_one_process(
    zero: tuple[str, ...],
    sample_data: Path,
    alone: tuple[Path, tuple[str, ...]],
    tmp_path: Path,
) -> None:
    """Two processes take a step with each expert, then one does so in two passes."""
    (wanted, settings), out, zero = alone, tmp_path / "out", ("--zero_stage", *zero)
    two, one = (*zero, "--num_processes", "2"), (*zero, "--num_processes", "1")
    launch_deepspeed(sample_data, out, two, "steps=2", "run.batch=1", *settings)
    more = ("run.batch=1", "run.accumulate=2", "--resume")
    launch_deepspeed(sample_data, out, one, "steps=4", *more, *settings)
    assert_same_run(out, wanted)
