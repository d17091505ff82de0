"""Storage types, compilation, offloading, LoRA and sharding around injected blocks."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers.hooks import HookRegistry

from scaling4d.models.errors import BackboneMismatchError
from scaling4d.models.injection import vnvs_blocks
from scaling4d.models.model_config import LoraConfig
from scaling4d.models.vnvs import VNVSModel
from tests.models.conftest import Case
from tests.process_group import one_process_group

REPOSITORY = Path(__file__).resolve().parents[2]
FAMILIES = ("wan", "hunyuan_video")


@pytest.mark.parametrize(
    ("dtype", "largest_error"),
    [(torch.bfloat16, 0.02), (torch.float16, 0.0025), (torch.float8_e4m3fn, 0.3)],
)
@pytest.mark.parametrize("name", FAMILIES)
def test_frozen_weights_may_be_stored_small(
    name: str, dtype: torch.dtype, largest_error: float, case_of: Callable[[str], Case]
) -> None:
    case = case_of(name)
    model = case.model(awake=True).eval()
    with torch.no_grad():
        exact = case.velocity(model)
        model.store_frozen_weights(dtype)
        rounded = case.velocity(model)
    stored = {p.dtype for n, p in model.backbone.named_parameters() if "vnvs" not in n}
    assert stored == {dtype, torch.float32}
    assert all(p.dtype == torch.float32 for n, p in model.named_parameters() if "vnvs" in n)
    error = (rounded - exact).norm() / exact.norm()
    assert 0 < error < largest_error


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_blocks_train_in_float32_on_a_half_precision_backbone(
    dtype: torch.dtype, case_of: Callable[[str], Case]
) -> None:
    case = case_of("hunyuan_video")
    model = case.model(awake=True)
    for transformer in model.backbone.transformers().values():
        for name, parameter in transformer.named_parameters():
            if "vnvs" not in name:
                parameter.data = parameter.data.to(dtype)
    velocity = case.velocity(model)
    assert velocity.dtype == case.noisy.dtype
    assert torch.isfinite(velocity).all()
    velocity.square().mean().backward()
    for name, parameter in model.trainable_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.dtype == torch.float32
        assert torch.isfinite(parameter.grad).all()


def test_weights_go_where_and_into_what_they_can(case_of: Callable[[str], Case]) -> None:
    mini = case_of("mini").model()
    with pytest.raises(BackboneMismatchError, match="mini has no frozen weights to store small"):
        mini.store_frozen_weights(torch.bfloat16)
    model = case_of("wan").model()
    with pytest.raises(ValueError, match=r"a floating-point dtype .*, got torch\.int8"):
        model.store_frozen_weights(torch.int8)
    with pytest.raises(ValueError, match="cannot run on the device 'cuda:99'"):
        model.offload("cuda:99")
    assert not model.offloaded


def test_offloading_changes_no_result(case_of: Callable[[str], Case]) -> None:
    case = case_of("wan")
    model = case.model(awake=True).eval()
    with torch.no_grad():
        before = case.velocity(model)
        model.offload("cpu")
        # Equal results alone would not show it: on a CPU nothing moves.
        for transformer in model.backbone.transformers().values():
            for blocks in model.backbone.block_lists(transformer):
                for block in blocks:
                    hooks = HookRegistry.check_if_exists_or_initialize(block).hooks
                    assert "group_offloading" in hooks
        assert torch.equal(case.velocity(model), before)
        assert model.encode_text(["a chair"]).embeddings.shape[0] == 1


def test_lora_trains_beside_the_blocks_and_is_saved(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    pytest.importorskip("peft", reason="the extra `lora` is not installed")
    case = case_of("wan")
    model = case.model(awake=True, lora=LoraConfig(rank=2))
    names = [name for name, _ in model.trainable_parameters()]
    assert any(".lora_A." in name for name in names)
    assert all(".lora_" in n or "vnvs" in n or n.startswith("projector") for n in names)
    case.velocity(model).square().mean().backward()
    assert all(p.grad is not None for _, p in model.trainable_parameters())
    # A fresh adapter adds zero: only one that was trained shows whether it comes back.
    without = case.velocity(model).detach()
    generator = torch.Generator().manual_seed(3)
    for name, parameter in model.trainable_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(parameter, std=0.2, generator=generator)
    assert not torch.allclose(case.velocity(model), without, rtol=0.01, atol=0.01)
    model.save_pretrained(tmp_path)
    again = VNVSModel.from_pretrained(tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(case.velocity(again), case.velocity(model), rtol=1e-4, atol=1e-5)
    for (name, saved), (_, loaded) in zip(
        model.trainable_parameters(), again.trainable_parameters(), strict=True
    ):
        assert torch.equal(saved, loaded), name


def test_lora_on_a_bf16_backbone_is_trained_in_float32(case_of: Callable[[str], Case]) -> None:
    pytest.importorskip("peft", reason="the extra `lora` is not installed")
    case = case_of("wan")
    loaded = case.backbone()
    loaded.to(torch.bfloat16)
    config = dataclasses.replace(case.config, lora=LoraConfig(rank=2))
    model = VNVSModel(config, loaded)
    adapters = [p for name, p in model.trainable_parameters() if ".lora_" in name]
    assert adapters
    assert all(p.dtype == torch.float32 for p in adapters)
    assert torch.isfinite(case.velocity(model)).all()


def test_blocks_may_be_rounded_for_sampling(case_of: Callable[[str], Case]) -> None:
    case = case_of("wan")
    loaded = case.backbone()
    loaded.to(torch.bfloat16)
    half = dataclasses.replace(case.config.backbone, options={"dtype": "bfloat16"})
    model = VNVSModel(dataclasses.replace(case.config, backbone=half), loaded).eval()
    for block in vnvs_blocks(model.backbone).values():
        torch.nn.init.normal_(block.output.weight, std=0.2)
    with torch.no_grad():
        before = case.velocity(model)
        model.round_blocks()
        assert torch.equal(case.velocity(model), before)
    blocks = vnvs_blocks(model.backbone).values()
    assert all(b.qkv.weight.dtype == b.output.weight.dtype == torch.bfloat16 for b in blocks)
    assert all(b.norm_query.weight.dtype == torch.float32 for b in blocks)
    full = case.model()
    full.round_blocks()
    assert all(p.dtype == torch.float32 for p in full.parameters())


@pytest.mark.parametrize("name", ["wan", "ltx"])
def test_text_encoder_and_codec_are_never_trained(
    name: str, case_of: Callable[[str], Case]
) -> None:
    case = case_of(name)
    model = case.model(freeze_backbone=False).train()
    denoisers = tuple(f"backbone.{part}." for part in model.backbone.transformers())
    own = (*denoisers, "projector.")
    listed = [name for name, _ in model.trainable_parameters()]
    assert any(name.startswith(denoisers) for name in listed)
    assert all(name.startswith(own) for name in listed)
    # umT5 and T5 come with dropout, which would change a prompt from one step to the next.
    first, second = (model.encode_text(["a chair"]).embeddings for _ in range(2))
    assert torch.equal(first, second)
    assert model.projector.training


def test_lora_counts_alpha_over_rank(case_of: Callable[[str], Case]) -> None:
    pytest.importorskip("peft", reason="the extra `lora` is not installed")
    model = case_of("wan").model(lora=LoraConfig(rank=2, alpha=6))
    layer = model.backbone.transformer.blocks[0].block.attn1.to_q
    (down,), (up,) = layer.lora_A.values(), layer.lora_B.values()
    torch.nn.init.normal_(up.weight, generator=torch.Generator().manual_seed(3))
    x = torch.randn(4, down.in_features, generator=torch.Generator().manual_seed(4))
    expected = layer.base_layer(x) + 6 / 2 * x @ down.weight.T @ up.weight.T
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)


_COMPILE_BLOCK = """
import torch
from scaling4d.models.vnvs_block import VNVSBlock, VNVSBlockConfig
block = VNVSBlock(VNVSBlockConfig(), dim=16, heads=2)
torch.nn.init.normal_(block.output.weight)
video, control = torch.randn(2, 2, 24, 16)
with torch.no_grad():
    expected = block(video, control, grid=(2, 3, 4))
    compiled = torch.compile(block, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(video, control, grid=(2, 3, 4)), expected)
