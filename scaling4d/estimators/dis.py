"""OpenCV's dense inverse search flow: no weights, one CPU core, for tests and quick starts."""

from __future__ import annotations

import logging

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from .base import EstimatorError, check_image_pair

_log = logging.getLogger(__name__)

PRESETS = ("ultrafast", "fast", "medium")
# Of either side: below, the coarse levels of a wide image are lower than OpenCV's patches of 8
# pixels, and it reads beyond them, up to the end of the process.
_SMALLEST_SIDES = {"ultrafast": 32, "fast": 32, "medium": 16}


class DisFlow:
    """Dense inverse search (Kroeger et al. 2016) through OpenCV.

    Less accurate than RAFT; the choice when no weights can be had, so it says once that it is used.
    """

    name = "dis"

    def __init__(self, preset: str = "medium") -> None:
        """Choose a preset of OpenCV: ultrafast, fast or medium (the most accurate).

        Raises:
            EstimatorError: if the preset is unknown.
        """
        if preset not in PRESETS:
            raise EstimatorError(f"the DIS preset must be one of {PRESETS}, got {preset!r}")
        self.preset = preset
        self.settings = {"preset": preset}
        _log.info("flow by OpenCV DIS (%s): needs no weights, less accurate than RAFT", preset)

    def __call__(
        self,
        first: UInt8[Tensor, "pairs 3 height width"],
        second: UInt8[Tensor, "pairs 3 height width"],
    ) -> Float[Tensor, "pairs 2 height width"]:
        """Return the flow in pixels (see `FlowEstimator`).

        Raises:
            EstimatorError: if the images differ in shape, or a side is under 16 pixels (under 32
                for ``fast`` and ``ultrafast``).
        """
        import cv2

        check_image_pair(first, second)
        smallest = _SMALLEST_SIDES[self.preset]
        if min(first.shape[2:]) < smallest:
            raise EstimatorError(
                f"DIS ({self.preset}) needs images of at least {smallest} pixels a side, "
                f"got {tuple(first.shape[2:])}: enlarge them"
                + ("" if self.preset == "medium" else ", or take preset 'medium'")
            )
        # Made per call: OpenCV's object holds buffers that two threads must not share.
        search = cv2.DISOpticalFlow.create(PRESETS.index(self.preset))
        flow = np.zeros((len(first), *first.shape[2:], 2), dtype=np.float32)
        for pair, (image, other) in enumerate(zip(_grey(first), _grey(second), strict=True)):
            search.calc(image, other, flow[pair])  # written in place
        return torch.from_numpy(flow).permute(0, 3, 1, 2).contiguous().to(first.device)


def _grey(images: Tensor) -> list[np.ndarray]:
    import cv2

    rows = images.permute(0, 2, 3, 1).cpu().numpy()
    return [cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY) for image in rows]
