"""Equation 6 against a reference of ten lines, its scopes, and where it may see."""

from __future__ import annotations

import pytest
import torch

from scaling4d.models.backbones.base import Rotary
from scaling4d.models.backbones.mini import grid_rotary
from scaling4d.models.vnvs_block import Scope, VNVSBlock, VNVSBlockConfig

GRID = (3, 4, 6)
TOKENS = 3 * 4 * 6
DIM, HEADS = 32, 2


def make(scope: Scope, **options: object) -> VNVSBlock:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = VNVSBlockConfig(scope=scope, **options)  # type: ignore[arg-type]
        block = VNVSBlock(config, dim=DIM, heads=HEADS, modulation_dim=8).double()
        for parameter in block.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return block


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    shape = (2, TOKENS, DIM)
    video = torch.randn(shape, generator=generator, dtype=torch.float64)
    return video, torch.randn(shape, generator=generator, dtype=torch.float64)


def group_of(scope: Scope, window: tuple[int, int, int]) -> torch.Tensor:
    """Number of the frame or window that each token belongs to."""
    t, h, w = torch.meshgrid(*(torch.arange(n) for n in GRID), indexing="ij")
    if scope == "full":
        return torch.zeros(TOKENS)
    if scope == "frame":
        return t.flatten()
    cell = (t // window[0]) * 10_000 + (h // window[1]) * 100 + w // window[2]
    return cell.flatten()


def equation_6(block: VNVSBlock, f_vid: torch.Tensor, f_cor: torch.Tensor, rotary: Rotary | None):
    """F_vid + Attn(Q_vid + Q_cor, K_vid + K_cor, V_vid + V_cor), head by head, in plain algebra."""
    vid, cor = block.norm_video(f_vid), block.norm_control(f_cor)
    w_vid, w_cor = block.qkv.weight.split(DIM, dim=1)
    q, k, v = (vid @ w_vid.T + cor @ w_cor.T + block.qkv.bias).split(DIM, dim=-1)
    q, k, v = (x.view(2, TOKENS, HEADS, DIM // HEADS) for x in (q, k, v))
    q = q / (q.square().mean(-1, keepdim=True) + 1e-6).sqrt() * block.norm_query.weight
    k = k / (k.square().mean(-1, keepdim=True) + 1e-6).sqrt() * block.norm_key.weight
    if rotary is not None:
        q, k = rotary(q), rotary(k)
    score = torch.einsum("bihd,bjhd->bhij", q, k) / (DIM // HEADS) ** 0.5
    group = group_of(block.config.scope, block.config.window)
    score = score.masked_fill(group[:, None] != group[None, :], -torch.inf)
    attended = torch.einsum("bhij,bjhd->bihd", score.softmax(-1), v).flatten(2)
    return f_vid + attended @ block.output.weight.T + block.output.bias


@pytest.mark.parametrize("with_rotary", [False, True])
@pytest.mark.parametrize(
    ("scope", "window"),
    [
        ("frame", (1, 1, 1)),
        ("full", (1, 1, 1)),
        ("window", (1, 2, 3)),
        ("window", (2, 3, 4)),  # does not divide the grid
        ("window", (9, 9, 9)),  # larger than the grid
    ],
)
def test_block_is_equation_6(scope: Scope, window: tuple[int, int, int], with_rotary: bool) -> None:
    block = make(scope, window=window)
    video, control = inputs()
    rotary = None
    if with_rotary:
        tables = grid_rotary(GRID, DIM // HEADS, torch.device("cpu"))
        rotary = Rotary(tables.cos.double(), tables.sin.double())
    result = block(video, control, grid=GRID, rotary=rotary)
    reference = equation_6(block, video, control, rotary)
    torch.testing.assert_close(result, reference, rtol=1e-10, atol=1e-10)


def test_frame_scope_keeps_frames_apart() -> None:
    block = make("frame")
    video, control = inputs()
    changed = control.clone()
    changed[:, 24:48] += 1  # the second of three frames
    difference = (
        (block(video, changed, grid=GRID) - block(video, control, grid=GRID)).abs().amax(-1)
    )
    assert (difference[:, 24:48] > 0).all()
    assert (difference[:, :24] == 0).all()
    assert (difference[:, 48:] == 0).all()


def test_fresh_block_is_the_identity_and_its_output_layer_learns_at_once() -> None:
    block = VNVSBlock(VNVSBlockConfig(), dim=DIM, heads=HEADS).double()
    video, control = inputs()
    result = block(video, control, grid=GRID)
    assert torch.equal(result, video)
    result.square().sum().backward()
    assert block.output.weight.grad is not None
    assert block.output.weight.grad.abs().max() > 0


def test_tied_start_attends_mostly_to_the_same_token() -> None:
    """Identity attention passes the control on; random queries would pass its mean."""
    torch.manual_seed(0)
    shares = []
    for tied in (False, True):
        config = VNVSBlockConfig(scope="full", tie_query_key=tied)
        block = VNVSBlock(config, dim=256, heads=4).double()
        video = torch.randn(1, TOKENS, 256, dtype=torch.float64)
        summed = block.norm_video(video) @ block.qkv.weight[:, :256].T
        query, key, _ = summed.unflatten(-1, (3, 4, -1)).unbind(2)
        score = torch.einsum("bihd,bjhd->bhij", block.norm_query(query), block.norm_key(key)) / 8
        shares.append(score.softmax(-1).diagonal(dim1=-2, dim2=-1).mean().item())
    assert shares[0] < 0.05
    assert shares[1] > 0.8


def test_modulation_starts_neutral_and_then_depends_on_the_noise_level() -> None:
    config = VNVSBlockConfig(modulation=True)
    block = VNVSBlock(config, dim=DIM, heads=HEADS, modulation_dim=8).double()
    torch.nn.init.normal_(block.output.weight)
    plain = VNVSBlock(VNVSBlockConfig(), dim=DIM, heads=HEADS).double()
    plain.load_state_dict({k: v for k, v in block.state_dict().items() if "modulation" not in k})
    video, control = inputs()
    levels = torch.randn(2, 8, dtype=torch.float64)
    neutral = block(video, control, grid=GRID, noise_level=levels)
    torch.testing.assert_close(neutral, plain(video, control, grid=GRID))
    torch.nn.init.normal_(block.modulation.weight)  # type: ignore[union-attr]
    one = block(video, control, grid=GRID, noise_level=levels)
    assert not torch.allclose(one, block(video, control, grid=GRID, noise_level=-levels))


@pytest.mark.parametrize("halves", [False, True])
def test_rotary_depends_on_distance_alone(halves: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(8, generator=generator, dtype=torch.float64)
    k = torch.randn(8, generator=generator, dtype=torch.float64)
    angle = torch.arange(6.0, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0.3, 0.1, 0.01])
    angle = torch.cat((angle, angle), -1) if halves else angle.repeat_interleave(2, -1)
    rotary = Rotary(angle.cos()[None, :, None], angle.sin()[None, :, None], halves=halves)
    turned_q = rotary(q.expand(1, 6, 1, 8))[0, :, 0]
    turned_k = rotary(k.expand(1, 6, 1, 8))[0, :, 0]
    score = turned_q @ turned_k.T
    for offset in range(-4, 5):
        diagonal = score.diagonal(offset)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert not torch.isclose(score[0, 0], score[0, 3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scope": "pixel"}, "one of frame, full, window"),
        ({"window": (0, 1, 1)}, "three positive"),
    ],
)
def test_bad_choices_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VNVSBlockConfig(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("modulated", [False, True])
def test_half_precision_tokens_are_multiplied_in_half_precision(
    modulated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels of fast attention take no float32, which weights stay in; autocast is no other."""
    block = make("frame", modulation=modulated).float()
    video, control = (x.float() for x in inputs())
    level = torch.randn(2, 8, generator=torch.Generator().manual_seed(3)) if modulated else None
    tables = grid_rotary(GRID, DIM // HEADS, torch.device("cpu"))
    attend, seen = torch.nn.functional.scaled_dot_product_attention, []

    def watched(query: torch.Tensor, *arguments: torch.Tensor, **named: object) -> torch.Tensor:
        seen.append({query.dtype, *(x.dtype for x in arguments)})
        return attend(query, *arguments, **named)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
    options = {"grid": GRID, "rotary": tables, "noise_level": level}
    exact = block(video, control, **options) - video
    half = block(video.bfloat16(), control, **options)
    with torch.autocast("cpu", torch.bfloat16):
        trained = block(video.bfloat16(), control, **options)
    assert seen == [{torch.float32}, {torch.bfloat16}, {torch.bfloat16}]
    assert half.dtype == torch.bfloat16
    assert torch.equal(half, trained)
    error = (half.float() - video.bfloat16().float() - exact).norm() / exact.norm()
    assert 0 < error < 0.03
