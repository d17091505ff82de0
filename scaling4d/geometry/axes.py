"""Camera axes and worlds of other tools: OpenCV (ours), OpenGL, USD and Unreal.

A pose in another convention differs in two places: the camera's own axes, which permute the columns
of the rotation, and, for Unreal, the world, which is left-handed and measured in centimetres.
"""

from __future__ import annotations

import numpy as np

from scaling4d.geometry.arrays import Array, constant_like, namespace

# Columns: right, down and forward (the OpenCV axes) written in the axes of the convention.
_AXES_FROM_OPENCV = {
    "opencv": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],  # x right, y down, z forward
    "opengl": [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]],  # x right, y up, z backward
    "usd": [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]],  # the same as OpenGL
    "unreal": [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]],  # x forward, y right, z up
}
# World of the convention from ours (right-handed, z up): a mirror, and units per metre.
_MIRROR = {"unreal": [1.0, -1.0, 1.0]}
_UNITS_PER_METRE = {"unreal": 100.0}

CONVENTIONS = tuple(_AXES_FROM_OPENCV)


def convert_axes(world_from_camera: Array, source: str, target: str) -> Array:
    """Rewrite camera poses from one tool's convention to another's.

    Args:
        world_from_camera: (..., 4, 4), column vectors, in the convention ``source``.
        source, target: "opencv" (x right, y down, z forward), "opengl" and "usd" (x right, y up, z
            backward), each in a right-handed world in metres that is left as it is, or "unreal"
            (x forward, y right, z up, in a left-handed z-up world in centimetres: y is mirrored).

    Returns:
        The same cameras, (..., 4, 4), in the convention ``target``.

    Raises:
        ValueError: if a convention is unknown.
    """
    for name in (source, target):
        if name not in _AXES_FROM_OPENCV:
            known = ", ".join(CONVENTIONS)
            raise ValueError(f"unknown camera convention {name!r}: choose one of {known}")
    xp = namespace(world_from_camera)
    target_from_source_axes = np.array(_AXES_FROM_OPENCV[target]) @ np.transpose(
        _AXES_FROM_OPENCV[source]
    )
    mirror = np.diag(
        np.multiply(_MIRROR.get(target, [1.0] * 3), _MIRROR.get(source, [1.0] * 3))
    ).tolist()
    scale = _UNITS_PER_METRE.get(target, 1.0) / _UNITS_PER_METRE.get(source, 1.0)
    world = constant_like(mirror, world_from_camera)
    camera = constant_like(target_from_source_axes.T.tolist(), world_from_camera)
    rotation = world @ world_from_camera[..., :3, :3] @ camera
    translation = (world @ world_from_camera[..., :3, 3:]) * scale
    upper = xp.concatenate((rotation, translation), -1)
    return xp.concatenate((upper, world_from_camera[..., 3:, :]), -2)


def z_up_from_y_up() -> Array:
    """Return the (4, 4) world change of a y-up scene (USD, Blender exports, nerfstudio) to z up."""
    return np.array([[1.0, 0, 0, 0], [0, 0, -1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])
