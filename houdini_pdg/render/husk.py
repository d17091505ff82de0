"""husk's command line from typed options (houdini.md appendix D), nothing executed here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class HuskOptions:
    """One husk call: frames ``first`` to ``first + count - 1`` of one camera.

    ``output`` holds a printf frame token such as ``%04d``; ``height`` and ``width`` are pixels.
    """

    usd: Path
    settings: str
    camera: str
    output: str
    first: int
    count: int
    height: int
    width: int
    executable: str = "husk"
    engine: Literal["cpu", "xpu"] = "cpu"
    pixel_samples: int = 64
    threads: int = 0
    verbose: str = "3a"

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"husk renders at least one frame, got {self.count}")
        if "%0" not in self.output:
            raise ValueError(f"output needs a frame token such as %04d, got {self.output!r}")

    def argv(self) -> list[str]:
        """The command, executable first; every option appears in husk's documentation."""
        delegate = "BRAY_HdKarmaXPU" if self.engine == "xpu" else "BRAY_HdKarma"
        argv = [
            self.executable,
            *("--renderer", delegate),
            *("--settings", self.settings),
            *("--camera", self.camera),
            *("--frame", str(self.first)),
            *("--frame-count", str(self.count)),
            *("--frame-inc", "1"),
            *("--res", str(self.width), str(self.height)),
            *("--pixel-samples", str(self.pixel_samples)),
            *("--output", self.output),
            "--make-output-path",
            "--disable-motionblur",
            *("--fast-exit", "1"),
            *("--verbose", self.verbose),
        ]
        if self.threads:
            argv += ["--threads", str(self.threads)]
        return [*argv, str(self.usd)]
