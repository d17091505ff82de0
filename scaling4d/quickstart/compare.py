"""Measure the trained model on a scene it never saw, against its rivals (section 4.3)."""

from __future__ import annotations

import logging
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaling4d.evaluation.image_quality import psnr
from scaling4d.geometry.camera import relative_pose
from scaling4d.geometry.trajectory import Trajectory
from scaling4d.inference.generate import generate
from scaling4d.inference.result import GenerationResult
from scaling4d.models.vnvs import VNVSModel
from scaling4d.quickstart.settings import QuickstartSettings
from scaling4d.storage.scene_file import SceneFile, open_scene
from scaling4d.storage.video import read_video, write_video

logger = logging.getLogger(__name__)

METHODS = ("trained", "untrained", "warp", "inpainted")


def compare_on_scene(
    scene_path: Path, trained: Path, untrained: Path, out: Path, settings: QuickstartSettings
) -> dict[str, Any]:
    """Generate each camera of a scene from each other and compare with what it really saw.

    Writes one side-by-side mp4 per pair (source, warped, generated, truth). The measure is taken
    over all pairs at once: squared errors are averaged over every pixel that counts.

    Returns:
        PSNR in dB per method, everywhere and on the pixels that the warp could not see, share of
        those pixels, the pairs, and whether the trained model beats its rivals.
    """
    models = {"trained": VNVSModel.from_pretrained(trained)}
    models["untrained"] = VNVSModel.from_pretrained(untrained)
    videos: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in (*METHODS, "truth")}
    masks: list[NDArray[np.bool_]] = []
    pairs: list[str] = []
    with open_scene(scene_path) as scene:
        chosen = list(permutations(scene.camera_names, 2))[: settings.evaluation_pairs]
        for number, (source, target) in enumerate(chosen):
            logger.info("compare %d/%d: %s seen from %s", number + 1, len(chosen), source, target)
            results = {
                name: _between_cameras(scene, source, target, model, settings)
                for name, model in models.items()
            }
            truth = scene.rgb(target)[: settings.frames]
            result = results["trained"]
            videos["trained"].append(result.frames)
            videos["untrained"].append(results["untrained"].frames)
            videos["warp"].append(result.warped)
            videos["inpainted"].append(inpaint(result.warped, result.mask))
            videos["truth"].append(truth)
            masks.append(result.mask)
            pairs.append(f"{source}-{target}")
            write_video(out / f"{pairs[-1]}.mp4", result.side_by_side(truth), scene.fps)
    joined = {name: np.concatenate(parts) for name, parts in videos.items()}
    unseen = ~np.concatenate(masks)
    everywhere = {name: psnr(joined[name], joined["truth"]) for name in METHODS}
    hidden = {name: psnr(joined[name], joined["truth"], unseen) for name in METHODS}
    return {
        "pairs": pairs,
        "unseen_share": float(unseen.mean()),
        "psnr_everywhere": everywhere,
        "psnr_unseen": hidden,
        "beats_untrained_everywhere": everywhere["trained"] > everywhere["untrained"],
        "beats_warp_where_unseen": hidden["trained"] > hidden["warp"],
    }


def _between_cameras(
    scene: SceneFile, source: str, target: str, model: VNVSModel, settings: QuickstartSettings
) -> GenerationResult:
    motion = relative_pose(scene.world_from_camera(target), scene.world_from_camera(source))
    frames = slice(settings.frames)
    trajectory = Trajectory(motion[frames], intrinsics=scene.intrinsics(target)[frames])
    return _from_camera(scene, source, trajectory, model, settings)


def _from_camera(
    scene: SceneFile,
    camera: str,
    trajectory: str | Trajectory,
    model: VNVSModel | Path,
    settings: QuickstartSettings,
) -> GenerationResult:
    frames = slice(settings.frames)
    return _generate(
        scene.rgb(camera, frames),
        trajectory,
        model,
        settings,
        depth=scene.depth(camera, frames),
        intrinsics=scene.intrinsics(camera)[frames],
        prompt=str(scene.scene.get("caption", "")),
    )


def _generate(
    video: NDArray[np.uint8],
    trajectory: str | Trajectory,
    model: VNVSModel | Path,
    settings: QuickstartSettings,
    **scene: Any,
) -> GenerationResult:
    return generate(
        video,
        trajectory,
        model=model,
        frames=settings.frames,
        steps=settings.sampler_steps,
        seed=settings.seed,
        progress=False,
        **scene,
    )


def new_path_on_scene(
    scene_path: Path, model: Path, trajectory: str, out: Path, settings: QuickstartSettings
) -> dict[str, Any]:
    """Follow a preset from the held-out scene's first camera, where no truth exists."""
    with open_scene(scene_path) as scene:
        result = _from_camera(scene, scene.camera_names[0], trajectory, model, settings)
        write_video(out, result.side_by_side(), scene.fps)
    return {"trajectory": trajectory, "seen_share": float(result.mask.mean())}


def new_path_on_video(
    video: Path, model: Path, trajectory: str, out: Path, settings: QuickstartSettings
) -> dict[str, Any]:
    """Turn the camera of a real video; a pure rotation needs no depth, so nothing is guessed."""
    clip = read_video(video, frames=settings.frames, size=(settings.size, settings.size))
    result = _generate(clip.frames, trajectory, model, settings, depth="infinity")
    write_video(out, result.side_by_side(), clip.fps)
    return {"trajectory": trajectory, "seen_share": float(result.mask.mean())}


def inpaint(
    warped: NDArray[np.uint8], mask: NDArray[np.bool_], radius: float = 3.0
) -> NDArray[np.uint8]:
    """Fill what the warp could not see with OpenCV's Telea inpainting, frame by frame."""
    import cv2

    holes = (~mask).astype(np.uint8)
    return np.stack(
        [
            cv2.inpaint(np.ascontiguousarray(image), hole, radius, cv2.INPAINT_TELEA)
            for image, hole in zip(warped, holes, strict=True)
        ]
    )
