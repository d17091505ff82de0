"""`scaling4d.generate`: a video and a camera path in, the same moments from the new camera out.

The path of Equation 3 and 5: depth -> C^r -> I^r, M^r (nearest rule) -> control -> network.
"""

from __future__ import annotations

import math
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from scaling4d.correspondence.control import build_control
from scaling4d.correspondence.warp import warp_from_depth
from scaling4d.devices import usable_device
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.inference.result import GenerationResult
from scaling4d.inference.sampler import sample_video
from scaling4d.inference.source import read_source
from scaling4d.inference.target_path import read_target
from scaling4d.models.vnvs import VNVSModel

__all__ = ["GenerationResult", "generate"]


def generate(
    video: str | Path | NDArray[np.uint8],
    trajectory: str | Path | Trajectory,
    *,
    model: str | Path | VNVSModel,
    depth: str | Path | ArrayLike | None = None,
    intrinsics: ArrayLike | None = None,
    world_from_source: ArrayLike | None = None,
    pivot_depth: float | None = None,
    camera: str | None = None,
    prompt: str = "",
    frames: int | None = None,
    size: tuple[int, int] | None = None,
    frame_step: int = 1,
    steps: int = 25,
    text_guidance: float = 1.0,
    control_guidance: float = 1.0,
    footprint: int = 1,
    seed: int = 0,
    backbone: str | Path | None = None,
    device: str | torch.device | None = None,
    progress: bool = True,
) -> GenerationResult:
    """Render a monocular video from a new camera path.

    Args:
        video: path, or frames (T, H, W, 3) uint8 sRGB.
        trajectory: a `Trajectory`, a file in a format that `python -m scaling4d trajectory` reads,
            or a preset such as ``"orbit:yaw=20"`` (degrees, metres). Relative to the same
            frame's source camera; mode "world" needs ``world_from_source``. A file of cameras holds
            one per frame used or per frame of the video, in order, or else key frames at numbers or
            times (seconds) of the video; it is cropped and resized like the video, and its first
            camera is the source's.
        model: folder saved by ``python -m train`` (``OUT/model``), or a loaded model.
        depth: planar z of the source, larger is farther: (T, H, W) floating point at the size of
            the video or of the output; a file that `read_depth` takes (``.npy``, ``.npz``, a folder
            of ``.exr``), alone or as ``"precomputed:FILE"``; a scene ``.h5``; an estimator
            ``"transformers:MODEL"`` (hub id or folder); ``"infinity"`` for pure rotations and
            zooms, which need no depth; None for metric Depth Anything V2.
        intrinsics: (3, 3) or (T, 3, 3) in pixels of the video as given. None: those of the depth
            estimator or file, else of the camera file, else an assumed field of view, with a
            warning.
        world_from_source: (T, 4, 4) poses of the source camera, OpenCV axes, for mode "world".
        pivot_depth: metres to the point that presets turn about; None: the median depth in the
            middle of the first frame.
        camera: which camera of a ``trajectory`` file that holds several, by its name (ReCamMaster,
            ViPE) or prim path (USD).
        prompt: describes the scene.
        frames: how many frames to make; None takes what the video has, at most 49, and fewer
            where the model's rule (rk+1) asks for it.
        size: (height, width) of the output; None keeps the video's. Frames, depth and intrinsics
            are cropped centrally and resized together.
        frame_step: take every n-th frame of the video. What is given per frame (T above) is given
            for all frames of the video, or for those that are used.
        steps: sampler steps.
        text_guidance: classifier-free guidance scale of the prompt; 1 is none.
        control_guidance: the same of the camera, for models trained with some controls left out
            (``loss.drop_control``); 1 is none.
        footprint: 1 or 2; 2 draws each source pixel on 2x2 target pixels, closing the cracks of
            strong magnification.
        seed: the same seed gives the same video on the same machine.
        backbone: hub id or folder of the foundation model's weights, if they are elsewhere than
            when ``model`` was trained.
        device: where to run; None takes CUDA if there is one. A model with `VNVSModel.offload`
            runs where that said.
        progress: show a progress bar.

    Returns:
        Frames, warped video, mask, correspondence and cameras, see `GenerationResult`.

    Raises:
        ValueError: one sentence on what was given, what was expected and what to do.
    """
    _check_settings(prompt, steps, seed, text_guidance, control_guidance, footprint)
    _check_sizes(frames, size, frame_step)
    network = _load(model, backbone)
    place = _bring_to_device(network.eval(), device)
    source = read_source(
        video,
        depth=depth,
        intrinsics=intrinsics,
        world_from_source=world_from_source,
        frames=frames,
        size=size,
        frame_step=frame_step,
        geometry=network.backbone.geometry,
        device=place,
    )
    path, source = read_target(trajectory, source, pivot_depth, camera)
    target_from_source = path.relative_to(source.world_from_source)
    target_intrinsics = path.target_intrinsics(source.intrinsics)
    if path.source_index is not None:
        source = source.reordered(path.source_index)

    images = torch.from_numpy(np.ascontiguousarray(source.frames.transpose(0, 3, 1, 2))).to(place)
    images = images.float() / 127.5 - 1
    warp = warp_from_depth(
        images,
        torch.from_numpy(source.depth).to(place),
        source.intrinsics,
        target_intrinsics,
        target_from_source,
        rule="nearest",
        footprint=cast(Literal[1, 2], footprint),
    )
    control = build_control(images, warp.field.displacement, warp.warped, warp.mask)
    control = network.select_control(control[None], torch.from_numpy(target_from_source)[None])
    with tqdm(total=steps, desc="generate", unit="step", disable=not progress) as bar:
        generated = sample_video(
            network,
            control,
            [prompt],
            steps=int(steps),
            seed=int(seed),
            text_guidance=float(text_guidance),
            control_guidance=float(control_guidance),
            on_step=lambda *_: bar.update(1),
        )[0]
    mask = warp.mask[:, 0].bool().cpu().numpy()
    return GenerationResult(
        frames=to_uint8(generated),
        source=source.frames,
        warped=to_uint8(warp.warped) * mask[..., None],
        mask=mask,
        correspondence=warp.field.displacement.float().cpu().numpy(),
        depth=source.depth,
        source_intrinsics=source.intrinsics,
        target_intrinsics=target_intrinsics,
        target_from_source=target_from_source,
        fps=source.fps,
        settings={
            "seed": seed,
            "steps": steps,
            "prompt": prompt,
            "text_guidance": text_guidance,
            "control_guidance": control_guidance,
            "footprint": footprint,
            "trajectory": trajectory if isinstance(trajectory, str) else type(trajectory).__name__,
            "camera": camera,
            "model": "in memory" if isinstance(model, VNVSModel) else str(model),
            "frames": len(source.frames),
            "height": source.size[0],
            "width": source.size[1],
        },
    )


