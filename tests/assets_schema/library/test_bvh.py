"""BVH import: the real file read as its numbers say, bones that point where the actor's point."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from assets_schema.library.characters.bvh import BvhError, read_bvh
from assets_schema.library.characters.cast import Cast
from assets_schema.library.characters.retarget import _axes, match_joints, retarget

pytest.importorskip("anny", reason="characters need the extra [library]")

TINY = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 5 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
1 2 3 90 0 0 0 0 0
1 2 3 0 90 0 0 0 90
"""


@pytest.fixture(scope="module")
def clip_file(test_data: Path) -> Path:
    return test_data / "bvh" / "test_freebvh.bvh"


@pytest.fixture(scope="module")
def skeleton():
    return Cast().body("woman_average").skeleton


def test_channels_are_applied_in_file_order(tmp_path) -> None:
    path = tmp_path / "tiny.bvh"
    path.write_text(TINY)
    clip = read_bvh(path)
    place, turn = clip.world()
    assert clip.joints == ("Hips", "Spine")
    assert place[0, 0] == pytest.approx([1, 2, 3])
    assert place[0, 1] == pytest.approx([1 - 10, 2, 3])  # 90 degrees about z: up goes to -x
    expected = Rotation.from_euler("ZXY", [0, 90, 0], degrees=True) * Rotation.from_euler(
        "ZXY", [0, 0, 90], degrees=True
    )
    assert turn[1, 1] == pytest.approx(expected.as_matrix(), abs=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("Frames: 2", "Frames: 9"), "9 frames of 9 channels announced"),
        (("Frame Time: 0.04", "Frame Time: 0"), "positive frame time"),
        (("Frame Time: 0.04", "Frame Time: nan"), "positive frame time"),
        (("MOTION", ""), "line 17: unknown keyword"),
        (("OFFSET 0 10 0", "OFFSET 0 ten 0"), "line 8: could not convert"),
        (("OFFSET 0 10 0", "OFFSET 0 10"), "line 8: OFFSET needs three"),
        (("CHANNELS 3", "CHANNELS 4"), "line 9: CHANNELS"),
        (("CHANNELS 3 Zrotation", "CHANNELS 3 Wrotation"), "line 9: CHANNELS"),
        (("JOINT Spine", "JOINT Hips"), "line 6: joint name 'Hips' is missing or given twice"),
        (("JOINT Spine", ""), "line 7: a brace opens without"),
        (("}\nMOTION", "MOTION"), "braces"),
        (("}\nMOTION", "}\n}\nMOTION"), "a brace closes"),
        (("1 2 3 0 90", "1 1 2 3 0 90"), "19 values found"),
        (("90 0 0 0 0 0", "nan 0 0 0 0 0"), "finite"),
    ],
)
def test_malformed_files_are_refused(tmp_path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "bad.bvh"
    path.write_text(TINY.replace(*change, 1))
    with pytest.raises(BvhError, match=message):
        read_bvh(path)


OTHER_JOINTS = (  # name, parent, offset: z up, inches, facing +x, in a T-pose, of another family
    ("pelvis", "", (0, 0, 0)),
    ("L_Thigh", "pelvis", (0, 4, -2)),
    ("L_Shin", "L_Thigh", (0, 0, -17)),
    ("L_Foot", "L_Shin", (0, 0, -16)),
    ("R_Thigh", "pelvis", (0, -4, -2)),
    ("R_Shin", "R_Thigh", (0, 0, -17)),
    ("R_Foot", "R_Shin", (0, 0, -16)),
    ("Chest", "pelvis", (0, 0, 9)),
    ("L_UpArm", "Chest", (0, 7, 9)),
    ("L_LowArm", "L_UpArm", (0, 11, 0)),
    ("L_Wrist", "L_LowArm", (0, 10, 0)),
)


def other_skeleton(degrees: float) -> str:
    """A file of `OTHER_JOINTS`: 30 inches forward in a second, a thigh and an arm turned."""

    def write(index: int) -> list[str]:
        name, _, offset = OTHER_JOINTS[index]
        position = "6 Xposition Yposition Zposition" if index == 0 else "3"
        inner = [
            "OFFSET {} {} {}".format(*offset),
            f"CHANNELS {position} Yrotation Xrotation Zrotation",
        ]
        for child, (_, parent, _) in enumerate(OTHER_JOINTS):
            if parent == name:
                inner += write(child)
        return [f"{'JOINT' if index else 'ROOT'} {name}", "{", *inner, "}"]

    turns = {"L_Thigh": (-degrees, 0, 0), "L_UpArm": (0, -80, 0)}
    rows = []
    for x in (0, 15, 30):
        values: list[float] = [x, 0, 35]
        for name, _, _ in OTHER_JOINTS:
            values += turns.get(name, (0, 0, 0))
        rows.append(" ".join(map(str, values)))
    lines = ["HIERARCHY", *write(0), "MOTION", "Frames: 3", "Frame Time: 0.5", *rows]
    return "\n".join(lines)


def test_another_skeleton_walks_our_way(tmp_path, skeleton) -> None:
    path = tmp_path / "other.bvh"
    path.write_text(other_skeleton(30.0))
    solved = retarget(read_bvh(path), skeleton)
    assert solved.travels
    moved = solved.root[-1] - solved.root[0]
    assert moved == pytest.approx([0, -30 / 33 * skeleton.leg_length, 0], abs=1e-6)
    at = {name: solved.positions[0, skeleton.index(name)] for name in skeleton.joints}

    def direction(start: str, end: str) -> np.ndarray:
        return (at[end] - at[start]) / np.linalg.norm(at[end] - at[start])

    leg = [0, -np.sin(np.radians(30)), -np.cos(np.radians(30))]
    assert direction("LeftUpLeg", "LeftLeg") == pytest.approx(leg, abs=1e-6)
    assert direction("RightUpLeg", "RightLeg") == pytest.approx([0, 0, -1], abs=1e-6)
    arm = [np.cos(np.radians(80)), 0, -np.sin(np.radians(80))]
    assert direction("LeftArm", "LeftForeArm") == pytest.approx(arm, abs=1e-6)


def test_a_leg_without_length_is_refused(tmp_path, skeleton) -> None:
    path = tmp_path / "flat.bvh"
    path.write_text(other_skeleton(0.0).replace("0 0 -17", "0 0 0").replace("0 0 -16", "0 0 0"))
    with pytest.raises(BvhError, match="no length"):
        retarget(read_bvh(path), skeleton)


def test_a_missing_file_is_one_sentence(tmp_path) -> None:
    with pytest.raises(BvhError, match="cannot read"):
        read_bvh(tmp_path / "none.bvh")


def test_every_joint_of_the_real_file_is_matched(clip_file, skeleton) -> None:
    clip = read_bvh(clip_file)
    match = match_joints(clip.joints, skeleton.joints)
    assert set(skeleton.joints) == set(match)


def test_cmu_names_are_matched() -> None:
    names = ("Hips", "LHipJoint", "LeftUpLeg", "LeftLeg", "LeftFoot", "LowerBack", "Spine", "Neck1")
    joints = ("Hips", "LeftUpLeg", "LeftLeg", "LeftFoot", "Spine", "Neck")
    match = match_joints(names, joints)
    assert {name: names[index] for name, index in match.items()}["LeftLeg"] == "LeftLeg"
    assert "Neck" in match


def test_limbs_point_where_the_actors_limbs_point(clip_file, skeleton) -> None:
    clip = read_bvh(clip_file)
    fps = 1 / clip.frame_time
    solved = retarget(clip, skeleton, fps)
    place, _ = clip.world()
    match = match_joints(clip.joints, skeleton.joints)
    axes = _axes(clip.rest(), match)
    frames = min(len(solved.positions), len(place))
    for start, end in (("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg"), ("Leg", "Foot")):
        for side in ("Left", "Right"):
            a, b = side + start, side + end
            theirs = (place[:frames, match[b]] - place[:frames, match[a]]) @ axes.T
            ours = (
                solved.positions[:frames, skeleton.index(b)]
                - solved.positions[:frames, skeleton.index(a)]
            )
            theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
            ours /= np.linalg.norm(ours, axis=1, keepdims=True)
            angle = np.degrees(np.arccos((ours * theirs).sum(axis=1).clip(-1, 1)))
            assert angle.max() < 0.5, (a, b)


def test_the_clip_keeps_its_time_and_stands_on_the_floor(clip_file, skeleton) -> None:
    clip = read_bvh(clip_file)
    solved = retarget(clip, skeleton)
    assert solved.frames == int((clip.rotations.shape[0] - 1) * clip.frame_time * 24 + 1e-6) + 1
    assert solved.root[0, :2] == pytest.approx(0)
    feet = [skeleton.index(f"{side}ToeBase") for side in ("Left", "Right")]
    lowest = solved.positions[:, feet, 2].min(axis=1)
    assert np.quantile(lowest, 0.5) < 0.12
    assert lowest.min() > -0.05


def test_a_file_without_legs_is_refused(tmp_path, skeleton) -> None:
    path = tmp_path / "tiny.bvh"
    path.write_text(TINY)
    with pytest.raises(BvhError, match="LeftUpLeg"):
        retarget(read_bvh(path), skeleton)
