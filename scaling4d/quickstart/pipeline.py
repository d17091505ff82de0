"""The story: library -> mint -> real videos -> train -> compare -> report."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from scaling4d.quickstart.command import run_command
from scaling4d.quickstart.report import write_report
from scaling4d.quickstart.settings import QuickstartSettings
from scaling4d.quickstart.stages import Stages, exclusive, peak_memory_bytes
from scaling4d.storage.atomic import remove_partials, write_text_atomic
from scaling4d.storage.scene_file import open_scene
from scaling4d.storage.video import find_videos, write_video

MIX = "real:0.9,syn:0.1"
SCENE_TRAJECTORY = "orbit:yaw=20,ease=in_out"
VIDEO_TRAJECTORY = "pan:angle=8,ease=in_out"


def run_quickstart(out: Path, real: Path | None, settings: QuickstartSettings) -> Path:
    """Run or resume everything under ``out`` and return the path of the report.

    Raises:
        ValueError: for a folder of videos that is missing or empty.
        CommandError: if a part fails; running again goes on from there.
    """
    real_videos = None if real is None else _usable_videos(real, settings)
    with exclusive(out):
        for folder in {path.parent for path in out.rglob(".*.partial*")}:
            remove_partials(folder)  # nobody else writes here: what is left, a killed run left
        stages = Stages(out, total=7 if real_videos else 8)
        data = out / "data"
        library = out / "library"
        stages.run("library", "build the asset library", None, lambda: _library(out, library))
        s = settings
        mint = _minter(out, library, stages, settings)
        mint("syn", "mint the training scenes", s.train_scenes, s.cameras, s.frames)
        if real_videos is None:
            title = "mint scenes that stand in for real videos"
            mint("stand_in", title, s.stand_in_scenes, s.stand_in_cameras, s.stand_in_frames)
            title, training, shown_video = "show what their cameras saw as plain videos", [], None
            take = partial(_export_clips, data / "stand_in", data / "real")
        else:
            # The last one is kept out of training; an only one has to serve for both.
            training, shown_video = real_videos[:-1] or real_videos, real_videos[-1]
            title = f"take {len(training)} real videos"
            take = partial(_link_videos, training, data / "real")
        stages.run("real", title, [str(path) for path in training], take, owns=[data / "real"])
        mint("held_out", "mint a scene that is kept out of training", 1, s.cameras, s.frames)

        stages.run(
            "train",
            f"train the mini model for {s.train_steps} steps",
            [s.train_steps, MIX, s.frames, s.size],
            lambda: _train(out, settings),
            owns=[out / "training", out / "untrained"],
        )
        stages.run(
            "compare",
            "generate novel views and compare",
            [s.sampler_steps, s.evaluation_pairs, str(shown_video)],
            lambda: _compare(out, shown_video, shown_video in training, settings),
            owns=[out / "results"],
        )
        stages.run(
            "report",
            "write the report",
            dataclasses.asdict(settings),
            lambda: _report(out, stages, real, settings),
        )
    return out / "report.html"


def _library(out: Path, library: Path) -> None:
    run_command(
        ["assets_schema", "build-library", str(library), "--preset", "quickstart"],
        out / "logs" / "library.log",
    )


def _minter(
    out: Path, library: Path, stages: Stages, settings: QuickstartSettings
) -> Callable[[str, str, int, int, int], None]:
    """Return a function that mints one part of the data as a stage."""

    def mint(name: str, title: str, scenes: int, cameras: int, frames: int) -> None:
        folder = out / "data" / name
        spec = settings.scene_spec(
            # The name seeds the part, so that no two parts share a scene.
            name=name,
            scenes=scenes,
            cameras=cameras,
            frames=frames,
            library=os.path.relpath(library / "catalog.yaml", out / "specs"),
        )
        spec["seed"] = settings.seed + {"syn": 0, "stand_in": 1, "held_out": 2}[name]

        def work() -> None:
            path = out / "specs" / f"{name}.yaml"
            write_text_atomic(path, yaml.safe_dump(spec, sort_keys=False))
            arguments = ["houdini_pdg", "mint", str(path), "--out", str(folder)]
            run_command(arguments, out / "logs" / f"{name}.log")

        stages.run(name, f"{title} ({scenes} x {cameras} cameras x {frames} frames)", spec, work)

    return mint


def _usable_videos(folder: Path, settings: QuickstartSettings) -> list[Path]:
    """Find the videos and check, before minutes of work, that each can be trained on."""
    from scaling4d.data.pairs import ClipSize
    from scaling4d.data.video_clips import collect_clips

    videos = find_videos(folder)
    size = ClipSize(frames=settings.frames, height=settings.size, width=settings.size)
    collect_clips([(video, "") for video in videos], size, skip_broken=False)
    return videos


def _link_videos(videos: list[Path], folder: Path) -> None:
    """Put links to the training videos into one folder; nothing of the user's is copied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, video in enumerate(videos):
        (folder / f"{number:04d}_{video.name}").symlink_to(video.resolve())


def _export_clips(scenes: Path, folder: Path) -> None:
    """Write what each camera of the stand-in scenes saw as a plain video, without its geometry."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in sorted((scenes / "scenes").glob("*.h5")):
        with open_scene(path) as scene:
            for camera in scene.camera_names:
                target = folder / f"{path.stem}_{camera}.mp4"
                write_video(target, scene.rgb(camera), scene.fps, quality=12)


def _train(out: Path, settings: QuickstartSettings) -> None:
    common = [
        "--mix",
        MIX,
        "--recipe",
        "quickstart",
        "--data.real",
        str(out / "data" / "real"),
        "--data.syn",
        str(out / "data" / "syn" / "scenes"),
        f"seed={settings.seed}",
        f"data.frames={settings.frames}",
        f"data.height={settings.size}",
        f"data.width={settings.size}",
    ]
    # The same model before its first step: the comparison's baseline.
    untrained = ["train", *common, "--out", str(out / "untrained"), "--resume", "steps=0"]
    run_command(untrained, out / "logs" / "untrained.log")
    steps = f"steps={settings.train_steps}"
    trained = ["train", *common, "--out", str(out / "training"), "--resume", steps]
    run_command(trained, out / "logs" / "train.log")


def _compare(
    out: Path, video: Path | None, trained_on: bool, settings: QuickstartSettings
) -> dict[str, Any]:
    from scaling4d.quickstart.compare import (
        compare_on_scene,
        new_path_on_scene,
        new_path_on_video,
    )

    (scene,) = sorted((out / "data" / "held_out" / "scenes").glob("*.h5"))
    model, results = out / "training" / "model", out / "results"
    record = compare_on_scene(scene, model, out / "untrained" / "model", results, settings)
    record["new_path"] = new_path_on_scene(
        scene, model, SCENE_TRAJECTORY, results / "new_path.mp4", settings
    )
    if video is not None:
        record["real_video"] = new_path_on_video(
            video, model, VIDEO_TRAJECTORY, results / "real_video.mp4", settings
        )
        record["real_video"] |= {"source": video.name, "trained_on": trained_on}
    write_text_atomic(results / "comparison.json", json.dumps(record, indent=1) + "\n")
    return record


def _report(
    out: Path, stages: Stages, real: Path | None, settings: QuickstartSettings
) -> dict[str, Any]:
    memory = peak_memory_bytes()
    write_report(out, stages.records, real=real, settings=settings, peak_memory=memory)
    return {"peak_memory_bytes": memory}
