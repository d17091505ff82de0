"""The statistics of section 4.4 against closed forms, and the command on an analytic clip."""

from __future__ import annotations

import argparse
import json
import math
import shutil

import numpy as np
import pytest
import torch

from scaling4d import gap_cli
from scaling4d.correspondence.consistency import covisible
from scaling4d.correspondence.field import CorrespondenceField
from scaling4d.estimators import make_flow_estimator
from scaling4d.evaluation.correspondence_gap import (
    average,
    clip_gap,
    correspondence_gap,
    markdown_table,
)
from scaling4d.evaluation.flow_depth import depth_from_flow
from scaling4d.geometry.camera import relative_pose
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.trajectory_io import write_cameras
from scaling4d.storage.scene_file import CameraTrack, write_scene
from tests import scenes


def main(arguments: list[str]) -> int:
    """The command as ``python -m scaling4d`` runs it, errors left to raise."""
    parser = argparse.ArgumentParser()
    gap_cli.add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(arguments)
    return parsed.run(parsed)


def polynomial(frames: int = 3, height: int = 12, width: int = 16) -> CorrespondenceField:
    """u = 0.2 x + 0.1 y + 0.05 x^2 + 3 t, v = -0.4 y + 4 t: known differences everywhere."""
    t = torch.arange(frames, dtype=torch.float64)[:, None, None]
    y = torch.arange(height, dtype=torch.float64)[None, :, None]
    x = torch.arange(width, dtype=torch.float64)[None, None]
    u = 0.2 * x + 0.1 * y + 0.05 * x**2 + 3 * t
    v = -0.4 * y + 0 * x + 4 * t
    return CorrespondenceField(torch.stack([u, v.expand_as(u)], dim=1))


def test_roughness_of_a_polynomial_field():
    field = polynomial()
    report = correspondence_gap(field, field)
    x = np.arange(15)  # the last column has no pixel to its right
    forward = np.abs(0.2 + 0.05 * (2 * x + 1)).mean()
    assert report.flow.tv1 == pytest.approx(forward + 0.1 + 0.4)
    assert report.flow.laplacian_energy == pytest.approx(0.1**2)
    assert report.flow.temporal == pytest.approx(5.0)
    assert report.flow == report.depth
    assert report.epe == 0
    assert report.vec_corr == pytest.approx(1)
    assert report.vec_corr_centred == pytest.approx(1)
    assert report.covisible_share == 1


