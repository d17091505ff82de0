"""Options of the render stage, one dataclass per renderer. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Renderer = Literal["cycles", "karma", "preview"]


@dataclass(frozen=True, kw_only=True)
class CyclesConfig:
    """Blender's path tracer, run as its own process (extra ``render``)."""

    samples: int = 16
    """Paths per pixel of the colour pass."""
    denoise: bool = True
    """Open Image Denoise on the colour pass, with albedo and normal as guides."""
    device: Literal["cpu", "gpu"] = "cpu"
    """"gpu" takes OptiX, CUDA, HIP, Metal or oneAPI, in this order, and fails without any."""
    bounces: int = 4
    """Longest light path; 4 lights a room through a window and off its walls."""
    clamp: float = 10.0
    """Largest radiance of one indirect sample, against fireflies in few samples; 0 = off."""
    view_transform: Literal["Standard", "AgX", "Filmic"] = "Standard"
    """"Standard" is plain sRGB, so that colours of two cameras compare linearly."""
    motion_blur: bool = False
    """Blur breaks the pixel-exact agreement of RGB with depth; off by default."""
    threads: int = 0
    """Render threads of one process; 0 = all cores."""

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples must be at least 1, got {self.samples}")
        if self.bounces < 0 or self.threads < 0 or self.clamp < 0:
            raise ValueError("bounces, threads and clamp cannot be negative")


@dataclass(frozen=True, kw_only=True)
class KarmaConfig:
    """Houdini's renderer through husk."""

    executable: str = "husk"
    """Name on the PATH or full path of husk."""
    engine: Literal["cpu", "xpu"] = "cpu"
    """Karma on the CPU, or on CPU and GPU."""
    samples: int = 64
    """Pixel samples (``--pixel-samples``)."""
    threads: int = 0
    """``--threads``; 0 leaves the choice to husk."""
    verbose: str = "3a"
    """``--verbose``; "3a" prints the farm progress lines that are shown here too."""

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples must be at least 1, got {self.samples}")
        if self.threads < 0:
            raise ValueError(f"threads cannot be negative, got {self.threads}")


@dataclass(frozen=True, kw_only=True)
class RenderConfig:
    """How a composed stage becomes frames."""

    renderer: Renderer = "cycles"
    """Cycles and Karma trace light, preview is Embree under a flat one; the geometry of all is
    exact."""
    exposure: float = 0.0
    """Stops added to what the stage's own exposure asks for."""
    instance_ids: bool = True
    """Also store which object each pixel sees."""
    timeout_minutes: float = 240.0
    """A render process that prints nothing for this long is killed, and retried: any line of
    output starts the wait anew. Under 10 minutes become 10 with Cycles."""
    keep_frames: bool = False
    """Keep the renderer's own frame files in the work folder after packing."""
    cycles: CyclesConfig = field(default_factory=CyclesConfig)
    karma: KarmaConfig = field(default_factory=KarmaConfig)

    def __post_init__(self) -> None:
        if not self.timeout_minutes > 0:
            raise ValueError(f"timeout_minutes must be positive, got {self.timeout_minutes}")
