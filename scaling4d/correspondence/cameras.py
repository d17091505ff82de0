"""Camera pairs as per-frame coefficients: the homography and parallax behind Equation 4."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from scaling4d.geometry.camera import require_rigid


def frame_matrices(
    matrices: ArrayLike | torch.Tensor, frames: int, size: int, name: str
) -> NDArray[np.float64]:
    """Return ``matrices`` as float64 (frames, size, size); one matrix serves every frame.

    Raises:
        ValueError: if the shape differs, a value is not finite, or the last row is not (0, .., 1).
    """
    if isinstance(matrices, torch.Tensor):
        matrices = matrices.detach().cpu().double().numpy()
    array = np.asarray(matrices, dtype=np.float64)
    if array.shape == (size, size):
        array = np.broadcast_to(array, (frames, size, size))
    if array.shape != (frames, size, size):
        raise ValueError(
            f"{name} must have shape ({size}, {size}) or ({frames}, {size}, {size}) for {frames} "
            f"frames, got {array.shape}: give one matrix per frame of the depth"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity: check the camera file")
    last_row = np.eye(size)[-1]
    if np.abs(array[:, -1] - last_row).max(initial=0.0) > 1e-6:
        raise ValueError(
            f"the last row of {name} must be {last_row.tolist()}, got {array[0, -1].tolist()}: "
            "matrices act on column vectors (transpose row-vector matrices first)"
        )
    return array


def plane_and_parallax(
    source_intrinsics: ArrayLike | torch.Tensor,
    target_intrinsics: ArrayLike | torch.Tensor,
    target_from_source: ArrayLike | torch.Tensor,
    *,
    frames: int,
    height: int,
    width: int,
) -> NDArray[np.float64]:
    """Return (frames, 12) coefficients: a row-major 3x3 matrix A, then the parallax vector e.

    With p a source pixel and z its depth, the target pixel is q ~ H p + e / z, where
    H = K_t R K_s^-1 and e = K_t t. Both pixels are measured from the image centre, which leaves the
    displacement q - p unchanged and keeps float32 products small. A is H with H[2, 2] taken off the
    first two diagonal entries, so that the displacement of a small motion is not a difference of
    large numbers: with w = H[2] p + e_z / z,

        (q - p) w = A[:2] p - p (A[2, 0] x + A[2, 1] y) + (e_xy - p e_z) / z.
    """
    source = frame_matrices(source_intrinsics, frames, 3, "source_intrinsics")
    target = frame_matrices(target_intrinsics, frames, 3, "target_intrinsics")
    pose = frame_matrices(target_from_source, frames, 4, "target_from_source")
    require_rigid(pose, "target_from_source")
    centre_from_corner = np.eye(3)
    centre_from_corner[:2, 2] = -width / 2, -height / 2
    target = centre_from_corner @ target
    source = centre_from_corner @ source
    homography = target @ pose[:, :3, :3] @ _inverse_intrinsics(source)
    parallax = (target @ pose[:, :3, 3:])[..., 0]
    coefficients = homography.copy()
    coefficients[:, 0, 0] -= homography[:, 2, 2]
    coefficients[:, 1, 1] -= homography[:, 2, 2]
    return np.concatenate([coefficients.reshape(frames, 9), parallax], axis=1)


def _inverse_intrinsics(intrinsics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of (frames, 3, 3) matrices whose last row is (0, 0, 1).

    In closed form: `numpy.linalg.inv` takes longer for 49 frames than a GPU for their pixels.
    """
    a, b, x = np.moveaxis(intrinsics[:, 0], -1, 0)
    c, d, y = np.moveaxis(intrinsics[:, 1], -1, 0)
    determinant = a * d - b * c
    if (np.abs(determinant) < 1e-12).any():
        raise ValueError("source_intrinsics must be invertible: focal lengths must not be zero")
    rows = [[d, -b, b * y - d * x], [-c, a, c * x - a * y]]
    inverse = np.zeros_like(intrinsics)
    inverse[:, :2] = np.moveaxis(np.array(rows) / determinant, -1, 0)
    inverse[:, 2, 2] = 1
    return inverse
