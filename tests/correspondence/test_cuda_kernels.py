"""The Triton kernels: in the interpreter everywhere, compiled where there is a GPU."""

from __future__ import annotations

import contextlib
import inspect
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from scaling4d.correspondence.splat import splat_winners
from scaling4d.correspondence.warp import Warp, render_from_depth, warp_from_depth
from tests.correspondence.random_fields import moving_clip, random_field


def compiled(kernel, signature: dict[str, str], choices: dict[str, object]) -> str:
    """PTX of a kernel; the machine code is made as well."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    types = {**signature, **dict.fromkeys(choices, "constexpr")}
    source = ASTSource(fn=kernel, signature=types, constexprs=choices)
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm
    assert len(made["cubin"]) > 1000
    return made["ptx"]


def test_triton_kernels_equal_the_reference_in_the_interpreter(repository):
    pytest.importorskip("triton", reason="Triton is not installed on this system")
    done = subprocess.run(
        [sys.executable, "-m", "tests.correspondence.triton_interpreter"],
        cwd=repository,
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == "agrees"


@pytest.mark.parametrize(("random", "keep"), [(False, True), (True, True), (False, False)])
@pytest.mark.parametrize("footprint", [1, 2])
@pytest.mark.parametrize("real", ["fp32", "fp64"])
def test_triton_kernels_compile_for_a_gpu_that_is_not_there(real, footprint, random, keep):
    """To machine code for compute capability 9.0: what the interpreter would not notice."""
    pytest.importorskip("triton", reason="Triton is not installed on this system")
    from scaling4d.correspondence import cuda_kernels

    frame = {"keys": "*i64", "best": "*i64", "height": "i32", "width": "i32", "overlap": "fp32"}
    choice = {"RANDOM": random, "FOOTPRINT": footprint, "BLOCK": 512}
    fuse = {**choice, "KEEP": keep}
    field = {"displacement": f"*{real}", "target_depth": f"*{real}"}
    cameras = {"source_depth": f"*{real}", "tables": f"*{real}", "minimum_ratio": "fp32"}
    given = compiled(cuda_kernels.splat_kernel, {**field, **frame}, {**choice, "HAS_DEPTH": True})
    fused = compiled(cuda_kernels.move_and_splat_kernel, {**cameras, **field, **frame}, fuse)
    for text in (given, fused):
        assert "min.s64" in text, "keys are settled by an atomic minimum"
    assert "fma" not in given, "positions of a given field are rounded as on the CPU"
    assert "div.full.f32" not in fused, "division is rounded as on the CPU"


@pytest.mark.parametrize("side", ["height", "width"])
def test_triton_kernels_compile_for_an_image_one_pixel_high_or_wide(side):
    """Triton makes constants of whole numbers that are 1."""
    pytest.importorskip("triton", reason="Triton is not installed on this system")
    from scaling4d.correspondence import cuda_kernels

    other = {"height": "width", "width": "height"}[side]
    frame = {"keys": "*i64", "best": "*i64", other: "i32", "overlap": "fp32"}
    field = {"displacement": "*fp32", "target_depth": "*fp32"}
    cameras = {"source_depth": "*fp32", "tables": "*fp32", "minimum_ratio": "fp32"}
    choice = {"RANDOM": False, "FOOTPRINT": 2, "BLOCK": 512, side: 1}
    given = {**choice, "HAS_DEPTH": True}
    assert compiled(cuda_kernels.splat_kernel, {**field, **frame}, given)
    fused = {**choice, "KEEP": True}
    assert compiled(cuda_kernels.move_and_splat_kernel, {**cameras, **field, **frame}, fused)


def test_kernels_are_launched_on_the_gpu_of_their_tensors(monkeypatch):
    """Triton itself takes the current one."""
    pytest.importorskip("triton", reason="Triton is not installed on this system")
    from scaling4d.correspondence import cuda

    current: list[torch.Tensor] = []

    @contextlib.contextmanager
    def device_of(tensor: torch.Tensor):
        current.append(tensor)
        yield
        current.pop()

    class Kernel:
        def __getitem__(self, grid):
            def run(*arguments, **choices):
                launched.append((grid, current[-1]))

            return run

    launched: list[tuple] = []
    monkeypatch.setattr(torch.cuda, "device_of", device_of)
    for name in ("splat_kernel", "winner_kernel", "move_and_splat_kernel", "gather_kernel"):
        monkeypatch.setattr(cuda.kernels, name, Kernel())
    cuda.splat(random_field(5, 4, 30, 40, torch.float32), "nearest", 0, 1)
    cuda.render(
        torch.zeros(4, 3, 30, 40), torch.ones(4, 30, 40), np.zeros((4, 12)), "nearest", 0, 1
    )
    assert [grid for grid, _ in launched] == [(3, 4), (10, 1), (3, 4), (3, 4)]
    assert all(tensor.numel() == 4 * 30 * 40 for _, tensor in launched)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Failed to find C compiler"),
        subprocess.CalledProcessError(1, "cc"),
        ImportError("No module named 'triton'"),
    ],
)
def test_where_triton_cannot_launch_plain_torch_does_and_says_so(error, monkeypatch, caplog):
    pytest.importorskip("triton", reason="Triton is not installed on this system")
    from scaling4d.correspondence import cuda, splat

    def build_launcher() -> None:
        raise error

    monkeypatch.setattr(cuda, "build_launcher", build_launcher)
    assert inspect.unwrap(splat._cuda_kernels)() is None
    assert str(error) in caplog.text
    monkeypatch.setattr(cuda, "build_launcher", lambda: None)
    assert inspect.unwrap(splat._cuda_kernels)() is cuda


@pytest.mark.parametrize("carrier", ["u8", "i16", "i32", "i64"])
def test_triton_gather_compiles_for_every_size_of_value(carrier):
    pytest.importorskip("triton", reason="Triton is not installed on this system")
    from scaling4d.correspondence import cuda_kernels

    sizes = {"source_pixels": "i32", "pixels": "i32", "channels": "i32"}
    values = {"source": f"*{carrier}", "warped": f"*{carrier}", "mask": "*fp32"}
    chosen = {"best": "*i64", "winner": "*i32"}
    for from_keys, keep in ((True, True), (True, False), (False, False)):
        choice = {"FROM_KEYS": from_keys, "KEEP": keep, "BLOCK": 512}
        assert compiled(cuda_kernels.gather_kernel, {**values, **chosen, **sizes}, choice)
    assert compiled(cuda_kernels.winner_kernel, {**chosen, "count": "i32"}, {"BLOCK": 512})


def unexplained(plain: Warp, winner: torch.Tensor) -> int:
    """Winners that differ though no candidate's position is on a pixel's border nor depths tie.

    On a border: within 1e-4 px, by the reference's own positions.
    """
    positions = plain.field.positions().movedim(1, -1).flatten(1, 2)
    depth = plain.field.target_depth.flatten(1)
    near = ((positions - positions.round()).abs() < 1e-4).any(dim=-1)
    frame, *pixel = torch.nonzero(plain.winner != winner, as_tuple=True)
    both = torch.stack([w[frame, *pixel].long() for w in (plain.winner, winner)])
    drawn = both >= 0
    both = both.clamp_min(0)
    border = (near[frame, both] & drawn).any(dim=0)
    first, second = depth[frame, both]
    tie = drawn.all(dim=0) & torch.isclose(first, second, rtol=1e-5, atol=0)
    return int((~border & ~tie).sum())


@pytest.mark.parametrize("rule", ["nearest", "random"])
def test_rounding_changes_winners_at_borders_and_ties_alone(rule):
    """What is asked of the GPU below, asked of float32 against float64; a real error is seen."""
    source, depth, *cameras = moving_clip()
    plain, fine = (
        warp_from_depth(source, d, *cameras, rule=rule, implementation="reference")
        for d in (depth, depth.double())
    )
    assert unexplained(plain, fine.winner) == 0
    nudged = type(plain.field)(plain.field.displacement + 1e-2, plain.field.target_depth)
    assert unexplained(plain, splat_winners(nudged, rule)) > 0


@pytest.mark.gpu
@pytest.mark.parametrize("rule", ["nearest", "random"])
@pytest.mark.parametrize("footprint", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_winners_on_cuda_equal_the_reference_bit_for_bit(rule, footprint, dtype):
    field = random_field(5, 4, 96, 120, dtype)
    on_gpu = type(field)(field.displacement.cuda(), field.target_depth.cuda())
    ours = splat_winners(on_gpu, rule, 11, footprint).cpu()
    assert torch.equal(ours, splat_winners(field, rule, 11, footprint, "reference"))


@pytest.mark.gpu
@pytest.mark.parametrize("rule", ["nearest", "random"])
def test_fused_path_on_cuda_is_within_its_tolerance(rule):
    source, depth, *cameras = moving_clip()
    plain = warp_from_depth(source, depth, *cameras, rule=rule, implementation="reference")
    fused = warp_from_depth(source.cuda(), depth.cuda(), *cameras, rule=rule)
    apart = (fused.field.displacement.cpu() - plain.field.displacement).abs().nan_to_num()
    assert apart.amax(dim=1)[plain.field.in_frame()].max() < 1e-4
    assert (fused.winner.cpu() != plain.winner).float().mean() < 1e-3
    assert unexplained(plain, fused.winner.cpu()) == 0
    pictures = render_from_depth(source.cuda(), depth.cuda(), *cameras, rule=rule)
    assert torch.equal(pictures[0], fused.warped)
    assert torch.equal(pictures[1], fused.mask)
    own = splat_winners(fused.field, rule)
    assert torch.equal(own, fused.winner), "given its own field the two paths are one"
