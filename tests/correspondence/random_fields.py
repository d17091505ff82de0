"""Fields and clips with everything in them that a splat must get right."""

from __future__ import annotations

import numpy as np
import torch

from scaling4d.correspondence.field import CorrespondenceField
from tests import scenes


def random_field(
    seed: int,
    frames: int,
    height: int,
    width: int,
    dtype: torch.dtype = torch.float32,
    has_depth: bool = True,
) -> CorrespondenceField:
    """Many collisions, exact ties, missing pixels, and targets on every side of the image."""
    generator = torch.Generator().manual_seed(seed)
    options = {"generator": generator, "dtype": dtype}
    displacement = 4 * torch.randn(frames, 2, height, width, **options)
    quarter = (displacement * 4).round() / 4  # lands on pixel borders and centres
    pick = torch.rand(frames, 1, height, width, **options)
    displacement = torch.where(pick < 0.5, displacement, quarter)
    displacement = torch.where(pick > 0.97, torch.nan, displacement)
    if not has_depth:
        return CorrespondenceField(displacement)
    depth = torch.randint(1, 6, (frames, height, width), generator=generator).to(dtype)
    depth[torch.rand(frames, height, width, **options) < 0.05] = torch.inf
    depth[torch.rand(frames, height, width, **options) < 0.02] = torch.nan
    return CorrespondenceField(displacement, depth)


def moving_clip(dtype: torch.dtype = torch.float32, frames: int = 5) -> tuple:
    """Source, depth and cameras: sky, missing pixels, moving zooming cameras on both sides."""
    scene, camera = scenes.sphere(), scenes.default_camera(60, 84)
    sources = camera.orbit(frames, yaw=6.0, pivot=(0, 4, 0))
    targets = [c.moved(scenes.rigid(np.eye(3), (0.1, 0.05, 0.3))) for c in sources]
    depth = np.stack([scene.depth(0.0, c) for c in sources])
    depth[:, ::7, ::5] += 0.4
    depth[:, 3, 4], depth[:, 5, 6] = np.nan, 0
    values = torch.randn(frames, 3, 60, 84, generator=torch.Generator().manual_seed(0))
    pose = np.stack(
        [
            np.linalg.inv(target.world_from_camera) @ source.world_from_camera
            for source, target in zip(sources, targets, strict=True)
        ]
    )
    zoom = np.stack([camera.intrinsics * [[1 + 0.02 * i], [1], [1]] for i in range(frames)])
    return values, torch.from_numpy(depth).to(dtype), camera.intrinsics, zoom, pose
