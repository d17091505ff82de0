from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from scaling4d.correspondence.control import CONTROL_CHANNELS
from scaling4d.data.mixture import Draw
from scaling4d.data.pairs import ClipSize, DataError
from scaling4d.data.synthetic_pairs import SyntheticPairs
from scaling4d.storage.scene_file import open_scene
from tests.data.samples import write_sample_scene
from tests.scenes import Camera, moving_box

FRAMES, HEIGHT, WIDTH = 9, 48, 64


def draw(item: int, seed: int = 0) -> Draw:
    return Draw(position=0, source="syn", item=item, epoch=0, seed=seed)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    write_sample_scene(folder / "a.h5", frames=FRAMES, height=HEIGHT, width=WIDTH)
    return folder


@pytest.fixture(scope="module")
def lenses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with cameras of different fields of view, which change with time."""
    folder = tmp_path_factory.mktemp("lenses")
    size = {"frames": FRAMES, "height": HEIGHT, "width": WIDTH}
    write_sample_scene(folder / "a.h5", fovs=(50, 66, 60), zoom=1.25, **size)
    return folder


def full_size() -> ClipSize:
    return ClipSize(frames=FRAMES, height=HEIGHT, width=WIDTH)


def test_three_cameras_give_six_ordered_pairs(scenes: Path) -> None:
    pairs = SyntheticPairs(scenes, full_size())
    names = [pairs.pair(draw(item)).report["accepted"] for item in range(len(pairs))]
    ends = {tuple(name.split(",")[0].removeprefix("cameras ").split(" -> ")) for name in names}
    cameras = ("cam0", "cam1", "cam2")
    assert ends == {(a, b) for a in cameras for b in cameras if a != b}


def cameras_of(folder: Path, frame: int) -> tuple[Camera, Camera]:
    """cam0 and cam1 at a frame, from the file's numbers."""
    with open_scene(folder / "a.h5") as file:
        return tuple(
            Camera(HEIGHT, WIDTH, file.intrinsics(name)[frame], file.world_from_camera(name)[frame])
            for name in ("cam0", "cam1")
        )


