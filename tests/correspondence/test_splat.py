"""Winners against brute force, both collision rules, image borders, the peers' two defects."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scaling4d.correspondence.field import CorrespondenceField, from_depth
from scaling4d.correspondence.splat import (
    MIN_OVERLAP,
    candidate_hash,
    frame_keys,
    gather,
    splat_winners,
)
from tests.benchmarks.baseline_soft_splat import soft_splat_video
from tests.correspondence.random_fields import random_field

RULES = ("nearest", "random")


def brute_force(field: CorrespondenceField, rule: str, seed: int, footprint: int) -> np.ndarray:
    """The rule in words, one pixel at a time; keys are compared as tuples."""
    height, width = field.height, field.width
    x_all, y_all = field.positions().numpy().transpose(1, 0, 2, 3)
    winner = np.full((field.frames, height, width), -1)
    hashes = candidate_hash(torch.arange(height * width), frame_keys(seed, field.frames)).numpy()
    for frame in range(field.frames):
        best: dict[tuple[int, int], tuple] = {}
        for index in range(height * width):
            row, column = divmod(index, width)
            x, y = x_all[frame, row, column], y_all[frame, row, column]
            depth = None if field.target_depth is None else field.target_depth[frame, row, column]
            if not (np.isfinite(x) and np.isfinite(y)) or (depth is not None and not depth > 0):
                continue
            priority = hashes[frame, index] if rule == "random" else np.float32(depth)
            home = (int(np.floor(y)), int(np.floor(x)))
            cells = {home}
            if footprint == 2:
                cells |= {
                    (r, c)
                    for r in range(home[0] - 1, home[0] + 2)
                    for c in range(home[1] - 1, home[1] + 2)
                    if min(r + 1, y + 0.5) - max(r, y - 0.5) > MIN_OVERLAP
                    and min(c + 1, x + 0.5) - max(c, x - 0.5) > MIN_OVERLAP
                }
            for cell in cells:
                if 0 <= cell[0] < height and 0 <= cell[1] < width:
                    key = (priority, cell != home, index)
                    best[cell] = min(best.get(cell, key), key)
        for cell, key in best.items():
            winner[(frame, *cell)] = key[2]
    return winner


@pytest.mark.parametrize("footprint", [1, 2])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("implementation", ["reference", "auto"])
@pytest.mark.parametrize("size", [(3, 17, 23), (1, 1, 9), (2, 9, 1)])
def test_winners_equal_brute_force(size, implementation, dtype, rule, footprint):
    field = random_field(0, *size, dtype)
    winner = splat_winners(field, rule, 7, footprint, implementation)
    np.testing.assert_array_equal(winner.numpy(), brute_force(field, rule, 7, footprint))


def test_random_fields_hold_collisions_and_cross_every_border():
    """So that the comparison above says something about both."""
    field = random_field(0, 3, 17, 23)
    x, y = field.positions().unbind(dim=1)
    for beyond in (x < 0, x >= 23, y < 0, y >= 17):
        assert beyond.float().mean() > 0.05
    drawn = splat_winners(field) >= 0
    for border in (drawn[:, 0], drawn[:, -1], drawn[:, :, 0], drawn[:, :, -1]):
        assert border.float().mean() > 0.2
    shown = field.in_frame() & (field.target_depth > 0)
    assert shown.sum() > 1.3 * drawn.sum(), "several points land on a pixel"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("footprint", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_fast_winners_are_the_reference_bit_for_bit(rule, footprint, dtype):
    field = random_field(5, 4, 96, 120, dtype)
    fast = splat_winners(field, rule, 2**63 + 11, footprint)
    assert torch.equal(fast, splat_winners(field, rule, 2**63 + 11, footprint, "reference"))
    assert fast.dtype == torch.int32


@pytest.mark.parametrize("footprint", [1, 2])
@pytest.mark.parametrize("rule", RULES)
def test_identity_is_exact(rule, footprint):
    depth = torch.rand(2, 20, 30) + 1
    k = np.array([[31.7, 0, 14.2], [0, 33.3, 9.1], [0, 0, 1]])
    field = from_depth(depth, k, k, np.eye(4))
    winner = splat_winners(field, rule, 3, footprint)
    assert torch.equal(winner, torch.arange(600, dtype=torch.int32).view(20, 30).expand(2, -1, -1))


def test_nearest_needs_a_target_depth():
    field = CorrespondenceField(torch.zeros(1, 2, 4, 4))
    with pytest.raises(ValueError, match="use rule 'random'"):
        splat_winners(field, "nearest")
    assert torch.equal(splat_winners(field, "random")[0].flatten(), torch.arange(16).int())


@pytest.mark.parametrize(("rule", "footprint"), [("closest", 1), ("random", 3)])
def test_unknown_choices_are_refused(rule, footprint):
    field = CorrespondenceField(torch.zeros(1, 2, 4, 4), torch.ones(1, 4, 4))
    with pytest.raises((ValueError, TypeError)):
        splat_winners(field, rule, 0, footprint)


def test_equal_depths_go_to_the_lowest_source_index():
    displacement = torch.zeros(1, 2, 1, 6)
    displacement[0, 0, 0] = torch.tensor([4.0, 3.0, 2.0, 1.0, 0.0, -1.0])
    winner = splat_winners(CorrespondenceField(displacement, torch.full((1, 1, 6), 2.0)))
    assert winner.flatten().tolist() == [-1, -1, -1, -1, 0, -1]


@pytest.mark.parametrize("implementation", ["auto", "reference"])
def test_a_depth_below_float32_is_still_in_front(implementation):
    depth = torch.full((1, 2, 2), 1e-50, dtype=torch.float64)
    field = CorrespondenceField(torch.zeros(1, 2, 2, 2, dtype=torch.float64), depth)
    assert splat_winners(field, implementation=implementation).flatten().tolist() == [0, 1, 2, 3]


def test_infinity_is_drawn_and_loses_to_any_finite_depth():
    displacement = torch.zeros(1, 2, 1, 3)
    displacement[0, 0, 0, 1] = -1
    huge = torch.finfo(torch.float32).max
    field = CorrespondenceField(displacement, torch.tensor([[[torch.inf, huge, torch.inf]]]))
    assert splat_winners(field).flatten().tolist() == [1, -1, 2]


def test_random_rule_gives_each_candidate_the_same_chance():
    """Chi-square over 3000 frames and four pixels: 3 candidates of unequal depth, far apart."""
    from scipy.stats import chi2

    frames, width = 3000, 40
    displacement = torch.full((1, 2, 1, width), torch.nan)
    groups = [(0, 1, 2), (10, 21, 38), (5, 6, 33), (12, 13, 39)]
    for group in groups:
        for member in group:
            displacement[0, :, 0, member] = torch.tensor([group[0] - member, 0.0])
    depth = torch.linspace(1, 9, width).view(1, 1, width)
    field = CorrespondenceField(
        displacement.expand(frames, -1, -1, -1), depth.expand(frames, -1, -1)
    )
    winners = splat_winners(field, "random", seed=12)
    for group in groups:
        counts = np.array([(winners[:, 0, group[0]] == member).sum().item() for member in group])
        assert counts.sum() == frames
        statistic = ((counts - frames / 3) ** 2 / (frames / 3)).sum()
        assert statistic < chi2.ppf(0.9999, df=2), counts
    # Seeds are streams too: the choice in frame 0 varies with the seed as it does with the frame.
    one = CorrespondenceField(displacement, depth)
    first = np.array([splat_winners(one, "random", seed)[0, 0, 10].item() for seed in range(450)])
    counts = np.array([(first == member).sum() for member in groups[1]])
    assert ((counts - 150) ** 2 / 150).sum() < chi2.ppf(0.9999, df=2), counts


def test_random_rule_repeats_with_its_seed_and_varies_without():
    field = random_field(1, 2, 30, 30)
    assert torch.equal(splat_winners(field, "random", 4), splat_winners(field, "random", 4))
    assert not torch.equal(splat_winners(field, "random", 4), splat_winners(field, "random", 5))
    crowded = CorrespondenceField(field.displacement[:1].expand(2, -1, -1, -1).contiguous())
    both = splat_winners(crowded, "random", 4)
    assert not torch.equal(both[0], both[1]), "frames draw independently"


def two_planes_with_a_far_point(far: float) -> tuple:
    """The peers' probe: foreground 5 before background 6, one far point, a move to the side."""
    size = 64
    k = np.array([[64.0, 0, 32], [0, 64, 32], [0, 0, 1]])
    depth = torch.full((1, size, size), 6.0)
    depth[:, 16:48, 16:48] = 5.0
    depth[:, 0, 0] = far
    pose = np.eye(4)
    pose[0, 3] = 1.0
    return (depth == 5.0).float()[:, None], depth, k, pose


