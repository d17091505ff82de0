"""Doctor's checks inside Houdini: names, a built and cooked network, one frame of Karma."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import hou
import numpy as np

from houdini_pdg.process import run
from houdini_pdg.render.base import CameraMotion, RenderJob
from houdini_pdg.render.config import KarmaConfig, RenderConfig
from houdini_pdg.render.exr import read_channels

from .build import op_node, set_parameters
from .doctor import Check, attempt
from .doctor_probes import (
    child_process,
    cook_two_items,
    index_below_a_failure,
    stage_python,
    time_limit,
)
from .surface import NODES, AnyScheduler, GenericGenerator, Node, Topnet, parameters

_PLANE_METRES = 3.0


def houdini_checks() -> list[Check]:
    """Everything that only a licensed installation can tell, in the order of `IN_HOUDINI`."""
    checks: dict[str, Callable[[], str]] = {
        "houdini version": hou.applicationVersionString,
        "licence": lambda: str(hou.licenseCategory()),
        **{f"node {node.TYPE}": partial(_check_node, node) for node in NODES},
        "menus filled by a script": _scripted_menus,
        "cook two items": cook_two_items,
        "index below a failed item": index_below_a_failure,
        "quoting and variables of a child": child_process,
        "unit of the time limit": time_limit,
        "files of another USD": _foreign_usd,
        "husk refuses a missing settings prim": _husk_exit_status,
        "karma depth of a plane, cpu": partial(_plane_depth, "cpu"),
        "karma depth of a plane, xpu": partial(_plane_depth, "xpu"),
    }
    return [attempt(name, check) for name, check in checks.items()]


def _check_node(node: type[Node]) -> str:
    """Create the node, look every parameter up and try every token that we set."""
    tasks = hou.node("/tasks")
    if tasks is None:
        raise RuntimeError("there is no /tasks network")
    topnet = tasks.createNode(Topnet.TYPE, "doctor")
    try:
        made = op_node(topnet if node is Topnet else topnet.createNode(node.TYPE))
        known = parameters(node)
        counters = {name: 1 for name in known if f"{name.rstrip('s')}1" in known}
        set_parameters(made, counters)
        missing = [name for name in known if made.parm(name) is None]
        if missing:
            raise RuntimeError(f"lacks {', '.join(missing)}")
        for name, tokens in known.items():
            for token in tokens:
                set_parameters(made, {name: token})
        kind = "scheduler" if issubclass(node, AnyScheduler) else "node"
        return f"{kind} with {len(known)} parameters as expected"
    finally:
        topnet.destroy()


def _scripted_menus() -> str:
    """Tokens that no dump holds, because a script fills the menu; we leave both at Automatic."""
    tasks = hou.node("/tasks")
    if tasks is None:
        raise RuntimeError("there is no /tasks network")
    topnet = tasks.createNode(Topnet.TYPE, "doctor")
    try:
        node = op_node(topnet.createNode(GenericGenerator.TYPE))
        found = []
        for name in (GenericGenerator.CACHE_MODE, GenericGenerator.GENERATION):
            parm = node.parm(name)
            found.append(f"{name}: {', '.join(parm.menuItems()) if parm else 'missing'}")
        return "; ".join(found)
    finally:
        topnet.destroy()


_WRITE_CRATE = """import sys
from pxr import Usd, UsdGeom
stage = Usd.Stage.CreateNew(sys.argv[1])
prim = UsdGeom.Xform.Define(stage, "/World").GetPrim()
stage.SetDefaultPrim(prim)
looks = prim.GetVariantSets().AddVariantSet("look")
for name in ("oak", "white"):
    looks.AddVariant(name)
looks.SetVariantSelection("white")
move = UsdGeom.Xformable(prim).AddTranslateOp()
for frame in range(49):
    move.Set((frame, 0, 0), frame)
stage.Save()
"""


def _foreign_usd() -> str:
    """A crate file with variants and samples, written by the stages' USD, read by Houdini's."""
    from pxr import Usd

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.usdc"
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        command = [stage_python(), "-E", "-s", "-c", _WRITE_CRATE, str(path)]
        subprocess.run(command, check=True, env=environment, capture_output=True)
        stage = Usd.Stage.Open(str(path))
        prim = stage.GetDefaultPrim()
        chosen = prim.GetVariantSet("look").GetVariantSelection()
        last = tuple(prim.GetAttribute("xformOp:translate").Get(48))
        if chosen != "white" or last != (48, 0, 0):
            raise RuntimeError(f"read back variant {chosen!r} and position {last}")
        return f"USD {'.'.join(map(str, Usd.GetVersion()))} reads what {stage_python()} wrote"


def _husk_exit_status() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.usda"
        path.write_text('#usda 1.0\ndef Xform "World" {\n}\n')
        argv = ["husk", "--settings", "/Render/none", "--output", f"{folder}/x.%04d.exr", str(path)]
        finished = run(argv, timeout=300)
        return f"status {finished.returncode}: {' | '.join(finished.tail[-2:])}"


def _plane_depth(engine: Literal["cpu", "xpu"]) -> str:
    """Our reader on a plane at a known distance; sign and background of ray:hitPz as written."""
    from houdini_pdg.render.karma import KarmaRenderer

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "plane.usda").write_text(_PLANE)
        camera = CameraMotion(
            intrinsics=np.array([[[64.0, 0, 32], [0, 64, 32], [0, 0, 1]]]),
            world_from_camera=np.eye(4)[None],
        )
        job = RenderJob(
            stage=root / "plane.usda",
            out=root / "out",
            cameras={"cam0": camera},
            frames=1,
            height=64,
            width=64,
            fps=24.0,
            start=0.0,
            seed=0,
            instances={"/World/Room/plane": 1},
            config=RenderConfig(renderer="karma", timeout_minutes=10),
        )
        renderer = KarmaRenderer(KarmaConfig(engine=engine, samples=4))
        renderer.render(job, lambda done, total: None)
        frame = renderer.read_frame(root / "out", "cam0", 0)
        error = abs(float(frame.depth[32, 32]) - _PLANE_METRES)
        if error > 1e-3:
            raise RuntimeError(f"depth at the centre is {frame.depth[32, 32]}, expected 3.0")
        raw = read_channels(next((root / "out").rglob("frame.*.exr")))
        name = next(name for name in raw if name.startswith("depth"))
        ids = None if frame.instance_id is None else np.unique(frame.instance_id).tolist()
        return (
            f"off by {error:.2e} m; {name} is {raw[name][32, 32]:g} at the centre and "
            f"{raw[name][1, 1]:g} behind everything; ids {ids}; {renderer.version()}"
        )


# A 2 m square, 3 m along the camera's +z; the camera stands at the origin with OpenCV axes.
_PLANE = """#usda 1.0
(
    defaultPrim = "World"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "World" {
    def Xform "Room" {
        def Mesh "plane" {
            int[] faceVertexCounts = [4]
            int[] faceVertexIndices = [0, 1, 2, 3]
            point3f[] points = [(-1, -1, 3), (1, -1, 3), (1, 1, 3), (-1, 1, 3)]
        }
    }
    def DomeLight "sky" {
        float inputs:intensity = 1
    }
}
"""
