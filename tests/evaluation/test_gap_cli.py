"""The gap command on scene files and on videos of an analytic clip."""

from __future__ import annotations

import argparse
import json
import shutil

import numpy as np
import pytest

from scaling4d import gap_cli
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.formats.given import Given
from scaling4d.geometry.trajectory_io import write_cameras
from scaling4d.storage.scene_file import CameraTrack, write_scene
from scaling4d.storage.video import write_video
from tests import scenes


def main(arguments: list[str]) -> int:
    """The command as ``python -m scaling4d`` runs it, errors left to raise."""
    parser = argparse.ArgumentParser()
    gap_cli.add_parser(parser.add_subparsers(required=True))
    parsed = parser.parse_args(arguments)
    return parsed.run(parsed)


@pytest.fixture(scope="module")
def clip():
    camera = scenes.default_camera(96, 128)
    cameras = camera.orbit(5, yaw=4.0, pivot=(0, 2, 0))
    return scenes.room().clip(cameras, samples=2)


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


def test_relative_depth_needs_a_scale(clip, tmp_path, capsys, caplog):
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


def test_command_places_key_frames_by_time_and_takes_the_named_camera(clip, tmp_path, capsys):
    """The same cameras as one per frame, as key frames with times, and as one of two in a file."""
    video, depth = tmp_path / "room.mp4", tmp_path / "depth.npy"
    write_video(video, clip.rgb, 8.0)
    np.save(depth, clip.depth)
    poses = clip.world_from_camera
    write_cameras(tmp_path / "all.tum", CameraPath(poses, times=np.arange(5) / 8), "tum")
    keys = CameraPath(poses[::2], times=np.arange(0, 5, 2) / 8)
    write_cameras(tmp_path / "keys.tum", keys, "tum")
    for name in ("cam01", "cam02"):
        one = CameraPath(poses if name == "cam02" else poses[::-1])
        write_cameras(tmp_path / f"{name}.json", one, "recammaster", Given(camera=name))
    both = [json.loads((tmp_path / f"cam0{number}.json").read_text()) for number in (1, 2)]
    joined = {frame: both[0][frame] | both[1][frame] for frame in both[0]}
    (tmp_path / "two.json").write_text(json.dumps(joined))
    k = clip.intrinsics[0]
    lens = [str(value) for value in (k[0, 0], k[1, 1], k[0, 2], k[1, 2])]

    def epe(cameras: str, *extra: str) -> float:
        command = ["gap", str(video), "--depth", str(depth), "--cameras", str(tmp_path / cameras)]
        report = tmp_path / "gap.json"
        assert main([*command, "--intrinsics", *lens, "--json", str(report), *extra]) == 0
        return json.loads(report.read_text())["clips"]["room"]["epe"]

    exact = epe("all.tum")
    assert epe("keys.tum") == pytest.approx(exact, rel=0.05)
    assert epe("two.json", "--camera", "cam02") == pytest.approx(exact)
    write_cameras(tmp_path / "late.tum", keys.replaced(times=np.array([1, 2, 4]) / 8), "tum")
    with pytest.raises(ValueError, match=r"frames 1 to 4 of the video, and 5 .*--first-frame"):
        epe("late.tum")


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
