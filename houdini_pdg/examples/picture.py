"""One picture of a minted data set: a column per scene, a row per camera.

``python -m houdini_pdg.examples.picture DATA --out rooms.jpg``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scaling4d.storage.scene_file import SceneFileError, open_scene
from scaling4d.storage.video import contact_sheet, fit_image, write_image


def compose_picture(
    scenes: Sequence[Path], *, tile: int, columns: int | None = None
) -> NDArray[np.uint8]:
    """Lay out stills of scene files, which have equally many cameras; (H, W, 3) uint8.

    Further rows show later moments: camera i of k is shown i / k of the clip after its start.
    """
    stacks = []
    for path in scenes:
        with open_scene(path) as scene:
            names = scene.camera_names
            frames = [index * scene.frames // len(names) for index in range(len(names))]
            stills = [scene.rgb(n, [f])[0] for n, f in zip(names, frames, strict=True)]
        stacks.append([fit_image(still, (tile, tile)) for still in stills])
    if len({len(stack) for stack in stacks}) != 1:
        raise ValueError("the scenes have different numbers of cameras: choose scenes of one run")
    rows = [stack[row] for row in range(len(stacks[0])) for stack in stacks]
    return contact_sheet(rows, columns=columns or len(stacks))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m houdini_pdg.examples.picture",
        description="Lay out stills of a minted data set: a column per scene, a row per camera.",
        epilog="example: python -m houdini_pdg.examples.picture SHOWCASE --out .github/rooms.jpg",
    )
    parser.add_argument("data", type=Path, help="folder that `python -m houdini_pdg mint` made")
    parser.add_argument("--out", type=Path, required=True, help="picture to write (.jpg or .png)")
    parser.add_argument("--scenes", type=int, default=8, help="at most so many scenes (8)")
    parser.add_argument("--tile", type=int, default=240, help="pixels per still (240)")
    parser.add_argument("--columns", type=int, help="stills per row (one per scene)")
    arguments = parser.parse_args(argv)
    try:
        if min(arguments.scenes, arguments.tile, arguments.columns or 1) < 1:
            raise ValueError("--scenes, --tile and --columns must be at least 1")
        scenes = sorted((arguments.data / "scenes").glob("*.h5"))[: arguments.scenes]
        if not scenes:
            raise ValueError(f"{arguments.data} holds no scenes/*.h5: mint it first")
        write_image(
            arguments.out, compose_picture(scenes, tile=arguments.tile, columns=arguments.columns)
        )
    except (ValueError, OSError, SceneFileError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
