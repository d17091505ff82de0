"""What does not fit is refused at the door with a sentence, and never read or drawn."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from scaling4d.correspondence.chaining import compose
from scaling4d.correspondence.consistency import forward_backward
from scaling4d.correspondence.control import build_control
from scaling4d.correspondence.field import CorrespondenceField, from_depth, from_flow
from scaling4d.correspondence.splat import gather
from scaling4d.correspondence.warp import warp_from_depth, warp_from_flow

K = np.array([[8.0, 0, 4], [0, 8.0, 3], [0, 0, 1]])
DEPTH = torch.ones(2, 6, 8)
SOURCE = torch.zeros(2, 3, 6, 8)
FLOW = torch.zeros(2, 2, 6, 8)


@pytest.fixture(autouse=True)
def _without_shape_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users do not run under beartype: call what it wraps."""
    for name in ("from_depth", "gather", "build_control", "warp_from_depth", "warp_from_flow"):
        monkeypatch.setitem(globals(), name, inspect.unwrap(globals()[name]))


@pytest.mark.parametrize("wrong", [19, 2**30])
def test_a_winner_outside_its_frame_is_never_followed(wrong: int) -> None:
    winner = torch.zeros(1, 4, 4, dtype=torch.int32)
    winner[0, 1, 2] = wrong
    with pytest.raises(ValueError, match=f"points at pixel {wrong} of a source that has 16"):
        gather(torch.zeros(1, 3, 4, 4), winner)


def test_winners_of_other_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="for 3 frames and the source has 1"):
        gather(torch.zeros(1, 3, 4, 4), torch.zeros(3, 4, 4, dtype=torch.int32))


def scaled(factor: float) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] *= factor
    return pose


@pytest.mark.parametrize(
    ("pose", "why"),
    [(scaled(3.0), "is it scaled"), (np.diag([-1.0, 1, 1, 1]), "is a reflection")],
)
def test_motions_that_are_not_rigid_are_refused(pose: np.ndarray, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        from_depth(DEPTH, K, K, pose)
    with pytest.raises(ValueError, match=why):
        warp_from_depth(SOURCE, DEPTH, K, K, pose)


ARRAYS = """
import numpy as np, torch
from scaling4d.correspondence.field import from_depth, from_flow
from scaling4d.correspondence.warp import render_from_depth, warp_from_depth, warp_from_flow

K, still = np.eye(3), np.eye(4)
depth, source, flow = torch.ones(2, 6, 8), torch.zeros(2, 3, 6, 8), torch.zeros(2, 2, 6, 8)
for call in (
    lambda: from_flow(flow.numpy()),
    lambda: warp_from_flow(source, flow.numpy()),
    lambda: warp_from_flow(source.numpy(), flow),
    lambda: from_depth(depth.numpy(), K, K, still),
    lambda: warp_from_depth(source.numpy(), depth, K, K, still),
    lambda: render_from_depth(source, depth.numpy(), K, K, still),
):
    try:
        call()
    except ValueError as error:
        assert "must be a torch tensor, got ndarray: torch.from_numpy" in str(error), error
    else:
        raise AssertionError("an array was taken")
"""


def test_a_motion_with_rounding_in_its_last_row_is_rigid() -> None:
    rounded = np.eye(4)
    rounded[3] = 1e-8, 0, -1e-8, 1 + 1e-8
    assert from_depth(DEPTH, K, K, rounded).displacement.abs().max() < 1e-5


def test_arrays_are_refused_with_the_way_to_make_them_tensors(repository: Path) -> None:
    """In a process without the shape checks of the tests, as users run."""
    subprocess.run([sys.executable, "-c", ARRAYS], cwd=repository, check=True)


@pytest.mark.parametrize("shape", [(0, 6, 8), (2, 0, 8)])
def test_no_frames_and_no_pixels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="depth must be a"):
        from_depth(torch.ones(shape), K, K, np.eye(4))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("source", torch.zeros(2, 2, 6, 8)),
        ("displacement", torch.zeros(2, 2, 6, 7)),
        ("warped", torch.zeros(1, 3, 6, 8)),
        ("mask", torch.zeros(2, 3, 6, 8)),
    ],
)
def test_a_control_has_nine_channels_of_one_size(name: str, part: torch.Tensor) -> None:
    parts = {
        "source": SOURCE, "displacement": FLOW, "warped": SOURCE, "mask": torch.zeros(2, 1, 6, 8)
    }  # fmt: skip
    with pytest.raises(ValueError, match=f"the control's {name} must be"):
        build_control(**{**parts, name: part})


def test_a_control_of_whole_numbers_is_refused() -> None:
    parts = (FLOW, SOURCE, torch.zeros(2, 1, 6, 8))
    with pytest.raises(ValueError, match=r"source must be floating point.*frames / 127\.5 - 1"):
        build_control(SOURCE.byte(), *parts)


def test_fields_say_what_they_are_made_of() -> None:
    unchecked = inspect.unwrap(CorrespondenceField.__post_init__)
    field = CorrespondenceField(FLOW)
    object.__setattr__(field, "target_depth", DEPTH.half())
    with pytest.raises(ValueError, match="of float32 or 64, got"):
        unchecked(field)
    object.__setattr__(field, "displacement", FLOW.numpy())
    with pytest.raises(ValueError, match="a displacement must be a torch tensor, got ndarray"):
        unchecked(field)
    with pytest.raises(ValueError, match=r"a flow must be \(frames, 2, height, width\), got"):
        inspect.unwrap(from_flow)(FLOW[0])
    with pytest.raises(ValueError, match="gather takes a source"):
        gather(SOURCE[0], torch.zeros(3, 6, 8, dtype=torch.int32))


def test_a_cycle_needs_two_fields_of_one_shape() -> None:
    with pytest.raises(ValueError, match="two fields of one pair must have one shape"):
        forward_backward(CorrespondenceField(FLOW), CorrespondenceField(FLOW[..., :-1]))


def test_cameras_may_be_of_any_precision() -> None:
    half = torch.from_numpy(K).bfloat16()
    assert from_depth(DEPTH, half, half, np.eye(4)).displacement.abs().max() < 1e-5


def test_what_may_be_drawn_is_said_per_pixel() -> None:
    with pytest.raises(ValueError, match=r"drawn must be \(2, 6, 8\) of bool"):
        warp_from_flow(SOURCE, FLOW, drawn=torch.ones(2, 6, 7, dtype=torch.bool))
    with pytest.raises(ValueError, match="of bool"):
        warp_from_flow(SOURCE, FLOW, drawn=torch.ones(2, 6, 8))


def test_fields_of_two_precisions_are_joined_in_that_of_the_first() -> None:
    coarse, fine = CorrespondenceField(FLOW + 0.5), CorrespondenceField(FLOW.double() - 0.5)
    assert compose(fine, coarse).displacement.dtype == torch.float64
    back = compose(coarse, fine, outside="border")
    assert back.displacement.dtype == torch.float32
    torch.testing.assert_close(back.displacement, FLOW)
    assert forward_backward(coarse, fine).consistent[:, 1:-1, 1:-1].all()
