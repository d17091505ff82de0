"""The fused path against the reference, its inputs, its threads and its memory."""

from __future__ import annotations

import inspect
import threading
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from scaling4d.correspondence import cpu
from scaling4d.correspondence.splat import gather
from scaling4d.correspondence.warp import (
    _results_of,
    render_from_depth,
    warp_from_depth,
    warp_from_flow,
)
from tests import scenes
from tests.correspondence.random_fields import moving_clip

RULES = ("nearest", "random")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("footprint", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_fused_path_is_the_reference(rule, footprint, dtype):
    clip = moving_clip(dtype)
    options = {"rule": rule, "seed": 9, "footprint": footprint}
    fused = warp_from_depth(*clip, **options)
    plain = warp_from_depth(*clip, implementation="reference", **options)
    torch.testing.assert_close(
        fused.field.displacement, plain.field.displacement, rtol=0, atol=0, equal_nan=True
    )
    torch.testing.assert_close(
        fused.field.target_depth, plain.field.target_depth, rtol=0, atol=0, equal_nan=True
    )
    assert torch.equal(fused.winner, plain.winner)
    assert torch.equal(fused.warped, plain.warped)
    assert torch.equal(fused.mask, plain.mask)
    assert 0.5 < fused.mask.mean() < 1
    for implementation in ("auto", "reference"):
        warped, mask = render_from_depth(*clip, implementation=implementation, **options)
        assert torch.equal(warped, fused.warped)
        assert torch.equal(mask, fused.mask)


WHOLE = [torch.uint8, torch.uint16, torch.uint32, torch.int32, torch.bool]
REAL = [torch.bfloat16, torch.float16, torch.float64]


@pytest.mark.parametrize("dtype", [*WHOLE, *REAL])
def test_values_of_any_dtype_are_moved_unblended(dtype):
    source, *rest = moving_clip(frames=2)
    source = (source.abs() * 50).to(dtype)
    warp = warp_from_depth(source, *rest)
    assert warp.warped.dtype == dtype
    reference, _ = gather(source, warp.winner, "reference")
    assert torch.equal(warp.warped, reference)


def test_a_source_of_no_channels_has_a_mask():
    source, *rest = moving_clip(frames=2)
    warp = warp_from_depth(source[:, :0], *rest)
    assert warp.warped.shape == (2, 0, *source.shape[2:])
    assert torch.equal(warp.mask, warp_from_depth(source, *rest).mask)


def test_inputs_need_not_be_contiguous():
    source, depth, *cameras = moving_clip()
    strided = source.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    doubled = torch.stack([depth, depth], dim=-1)[..., 0]
    assert not strided.is_contiguous()
    assert not doubled.is_contiguous()
    expected = warp_from_depth(source, depth, *cameras)
    assert torch.equal(warp_from_depth(strided, doubled, *cameras).warped, expected.warped)


def test_gather_keeps_gradients_when_asked():
    source, *rest = moving_clip(frames=1)
    winner = warp_from_depth(source, *rest).winner
    source.requires_grad_(True)
    warped, mask = gather(source, winner)
    warped.sum().backward()
    assert source.grad[:, 0].sum() == mask.sum()


def test_results_do_not_depend_on_the_number_of_threads():
    clip = moving_clip()
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = warp_from_depth(*clip, rule="random", seed=3)
        torch.set_num_threads(4)
        shared = warp_from_depth(*clip, rule="random", seed=3)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(alone.winner, shared.winner)


def test_extra_memory_is_below_twice_inputs_and_outputs():
    source, depth, *cameras = moving_clip(frames=1)
    source, depth = (
        source.expand(24, -1, -1, -1).contiguous(),
        depth.expand(24, -1, -1).contiguous(),
    )
    cameras = [camera[:1].repeat(24, 0) if camera.ndim == 3 else camera for camera in cameras]

    def measured(function):
        function(source, depth, *cameras)  # compiles
        tracemalloc.start()
        try:
            results = function(source, depth, *cameras)
            return results, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def size(*tensors):
        return sum(t.numel() * t.element_size() for t in tensors)

    warp, peak = measured(warp_from_depth)
    field = warp.field
    held = size(field.displacement, field.target_depth, warp.winner, warp.warped, warp.mask)
    moved = held + size(source, depth)
    assert peak > held, "numpy's memory is traced"
    assert peak - held < 0.2 * moved, "the claim is 2; only one frame of scratch per thread is used"
    pictures, peak = measured(render_from_depth)
    assert peak - size(*pictures) < 0.2 * moved, "the field and the winners are not kept"


def test_an_earlier_result_can_be_overwritten():
    source, *rest = moving_clip()
    first = warp_from_depth(source, *rest)
    kept = first.warped.clone()
    again = warp_from_depth(-source, *rest, out=first)
    assert again.warped.data_ptr() == first.warped.data_ptr()
    assert torch.equal(again.warped, -kept)
    pictures = render_from_depth(source, *rest, out=(again.warped, again.mask))
    assert pictures[0].data_ptr() == first.warped.data_ptr()
    assert torch.equal(pictures[0], kept)
    for function, out in ((warp_from_depth, first), (render_from_depth, pictures)):
        with pytest.raises(ValueError, match="leave it out, or pass the last result"):
            function(source.double(), *rest, out=out)
    with pytest.raises(ValueError, match="out must hold"):
        warp_from_depth(source, rest[0].double(), *rest[1:], out=first)


def wider(tensor: torch.Tensor) -> torch.Tensor:
    """The same values with gaps between the columns."""
    return torch.stack([tensor, tensor], dim=-1)[..., 0]


@pytest.mark.parametrize("part", ["displacement", "target_depth", "winner", "warped", "mask"])
def test_memory_that_kernels_would_overrun_is_refused(part: str) -> None:
    source, depth, *cameras = moving_clip()
    warp = warp_from_depth(source, depth, *cameras)
    parts = {
        "displacement": warp.field.displacement, "target_depth": warp.field.target_depth,
        "winner": warp.winner, "warped": warp.warped, "mask": warp.mask,
    }  # fmt: skip

    def call(values: torch.Tensor) -> None:
        """With what users may pass, who run without the shape checks of the tests."""
        some = SimpleNamespace(**parts | {part: values})
        some.field = some
        inspect.unwrap(_results_of)(some, source, depth)

    good = parts[part]
    call(good)
    for wrong in (good[:1], good[..., :-1].contiguous(), good.long()):
        with pytest.raises(ValueError, match="out must hold"):
            call(wrong)
    with pytest.raises(ValueError, match="out must be contiguous"):
        call(wider(good))


def test_a_result_is_not_written_over_what_is_read() -> None:
    source, depth, *cameras = moving_clip()
    first = warp_from_depth(source, depth, *cameras)
    with pytest.raises(ValueError, match="out shares memory with the source"):
        warp_from_depth(first.warped, depth, *cameras, out=first)
    assert first.field.target_depth is not None
    with pytest.raises(ValueError, match="out shares memory with the source or the depth"):
        warp_from_depth(source, first.field.target_depth, *cameras, out=first)
    # Two arrays over one buffer are two storages of torch.
    buffer = np.zeros(depth.numel() * 3, np.float32)
    shared = torch.from_numpy(buffer[: depth.numel()].reshape(depth.shape)).copy_(depth)
    whole = torch.from_numpy(buffer.reshape(source.shape))
    with pytest.raises(ValueError, match="out shares memory with the source or the depth"):
        render_from_depth(source, shared, *cameras, out=(whole, first.mask))
    part = first.warped.view(-1)[: first.mask.numel()].view(first.mask.shape)
    with pytest.raises(ValueError, match="share memory with each other"):
        render_from_depth(source, depth, *cameras, out=(first.warped, part))
    halves = torch.cat([source, source])  # one storage, two clips
    into = halves[len(source) :]
    mask = torch.empty_like(first.mask)
    render_from_depth(halves[: len(source)], depth, *cameras, out=(into, mask))
    assert torch.equal(into, first.warped)


def test_depth_that_learns_gets_its_gradient() -> None:
    source, depth, *cameras = moving_clip()
    finite = torch.where(torch.isfinite(depth), depth, 2.0).double()
    learned = finite.requires_grad_()
    warp = warp_from_depth(source.double(), learned, *cameras)
    warp.field.displacement.nansum().backward()
    assert learned.grad is not None
    assert learned.grad.abs().max() > 0
    with torch.no_grad():
        again = warp_from_depth(source.double(), learned, *cameras)
    assert torch.equal(again.winner, warp.winner)


def test_threads_may_warp_at_the_same_time():
    clip, results = moving_clip(), []
    workers = [
        threading.Thread(target=lambda: results.append(warp_from_depth(*clip).winner))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 4
    assert all(torch.equal(winner, results[0]) for winner in results)


def test_every_drawn_pixel_is_one_source_pixel():
    clip = moving_clip()
    warp = warp_from_depth(*clip)
    palette = clip[0].permute(0, 2, 3, 1).reshape(-1, 3)
    drawn = warp.warped.permute(0, 2, 3, 1)[warp.mask[:, 0] > 0]
    known = {tuple(color) for color in palette.tolist()}
    assert {tuple(color) for color in drawn.tolist()} <= known
    assert warp.warped.permute(0, 2, 3, 1)[warp.mask[:, 0] == 0].abs().max() == 0


def test_nearest_keeps_the_front_of_every_collision():
    scene, source = scenes.occluder(), scenes.default_camera(60, 80)
    target = source.moved(scenes.rigid(np.eye(3), (0.4, 0, 0)))
    depth = torch.from_numpy(scene.depth(0.0, source))[None]
    warp = warp_from_depth(
        (depth < 4)[:, None].float(),
        depth,
        source.intrinsics,
        target.intrinsics,
        np.linalg.inv(target.world_from_camera) @ source.world_from_camera,
    )
    x, y = warp.field.positions()[0][:, warp.field.in_frame()[0]].long()
    landed_depth = warp.field.target_depth[0][warp.field.in_frame()[0]]
    chosen = warp.field.target_depth[0].flatten()[warp.winner[0, y, x].long()]
    assert (chosen <= landed_depth).all()
    assert (chosen < landed_depth - 1).any(), "the scene must hold collisions of card and wall"


def test_flow_path_ignores_unknown_flow_and_repeats_by_seed():
    source, flow = torch.rand(2, 3, 20, 30), 6 * torch.randn(2, 2, 20, 30)
    flow[0, 0, 5, 5] = torch.nan
    first, again = (warp_from_flow(source, flow, seed=1) for _ in range(2))
    assert torch.equal(first.winner, again.winner)
    assert not torch.equal(first.winner, warp_from_flow(source, flow, seed=2).winner)
    assert (first.winner[0] != 5 * 30 + 5).all()


def test_filtered_pixels_are_not_drawn_and_the_field_stays_dense():
    source, flow = torch.rand(2, 3, 20, 30), 6 * torch.randn(2, 2, 20, 30)
    drawn = torch.rand(2, 20, 30) < 0.5
    warp = warp_from_flow(source, flow, seed=1, drawn=drawn)
    chosen = [warp.winner[frame][warp.winner[frame] >= 0].long() for frame in range(2)]
    assert all(drawn[frame].flatten()[chosen[frame]].all() for frame in range(2))
    assert torch.equal(warp.field.displacement, flow)
    assert warp.mask.sum() < warp_from_flow(source, flow, seed=1).mask.sum()


def test_tensors_and_arrays_are_read_where_they_lie():
    array = np.ones((2, 3, 4, 5), np.float32)
    tensor = torch.from_numpy(array)
    assert np.shares_memory(cpu._array(tensor), array)
    assert np.shares_memory(cpu._carrier(tensor), array)


def test_a_source_of_another_size_is_refused():
    source, depth, *cameras = moving_clip()
    with pytest.raises((ValueError, TypeError)):
        warp_from_depth(source[:, :, :50], depth, *cameras)


def test_a_source_on_another_device_is_refused():
    source, depth, *cameras = moving_clip()
    with pytest.raises(ValueError, match="move both to one device"):
        warp_from_depth(source.to("meta"), depth, *cameras)
