"""`generate`: its warp is the analytic truth, its inputs fit together, its errors help."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import scaling4d
from scaling4d.__main__ import main
from scaling4d.geometry.camera import relative_pose
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.inference.source import read_source
from scaling4d.models.backbones import BackboneConfig
from scaling4d.models.model_config import ModelConfig
from scaling4d.models.vnvs import VNVSModel
from scaling4d.storage.video import read_video, write_video
from tests.scenes import Camera, Clip, room

PIVOT = (0.0, 0.0, 0.0)
TINY = BackboneConfig(options={"dim": 32, "depth": 1, "heads": 2, "patch": 8})


@pytest.fixture(scope="module")
def model() -> VNVSModel:
    return VNVSModel.build(ModelConfig(backbone=TINY), seed=1)


@pytest.fixture(scope="module")
def model_folder(model: VNVSModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    model.save_pretrained(folder)
    return folder


def orbit_clip(yaw: float, height: int = 32, width: int = 48) -> Clip:
    start = Camera.look_at(height, width, eye=(0, -2.5, 0.2), target=PIVOT)
    return room().clip(start.orbit(5, yaw=yaw, pivot=PIVOT))


@pytest.fixture(scope="module")
def source() -> Clip:
    return orbit_clip(yaw=0)


def arguments(source: Clip, **changes: object) -> dict:
    return {
        "depth": source.depth.astype(np.float32),
        "intrinsics": source.intrinsics,
        "steps": 2,
        "progress": False,
        **changes,
    }


def test_the_correspondence_is_the_closed_form(source: Clip, model: VNVSModel) -> None:
    scene, target = room(), orbit_clip(yaw=15)
    motion = relative_pose(target.world_from_camera, source.world_from_camera)
    result = scaling4d.generate(source.rgb, Trajectory(motion), model=model, **arguments(source))
    start = Camera.look_at(32, 48, eye=(0, -2.5, 0.2), target=PIVOT)
    last = start.orbit(5, yaw=15, pivot=PIVOT)[-1]
    exact = scene.correspondence(0.0, start, 0.0, last)
    np.testing.assert_allclose(
        result.correspondence[-1].transpose(1, 2, 0), exact.displacement, atol=1e-3
    )
    assert result.frames.shape == source.rgb.shape
    assert result.frames.dtype == np.uint8


def test_standing_still_warps_every_pixel_to_itself(source: Clip, model: VNVSModel) -> None:
    result = scaling4d.generate(source.rgb, "static", model=model, **arguments(source))
    assert result.mask.all()
    np.testing.assert_array_equal(result.warped, source.rgb)


def test_the_nearest_surface_is_drawn_at_every_collision(model: VNVSModel) -> None:
    """A near red block moves over a far blue wall; random collisions would leave blue in it."""
    rgb = np.zeros((5, 32, 48, 3), np.uint8)
    depth = np.full((5, 32, 48), 8.0, np.float32)
    rgb[..., 2], depth[:, 8:24, 8:24] = 255, 2.0
    rgb[:, 8:24, 8:24] = 255, 0, 0
    K = np.array([[40.0, 0, 24], [0, 40.0, 16], [0, 0, 1]])
    moved = np.tile(np.eye(4), (5, 1, 1))
    moved[:, 0, 3] = 0.5  # 10 pixels for the block, 2.5 for the wall
    result = scaling4d.generate(
        rgb, Trajectory(moved), model=model, depth=depth, intrinsics=K, steps=1, progress=False
    )
    assert (result.warped[:, 8:24, 18:34] == (255, 0, 0)).all()


def test_a_zoom_magnifies_the_warp_and_the_footprint_closes_its_cracks(source, model) -> None:
    call = arguments(source, trajectory="zoom:factor=2", model=model, steps=1)
    thin, wide = (scaling4d.generate(source.rgb, footprint=f, **call) for f in (1, 2))
    ratio = thin.target_intrinsics[-1, 0, 0] / thin.source_intrinsics[-1, 0, 0]
    assert ratio == pytest.approx(2)
    centres = np.arange(48) + 0.5
    across = np.broadcast_to(centres - 24, (32, 48))  # twice as far from the centre
    np.testing.assert_allclose(thin.correspondence[-1, 0], across, atol=1e-3)
    assert thin.mask[-1].mean() < 0.3
    assert wide.mask[-1].mean() > 0.95


def test_the_same_seed_gives_the_same_video_and_another_seed_another(source, model) -> None:
    def make(seed: int) -> np.ndarray:
        call = arguments(source, seed=seed)
        return scaling4d.generate(source.rgb, "pan:angle=5", model=model, **call).frames

    np.testing.assert_array_equal(make(3), make(3))
    assert (make(3) != make(4)).any()


def test_a_pan_without_depth_is_the_rotation_homography(source: Clip, model: VNVSModel) -> None:
    call = arguments(source, depth="infinity")
    result = scaling4d.generate(source.rgb, "pan:angle=10", model=model, **call)
    K, R = source.intrinsics[-1], result.target_from_source[-1][:3, :3]
    centres = np.stack(np.meshgrid(np.arange(48) + 0.5, np.arange(32) + 0.5), -1)
    moved = cv2.perspectiveTransform(centres.reshape(1, -1, 2), K @ R @ np.linalg.inv(K))
    expected = moved.reshape(32, 48, 2) - centres
    np.testing.assert_allclose(result.correspondence[-1].transpose(1, 2, 0), expected, atol=1e-3)


def test_crop_and_resize_keep_frames_depth_and_cameras_together(source, model) -> None:
    """Half the size by the same rule: displacements halve, whatever way the input came in."""
    big = orbit_clip(yaw=0, height=64, width=120)  # wider than the output: a crop and a resize
    call = arguments(big, size=(32, 32), trajectory="orbit:yaw=8", model=model)
    small = scaling4d.generate(big.rgb, **call)
    whole = scaling4d.generate(
        big.rgb, **arguments(big, size=(64, 64), trajectory="orbit:yaw=8", model=model)
    )
    halved = whole.correspondence[-1][:, ::2, ::2] / 2
    difference = np.abs(small.correspondence[-1] - halved)
    assert np.nanmedian(difference) < 0.05
    assert small.depth.shape == (5, 32, 32)
    np.testing.assert_allclose(small.source_intrinsics[0, :2, 2], [16, 16])
    assert small.source_intrinsics[0, 0, 0] == pytest.approx(big.intrinsics[0, 0, 0] / 2)


def test_bullet_time_holds_one_frame_and_its_geometry(source: Clip, model: VNVSModel) -> None:
    moving = orbit_clip(yaw=10)
    call = arguments(moving)
    result = scaling4d.generate(moving.rgb, "bullet_time:frame=2", model=model, **call)
    for frame in result.source:
        np.testing.assert_array_equal(frame, moving.rgb[2])
    np.testing.assert_array_equal(result.depth[4], moving.depth[2].astype(np.float32))


def test_an_offloaded_model_is_left_where_it_is(source, monkeypatch) -> None:
    model = VNVSModel.build(ModelConfig(backbone=TINY), seed=1)
    before = scaling4d.generate(source.rgb, "static", model=model, **arguments(source))
    model.offload("cpu")
    monkeypatch.setattr(model, "to", lambda *_: pytest.fail("the offloaded model was moved"))
    after = scaling4d.generate(source.rgb, "static", model=model, **arguments(source))
    np.testing.assert_array_equal(after.frames, before.frames)
    with pytest.raises(ValueError, match="offloaded to run on cpu, not on meta"):
        scaling4d.generate(source.rgb, "static", model=model, **arguments(source, device="meta"))


def test_a_world_trajectory_uses_the_poses_of_the_source(source: Clip, model: VNVSModel) -> None:
    moving = orbit_clip(yaw=10)
    same = Trajectory(np.linalg.inv(moving.world_from_camera), mode="world")
    call = arguments(moving, world_from_source=moving.world_from_camera)
    result = scaling4d.generate(moving.rgb, same, model=model, **call)
    np.testing.assert_allclose(result.correspondence, 0, atol=1e-3)
    with pytest.raises(ValueError, match="world_from_source"):
        scaling4d.generate(moving.rgb, same, model=model, **arguments(moving))


def test_everything_is_saved_and_read_back(source, model_folder: Path, tmp_path: Path) -> None:
    call = arguments(source)
    result = scaling4d.generate(source.rgb, "orbit:yaw=10", model=model_folder, **call)
    folder = result.save_all(tmp_path / "all")
    assert read_video(folder / "side_by_side.mp4").frames.shape == (5, 32, 144, 3)
    with np.load(folder / "arrays.npz") as arrays:
        np.testing.assert_array_equal(arrays["correspondence"], result.correspondence)
        np.testing.assert_array_equal(arrays["mask"], result.mask)
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["trajectory"] == "orbit:yaw=10"
    assert settings["control_encoding"]["correspondence_scale"] == ["2 / width", "2 / height"]
    assert result.save(tmp_path / "out.mp4").is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": np.ones((5, 8, 8), np.float32)}, "depth is 8x8, expected the video's 32x48"),
        ({"depth": np.ones((3, 32, 48), np.float32)}, "depth has 3 frames: give it for all 5"),
        ({"depth": "precomputed:nowhere.npz"}, r"no depth at nowhere\.npz"),
        ({"intrinsics": np.ones((4, 3, 3))}, "intrinsics has 4 frames: give it for all 5"),
        ({"world_from_source": np.eye(4)[None]}, "world_from_source has 1 frames"),
        ({"frame_step": 0}, "frame_step must be a whole number >= 1"),
        ({"frames": 0}, "frames must be a whole number >= 1, got 0"),
        ({"footprint": 3}, "footprint must be 1 or 2 pixels, got 3"),
        ({"text_guidance": float("nan")}, "text_guidance must be a finite number"),
        ({"depth": np.ones((5, 32, 48), np.int64)}, "floating point"),
        ({"depth": np.zeros((5, 32, 48), np.float32)}, "no positive value"),
        ({"depth": "nowhere.npz"}, r"no depth at nowhere\.npz"),
        ({"depth": "nothing:model"}, "nothing"),
        ({"intrinsics": np.eye(4)}, r"intrinsics must be \(3, 3\)"),
        ({"intrinsics": np.zeros((3, 3))}, "focal lengths must be > 0 pixels"),
        ({"intrinsics": np.diag([0.5, 0.7, 1])}, "multiply shares of the image by its size"),
        ({"frames": 9}, "has 5 frames, 9 needed"),
        ({"frames": 4}, "nearest legal"),
        ({"size": (30, 48)}, "nearest legal"),
        ({"trajectory": "wobble:yaw=3"}, "wobble"),
        ({"trajectory": Trajectory(np.tile(np.eye(4), (4, 1, 1)))}, "4 frames and the video 5"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(source, model, changes, message) -> None:
    call = arguments(source, trajectory="static", model=model) | changes
    with pytest.raises(ValueError, match=message) as caught:
        scaling4d.generate(source.rgb, **call)
    assert "\n" not in str(caught.value)


def test_frames_beyond_the_rule_are_dropped_when_no_length_is_asked_for(source, model) -> None:
    longer = np.concatenate([source.rgb, source.rgb[:2]])
    call = arguments(source, depth="infinity", intrinsics=source.intrinsics[0])
    result = scaling4d.generate(longer, "static", model=model, **call)
    assert len(result.frames) == 5


def test_the_command_line_makes_a_video_and_never_overwrites(
    source: Clip, model_folder: Path, tmp_path: Path, capsys
) -> None:
    write_video(tmp_path / "clip.mp4", source.rgb, 8)
    np.savez(tmp_path / "depth.npz", depth=source.depth, intrinsics=source.intrinsics)
    out = tmp_path / "new.mp4"
    command = ["generate", str(tmp_path / "clip.mp4"), "orbit:yaw=10", "--steps", "1"]
    command += ["--model", str(model_folder), "--depth", str(tmp_path / "depth.npz")]
    assert main([*command, "-o", str(out)]) == 0
    assert read_video(out).frames.shape == source.rgb.shape
    written = out.read_bytes()
    assert main([*command, "-o", str(out)]) == 2
    assert out.read_bytes() == written
    assert "exists already" in capsys.readouterr().err


def numbered(frames: int, where: str, folder: Path) -> dict:
    """Depth 1, 2, ... of that many frames, given in one of the ways that `read_source` takes."""
    depth = np.tile(np.arange(1, frames + 1, dtype=np.float32)[:, None, None], (1, 16, 16))
    focal = np.arange(1, frames + 1)[:, None, None] * np.diag([10.0, 10.0, 1.0])
    focal[:, 2, 2] = 1
    poses = np.tile(np.eye(4), (frames, 1, 1))
    poses[:, 0, 3] = np.arange(1, frames + 1)
    given: dict = {"depth": depth, "intrinsics": focal, "world_from_source": poses}
    if where == "array":
        return given
    given |= {"intrinsics": None, "depth": folder / "depth.npz"}
    if where == "point_map":  # as GeometryCrafter writes it; one pinhole for all frames
        ray = np.stack(
            [*np.meshgrid(np.arange(16) + 0.5, np.arange(16) + 0.5), np.full((16, 16), 10)], -1
        )
        points = depth[..., None] * ray / 10
        np.savez(folder / "depth.npz", point_map=points, mask=np.ones(depth.shape, bool))
        return given | {"intrinsics": focal}
    if where == "exr":
        OpenEXR = pytest.importorskip("OpenEXR", reason="extra [render] is not installed")
        for index, frame in enumerate(depth):
            header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
            OpenEXR.File(header, {"Z": frame}).write(str(folder / f"{index:04d}.exr"))
        return given | {"depth": folder, "intrinsics": focal}
    np.savez(folder / "depth.npz", depth=depth, intrinsics=focal)
    if where == "precomputed":
        given["depth"] = f"precomputed:{folder / 'depth.npz'}"
    return given


@pytest.mark.parametrize("where", ["array", "npz", "precomputed", "point_map", "exr"])
@pytest.mark.parametrize(("given", "expected"), [(10, [1, 3, 5, 7, 9]), (5, [1, 2, 3, 4, 5])])
def test_what_is_given_per_frame_follows_the_frame_step(given, expected, where, tmp_path) -> None:
    """For all 10 frames of the video every second is taken; for the 5 used ones all are."""
    video = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((16, 16, 3), np.uint8)
    source = read_source(
        video,
        **numbered(given, where, tmp_path),
        frames=5,
        size=None,
        frame_step=2,
        device=torch.device("cpu"),
    )
    assert source.frames[:, 0, 0, 0].tolist() == [0, 2, 4, 6, 8]
    np.testing.assert_allclose(source.depth[:, 0, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(source.intrinsics[:, 0, 0], 10.0 * np.array(expected))
    assert source.world_from_source[:, 0, 3].tolist() == expected


@pytest.mark.parametrize(
    ("video", "model_name", "message"),
    [
        ("none.mp4", "model", "no video at"),
        ("broken.mp4", "model", "is not a readable video"),
        ("clip.mp4", "empty", "no model in"),
    ],
)
def test_missing_and_broken_files_end_with_status_2(
    source, model_folder, tmp_path, capsys, video, model_name, message
) -> None:
    write_video(tmp_path / "clip.mp4", source.rgb, 8)
    (tmp_path / "broken.mp4").write_bytes(b"x" * 100)
    (tmp_path / "empty").mkdir()
    folder = model_folder if model_name == "model" else tmp_path / model_name
    command = ["generate", str(tmp_path / video), "static", "--model", str(folder)]
    assert main([*command, "--depth", "infinity", "-o", str(tmp_path / "o.mp4")]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert errors[-1].startswith("error: ")
    assert message in errors[-1]
    assert not (tmp_path / "o.mp4").exists()