def test_epe_and_correlations_of_an_offset_field():
    field = polynomial()
    offset = CorrespondenceField(field.displacement + torch.tensor([3.0, -4.0])[:, None, None])
    report = correspondence_gap(field, offset)
    assert report.epe == pytest.approx(5)
    assert report.vec_corr_centred == pytest.approx(1), "the centred form ignores an offset"
    a, b = field.displacement, offset.displacement
    expected = (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt()
    assert report.vec_corr == pytest.approx(expected.item())
    assert report.vec_corr < 0.999
    opposite = CorrespondenceField(-a)
    assert correspondence_gap(field, opposite).vec_corr == pytest.approx(-1)


def test_only_compared_pixels_count():
    field = polynomial()
    spoiled = field.displacement.clone()
    spoiled[:, :, 5:7, 8:10] = 1e4
    spoiled[:, :, 0, 0] = torch.nan
    compared = torch.ones(3, 12, 16, dtype=torch.bool)
    compared[:, 5:7, 8:10] = False
    report = correspondence_gap(CorrespondenceField(spoiled), field, compared)
    assert report.epe == 0
    assert report.flow.laplacian_energy == pytest.approx(0.01)
    assert report.covisible_share == pytest.approx(1 - 5 / 192)
    with pytest.raises(ValueError, match="no pixel is co-visible"):
        correspondence_gap(field, field, torch.zeros_like(compared))


def test_a_single_pair_has_no_temporal_statistic():
    field = polynomial(frames=1)
    assert math.isnan(correspondence_gap(field, field).flow.temporal)


@pytest.fixture(scope="module")
def clip():
    camera = scenes.default_camera(96, 128)
    cameras = camera.orbit(5, yaw=4.0, pivot=(0, 2, 0))
    return scenes.room().clip(cameras, samples=2)


def test_gap_of_a_static_clip_is_small_and_symmetric_in_its_means(clip):
    result = clip_gap(
        clip.rgb,
        clip.depth,
        clip.intrinsics,
        clip.world_from_camera,
        make_flow_estimator("dis"),
        sources=range(4),
        targets=range(1, 5),
    )
    report = result.report
    assert report.epe < 1.18, "DIS on clean renders beats the paper's RAFT on real video"
    assert report.vec_corr > 0.95
    assert report.covisible_share > 0.8
    assert report.flow.temporal > 0
    assert result.consistent_share > 0.8
    both = average([report, report])
    assert both.epe == pytest.approx(report.epe)
    assert both.frames == 8
    table = markdown_table([("room", report)])
    assert "| room | 4 |" in table
    assert table.splitlines()[-1].startswith("| paper")


@pytest.fixture
def scene_file(clip, tmp_path):
    track = CameraTrack(
        rgb=clip.rgb,
        depth=clip.depth.astype(np.float32),
        intrinsics=clip.intrinsics,
        world_from_camera=clip.world_from_camera,
    )
    path = tmp_path / "room.h5"
    write_scene(path, cameras={"cam0": track}, fps=8.0, attributes={"seed": 0}, scene={})
    return path


def test_command_measures_scene_files(scene_file, tmp_path, capsys):
    report = tmp_path / "gap.json"
    other = tmp_path / "again" / scene_file.name
    other.parent.mkdir()
    shutil.copy(scene_file, other)
    clips = [str(scene_file), str(other)]
    assert main(["gap", *clips, "--stride", "2", "--json", str(report)]) == 0
    assert "| mean | 6 |" in capsys.readouterr().out
    document = json.loads(report.read_text())
    assert document["estimator"] == "dis"
    assert document["clips"]["mean"]["epe"] < 1.18
    assert {"again/room", "mean"} < set(document["clips"])
    assert len(document["clips"]) == 3
    assert document["clips"]["again/room"]["scale"] == 1
    with pytest.raises(ValueError, match="given twice"):
        main(["gap", clips[0], clips[0]])


def test_a_statistic_that_does_not_exist_is_null_in_the_report(scene_file, tmp_path):
    report = tmp_path / "gap.json"
    assert main(["gap", str(scene_file), "--frames", "2", "--json", str(report)]) == 0
    document = json.loads(report.read_text(), parse_constant=lambda text: pytest.fail(text))
    assert document["clips"]["room"]["flow"]["temporal"] is None


def test_covisibility_counts_what_the_target_shows_alone(clip):
    """A wider orbit hides a share of the pixels; none counting as hidden would go unseen."""
    result = clip_gap(
        clip.rgb, clip.depth, clip.intrinsics, clip.world_from_camera,
        make_flow_estimator("dis"), sources=[0], targets=[4],
    )  # fmt: skip
    hidden = ~result.compared & result.depth.in_frame()
    assert 0.005 < hidden.double().mean() < 0.5
    with pytest.raises(ValueError, match=r"must be .* like the field"):
        covisible(result.depth, torch.ones(1, 2 * 96, 2 * 128))


def zooming(clip):
    """The clip's first frame seen again through a lens of twice the focal length."""
    k = np.stack([clip.intrinsics[0], clip.intrinsics[0].copy()])
    k[1, :2, :2] *= 2
    pose = np.stack([clip.world_from_camera[0]] * 2)
    return k, pose


def test_the_targets_own_lens_is_used(clip):
    k, poses = zooming(clip)
    rgb, depth = (np.stack([frames[0]] * 2) for frames in (clip.rgb, clip.depth))
    result = clip_gap(
        rgb, np.full_like(depth, 3.0), k, poses, make_flow_estimator("dis"),
        sources=[0], targets=[1],
    )  # fmt: skip
    centres = np.arange(128) + 0.5
    expected = np.broadcast_to(centres - k[0, 0, 2], (96, 128))
    np.testing.assert_allclose(result.depth.displacement[0, 0], expected, atol=1e-3)


@pytest.mark.parametrize("unit", [0.25, 1.0, 40.0])
def test_the_cameras_unit_is_measured_from_flow(clip, unit):
    poses = clip.world_from_camera.copy()
    poses[:, :3, 3] /= unit
    shared = {"sources": [0, 1], "targets": [3, 4], "estimator": make_flow_estimator("dis")}
    rest = clip.rgb, clip.depth, clip.intrinsics
    right = clip_gap(*rest, clip.world_from_camera, **shared)
    fitted = clip_gap(*rest, poses, scale=None, **shared)
    assert fitted.scale == pytest.approx(unit, rel=0.03)
    assert fitted.report.epe == pytest.approx(right.report.epe, abs=0.2)
    if unit != 1.0:
        wrong = clip_gap(*rest, poses, **shared)
        assert wrong.report.epe > 4 * right.report.epe
        assert wrong.measured_scale == pytest.approx(unit, rel=0.03)


def test_depth_of_the_exact_field_is_the_scenes(clip):
    """Triangulation against ray casting, to rounding."""
    camera = scenes.default_camera(96, 128)
    cameras = camera.orbit(2, yaw=4.0, pivot=(0, 2, 0))
    truth = scenes.room().correspondence(0.0, cameras[0], 0.0, cameras[1])
    field = CorrespondenceField(torch.from_numpy(truth.displacement).permute(2, 0, 1)[None])
    motion = relative_pose(cameras[1].world_from_camera, cameras[0].world_from_camera)
    lens = cameras[0].intrinsics
    depth = depth_from_flow(field, lens, cameras[1].intrinsics, motion)[0].numpy()
    exact = scenes.room().depth(0.0, cameras[0])
    told = np.isfinite(depth)
    assert told.mean() > 0.7
    np.testing.assert_allclose(depth[told], exact[told], rtol=1e-6)


def test_relative_depth_needs_a_scale(clip, tmp_path, capsys, caplog):
    from scaling4d.storage.video import write_video

    write_video(tmp_path / "room.mp4", clip.rgb, 8.0)
    height, width = clip.rgb.shape[1:3]
    ray = np.stack([*np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)], -1)
    k = clip.intrinsics[0]
    ray = (ray - k[:2, 2]) / k[[0, 1], [0, 1]]
    points = 3.0 * clip.depth[..., None] * np.concatenate([ray, np.ones((height, width, 1))], -1)
    np.savez(tmp_path / "d.npz", point_map=points, mask=np.ones(clip.depth.shape, bool))
    cameras = CameraPath(clip.world_from_camera, clip.intrinsics, height, width)
    write_cameras(tmp_path / "sparse", cameras, "colmap")
    command = ["gap", str(tmp_path / "room.mp4"), "--depth", str(tmp_path / "d.npz")]
    command += ["--cameras", str(tmp_path / "sparse"), "--stride", "3"]
    with pytest.raises(ValueError, match="relative depth, in a unit of its own: add --scale"):
        main(command)
    assert main([*command, "--scale", "auto"]) == 0
    said = capsys.readouterr().out
    factor = float(said.split("translations x ")[1].split(",")[0])
    assert factor == pytest.approx(3.0, rel=0.03)
    assert main([*command, "--scale", "1"]) == 0
    assert "--scale auto" in caplog.text
    with pytest.raises(ValueError, match="--scale must be a number > 0 or auto"):
        main([*command, "--scale", "big"])


