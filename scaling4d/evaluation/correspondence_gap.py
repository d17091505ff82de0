"""Section 4.4: how far the flow-based field of training is from the depth-based one of inference.

The paper, RAFT over 100 static real videos: EPE 1.18 px, vec-corr 0.986; flow against depth
TV1 0.151 / 0.146, LapE 0.213 / 0.082, Temp 2.47 / 2.43.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from torch import Tensor

from scaling4d.correspondence.consistency import covisible
from scaling4d.correspondence.field import CorrespondenceField, from_depth
from scaling4d.estimators.base import FlowEstimator
from scaling4d.estimators.long_range import Method, VideoFlow
from scaling4d.evaluation.flow_depth import translation_scale
from scaling4d.geometry.camera import relative_pose


@dataclass(frozen=True)
class Roughness:
    """How rough a field is in space and time, over co-visible pixels.

    Attributes:
        tv1: E[|grad u|_1 + |grad v|_1], forward differences, pixels per pixel.
        laplacian_energy: E[(lap u)^2 + (lap v)^2], 5-point Laplacian.
        temporal: E[|C_t - C_(t-1)|_2], pixels per frame; NaN for a single frame.
    """

    tv1: float
    laplacian_energy: float
    temporal: float


@dataclass(frozen=True)
class GapReport:
    """The statistics of section 4.4.

    Attributes:
        epe: E[|C_flow - C_depth|_2] in pixels.
        vec_corr: sum a.b / sqrt(sum |a|^2 sum |b|^2) of the two fields.
        vec_corr_centred: the same after taking off each field's mean vector.
        flow: roughness of the flow-based field.
        depth: roughness of the depth-based field.
        covisible_share: share of all pixels that were compared, 0..1.
        frames: number of source-target pairs.
    """

    epe: float
    vec_corr: float
    vec_corr_centred: float
    flow: Roughness
    depth: Roughness
    covisible_share: float
    frames: int

    def as_dict(self) -> dict[str, Any]:
        """Nested plain values, for JSON."""
        return asdict(self)


def correspondence_gap(
    flow: CorrespondenceField,
    depth: CorrespondenceField,
    compared: Bool[Tensor, "frames height width"] | None = None,
) -> GapReport:
    """Compare two fields of the same pairs of frames.

    Args:
        flow: field from optical flow.
        depth: field from depth and cameras.
        compared: pixels to compare, normally the co-visible ones; by default all. Pixels where
            either field is missing are left out in any case.

    Raises:
        ValueError: if the shapes differ or no pixel is left to compare.
    """
    if flow.displacement.shape != depth.displacement.shape:
        raise ValueError(
            f"both fields must have one shape, got {tuple(flow.displacement.shape)} from flow and "
            f"{tuple(depth.displacement.shape)} from depth"
        )
    both = flow.valid() & depth.valid()
    compared = both if compared is None else both & compared
    if not compared.any():
        raise ValueError(
            "no pixel is co-visible in any pair: choose frames closer to each other, or check that "
            f"the depth is known ({depth.valid().double().mean():.0%} of it is) and in the unit of "
            "the cameras"
        )
    # float64: sums over millions of pixels.
    a, b = (field.displacement.double().permute(1, 0, 2, 3)[:, compared] for field in (flow, depth))
    return GapReport(
        epe=(a - b).norm(dim=0).mean().item(),
        vec_corr=_correlation(a, b),
        vec_corr_centred=_correlation(
            a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
        ),
        flow=roughness(flow, compared),
        depth=roughness(depth, compared),
        covisible_share=compared.double().mean().item(),
        frames=flow.frames,
    )


def roughness(
    field: CorrespondenceField, compared: Bool[Tensor, "frames height width"]
) -> Roughness:
    """Roughness of a field where every pixel that a difference touches is in ``compared``."""
    c = field.displacement.double()
    across = (c[..., :-1, 1:] - c[..., :-1, :-1]).abs().sum(dim=1)
    down = (c[..., 1:, :-1] - c[..., :-1, :-1]).abs().sum(dim=1)
    corner = compared[:, :-1, :-1] & compared[:, :-1, 1:] & compared[:, 1:, :-1]
    sides = c[..., 1:-1, 2:] + c[..., 1:-1, :-2] + c[..., 2:, 1:-1] + c[..., :-2, 1:-1]
    laplacian = (sides - 4 * c[..., 1:-1, 1:-1]).square().sum(dim=1)
    cross = compared[:, 1:-1, 1:-1] & compared[:, 1:-1, 2:] & compared[:, 1:-1, :-2]
    cross = cross & compared[:, 2:, 1:-1] & compared[:, :-2, 1:-1]
    step = (c[1:] - c[:-1]).norm(dim=1)
    return Roughness(
        tv1=(across + down)[corner].mean().item(),
        laplacian_energy=laplacian[cross].mean().item(),
        temporal=step[compared[1:] & compared[:-1]].mean().item(),
    )


@dataclass(frozen=True)
class ClipGap:
    """`GapReport` of one static clip, with the two fields and the pixels that were compared."""

    report: GapReport
    flow: CorrespondenceField
    depth: CorrespondenceField
    compared: Bool[Tensor, "frames height width"]
    consistent_share: float
    scale: float
    """Factor that the cameras' translations were multiplied by."""
    measured_scale: float
    """The factor that flow, depth and cameras agree on; NaN where the camera hardly moves."""