def background_in_foreground(warped: torch.Tensor, depth: torch.Tensor, k, pose) -> torch.Tensor:
    """Share of background that a warp of the label shows where foreground pixels land."""
    landed = from_depth(depth, k, k, pose).positions()[0, :, 17:47, 17:47].floor().long().flatten(1)
    return 1 - warped[0, 0, landed[1], landed[0]]


@pytest.mark.parametrize("far", [100.0, 10_000.0])
def test_foreground_is_not_mixed_with_background_when_one_point_is_far(far):
    """The peers' first defect: 18 to 31 % background in the foreground of this probe; here 0."""
    label, depth, k, pose = two_planes_with_a_far_point(far)
    field = from_depth(depth, k, k, pose)
    under = splat_winners(CorrespondenceField(field.displacement), "random", 1)
    mixed = background_in_foreground(gather(label, under)[0], depth, k, pose)
    assert (mixed > 0).sum() > 5, "background does land under the foreground"
    warped, mask = gather(label, splat_winners(field))
    assert background_in_foreground(warped, depth, k, pose).max() == 0
    assert set(warped.unique().tolist()) == {0.0, 1.0}, "drawn pixels are unblended"
    assert mask.mean() > 0.7


@pytest.mark.parametrize(("far", "least"), [(100.0, 0.10), (10_000.0, 0.20)])
def test_the_baseline_of_the_benchmark_shows_the_peers_defects(far, least):
    """So that the comparison is with what the peers do: it blends, and draws what is behind."""
    label, depth, k, pose = two_planes_with_a_far_point(far)
    matrices = [torch.from_numpy(m).float() for m in (k, k, pose)]
    warped, _ = soft_splat_video(label, depth, *matrices)
    mixed = background_in_foreground(warped, depth, k, pose)
    background = mixed[mixed > 0.02].mean().item()
    print(f"soft splat, far point {far:g}: {background:.0%} background where both land")
    assert least < background < 0.35

    depth, forward = torch.full((1, 64, 64), 8.0), np.eye(4)
    depth[:, 26:39, 26:39] = 1.0
    forward[2, 3] = -3.0
    behind = (depth == 1.0).float()[:, None]
    matrices = [torch.from_numpy(m).float() for m in (k, k, forward)]
    drawn = (soft_splat_video(behind, depth, *matrices)[0] > 0.5).sum()
    assert drawn > 25, "points behind the camera are drawn"


