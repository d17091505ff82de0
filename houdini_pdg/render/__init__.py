"""Renderers behind one protocol: Cycles, Karma and the Embree preview."""

from __future__ import annotations

from .base import Renderer
from .config import RenderConfig


def make_renderer(config: RenderConfig) -> Renderer:
    """Return the renderer that the spec names; heavy packages are imported by it alone."""
    if config.renderer == "cycles":
        from .cycles import CyclesRenderer

        return CyclesRenderer()
    if config.renderer == "karma":
        from .karma import KarmaRenderer

        return KarmaRenderer(config.karma)
    from .preview import PreviewRenderer

    return PreviewRenderer()