def test_command_measures_a_video_with_depth_and_cameras(clip, tmp_path, capsys):
    from scaling4d.storage.video import write_video

    write_video(tmp_path / "room.mp4", clip.rgb, 8.0)
    np.save(tmp_path / "depth.npy", clip.depth)
    cameras = CameraPath(clip.world_from_camera, clip.intrinsics, *clip.rgb.shape[1:3])
    write_cameras(tmp_path / "sparse", cameras, "colmap")
    files = [str(tmp_path / name) for name in ("room.mp4", "depth.npy", "sparse")]
    assert main(["gap", files[0], "--depth", files[1], "--cameras", files[2]]) == 0
    assert "| room | 4 |" in capsys.readouterr().out
    write_cameras(tmp_path / "c.kitti", cameras, "kitti")
    with pytest.raises(ValueError, match="holds intrinsics"):
        main(["gap", *files[:1], "--depth", files[1], "--cameras", str(tmp_path / "c.kitti")])
    np.savez(tmp_path / "own.npz", depth=clip.depth, intrinsics=clip.intrinsics)
    lens = ["--intrinsics", "100", "100", "64", "48"]
    kitti = ["--cameras", str(tmp_path / "c.kitti")]
    with pytest.raises(ValueError, match="holds its own intrinsics"):
        main(["gap", files[0], "--depth", str(tmp_path / "own.npz"), *kitti, *lens])
    half = cameras.replaced(
        intrinsics=cameras.intrinsics * [[0.5], [0.5], [1]], height=48, width=64
    )
    write_cameras(tmp_path / "half", half, "colmap")
    capsys.readouterr()
    same = []
    for poses in ("sparse", "half"):  # of images of half the size: the same cameras
        assert main(["gap", files[0], "--depth", files[1], "--cameras", str(tmp_path / poses)]) == 0
        same.append(capsys.readouterr().out)
    assert same[0] == same[1]
    np.save(tmp_path / "short.npy", clip.depth[:3])
    with pytest.raises(ValueError, match="must show the same frames"):
        main(["gap", files[0], "--depth", str(tmp_path / "short.npy"), "--cameras", files[2]])


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--stride", "0"], "--stride must be at least 1"),
        (["--stride", "7"], "too few for --stride 7"),
        (["--estimator", "best"], "the flow estimator must be one of"),
        (["--camera", "cam9"], "cam9"),
        (["--depth", "d.npy"], "give that video and --cameras"),
        (["--scale", "0"], "--scale must be a number > 0 or auto, got '0'"),
        (["--scale", "nan"], "--scale must be a number > 0"),
        (["--intrinsics", "9", "9", "4", "4"], "scene files hold their own"),
        (["--device", "cuda"], "--device is for RAFT"),
    ],
)
def test_command_refuses_in_one_sentence(scene_file, extra, message):
    with pytest.raises(ValueError, match=message):
        main(["gap", str(scene_file), *extra])


def test_command_refuses_a_video_without_depth(tmp_path):
    with pytest.raises(ValueError, match=r"walk\.mp4 is no scene file"):
        main(["gap", str(tmp_path / "walk.mp4")])