@pytest.mark.parametrize("fields_of_view", ["scenes", "lenses"])
def test_correspondence_equals_the_closed_form(
    fields_of_view: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(fields_of_view)
    pair = SyntheticPairs(folder, full_size()).pair(draw(0))  # cam0 -> cam1, all frames
    scale = torch.tensor([WIDTH / 2, HEIGHT / 2])[:, None, None]
    found = (pair.control[:, CONTROL_CHANNELS["correspondence"]] * scale).numpy()
    for frame in range(FRAMES):
        source, target = cameras_of(folder, frame)
        # The box moves with time, but source and target are the same instant: geometry alone.
        truth = moving_box().correspondence(frame / 8, source, frame / 8, target).displacement
        inside = np.isfinite(truth).all(-1) & (np.abs(truth).max(-1) < WIDTH)
        error = np.abs(found[frame].transpose(1, 2, 0) - truth)[inside]
        assert error.max() < 2e-3
        assert inside.mean() > 0.9


def test_resized_pair_keeps_the_correspondence(scenes: Path) -> None:
    """Half the size and a centred crop: the same field, halved, on the pixels that were kept."""
    small = SyntheticPairs(scenes, ClipSize(frames=FRAMES, height=24, width=24)).pair(draw(0))
    large = SyntheticPairs(scenes, full_size()).pair(draw(0))
    part = CONTROL_CHANNELS["correspondence"]
    pixels = torch.tensor([12.0, 12.0])[:, None, None]
    halved = small.control[:, part] * pixels
    reference = large.control[:, part] * torch.tensor([WIDTH / 2, HEIGHT / 2])[:, None, None]
    reference = torch.nn.functional.avg_pool2d(reference[..., 8:56], 2) / 2
    difference = (halved - reference).abs().amax(dim=1)
    assert difference.median() < 0.02
    assert (difference < 0.25).float().mean() > 0.9  # all but object edges and the horizon


def test_windows_vary_with_the_seed_and_stay_in_the_scene(scenes: Path) -> None:
    pairs = SyntheticPairs(scenes, ClipSize(frames=5, height=24, width=32))
    origins = {pairs.pair(draw(0, seed)).origin for seed in range(40)}
    assert origins == {f"a.h5: cameras cam0 -> cam1, frames {s}..{s + 4}" for s in range(5)}


def test_collisions_are_settled_at_random(scenes: Path) -> None:
    pairs = SyntheticPairs(scenes, full_size())
    first, again, other = (pairs.pair(draw(1, seed)).control for seed in (1, 1, 2))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    warped = CONTROL_CHANNELS["warped"]
    assert not torch.equal(first[:, warped], other[:, warped])
    mask = CONTROL_CHANNELS["mask"]
    torch.testing.assert_close(first[:, mask], other[:, mask], rtol=0, atol=0)


def test_target_from_source_is_the_relative_pose_of_the_file(scenes: Path) -> None:
    pair = SyntheticPairs(scenes, full_size()).pair(draw(0))
    with open_scene(scenes / "a.h5") as file:
        source, target = (file.world_from_camera(name) for name in ("cam0", "cam1"))
    assert pair.target_from_source is not None
    np.testing.assert_allclose(pair.target_from_source, np.linalg.inv(target) @ source, atol=1e-12)


def test_double_reprojection_punches_holes_into_the_video_that_is_the_target(scenes: Path) -> None:
    """What inpainting methods learn from: drawn pixels are the target's own, moved by rounding."""
    pair = SyntheticPairs(scenes, full_size(), pairing="double_reprojection").pair(draw(0))
    with open_scene(scenes / "a.h5") as file:
        video = torch.from_numpy(file.rgb("cam0", slice(0, FRAMES))).permute(0, 3, 1, 2)
    assert torch.equal(pair.target, video.float() / 127.5 - 1)
    warped, mask = (pair.control[:, CONTROL_CHANNELS[name]] for name in ("warped", "mask"))
    drawn = mask.bool().expand_as(warped)
    assert 0.3 < mask.mean() < 0.95
    assert (warped[~drawn] == 0).all()
    close = (warped - pair.target).abs()[drawn] < 0.35
    assert close.float().mean() > 0.8


def test_double_reprojection_looks_through_both_lenses(lenses: Path) -> None:
    """Back from cam1 to cam0: the closed form but for rounding, which a focal length is not."""
    pair = SyntheticPairs(lenses, full_size(), pairing="double_reprojection").pair(draw(0))
    scale = torch.tensor([WIDTH / 2, HEIGHT / 2])[:, None, None]
    found = (pair.control[:, CONTROL_CHANNELS["correspondence"]] * scale).numpy()
    for frame in range(0, FRAMES, 4):
        source, target = cameras_of(lenses, frame)
        truth = moving_box().correspondence(frame / 8, target, frame / 8, source).displacement
        drawn = (pair.source[frame] != 0).any(0).numpy() & np.isfinite(truth).all(-1)
        error = np.linalg.norm(found[frame].transpose(1, 2, 0) - truth, axis=-1)[drawn]
        assert drawn.mean() > 0.3
        assert np.median(error) < 0.5


def test_aligned_frames_follow_the_zoom(lenses: Path) -> None:
    """One instant, seen by cam0 as it stands and zooms in every frame."""
    pair = SyntheticPairs(lenses, full_size(), pairing="aligned_frames").pair(draw(0, seed=4))
    chosen = int((pair.source == pair.target).flatten(1).all(1).nonzero()[0])
    scale = torch.tensor([WIDTH / 2, HEIGHT / 2])[:, None, None]
    found = (pair.control[:, CONTROL_CHANNELS["correspondence"]] * scale).numpy()
    source, time = cameras_of(lenses, chosen)[0], chosen / 8
    for frame in range(FRAMES):
        target = cameras_of(lenses, frame)[0]
        truth = moving_box().correspondence(time, source, time, target).displacement
        inside = np.isfinite(truth).all(-1) & (np.abs(truth).max(-1) < WIDTH)
        error = np.abs(found[frame].transpose(1, 2, 0) - truth)[inside]
        assert error.max() < 2e-3
        assert inside.mean() > 0.9


def test_aligned_frames_move_one_frame_to_the_cameras_of_its_own_video(scenes: Path) -> None:
    pairs = SyntheticPairs(scenes, full_size(), pairing="aligned_frames")
    assert len(pairs) == 3, "one camera is enough"
    pair = pairs.pair(draw(2, seed=4))
    assert pair.target_from_source is not None
    still = (pair.target_from_source - torch.eye(4)).abs().amax((1, 2)) < 1e-9
    assert still.sum() == 1
    chosen = int(still.nonzero())
    assert torch.equal(pair.source, pair.target[chosen].expand_as(pair.source))
    warped, mask = (pair.control[:, CONTROL_CHANNELS[name]] for name in ("warped", "mask"))
    assert mask[chosen].all()
    assert torch.equal(warped[chosen], pair.target[chosen])
    assert not torch.equal(warped[chosen - 1], warped[chosen])
    starts = {
        int((p.source == p.target).flatten(1).all(1).nonzero()[0])
        for p in map(pairs.pair, (draw(2, seed) for seed in range(12)))
    }
    assert len(starts) > 3, "the frame is drawn anew for every draw"


def test_caption_becomes_the_prompt(scenes: Path) -> None:
    assert SyntheticPairs(scenes, full_size()).pair(draw(0)).prompt == "a box on a table"


def test_bad_files_are_named_or_skipped(tmp_path: Path) -> None:
    write_sample_scene(tmp_path / "good.h5")
    whole = (tmp_path / "good.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    size = ClipSize(frames=5, height=24, width=32)
    with pytest.raises(DataError, match=r"cut\.h5.*skip_broken"):
        SyntheticPairs(tmp_path, size)
    assert len(SyntheticPairs(tmp_path, size, skip_broken=True)) == 6
    (tmp_path / "cut.h5").unlink()
    with pytest.raises(DataError, match=r"good\.h5 has 9 frames, a clip needs 17"):
        SyntheticPairs(tmp_path, ClipSize(frames=17, height=24, width=32))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no scene file"):
        SyntheticPairs(tmp_path / "empty", size)
