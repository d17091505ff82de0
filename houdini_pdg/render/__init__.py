"""Renderers behind one protocol: Cycles, Karma and the Embree preview."""

from __future__ import annotations

from houdini_pdg.render.base import Renderer
from houdini_pdg.render.config import RenderConfig


def make_renderer(config: RenderConfig) -> Renderer:
    """Return the renderer that the spec names; heavy packages are imported by it alone."""
    if config.renderer == "cycles":
        from houdini_pdg.render.cycles import CyclesRenderer

        return CyclesRenderer()
    if config.renderer == "karma":
        from houdini_pdg.render.karma import KarmaRenderer

        return KarmaRenderer(config.karma)
    from houdini_pdg.render.preview import PreviewRenderer

    return PreviewRenderer()
