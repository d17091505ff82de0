"""The trajectory command as a user meets it: results, exit statuses, one-line errors."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from scaling4d.__main__ import main
from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath
from scaling4d.geometry.trajectory import Trajectory, parse_trajectory
from scaling4d.geometry.trajectory_io import FORMATS, read_cameras, write_cameras
from tests.geometry.camera_paths import HEIGHT, WIDTH, camera_path, every_frame
from tests.geometry.test_formats import HOLDS, SIZE, held


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main(["trajectory", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def one_lens(cameras: CameraPath) -> CameraPath:
    """The same path without its zoom."""
    return cameras.replaced(intrinsics=np.tile(cameras.intrinsics[0], (len(cameras), 1, 1)))


def test_a_preset_becomes_a_keyframe_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "path.yaml"
    status, out, _ = run(capsys, "convert", "orbit:yaw=30", path, "--pivot-depth", 3)
    assert (status, "49 frames" in out) == (0, True)
    expected = Trajectory.preset("orbit", 49, pivot_depth=3.0, yaw=30)
    np.testing.assert_allclose(
        parse_trajectory(path).target_from_source, expected.target_from_source, atol=1e-12
    )


def test_pose_files_keep_their_world(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    cameras = one_lens(camera_path(4))
    write_cameras(tmp_path / "sparse", cameras, "colmap")
    out = tmp_path / "camera.tum"
    status, _, _ = run(capsys, "convert", tmp_path / "sparse", out, "--fps", 24)
    assert status == 0
    again = read_cameras(out)
    np.testing.assert_allclose(again.world_from_camera, cameras.world_from_camera, atol=1e-12)
    np.testing.assert_allclose(again.times, cameras.frame_index / 24)


def test_resampling_and_scaling(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "out.yaml"
    keys = tmp_path / "keys.yaml"
    keys.write_text("keyframes: [{frame: 0}, {frame: 4, right: 1}]")
    assert run(capsys, "convert", keys, out, "--frames", 9, "--scale", 2)[0] == 0
    centers = parse_trajectory(out).source_from_target[:, 0, 3]
    np.testing.assert_allclose(centers, np.linspace(0, 2, 9), atol=1e-9)


def test_scale_from_two_depth_maps(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    depth = np.random.default_rng(0).uniform(1, 5, (8, 8))
    np.save(tmp_path / "mine.npy", depth)
    np.save(tmp_path / "metric.npy", 3.0 * depth)
    out = tmp_path / "out.yaml"
    status, text, _ = run(
        capsys, "convert", "dolly:distance=1", out,
        "--depth-scale", tmp_path / "mine.npy", tmp_path / "metric.npy",
    )  # fmt: skip
    assert (status, "multiplied by 3" in text) == (0, True)
    assert parse_trajectory(out).source_from_target[-1, 2, 3] == pytest.approx(3.0)


def test_validate_reports_the_motion_and_warns_of_a_jump(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    status, out, _ = run(capsys, "validate", "dolly:distance=2", "--frames", 5)
    assert (status, "2 m long" in out, "warning" in out) == (0, True, False)
    cameras = one_lens(every_frame(9))
    poses = np.tile(np.eye(4), (9, 1, 1))
    poses[:, 0, 3] = (0, 1, 2, 3, 4, 30, 31, 32, 33)
    write_cameras(tmp_path / "jump.kitti", cameras.replaced(world_from_camera=poses), "kitti")
    status, out, _ = run(capsys, "validate", tmp_path / "jump.kitti")
    assert status == 0
    assert "warning: the step from frame 4 to 5 is 26 m, 26.0 times the usual one" in out
    assert "camera-to-world" in out


def test_validate_warns_of_a_focal_length_that_is_no_pixels(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    poses = np.tile(np.eye(4), (3, 1, 1))
    lenses = np.tile(intrinsics_matrix(0.9, 0.9, 0.5, 0.5), (3, 1, 1))
    write_cameras(tmp_path / "clip", CameraPath(poses, lenses), "gen3c")
    status, out, _ = run(capsys, "validate", tmp_path / "clip")
    assert (status, "warning: a focal length of 0.9 pixels is more likely a share" in out) == (
        0,
        True,
    )


def test_plot_draws_the_path_in_both_views(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    picture = tmp_path / "plot.png"
    assert run(capsys, "plot", "dolly:distance=1", picture)[0] == 0
    image = cv2.imread(str(picture))
    assert image.shape == (480, 960, 3)
    dark = (image < 60).all(axis=2)
    dark[:30] = dark[-30:] = False  # the labels
    for panel, across in ((dark[:, :480], False), (dark[:, 480:], True)):
        rows, columns = np.nonzero(panel)
        # Forward is up in the view from above and to the right in the view from the side.
        assert (np.ptp(columns) > np.ptp(rows)) == across


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.png", b"\x89PNG"), ("a.jpg", b"\xff\xd8\xff"), ("a.JPEG", b"\xff\xd8\xff")],
)
def test_a_picture_is_what_its_name_says(
    name: str, start: bytes, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(capsys, "plot", "dolly", tmp_path / name)[0] == 0
    assert (tmp_path / name).read_bytes().startswith(start)


def test_formats_lists_everything_with_its_convention(capsys: pytest.CaptureFixture) -> None:
    status, out, _ = run(capsys, "formats")
    assert status == 0
    for name in (*FORMATS, "orbit", "bullet_time"):
        assert f"  {name} " in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("validate", "orbbit:yaw=3"), "neither a camera preset"),
        (("validate", "orbit"), "pivot"),
        (("validate", "dolly", "--frames", "0"), "--frames must be a whole number >= 1"),
        (("validate", "dolly", "--frames", "1000000000000"), "<= 100000"),
        (("validate", "dolly", "--height", "4"), "both --height and --width"),
        (("validate", "dolly", "--fps", "inf"), "--fps must be finite and > 0, got inf"),
        (("convert", "dolly", "out.xyz"), "cannot tell which format"),
        (("convert", "dolly", "colmap:sparse"), "image"),
        (("convert", "dolly", "x.yaml", "--scale", "-1"), "--scale"),
        (("plot", "dolly", "x.pdf"), "x.pdf: end its name in .png or .jpg"),
        (("convert", "dolly", "x.yaml", "--depth-scale", "a.npy", "b.npy"), "a.npy"),
    ],
)
def test_mistakes_end_in_one_sentence_and_status_2(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, error = run(capsys, *arguments)
    assert status == 2
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("keys.json", '{"keyframes": [1, 2]}', "must be one time with its value, got 1"),
        ("camera.usda", "nonsense", "is not a valid usda layer"),
        ("keys.yaml", "keyframes: [{frame: 0}, {frame: 1.0e+12}]", "must be a whole number"),
        ("keys.yaml", f"keyframes: [{{frame: 0, yaw: {10**400}}}]", "yaw must be a finite number"),
        ("keys.yaml", "[" * 2000, "does not parse"),
        ("deep.json", "[" * 100_000, "is not the JSON"),
    ],
)
def test_mistakes_in_files_end_in_one_sentence_that_gives_the_reason(
    name: str, content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / name).write_text(content)
    status, _, error = run(capsys, "validate", tmp_path / name)
    assert (status, error.count("\n")) == (2, 1)
    assert name in error
    assert message in error


def test_a_stage_that_is_not_there_is_said_to_be_missing(capsys: pytest.CaptureFixture) -> None:
    status, _, error = run(capsys, "validate", "usd:nowhere.usda")
    assert (status, "there is no such file" in error) == (2, True)


def test_nothing_is_replaced_without_force(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "out.yaml"
    out.write_text("precious")
    status, _, error = run(capsys, "convert", "dolly", out)
    assert (status, "exists" in error, out.read_text()) == (2, True, "precious")
    assert run(capsys, "convert", "dolly", out, "--force")[0] == 0
    assert len(parse_trajectory(out)) == 49


def test_every_example_of_the_help_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["trajectory", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out.partition("examples:")[2]
    examples = re.findall(r"python -m scaling4d (trajectory .+)", text)
    assert len(examples) >= 7
    monkeypatch.chdir(tmp_path)
    cameras = one_lens(camera_path(5)).replaced(frame_index=None, times=np.arange(1, 6) / 30)
    write_cameras("sparse/0", cameras, "colmap")
    write_cameras("clip.txt", cameras, "re10k")
    np.save("mine.npy", np.ones((8, 8)))
    np.save("metric.npy", np.full((8, 8), 3.0))
    for example in examples:
        assert main(shlex.split(example)) == 0, (example, capsys.readouterr().err)
    assert {"path.yaml", "cameras.tum", "camera.usda", "metric.yaml", "spiral.png"} <= {
        path.name for path in tmp_path.iterdir()
    }


@pytest.mark.parametrize("name", HOLDS)
def test_every_pose_format_can_be_validated(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path, holds = tmp_path / HOLDS[name].file, HOLDS[name]
    cameras = camera_path(4).replaced(frame_index=None)
    cameras = held(one_lens(cameras) if holds.one_lens else cameras, holds)
    write_cameras(path, cameras, name, SIZE)
    status, out, _ = run(capsys, "validate", path, "--height", HEIGHT, "--width", WIDTH)
    assert status == 0
    assert " ".join(out.split()).startswith(f"{name}: {FORMATS[name].convention}")
    assert "frames           4, mode relative" in out
    assert f"image size       {HEIGHT} x {WIDTH}" in out
    if holds.intrinsics:
        fx = cameras.intrinsics[:, 0, 0]
        assert f"focal length     {fx.min():.6g} to {fx.max():.6g} px" in out


def test_a_zoom_is_not_lost_in_silence_and_can_be_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "z.kitti"
    zoom = ("convert", "zoom:factor=2", out)
    for lens in ((), ("--intrinsics", 400, 400, 240, 240)):
        status, _, error = run(capsys, *zoom, *lens)
        assert (status, "--drop-intrinsics" in error, out.exists()) == (2, True, False)
        assert run(capsys, *zoom, *lens, "--drop-intrinsics", "--force")[0] == 0
        out.unlink()


def test_intrinsics_of_the_file_can_be_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    write_cameras(tmp_path / "sparse", every_frame(4), "colmap")
    out = tmp_path / "out.npz"
    command = ("convert", tmp_path / "sparse", f"vista4d:{out}", "--intrinsics", 50, 60, 40, 30)
    status, _, error = run(capsys, *command)
    assert (status, "holds its own intrinsics" in error) == (2, True)
    assert run(capsys, *command, "--drop-intrinsics")[0] == 0
    lens = read_cameras(out).intrinsics
    np.testing.assert_array_equal(lens, np.tile(intrinsics_matrix(50, 60, 40, 30), (4, 1, 1)))


def test_a_reconstruction_becomes_keyframes_with_its_zoom(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    cameras = one_lens(every_frame(4))
    lenses = cameras.intrinsics.copy()
    lenses[:, :2, :2] *= np.array([1.0, 1.5, 2.0, 3.0])[:, None, None]
    write_cameras(tmp_path / "sparse", cameras.replaced(intrinsics=lenses), "colmap")
    out = tmp_path / "path.yaml"
    assert run(capsys, "convert", tmp_path / "sparse", out)[0] == 0
    np.testing.assert_allclose(parse_trajectory(out).focal_scale, (1.0, 1.5, 2.0, 3.0))
    expected = Trajectory.from_cameras(cameras)
    np.testing.assert_allclose(
        parse_trajectory(out).target_from_source, expected.target_from_source, atol=1e-12
    )
    lenses[1, 0, 2] += 5.0
    write_cameras(tmp_path / "sparse", cameras.replaced(intrinsics=lenses), "colmap")
    for extra in ((), ("--mode", "world")):
        command = ("convert", tmp_path / "sparse", out, "--force", *extra)
        status, _, error = run(capsys, *command)
        assert (status, "--drop-intrinsics" in error) == (2, True)
        assert run(capsys, *command, "--drop-intrinsics")[0] == 0
        assert parse_trajectory(out).focal_scale is None


@pytest.mark.parametrize("output", ["out.tum", "vipe:out", "colmap:out", "out.yaml"])
def test_key_frames_are_not_passed_off_as_every_frame(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    write_cameras("clip", one_lens(every_frame(4)), "spatialvid")
    command = ["convert", "clip", output, "--height", HEIGHT, "--width", WIDTH, "--fps", 30]
    status, _, error = run(capsys, *command)
    assert (status, "one pose per key frame" in error, "--video-frames" in error) == (2, True, True)
    command += ["--video-frames", 24]
    if output.endswith("yaml"):
        status, _, error = run(capsys, *command)
        assert (status, "give --frames 19" in error) == (2, True)
        assert run(capsys, *command, "--frames", 19)[0] == 0
        assert len(parse_trajectory(output)) == 19
        assert run(capsys, *command, "--frames", 4, "--force")[0] == 0  # as the user asks
        return
    assert run(capsys, *command)[0] == 0
    cameras = read_cameras("out.tum" if output == "out.tum" else "out")
    if output == "out.tum":
        np.testing.assert_allclose(cameras.times, (0, 0.2, 0.4, 0.6))
    else:
        np.testing.assert_array_equal(cameras.frame_index, (0, 6, 12, 18))


def test_key_frames_need_no_video_where_nothing_is_numbered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    write_cameras("clip", every_frame(4), "spatialvid")
    size = ("--height", HEIGHT, "--width", WIDTH)
    assert run(capsys, "convert", "clip", "vista4d:out.npz", *size)[0] == 0


def test_key_frames_become_one_camera_per_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    cameras = camera_path(3).replaced(frame_index=np.array([0, 4, 8]), times=None)
    write_cameras(tmp_path / "clip", cameras, "vipe")
    out = tmp_path / "dense"
    arguments = ("convert", tmp_path / "clip", f"vipe:{out}", "--frames", 9)
    assert run(capsys, *arguments)[0] == 0
    dense = read_cameras(out)
    assert len(dense) == 9
    np.testing.assert_allclose(
        dense.world_from_camera[[0, 4, 8]], cameras.world_from_camera, atol=1e-12
    )


@pytest.mark.parametrize("name", ["kitti", "vista4d"])
def test_gaps_between_numbered_cameras_are_not_closed_in_silence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """Formats without numbers or times are read as consecutive frames."""
    some = camera_path(5).replaced(frame_index=np.arange(5) * 8, times=None)
    write_cameras(tmp_path / "sparse", some, "colmap")
    out = tmp_path / ("c.npz" if name == "vista4d" else "c.txt")
    command = ["convert", f"colmap:{tmp_path / 'sparse'}", f"{name}:{out}"]
    command += ["--drop-intrinsics"] if name == "kitti" else []
    code, _, errors = run(capsys, *command)
    assert code == 2
    assert "holds every frame" in errors
    assert "give --frames 33" in errors
    assert not out.exists()
    assert run(capsys, *command, "--frames", 33)[0] == 0
    assert len(read_cameras(out, name, SIZE)) == 33
