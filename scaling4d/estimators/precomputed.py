"""Flow and depth that were computed before, read from files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from scaling4d.storage.atomic import write_text_atomic

from .base import DepthEstimate, DepthKind, EstimatorError, FlowEstimator, check_image_pair
from .depth_files import read_depth
from .flow_files import FLOW_SUFFIXES, read_flow, write_flow

RECORD = "estimator.json"
"""Beside the flow that `CachedFlow` keeps: name and settings of the estimator."""


def pair_name(
    first: UInt8[Tensor, "3 height width"], second: UInt8[Tensor, "3 height width"]
) -> str:
    """File name, without ending, of the flow between two images: a digest of their pixels.

    Naming by content lets one folder serve any number of videos, crops and frame orders, and a
    flow can never be paired with frames that it was not computed from.
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr(tuple(first.shape)).encode())
    for image in (first, second):
        digest.update(image.contiguous().cpu().numpy().data)
    return f"flow_{digest.hexdigest()}"


class PrecomputedFlow:
    """Flow from a folder of files named by `pair_name` (.flo, .png, .npy or .npz)."""

    name = "precomputed"

    def __init__(self, folder: str | Path) -> None:
        """Read from ``folder``; `CachedFlow` fills such a folder, as can any tool.

        Raises:
            EstimatorError: if the folder is absent.
        """
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise EstimatorError(f"no folder of precomputed flow at {self.folder}")

    @property
    def settings(self) -> dict[str, Any]:
        """What the flow depends on beside the images: the estimator that filled the folder, where
        `CachedFlow` recorded it, else a digest of the files' names, sizes and times."""
        record = self.folder / RECORD
        if record.is_file():
            return {"estimator": record.read_text(encoding="utf-8").strip()}
        digest = hashlib.blake2b(digest_size=16)
        with os.scandir(self.folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith(FLOW_SUFFIXES):
                    status = entry.stat()
                    digest.update(repr((entry.name, status.st_size, status.st_mtime_ns)).encode())
        return {"files": digest.hexdigest()}

    def __call__(
        self,
        first: UInt8[Tensor, "pairs 3 height width"],
        second: UInt8[Tensor, "pairs 3 height width"],
    ) -> Float[Tensor, "pairs 2 height width"]:
        """Return the stored flow, NaN where a file marks it unknown (see `FlowEstimator`).

        Raises:
            EstimatorError: if no file is there for a pair, or its size differs from the images.
        """
        check_image_pair(first, second)
        return _stack([self._read(a, b) for a, b in zip(first, second, strict=True)], first)

    def _read(self, first: Tensor, second: Tensor) -> Tensor:
        name = pair_name(first, second)
        for suffix in FLOW_SUFFIXES:
            path = self.folder / (name + suffix)
            if path.is_file():
                flow = read_flow(path)
                if flow.shape[1:] != first.shape[1:]:
                    raise EstimatorError(
                        f"{path} holds {tuple(flow.shape[1:])} pixels and the images have "
                        f"{tuple(first.shape[1:])}: compute flow after the crop and resize"
                    )
                return flow
        raise EstimatorError(
            f"{self.folder} holds no flow {name} for this pair of images: fill the folder with "
            "CachedFlow, or name your files by scaling4d.estimators.precomputed.pair_name"
        )


class CachedFlow:
    """Another estimator, with its results kept in a folder that `PrecomputedFlow` reads.

    The folder belongs to one estimator, which is recorded there by its name and its ``settings``, a
    dict of JSON values, where it has any.
    """

    def __init__(self, estimator: FlowEstimator, folder: str | Path) -> None:
        """Compute with ``estimator`` what ``folder`` does not hold; the folder is made.

        Raises:
            EstimatorError: if the folder holds flow of another estimator, or does not say of which.
        """
        self.estimator = estimator
        self.name = f"cached_{estimator.name}"
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        own = json.dumps([estimator.name, getattr(estimator, "settings", {})], sort_keys=True)
        record = self.folder / RECORD
        if not record.is_file() and not any(self.folder.glob("flow_*")):
            write_text_atomic(record, own + "\n")
        found = record.read_text().strip() if record.is_file() else "an unknown estimator"
        if found != own:
            raise EstimatorError(
                f"{self.folder} holds flow of {found}, not of {own}: give each its own folder, or, "
                f"if it was made by this one, write {own} into {record}"
            )

    def __call__(
        self,
        first: UInt8[Tensor, "pairs 3 height width"],
        second: UInt8[Tensor, "pairs 3 height width"],
    ) -> Float[Tensor, "pairs 2 height width"]:
        """Return the flow in pixels (see `FlowEstimator`)."""
        check_image_pair(first, second)
        paths = [self.folder / f"{pair_name(a, b)}.npy" for a, b in zip(first, second, strict=True)]
        missing = [pair for pair, path in enumerate(paths) if not path.is_file()]
        if missing:
            for pair, flow in zip(
                missing, self.estimator(first[missing], second[missing]), strict=True
            ):
                write_flow(paths[pair], flow)
        return _stack([read_flow(path) for path in paths], first)


def _stack(
    flows: list[Tensor], images: UInt8[Tensor, "pairs 3 height width"]
) -> Float[Tensor, "pairs 2 height width"]:
    """Join flows, none included, on the device of the images."""
    if not flows:
        return torch.zeros(0, 2, *images.shape[2:], device=images.device)
    return torch.stack(flows).to(images.device)


class PrecomputedDepth:
    """Depth of one video from a file (see `read_depth` for the kinds, GeometryCrafter's included).

    GeometryCrafter, the paper's estimator, is not published as an installable package, so it is
    used by running its own script and reading the ``.npz`` that it writes.
    """

    name = "precomputed"

    def __init__(
        self,
        path: str | Path,
        *,
        intrinsics: str | Path | None = None,
        kind: DepthKind = "metric",
        first_frame: int = 0,
    ) -> None:
        """Read the file.

        Args:
            path: depth of the whole video (see `read_depth`).
            intrinsics: cameras in their own file (see `read_depth`).
            kind: what the file holds, see `DepthEstimate`.
            first_frame: index in the file of the first frame of the videos that will be given.

        Raises:
            EstimatorError: if a file is missing, of another kind, or damaged, or the first frame is
                negative.
        """
        if first_frame < 0:
            raise EstimatorError(f"first_frame counts from 0, got {first_frame}")
        self.path = Path(path)
        self.first_frame = first_frame
        self.stored = read_depth(path, intrinsics, kind)

    def __call__(self, video: UInt8[Tensor, "frames 3 height width"], fps: float) -> DepthEstimate:
        """Return the stored depth of these frames (see `DepthEstimator`); ``fps`` is not used.

        Raises:
            EstimatorError: if the file has another image size or ends before the video.
        """
        frames, _, height, width = video.shape
        available, *size = self.stored.depth.shape
        if tuple(size) != (height, width):
            raise EstimatorError(
                f"{self.path} holds depth of {size[0]}x{size[1]} and the video has "
                f"{height}x{width}: compute depth after the crop and resize, or give the video "
                "in the size of the depth"
            )
        part = slice(self.first_frame, self.first_frame + frames)
        if part.stop > available:
            raise EstimatorError(
                f"{self.path} holds {available} frames and frames {part.start} to "
                f"{part.stop - 1} are needed"
            )
        intrinsics = self.stored.intrinsics
        return DepthEstimate(
            self.stored.depth[part].to(video.device),
            None if intrinsics is None else intrinsics[part],
            self.stored.kind,
        )
