"""Target camera trajectories (T^r of Eq. 2): where the new camera is, frame by frame."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import invert_pose, read_only, require_lenses, require_rigid
from scaling4d.geometry.frame_count import require_source_frame
from scaling4d.geometry.interpolation import interpolate_poses, linear
from scaling4d.geometry.moves import Moves
from scaling4d.geometry.preset_text import parse_amounts
from scaling4d.geometry.presets import PRESETS, preset_moves

if TYPE_CHECKING:
    from scaling4d.geometry.camera_path import CameraPath

FloatArray = npt.NDArray[np.float64]

MODES = ("relative", "world")


@dataclass(frozen=True)
class Trajectory:
    """One target camera per frame.

    The arrays are copies of those given and cannot be written to: copy them for torch.from_numpy.

    Attributes:
        target_from_source: (n, 4, 4) float64 rigid motions, OpenCV axes, metres. In mode "relative"
            frame i is relative to the source camera of the *same* frame. In mode "world" the source
            is the world itself (the matrices are target_from_world), and `relative_to` needs the
            poses of the source cameras in that world.
        intrinsics: (n, 3, 3) pixel intrinsics of the target, or None: those of the source.
        focal_scale: (n,) factor on the source's focal lengths, or None; only without intrinsics.
        source_index: (n,) which source frame is shown at frame i (bullet time holds one), or
            None: frame i.
        mode: "relative" or "world".
        parameters: what a parametric file said (`scaling4d.geometry.formats`), or None; such
            formats are written from their own parameters alone.

    Raises:
        ValueError: on shapes that disagree, matrices that are not rigid, focal lengths or factors
            <= 0, or an unknown mode.
    """

    target_from_source: FloatArray
    intrinsics: FloatArray | None = None
    focal_scale: FloatArray | None = None
    source_index: npt.NDArray[np.int64] | None = None
    mode: str = "relative"
    parameters: object | None = None

    def __post_init__(self) -> None:
        """Check the fields against each other (see the class docstring)."""
        poses = require_rigid(self.target_from_source, "target_from_source")
        if poses.ndim != 3 or len(poses) == 0:
            raise ValueError(
                f"target_from_source must have shape (frames, 4, 4), got {poses.shape}"
            )
        object.__setattr__(self, "target_from_source", read_only(poses))
        if self.mode not in MODES:
            raise ValueError(f"unknown trajectory mode {self.mode!r}: choose {' or '.join(MODES)}")
        if self.intrinsics is not None and self.focal_scale is not None:
            raise ValueError("give intrinsics or focal_scale, not both")
        if self.intrinsics is not None:
            lenses = require_lenses(self.intrinsics, len(poses))
            object.__setattr__(self, "intrinsics", read_only(lenses))
        if self.focal_scale is not None:
            scale = np.asarray(self.focal_scale, dtype=np.float64)
            if scale.shape != (len(poses),) or not np.all(np.isfinite(scale) & (scale > 0.0)):
                raise ValueError(f"focal_scale must be {len(poses)} finite factors > 0: {scale}")
            object.__setattr__(self, "focal_scale", read_only(scale))
        if self.source_index is not None:
            index = np.asarray(self.source_index)
            if index.shape != (len(poses),) or index.dtype.kind not in "iu" or (index < 0).any():
                raise ValueError(
                    f"source_index must be {len(poses)} frame numbers >= 0, got {index}"
                )
            object.__setattr__(self, "source_index", read_only(index.astype(np.int64)))

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.target_from_source)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self)

    @property
    def source_from_target(self) -> FloatArray:
        """(n, 4, 4) target cameras in the frame of the source (in mode "world": of the world)."""
        return invert_pose(self.target_from_source)

    @classmethod
    def from_moves(
        cls,
        moves: Moves,
        *,
        pivot_depth: float,
        source_index: npt.NDArray[np.int64] | None = None,
    ) -> Trajectory:
        """Build the relative trajectory that named camera moves describe."""
        zoomed = bool(np.any(moves.zoom != 1.0))
        return cls(
            invert_pose(moves.source_from_target(pivot_depth)),
            focal_scale=np.array(moves.zoom) if zoomed else None,
            source_index=source_index,
        )

    @classmethod
    def preset(
        cls,
        name: str,
        frames: int,
        *,
        pivot_depth: float | None,
        ease: str = "linear",
        **amounts: float,
    ) -> Trajectory:
        """Build a named move (`scaling4d.geometry.presets.PRESETS` lists them with their amounts).

        Args:
            name: "orbit", "arc", "dolly", "pan", "tilt", "crane", "zoom", "spiral", "static",
                "bullet_time", "random" and others.
            frames: length.
            pivot_depth: metres to the point that the camera turns about; by convention the first
                frame's median central depth (`scaling4d.geometry.scale.central_depth`). None for
                moves that turn about no point.
            ease: "linear", "in", "out" or "in_out".
            amounts: metres, degrees or factors by name; each has a default.

        Raises:
            ValueError: naming what is unknown or out of range.
        """
        depth = float("nan") if pivot_depth is None else pivot_depth
        moves, settings = preset_moves(name, frames, pivot_depth=depth, ease=ease, amounts=amounts)
        source_index = None
        if "frame" in settings:
            held = require_source_frame(settings["frame"], f"{name}:frame")
            source_index = np.full(frames, held, dtype=np.int64)
        return cls.from_moves(moves, pivot_depth=depth, source_index=source_index)

    @classmethod
    def from_cameras(cls, cameras: CameraPath, mode: str = "relative") -> Trajectory:
        """Use the cameras of a file as targets.

        Args:
            cameras: poses as another tool wrote them.
            mode: "relative": the first camera is taken as the source view and every pose as a
                motion away from it. "world": the poses stand in the world of the source cameras.
        """
        poses = cameras.world_from_camera
        first = poses[0] if mode == "relative" else np.eye(4)
        return cls(invert_pose(poses) @ first, intrinsics=cameras.intrinsics, mode=mode)

    def cameras(
        self,
        intrinsics: npt.ArrayLike | None = None,
        height: int | None = None,
        width: int | None = None,
    ) -> CameraPath:
        """Return the target cameras in the frame of the source (mode "world": of the world).

        Args:
            intrinsics: (3, 3) or (m, 3, 3) of the source, for trajectories without their own.
            height, width: image size in pixels.
        """
        from scaling4d.geometry.camera_path import CameraPath

        known = self.intrinsics if intrinsics is None else self.target_intrinsics(intrinsics)
        if known is None and self.focal_scale is not None:
            raise ValueError("this trajectory zooms: give the source's intrinsics")
        return CameraPath(self.source_from_target, known, height, width)

    def relative_to(self, world_from_source: npt.ArrayLike | None) -> FloatArray:
        """Return target_from_source (n, 4, 4) of Eq. 2 for given source cameras.

        Args:
            world_from_source: (m, 4, 4) poses of the source video's cameras, or one (4, 4) pose;
                may be None in mode "relative". Frame i uses pose ``source_index[i]``.

        Raises:
            ValueError: in mode "world" without poses, or with too few of them.
        """
        if self.mode == "relative":
            return self.target_from_source.copy()
        if world_from_source is None:
            raise ValueError(
                "a trajectory in mode 'world' needs the poses of the source cameras: give "
                "world_from_source, or use mode 'relative'"
            )
        poses = require_rigid(world_from_source, "world_from_source")
        return self.target_from_source @ (
            poses if poses.ndim == 2 else poses[self._shown(len(poses))]
        )

    def target_intrinsics(self, source_intrinsics: npt.ArrayLike) -> FloatArray:
        """Return the target's intrinsics (n, 3, 3), given the source's (3, 3) or (m, 3, 3).

        A zoom scales the focal lengths about the principal point, and nothing else.
        """
        if self.intrinsics is not None:
            return self.intrinsics.copy()
        source = np.asarray(source_intrinsics, dtype=np.float64)
        if source.ndim == 2:
            source = np.broadcast_to(source, (len(self), 3, 3))
        else:
            source = source[self._shown(len(source))]
        result = np.array(source)
        if self.focal_scale is not None:
            result[:, :2, :2] *= self.focal_scale[:, None, None]
        return result

    def scaled(self, factor: float) -> Trajectory:
        """Return the trajectory with every length multiplied by ``factor`` > 0."""
        if not (np.isfinite(factor) and factor > 0.0):
            raise ValueError(f"a trajectory is scaled by a finite factor > 0, got {factor}")
        poses = self.target_from_source.copy()
        poses[:, :3, 3] *= factor
        return dataclasses.replace(self, target_from_source=poses, parameters=None)

    def resampled(self, frames: int, method: str = "spline") -> Trajectory:
        """Return the same path with another number of frames, evenly spread over its duration."""
        old = np.arange(len(self), dtype=np.float64)
        new = np.linspace(0.0, len(self) - 1.0, frames)
        poses = interpolate_poses(self.source_from_target, old, new, method)
        intrinsics, focal_scale = self.intrinsics, self.focal_scale
        if intrinsics is not None:
            intrinsics = linear(intrinsics.reshape(-1, 9), old, new).reshape(-1, 3, 3)
        if focal_scale is not None:
            focal_scale = linear(focal_scale[:, None], old, new)[:, 0]
        index = None if self.source_index is None else self.source_index[np.rint(new).astype(int)]
        return Trajectory(invert_pose(poses), intrinsics, focal_scale, index, self.mode)

    def _shown(self, source_frames: int) -> npt.NDArray[np.int64]:
        index = np.arange(len(self)) if self.source_index is None else self.source_index
        if index.max() >= source_frames:
            raise ValueError(
                f"the trajectory shows source frame {index.max()}, but the source has "
                f"{source_frames} frames: shorten the trajectory or give a longer source"
            )
        return index


def parse_trajectory(
    text: str | Path,
    *,
    frames: int | None = None,
    pivot_depth: float | None = None,
) -> Trajectory:
    """Build a trajectory from what a user typed.

    Args:
        text: a preset with amounts, "orbit:yaw=20,pitch=5,ease=in_out"; a keyframe file (.yaml,
            .json); or a file of another tool, "re10k:cameras.txt", or its path alone where the
            ending or the content tells the format. A length may be given in pivot depths with the
            suffix p: "dolly:distance=0.2p".
        frames: length; needed for presets, and must agree with a file that fixes its own.
        pivot_depth: metres to the pivot; may be None where the moves do not turn about one.

    Raises:
        ValueError: saying what was not understood, or that frame counts disagree.
    """
    text = str(text)
    name, _, rest = text.partition(":")
    if name in PRESETS:
        if frames is None:
            raise ValueError(f"the camera preset {name!r} needs a number of frames")
        ease, amounts = parse_amounts(name, rest, pivot_depth)
        trajectory = Trajectory.preset(name, frames, pivot_depth=pivot_depth, ease=ease, **amounts)
    else:
        from scaling4d.geometry.trajectory_io import load_trajectory

        trajectory = load_trajectory(text, frames=frames, pivot_depth=pivot_depth)
    if frames is not None and len(trajectory) != frames:
        raise ValueError(
            f"{text} holds {len(trajectory)} cameras, but {frames} frames are wanted: choose "
            f"{len(trajectory)} frames, or resample it with "
            f"`python -m scaling4d trajectory convert --frames {frames}`"
        )
    return trajectory
