"""SkyReels-V2 text-to-video (1.3B, 14B): Wan 2.1's architecture, trained further."""

from __future__ import annotations

from typing import Any, ClassVar

from .wan import WanBackbone


class SkyReelsV2Backbone(WanBackbone):
    """`SkyReelsV2Pipeline`: blocks, codec, text and convention are those of Wan 2.1.

    Its denoiser has no plan for context parallelism of its own; Wan's fits.
    """

    name: ClassVar[str] = "skyreels_v2"
    pipeline_class: ClassVar[str] = "SkyReelsV2Pipeline"
    transformer_class: ClassVar[str] = "SkyReelsV2Transformer3DModel"

    def _text_pipeline(self) -> Any:
        # Its own pipeline fails without the optional package ftfy; Wan's does the same without.
        from diffusers import WanPipeline

        return WanPipeline(**self.pipeline.components | {"transformer": None})