def clip_gap(
    rgb: ArrayLike,
    depth: ArrayLike,
    intrinsics: ArrayLike,
    world_from_camera: ArrayLike,
    estimator: FlowEstimator,
    *,
    sources: Sequence[int],
    targets: Sequence[int],
    method: Method = "direct",
    scale: float | None = 1.0,
) -> ClipGap:
    """The gap of one clip of a static scene: frame ``sources[i]`` against frame ``targets[i]``.

    Co-visible are the pixels whose point, moved by depth and cameras, is the surface that the
    target frame's depth shows (`covisible`).

    Args:
        rgb: (frames, height, width, 3) uint8.
        depth: (frames, height, width) planar z.
        intrinsics: (frames, 3, 3) pixels.
        world_from_camera: (frames, 4, 4), OpenCV axes.
        estimator: flow estimator.
        sources: frame index of each source.
        targets: frame index of each target.
        method: how far frames are joined (see `VideoFlow`).
        scale: factor that brings the cameras' translations to the depth's unit; None: the one that
            flow, depth and cameras agree on (`translation_scale`), which takes one degree of
            freedom of the whole clip out of the comparison.

    Raises:
        ValueError: if shapes disagree, no pixel is co-visible or the scale cannot be measured.
    """
    video = torch.from_numpy(np.ascontiguousarray(rgb)).permute(0, 3, 1, 2)
    z = torch.from_numpy(np.ascontiguousarray(depth))
    k, poses = np.asarray(intrinsics), np.asarray(world_from_camera)
    pairs = list(sources), list(targets)
    target_from_source = relative_pose(poses[pairs[1]], poses[pairs[0]])
    found = VideoFlow(video, estimator)(*pairs, method)
    cameras = k[pairs[0]], k[pairs[1]], target_from_source
    measured = translation_scale(found.field, z[pairs[0]], *cameras, found.consistent)
    if scale is None and not measured > 0:
        raise ValueError(
            "the scale between cameras and depth cannot be measured, since the camera hardly moves "
            "sideways: give it as a number > 0, or choose frames farther apart"
        )
    scale = measured if scale is None else scale
    if not 0 < scale < math.inf:
        raise ValueError(f"the cameras' scale must be a number > 0, got {scale}")
    target_from_source[:, :3, 3] *= scale
    from_cameras = from_depth(z[pairs[0]], *cameras)
    compared = covisible(from_cameras, z[pairs[1]])
    report = correspondence_gap(found.field, from_cameras, compared)
    share = found.valid_share().mean().item()
    return ClipGap(report, found.field, from_cameras, compared, share, scale, measured)


def average(reports: Sequence[GapReport]) -> GapReport:
    """Mean over clips, each clip counting once; the number of frames is their sum.

    A clip that has no value of some statistic (Temp takes two pairs) does not count there.
    """
    if not reports:
        raise ValueError("there is no report to average")

    def mean(values: list[Any]) -> Any:
        if isinstance(values[0], Roughness):
            return Roughness(
                **{name: mean([asdict(v)[name] for v in values]) for name in asdict(values[0])}
            )
        known = [value for value in values if not math.isnan(value)]
        return float(np.mean(known)) if known else math.nan

    fields = ("epe", "vec_corr", "vec_corr_centred", "flow", "depth", "covisible_share")
    means = {name: mean([getattr(report, name) for report in reports]) for name in fields}
    return GapReport(**means, frames=sum(report.frames for report in reports))


def markdown_table(rows: Sequence[tuple[str, GapReport]]) -> str:
    """The statistics as a Markdown table, one row per named report, the paper's values last."""
    lines = [
        "| clip | frames | co-visible | EPE px | vec-corr | centred | TV1 flow / depth "
        "| LapE flow / depth | Temp flow / depth |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, r in rows:
        lines.append(
            f"| {name} | {r.frames} | {r.covisible_share:.2f} | {r.epe:.3f} | {r.vec_corr:.4f} "
            f"| {r.vec_corr_centred:.4f} | {r.flow.tv1:.3f} / {r.depth.tv1:.3f} "
            f"| {r.flow.laplacian_energy:.3f} / {r.depth.laplacian_energy:.3f} "
            f"| {r.flow.temporal:.2f} / {r.depth.temporal:.2f} |"
        )
    lines.append(
        "| paper (RAFT, 100 real videos) | | | 1.18 | 0.986 | | 0.151 / 0.146 | 0.213 / 0.082 "
        "| 2.47 / 2.43 |"
    )
    return "\n".join(lines)


def _correlation(a: Float[Tensor, "2 pixels"], b: Float[Tensor, "2 pixels"]) -> float:
    lengths = (a.square().sum() * b.square().sum()).sqrt()
    return ((a * b).sum() / lengths).item() if lengths > 0 else float("nan")
