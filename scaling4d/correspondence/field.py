"""The correspondence field C^r: where each source pixel goes (Equation 4), from depth or flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from torch import Tensor

from .cameras import plane_and_parallax

# A point counts as in front of the target camera when its target depth exceeds this share of its
# source depth: free of scene scale, and clear of float32 rounding of a point beside the camera. A
# power of two (about 1e-6) is the same number in every precision, and so in every kernel.
MIN_DEPTH_RATIO = 2.0**-20

_PRECISIONS = (torch.float32, torch.float64)


@dataclass(frozen=True)
class CorrespondenceField:
    """Dense displacement from each source pixel to its target position, on the source grid.

    Attributes:
        displacement: (frames, 2, height, width) pixels, x then y: target minus source position,
            where the centre of the top-left pixel is (0.5, 0.5). NaN where a pixel has no target
            position: depth NaN or not positive, or a point behind the target camera.
        target_depth: (frames, height, width) z of the point in the target camera, in the unit of
            the depth (metres where it is metric), +inf for points at infinity, NaN where the
            displacement is; None for a field from optical flow.
    """

    convention: ClassVar[str] = (
        "displacement in pixels, x then y, target minus source position, on the source grid; "
        "the centre of the top-left pixel is (0.5, 0.5); NaN = no correspondence"
    )

    displacement: Float[Tensor, "frames 2 height width"]
    target_depth: Float[Tensor, "frames height width"] | None = None

    def __post_init__(self) -> None:
        require_tensor(self.displacement, "a displacement")
        shape = tuple(self.displacement.shape)
        if len(shape) != 4 or shape[1] != 2:
            raise ValueError(f"a displacement must be (frames, 2, height, width), got {shape}")
        if self.displacement.dtype not in _PRECISIONS:
            raise ValueError(f"a displacement must be float32 or 64, got {self.displacement.dtype}")
        depth = self.target_depth
        if depth is None:
            return
        require_tensor(depth, "target_depth")
        if tuple(depth.shape) != (shape[0], *shape[2:]) or depth.dtype not in _PRECISIONS:
            raise ValueError(
                f"target_depth must be {(shape[0], *shape[2:])} like the displacement, of float32 "
                f"or 64, got {tuple(depth.shape)} {depth.dtype}"
            )

    @property
    def frames(self) -> int:
        return self.displacement.shape[0]

    @property
    def height(self) -> int:
        return self.displacement.shape[2]

    @property
    def width(self) -> int:
        return self.displacement.shape[3]

    def positions(self) -> Float[Tensor, "frames 2 height width"]:
        """Continuous target position (x, y) of every source pixel, in pixels."""
        x, y = pixel_axes(self.height, self.width, self.displacement)
        horizontal, vertical = self.displacement.unbind(dim=1)
        return torch.stack([horizontal + x, vertical + y[:, None]], dim=1)

    def valid(self) -> Bool[Tensor, "frames height width"]:
        """True where the pixel has a target position, inside the frame or not."""
        return torch.isfinite(self.displacement).all(dim=1)

    def in_frame(self) -> Bool[Tensor, "frames height width"]:
        """True where the pixel lands on the target image."""
        x, y = self.positions().unbind(dim=1)
        return (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)

    def valid_share(self) -> Float[Tensor, " frames"]:
        """Share of the source pixels that land on the target image, per frame, 0..1."""
        return self.in_frame().double().mean(dim=(1, 2))


def pixel_axes(
    height: int, width: int, like: Tensor
) -> tuple[Float[Tensor, " width"], Float[Tensor, " height"]]:
    """x of each column centre and y of each row centre, in pixels (the first is 0.5)."""
    columns = torch.arange(width, dtype=like.dtype, device=like.device)
    rows = torch.arange(height, dtype=like.dtype, device=like.device)
    return columns + 0.5, rows + 0.5


def from_flow(flow: Float[Tensor, "frames 2 height width"]) -> CorrespondenceField:
    """Wrap an optical flow (pixels, x then y, source to target) as a field.

    Values that are not finite (unknown flow in files) become NaN: no correspondence.

    Raises:
        ValueError: if it is no tensor or has another shape.
    """
    require_tensor(flow, "the flow")
    if flow.ndim != 4 or flow.shape[1] != 2:
        raise ValueError(f"a flow must be (frames, 2, height, width), got {tuple(flow.shape)}")
    flow = flow if flow.dtype in _PRECISIONS else flow.float()
    unknown = ~torch.isfinite(flow).all(dim=1, keepdim=True)
    return CorrespondenceField(flow.masked_fill(unknown, torch.nan) if unknown.any() else flow)


def from_depth(
    depth: Float[Tensor, "frames height width"],
    source_intrinsics: ArrayLike | Tensor,
    target_intrinsics: ArrayLike | Tensor,
    target_from_source: ArrayLike | Tensor,
) -> CorrespondenceField:
    """Equation 4: unproject each pixel with its depth, move it, project it into the target.

    The readable reference; `scaling4d.correspondence.warp.warp_from_depth` is the fast path.

    Args:
        depth: (frames, height, width) planar z in the source camera, float32 or float64, in the
            unit of the translations. +inf is a point at infinity, whose field is that of
            K_t R K_s^-1; NaN and values <= 0 have no correspondence.
        source_intrinsics: (3, 3) or (frames, 3, 3) pixels.
        target_intrinsics: (3, 3) or (frames, 3, 3) pixels.
        target_from_source: (4, 4) or (frames, 4, 4), OpenCV axes, column vectors.

    Returns:
        A field in the dtype and on the device of ``depth``.

    Raises:
        ValueError: if the depth is not float32 or 64, or a camera matrix does not fit.
    """
    check_depth(depth)
    frames, height, width = depth.shape
    coefficients = plane_and_parallax(
        source_intrinsics,
        target_intrinsics,
        target_from_source,
        frames=frames,
        height=height,
        width=width,
    )
    table = torch.as_tensor(coefficients, dtype=depth.dtype, device=depth.device)
    a00, a01, a02, a10, a11, a12, a20, a21, a22, e0, e1, e2 = table.T[:, :, None, None]
    columns, rows = pixel_axes(height, width, depth)
    x = columns - width / 2
    y = (rows - height / 2)[:, None]

    # Where nothing is seen, divide by one, and multiply one where depth is infinite: a gradient
    # passes through masks as 0 x infinity.
    inverse_depth = 1 / depth.where(depth > 0, 1)
    perspective = a20 * x + a21 * y
    depth_ratio = (perspective + a22) + e2 * inverse_depth
    across = (a00 * x + (a01 * y + a02)) - x * perspective + (e0 - x * e2) * inverse_depth
    down = (a10 * x + (a11 * y + a12)) - y * perspective + (e1 - y * e2) * inverse_depth
    missing = ~((depth > 0) & (depth_ratio > MIN_DEPTH_RATIO))
    divisor = depth_ratio.masked_fill(missing, 1)
    displacement = torch.stack([across / divisor, down / divisor], dim=1)
    infinite = depth.isinf()
    target_depth = (depth.masked_fill(infinite, 1) * depth_ratio).masked_fill(infinite, torch.inf)
    return CorrespondenceField(
        displacement.masked_fill(missing[:, None], torch.nan),
        target_depth.masked_fill(missing, torch.nan),
    )


def check_depth(depth: Tensor) -> None:
    """Raise ValueError unless ``depth`` is a (frames, height, width) float32 or float64 tensor."""
    require_tensor(depth, "depth")
    if depth.ndim != 3 or not depth.numel() or depth.dtype not in _PRECISIONS:
        raise ValueError(
            "depth must be a (frames, height, width) float32 or float64 tensor, "
            f"got {tuple(depth.shape)} {depth.dtype}"
        )


def require_tensor(value: object, name: str) -> None:
    """Raise ValueError unless ``value`` is a tensor: here work starts that numpy cannot do."""
    if not isinstance(value, Tensor):
        raise ValueError(
            f"{name} must be a torch tensor, got {type(value).__name__}: torch.from_numpy makes "
            "one of an array without copying"
        )