def _check_settings(
    prompt: Any, steps: Any, seed: Any, text_guidance: Any, control_guidance: Any, footprint: Any
) -> None:
    """Refuse what only the sampler would, before a model is loaded and a depth estimated."""
    if not isinstance(prompt, str):
        raise ValueError(f"prompt must be one text, got {prompt!r}")
    if not isinstance(steps, Integral) or steps < 1:
        raise ValueError(f"steps must be a whole number >= 1, got {steps!r}")
    if not isinstance(seed, Integral) or not 0 <= int(seed) < 1 << 64:
        raise ValueError(f"seed must be a whole number in [0, 2**64), got {seed!r}")
    for name, scale in (("text", text_guidance), ("control", control_guidance)):
        try:
            fits = 0 <= float(scale) < math.inf
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise ValueError(f"{name}_guidance must be a finite number >= 0, got {scale!r}")
    if footprint not in (1, 2):
        raise ValueError(f"footprint must be 1 or 2 pixels, got {footprint!r}")


def _check_sizes(frames: Any, size: Any, frame_step: Any) -> None:
    """Refuse what is no size at all; which ones a model takes is its own to say."""
    counts = {"frame_step": frame_step} | ({} if frames is None else {"frames": frames})
    for name, count in counts.items():
        if not isinstance(count, Integral) or int(count) < 1:
            raise ValueError(f"{name} must be a whole number >= 1, got {count!r}")
    if size is None:
        return
    sides = tuple(size) if isinstance(size, (tuple, list)) else ()
    if len(sides) != 2 or not all(isinstance(side, Integral) and int(side) >= 1 for side in sides):
        raise ValueError(f"size must be (height, width) in whole pixels >= 1, got {size!r}")


def _load(model: Any, backbone: str | Path | None) -> VNVSModel:
    """A loaded model as it is, or a saved one with its blocks in the backbone's precision."""
    if isinstance(model, VNVSModel):
        if backbone is not None:
            raise ValueError("a loaded model has its backbone already: leave backbone out")
        return model
    if not isinstance(model, (str, Path)):
        raise ValueError(f"model must be a folder, a hub id or a VNVSModel, got {model!r}")
    path = None if backbone is None else str(backbone)
    network = VNVSModel.from_pretrained(model, backbone_path=path)
    network.round_blocks()
    return network


def _bring_to_device(network: VNVSModel, device: str | torch.device | None) -> torch.device:
    """Move a model to where it shall run, unless it was offloaded: that decides the device."""
    if not network.offloaded:
        place = usable_device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        network.to(place)
        return place
    if device is not None and usable_device(device).type != network.device.type:
        raise ValueError(
            f"the model was offloaded to run on {network.device}, not on {device}: leave device "
            "out, or offload it there"
        )
    return network.device


def to_uint8(video: torch.Tensor) -> NDArray[np.uint8]:
    """(T, 3, H, W) in [-1, 1] -> (T, H, W, 3) uint8, rounded."""
    scaled = ((video.float().clamp(-1, 1) + 1) * 127.5).round().byte()
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).cpu().numpy())
