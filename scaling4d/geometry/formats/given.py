"""What a camera file does not hold, and whoever reads or writes it has to give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling4d.geometry.camera import intrinsics_matrix
from scaling4d.geometry.camera_path import CameraPath

FIRST_FRAME_HELP = (
    "the number of the video's first frame in the camera file: in its image names (COLMAP, "
    "nerfstudio; default: 1 where the lowest is 1, else 0), its USD time code, its frame in ViPE "
    "or ReCamMaster (default: 0)"
)


@dataclass(frozen=True)
class Given:
    """Facts from outside the file.

    Attributes:
        height, width: image size in pixels.
        intrinsics: fx, fy, cx, cy in pixels, for files without them.
        fps: frames per second, to turn frame numbers into times and back.
        camera: which camera of a file that holds several (a name, or a USD prim path).
        video_frames: number of frames of the video, for files with one pose per key frame.
        first_frame: the number of the video's first frame in the file: in image names, USD time
            codes, ViPE and ReCamMaster frames. None: 0, but 1 where the lowest number of image
            names is 1, as ffmpeg counts.

    Raises:
        ValueError: for frames per second that are not finite and > 0.
    """

    height: int | None = None
    width: int | None = None
    intrinsics: tuple[float, float, float, float] | None = None
    fps: float | None = None
    camera: str | None = None
    video_frames: int | None = None
    first_frame: int | None = None

    def __post_init__(self) -> None:
        """Check the frame rate (see the class docstring)."""
        if self.fps is not None and not 0.0 < self.fps < np.inf:
            raise ValueError(f"frames per second must be finite and > 0, got {self.fps}")

    def require_size(self, format_name: str) -> tuple[int, int]:
        """Return height and width.

        Raises:
            ValueError: if they were not given.
        """
        if self.height is None or self.width is None:
            raise ValueError(
                f"{format_name} divides intrinsics by the image size: give height and width"
            )
        return self.height, self.width

    def matrix(self) -> npt.NDArray[np.float64] | None:
        """Return the given intrinsics as a (3, 3) matrix, or None."""
        return None if self.intrinsics is None else intrinsics_matrix(*self.intrinsics)

    def refuse_another_lens(self, cameras: CameraPath) -> None:
        """Check that no intrinsics were given beside those that ``cameras`` were read with.

        Raises:
            ValueError: if there are both, and they differ by more than rounding.
        """
        matrix = self.matrix()
        if matrix is None or cameras.intrinsics is None:
            return
        if not np.allclose(cameras.intrinsics, matrix, rtol=1e-4):
            raise ValueError(
                f"it holds its own intrinsics, fx fy cx cy {_shown(cameras.intrinsics[0])}, not "
                f"the given {_shown(matrix)}: leave the given ones out (`trajectory convert` "
                f"replaces the file's with --drop-intrinsics)"
            )

    def completed(self, cameras: CameraPath) -> CameraPath:
        """Return ``cameras`` with size, intrinsics and times filled in where the file had none.

        They come in the order of their frames, which that of file names in several folders is not.
        """
        cameras = _ordered(cameras)
        changes: dict[str, object] = {}
        if cameras.height is None and self.height is not None:
            changes |= {"height": self.height, "width": self.width}
        matrix = self.matrix()
        if cameras.intrinsics is None and matrix is not None:
            changes["intrinsics"] = np.tile(matrix, (len(cameras), 1, 1))
        if cameras.times is None and self.fps is not None:
            changes["times"] = frame_numbers(cameras) / self.fps
        return cameras.replaced(**changes) if changes else cameras


def _ordered(cameras: CameraPath) -> CameraPath:
    """Return cameras in the order of their frame numbers; times hold an order of their own."""
    index = cameras.frame_index
    if index is None or cameras.times is not None or np.all(np.diff(index) > 0):
        return cameras
    order = np.argsort(index)
    return cameras.replaced(
        world_from_camera=cameras.world_from_camera[order],
        intrinsics=None if cameras.intrinsics is None else cameras.intrinsics[order],
        frame_index=index[order],
    )


def _shown(matrix: npt.NDArray[np.float64]) -> str:
    return " ".join(f"{v:g}" for v in (matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]))


def frame_numbers(cameras: CameraPath) -> npt.NDArray[np.int64]:
    """Return the frame number (n,) of each camera: its ``frame_index``, or 0, 1, 2..."""
    if cameras.frame_index is not None:
        return cameras.frame_index
    return np.arange(len(cameras), dtype=np.int64)


def frame_index_or_none(numbers: npt.ArrayLike) -> npt.NDArray[np.int64] | None:
    """Return frame numbers, or None where they are simply 0, 1, 2...

    Raises:
        ValueError: for a number that does not fit into 64 bits, which no frame has.
    """
    try:
        index = np.asarray(numbers, dtype=np.int64)
    except OverflowError:
        raise ValueError("a frame number is over 2**63: correct the numbers of frames") from None
    return None if np.array_equal(index, np.arange(len(index))) else index