"""


def test_block_is_one_graph_for_the_compiler() -> None:
    """Without generating code, which takes most of the time; `make test-full` does that too."""
    command = [sys.executable, "-c", _COMPILE_BLOCK]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


_COMPILE = """
import sys, torch
from scaling4d.models import ModelConfig, VNVSModel
from scaling4d.models.injection import vnvs_blocks
family, path = sys.argv[1:]
mini = {"dim": 32, "depth": 2, "heads": 2, "patch": 8}
backbone = {"options": mini} if family == "mini" else {"name": family, "path": path}
model = VNVSModel.build(ModelConfig.from_dict({"backbone": backbone, "projector": {"width": 16}}))
torch.manual_seed(0)
for block in vnvs_blocks(model.backbone).values():
    torch.nn.init.normal_(block.output.weight, std=0.2)
side = 2 * model.backbone.geometry.size_multiple
noisy = torch.randn(model.latent_shape(2, 9, side, side))
inputs = (torch.tensor([0.4, 0.9]), model.encode_text(["a", ""]), torch.rand(2, 9, 9, side, side))
with torch.no_grad():
    before = model.velocity(noisy, *inputs)
    model.compile_blocks()
    torch.testing.assert_close(model.velocity(noisy, *inputs), before, rtol=1e-3, atol=1e-4)
