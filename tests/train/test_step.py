from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from scaling4d.models.vnvs import VNVSModel
from tests.train.runs import MIX
from train.config import TrainConfig, resolve
from train.step import LossConfig, OptimizerConfig, TrainingStep, WeightAverage, make_optimizer


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    folder = str(tmp_path_factory.mktemp("data"))
    return resolve("tiny_cpu", mix=MIX, folders={"real": folder, "syn": folder}, overrides=[])


def batch(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(count, 5, 3, 32, 32, generator=generator) * 2 - 1
    return target, torch.rand(count, 5, 9, 32, 32, generator=generator) * 2 - 1


def step(config: TrainConfig, **loss: float) -> TrainingStep:
    return TrainingStep(VNVSModel.build(config.model, seed=1), LossConfig(**loss))  # type: ignore[arg-type]


def test_loss_of_a_batch_is_the_mean_over_its_samples(config: TrainConfig) -> None:
    module = step(config, drop_text=0.5, drop_control=0.5)
    target, control = batch(4)
    prompts = ["a", "b", "c", "d"]
    whole = module(target, control, prompts, [10, 11, 12, 13])
    single = [
        module(target[i : i + 1], control[i : i + 1], prompts[i : i + 1], [10 + i])
        for i in range(4)
    ]
    torch.testing.assert_close(whole, torch.stack(single).mean(), rtol=1e-5, atol=1e-6)


def test_randomness_follows_the_seeds_alone(config: TrainConfig) -> None:
    module = step(config)
    target, control = batch(2)
    first = module(target, control, ["", ""], [1, 2])
    torch.manual_seed(99)
    assert torch.equal(first, module(target, control, ["", ""], [1, 2]))
    assert not torch.equal(first, module(target, control, ["", ""], [3, 4]))


def test_dropped_control_and_text_do_not_reach_the_model(config: TrainConfig) -> None:
    optimizer_steps = 3
    target, control = batch(2)
    dropped = step(config, drop_text=1.0, drop_control=1.0)
    kept = step(config, drop_text=0.0, drop_control=0.0)
    for module in (dropped, kept):  # fresh VNVS blocks change nothing, so train a little first
        optimizer = make_optimizer(module, OptimizerConfig(lr=1e-2))
        for number in range(optimizer_steps):
            optimizer.zero_grad()
            module(target, control, ["x", "y"], [number, number + 50]).backward()
            optimizer.step()
    for module, differs in ((dropped, False), (kept, True)):
        first = module(target, control, ["x", "y"], [7, 8])
        other = module(target, -control, ["some other", "words"], [7, 8])
        assert torch.equal(first, other) != differs


def test_schedule_rises_then_falls_along_a_cosine() -> None:
    config = OptimizerConfig(lr=1.0, warmup_steps=10, final_lr_share=0.1)
    rates = [config.lr_at(number, 110) for number in range(110)]
    assert rates[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert rates[60] == pytest.approx(0.55)
    assert rates[-1] == pytest.approx(0.1, abs=1e-3)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    constant = OptimizerConfig(lr=2.0)
    assert {constant.lr_at(number, 50) for number in range(50)} == {2.0}


def test_weight_decay_spares_vectors(config: TrainConfig) -> None:
    module = step(config)
    decayed, spared = make_optimizer(module, OptimizerConfig(weight_decay=0.3)).param_groups
    assert decayed["weight_decay"] == 0.3
    assert spared["weight_decay"] == 0.0
    assert all(p.ndim >= 2 for p in decayed["params"])
    assert all(p.ndim < 2 for p in spared["params"])
    trained = sum(p.requires_grad for p in module.parameters())
    assert len(decayed["params"]) + len(spared["params"]) == trained


def test_average_follows_the_weights() -> None:
    module = torch.nn.Linear(2, 1, bias=False)
    average = WeightAverage(0.5)
    expected = None
    for number, value in enumerate([1.0, 3.0, -2.0, 8.0]):
        torch.nn.init.constant_(module.weight, value)
        average.update(module.named_parameters(), number)
        decay = min(0.5, (1 + number) / (10 + number))
        expected = value if expected is None else decay * expected + (1 - decay) * value
    copy = torch.nn.Linear(2, 1, bias=False)
    average.copy_to(copy)
    torch.testing.assert_close(copy.weight, torch.full((1, 2), expected))
    off = WeightAverage(0.0)
    off.update(module.named_parameters(), 0)
    assert not off.weights
