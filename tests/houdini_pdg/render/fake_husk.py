#!/usr/bin/env python
"""A strict stand-in for husk: refuses options it does not know, writes husk-shaped EXR files.

What it does beside rendering is told by the environment variable FAKE_HUSK: "ok", "fail" (status 3
after half the frames), "hang" (sleeps after half of them), "lie" (status 0 without images), "half"
(status 0 with half of them), "truncate" (the last frame is cut short), "flat" (no depth anywhere),
"single" (the older single-part file), "negative" (depth with the other sign).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import OpenEXR
from pxr import Gf, Usd, UsdGeom, UsdRender

OPTIONS = {  # houdini.md appendix D: name -> number of values
    "--renderer": 1,
    "--settings": 1,
    "--camera": 1,
    "--frame": 1,
    "--frame-count": 1,
    "--frame-inc": 1,
    "--res": 2,
    "--pixel-samples": 1,
    "--output": 1,
    "--make-output-path": 0,
    "--disable-motionblur": 0,
    "--fast-exit": 1,
    "--verbose": 1,
    "--threads": 1,
}


def main() -> int:
    if sys.argv[1:] == ["--version"]:
        print("husk 21.0.999 (fake)")
        return 0
    parser = argparse.ArgumentParser(prog="husk", allow_abbrev=False)
    for name, count in OPTIONS.items():
        if count == 0:
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, nargs=None if count == 1 else count)
    parser.add_argument("usd")
    options = parser.parse_args()  # an unknown option ends with status 2
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        if name in os.environ:
            print(f"husk: inherited {name}", file=sys.stderr)
            return 4
    return render(options, os.environ.get("FAKE_HUSK", "ok"))


def render(options: argparse.Namespace, mode: str) -> int:
    stage = Usd.Stage.Open(options.usd)
    settings = UsdRender.Settings(stage.GetPrimAtPath(options.settings))
    camera = UsdGeom.Camera(stage.GetPrimAtPath(options.camera))
    if not settings or not camera:
        print("husk: no such settings or camera", file=sys.stderr)
        return 1
    first, count = int(options.frame), int(options.frame_count)
    width, height = (int(value) for value in options.res)
    frames = range(first, first + count)
    if mode == "lie":
        return 0
    if mode == "late":  # the files appear after husk has returned, as on a network disk
        command = [sys.executable, __file__, *sys.argv[1:]]
        later = {**os.environ, "FAKE_HUSK": "ok"}
        quiet = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
        subprocess.Popen(command, env=later, **quiet)
        return 0
    stop = first + count // 2 if mode in ("fail", "hang", "half") else first + count
    for number, frame in enumerate(frames):
        if frame >= stop:
            break
        path = Path(options.output % frame)
        if options.make_output_path:
            path.parent.mkdir(parents=True, exist_ok=True)
        write(path, picture(camera, frame, height, width, mode), single=mode == "single")
        if mode == "truncate" and frame == frames[-1]:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        print(f"ALF_PROGRESS {100 * (number + 1) // count}%", flush=True)
    if mode == "hang":
        time.sleep(600)
    if mode == "fail":
        print("husk: licence lost", file=sys.stderr)
        return 3
    return 0


def picture(
    camera: UsdGeom.Camera, frame: int, height: int, width: int, mode: str
) -> dict[str, np.ndarray]:
    """The floor z = 0 seen by the authored camera through its own frustum, in closed form."""
    frustum = camera.GetCamera(frame).frustum
    depth = np.zeros((height, width), np.float32)
    eye = frustum.GetPosition()
    forward = frustum.ComputeViewDirection()
    for row in range(height):
        for column in range(width):
            ndc = Gf.Vec2d(2 * (column + 0.5) / width - 1, 1 - 2 * (row + 0.5) / height)
            direction = frustum.ComputePickRay(ndc).direction
            if direction[2] < 0 and mode != "flat":
                distance = -eye[2] / direction[2]
                depth[row, column] = distance * Gf.Dot(direction, forward)
    if mode == "negative":
        depth = -depth
    grey = np.full((height, width), 0.18, np.float16)
    return {"grey": grey, "depth": depth, "instance": (depth != 0).astype(np.float32) * 3}


def write(path: Path, values: dict[str, np.ndarray], *, single: bool) -> None:
    header = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.scanlineimage}
    beauty = dict.fromkeys("RGBA", values["grey"])
    if single:
        channels = {**beauty, "depth.z": values["depth"], "instance.id": values["instance"]}
        OpenEXR.File(header, channels).write(str(path))
        return
    parts = [OpenEXR.Part({**header, "name": "C"}, {f"{c}": beauty[c] for c in beauty}, "C")]
    for name, channel in (("depth", "z"), ("instance", "id")):
        parts.append(OpenEXR.Part({**header, "name": name}, {channel: values[name]}, name))
    OpenEXR.File(parts).write(str(path))


if __name__ == "__main__":
    sys.exit(main())