"""


@pytest.mark.full
@pytest.mark.parametrize("name", ["mini", "wan", "hunyuan_video"])
def test_compiled_blocks_give_the_same_velocity(name: str, case_of: Callable[[str], Case]) -> None:
    """In a process of its own: the shape checks of these tests cannot be compiled."""
    path = case_of(name).config.backbone.path
    command = [sys.executable, "-c", _COMPILE, name, str(path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_fsdp2_shards_blocks_and_trains_only_ours(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    case = case_of("wan")
    plain = case.model(awake=True)
    case.velocity(plain).square().mean().backward()
    wanted = {name: p.grad for name, p in plain.trainable_parameters()}
    model = case.model(awake=True)
    model.enable_gradient_checkpointing()
    with one_process_group(tmp_path):
        mesh = init_device_mesh("cpu", (1,))
        for transformer in model.backbone.transformers().values():
            for blocks in model.backbone.block_lists(transformer):
                for block in blocks:
                    fully_shard(block, mesh=mesh)
            fully_shard(transformer, mesh=mesh)
        case.velocity(model).square().mean().backward()
        got = {n: p.grad for n, p in model.trainable_parameters()}
        assert got.keys() == wanted.keys()
        for name, gradient in got.items():
            full = gradient.full_tensor() if hasattr(gradient, "full_tensor") else gradient
            torch.testing.assert_close(full, wanted[name], rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({"every": 2}, ["transformer.1"]),
        ({"blocks": (0,)}, ["transformer.0"]),
        ({"blocks": (2, 0)}, ["transformer.0", "transformer.2"]),
    ],
)
def test_blocks_go_where_they_are_asked_to(
    chosen: dict[str, object], names: list[str], case_of: Callable[[str], Case]
) -> None:
    case = case_of("hunyuan_video")  # one dual-stream and two single-stream blocks
    injection = dataclasses.replace(case.config.injection, **chosen)  # type: ignore[arg-type]
    model = case.model(injection=injection)
    assert list(vnvs_blocks(model.backbone)) == names
