"""The Embree preview renderer of `assets_schema` behind the renderer protocol."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from assets_schema.surface_shading import linear_from_srgb, srgb_from_linear
from scaling4d.storage.atomic import atomic_path

from .base import Frame, Progress, RenderError, RenderJob, keep_whole_frames


class PreviewRenderer:
    """Simply lit but geometrically exact frames within a second, for tests and quick looks."""

    def version(self) -> str:
        return f"preview (embreex {version('embreex')})"

    def require(self) -> None:
        if find_spec("embreex") is None:
            raise RenderError("the renderer preview needs Embree: pip install 'scaling4d[render]'")

    def render(self, job: RenderJob, progress: Progress) -> None:
        self.require()
        from pxr import Usd

        from assets_schema.preview import PreviewRenderer as EmbreeRenderer

        stage = Usd.Stage.Open(str(job.stage))
        caster = EmbreeRenderer(stage, instance_roots=list(job.instances))
        keep_whole_frames(
            job,
            lambda camera, frame: (_frame_path(job.out, camera, frame),),
            lambda camera, frame: self.read_frame(job.out, camera, frame),
        )
        done = 0
        for frame in range(job.frames):
            for name, camera in job.cameras.items():
                path = _frame_path(job.out, name, frame)
                if not path.is_file():
                    picture = caster.render(
                        camera.intrinsics[frame],
                        camera.world_from_camera[frame],
                        job.height,
                        job.width,
                        job.start + frame,
                        samples=4,
                        ambient_occlusion=8,
                    )
                    numbers = [job.instances.get(p, 0) for p in picture.instance_paths]
                    ids = np.asarray(numbers, dtype=np.uint16)[picture.instance_id]
                    with atomic_path(path) as partial:
                        rgb = _exposed(picture.rgb, job.config.exposure)
                        np.savez(partial, rgb=rgb, depth=picture.depth, instance_id=ids)
                done += 1
                progress(done, job.total)

    def read_frame(self, folder: Path, camera: str, frame: int) -> Frame:
        path = _frame_path(folder, camera, frame)
        try:
            with np.load(path) as values:
                return Frame(values["rgb"], values["depth"], values["instance_id"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise RenderError(f"{path} is missing or damaged ({error})") from error


def _exposed(rgb: NDArray[np.uint8], stops: float) -> NDArray[np.uint8]:
    """The picture with more or less light; what was clipped stays so."""
    if stops == 0:
        return rgb
    linear = linear_from_srgb(rgb.astype(np.float32) / 255) * 2.0**stops
    return np.asarray(np.rint(srgb_from_linear(np.clip(linear, 0, 1)) * 255), dtype=np.uint8)


def _frame_path(folder: Path, camera: str, frame: int) -> Path:
    return folder / camera / f"preview.{frame:04d}.npz"
