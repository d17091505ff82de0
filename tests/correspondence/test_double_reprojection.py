"""Double reprojection leaves the source view with holes where the target did not see it."""

from __future__ import annotations

import numpy as np
import torch

from scaling4d.correspondence.double_reprojection import double_reprojection
from tests import scenes


def test_identity_gives_the_source_back():
    source, depth = torch.rand(2, 3, 20, 30), torch.rand(2, 20, 30) + 1
    k = np.array([[25.0, 0, 15], [0, 25, 10], [0, 0, 1]])
    both = double_reprojection(source, depth, k, k, np.eye(4))
    assert torch.equal(both.back.warped, source)
    assert both.back.mask.min() == 1


def test_what_the_target_cannot_see_does_not_come_back():
    scene, source = scenes.occluder(), scenes.default_camera(90, 120)
    target = source.moved(scenes.rigid(np.eye(3), (0.5, 0, 0)))
    truth = scene.correspondence(0.0, source, 0.0, target)
    rows, columns = torch.meshgrid(torch.arange(90.0), torch.arange(120.0), indexing="ij")
    both = double_reprojection(
        torch.stack([columns, rows])[None],  # every pixel carries its own position
        torch.from_numpy(scene.depth(0.0, source))[None],
        source.intrinsics,
        target.intrinsics,
        np.linalg.inv(target.world_from_camera) @ source.world_from_camera,
    )
    came_back = both.back.mask[0, 0].numpy() > 0
    assert came_back[truth.visible].mean() > 0.9
    assert came_back[~truth.visible].mean() < 0.05
    origin = both.back.warped[0][:, came_back]
    shift = (origin - torch.stack([columns, rows])[:, came_back]).abs().max(dim=0).values
    assert shift.max() <= 1, "two roundings to the nearest pixel are at most one pixel"