def test_nothing_behind_the_camera_is_drawn():
    """The peers' second defect: 169 such pixels in this 64x64 probe; here 0."""
    size = 64
    k = np.array([[64.0, 0, 32], [0, 64, 32], [0, 0, 1]])
    depth = torch.full((1, size, size), 8.0)
    depth[:, 26:39, 26:39] = 1.0
    forward = np.eye(4)
    forward[2, 3] = -3.0
    for rule in RULES:
        for footprint in (1, 2):
            winner = splat_winners(from_depth(depth, k, k, forward), rule, 0, footprint)
            drawn = winner[winner >= 0].long()
            assert len(drawn) > 1000
            assert (depth.flatten()[drawn] == 8.0).all()


def test_footprint_closes_the_cracks_of_a_dolly_in():
    """1.25x magnification of striped foreground that moves over the background beside it."""
    size, focal = 96, 96.0
    k = np.array([[focal, 0, 48], [0, focal, 48], [0, 0, 1]])
    stripe = torch.arange(size) % 24 < 12
    depth = torch.where(stripe, 4.0, 6.0).expand(1, size, size)
    pose = np.eye(4)
    pose[:3, 3] = 1.0, 0, -0.8  # the foreground goes from 4 to 3.2
    field = from_depth(depth.contiguous(), k, k, pose)
    label = (depth == 4.0).float()[:, None]
    # Columns that the foreground owns: followed back along its plane, a pixel inside a stripe.
    x = torch.arange(size) + 0.5
    back = focal * ((x - 48) / focal * 3.2 - 1.0) / 4 + 48
    owned = torch.stack([stripe[(back + d).long().clamp(0, size - 1)] for d in (-1, 0, 1)]).all(0)
    owned &= (back > 1) & (back < size - 1)
    shares = {}
    for footprint in (1, 2):
        warped, mask = gather(label, splat_winners(field, footprint=footprint))
        drawn = mask[0, 0, 1:-1, owned] > 0
        leaked = drawn & (warped[0, 0, 1:-1, owned] == 0)
        shares[footprint] = ((~drawn).float().mean().item(), leaked.float().mean().item())
    print(f"dolly-in 1.25x: (holes, leaked background) for 1x1 and 2x2: {shares}")
    assert owned.sum() > 20
    assert sum(shares[1]) == pytest.approx(1 - 0.8**2, abs=0.06)
    assert shares[1][1] > 0.02
    assert shares[2] == (0.0, 0.0)


def test_gather_follows_the_winners_and_fills_zero():
    source = torch.arange(24, dtype=torch.uint8).view(1, 2, 3, 4) + 100
    winner = torch.tensor([[[-1, 0, 5, 11], [3, 3, -1, 2], [1, 1, 1, 1]]], dtype=torch.int32)
    warped, mask = gather(source, winner)
    assert warped.dtype == torch.uint8
    expected = torch.where(winner < 0, 0, winner + 100)
    assert torch.equal(warped[:, 0].int(), expected)
    assert torch.equal(warped[:, 1].int(), torch.where(winner < 0, 0, winner + 112))
    assert torch.equal(mask[:, 0], (winner >= 0).float())
