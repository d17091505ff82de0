"""Scaling4D: video novel view synthesis as a correspondence-guided generation task.

    >>> import scaling4d
    >>> result = scaling4d.generate("clip.mp4", "orbit:yaw=20", depth="depth.npz", model="model/")
    >>> result.save("novel_view.mp4")

Importing the package loads neither torch nor any other heavy library: `generate` and its
relatives are found when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaling4d.geometry.trajectory import Trajectory
    from scaling4d.inference.generate import GenerationResult, generate

__all__ = ["GenerationResult", "Trajectory", "__version__", "generate"]

__version__ = "0.1.0"

_LAZY = {
    "GenerationResult": "scaling4d.inference.generate",
    "Trajectory": "scaling4d.geometry.trajectory",
    "generate": "scaling4d.inference.generate",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'scaling4d' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
