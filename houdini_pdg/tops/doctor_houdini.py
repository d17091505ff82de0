"""Doctor's checks inside Houdini: names, a built and cooked network, one frame of Karma."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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
_SCHEMA_FOLDER = Path(__file__).resolve().parents[2] / "assets_schema" / "schema"


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
        "schema of the assets": _schema,
        "asset of a library": _library_asset,
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
        _in_stage_python(_WRITE_CRATE, path)
        stage = Usd.Stage.Open(str(path))
        prim = stage.GetDefaultPrim()
        chosen = prim.GetVariantSet("look").GetVariantSelection()
        last = tuple(prim.GetAttribute("xformOp:translate").Get(48))
        if chosen != "white" or last != (48, 0, 0):
            raise RuntimeError(f"read back variant {chosen!r} and position {last}")
        return f"USD {'.'.join(map(str, Usd.GetVersion()))} reads what {stage_python()} wrote"


def _in_stage_python(code: str, path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    command = [stage_python(), "-E", "-s", "-c", code, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{stage_python()} cannot write it: {done.stderr.strip()[-200:]}")


_USE_SCHEMA = """from pxr import Usd
stage = Usd.Stage.CreateInMemory()
prim = stage.DefinePrim("/World")
known = Usd.SchemaRegistry().FindAppliedAPIPrimDefinition("S4DAssetAPI") is not None
print(known and prim.ApplyAPI("S4DAssetAPI") and prim.GetAttribute("s4d:asset:frontAxis").Get())
"""


def _schema() -> str:
    """S4DAssetAPI and a fallback of it in a fresh hython with the plug-in path of the package file:
    USD collects its schemas once, so that this process may be too late to register them."""
    name = "PXR_PLUGINPATH_NAME"
    given = os.environ.get(name, "")
    environment = {**os.environ, name: f"{_SCHEMA_FOLDER}{os.pathsep}{given}".strip(os.pathsep)}
    command = [shutil.which("hython") or sys.executable, "-c", _USE_SCHEMA]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    if done.stdout.strip().splitlines()[-1:] != ["-y"]:
        raise RuntimeError(f"no S4DAssetAPI from {_SCHEMA_FOLDER}: {done.stdout}{done.stderr}")
    loaded = _SCHEMA_FOLDER in (Path(p).resolve() for p in given.split(os.pathsep) if p)
    return f"S4DAssetAPI is found; the package file is {'' if loaded else 'not '}in use"


_WRITE_ASSET = """import sys
from pathlib import Path
from assets_schema.library.light_rigs import LIGHT_RIGS, write_light_rig
write_light_rig(LIGHT_RIGS[0], Path(sys.argv[1]))
"""


def _library_asset() -> str:
    """An asset as the library writes it: its schema, variants and light, in Houdini's USD."""
    from pxr import Usd

    with tempfile.TemporaryDirectory() as folder:
        _in_stage_python(_WRITE_ASSET, Path(folder))
        path = next(Path(folder).glob("light_rig/*/asset.usda"))
        stage = Usd.Stage.Open(str(path))
        prim = stage.GetDefaultPrim()
        schemas = prim.GetMetadata("apiSchemas").GetAppliedItems()  # known to this USD or not
        if "S4DAssetAPI" not in schemas:
            raise RuntimeError(f"{path.name} applies {', '.join(schemas)}")
        category = prim.GetAttribute("s4d:asset:category").Get()
        variants = prim.GetVariantSet("light").GetVariantNames()
        prims = sum(1 for _ in Usd.PrimRange(prim))
        if category != "light_rig" or not variants or prims < 2:
            raise RuntimeError(f"read back category {category!r}, variants {variants}")
        return f"{path.name}: {category}, {len(variants)} variants, {prims} prims"


def _husk_exit_status() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.usda"
        path.write_text('#usda 1.0\ndef Xform "World" {\n}\n')
        argv = ["husk", "--settings", "/Render/none", "--output", f"{folder}/x.%04d.exr", str(path)]
        finished = run(argv, timeout=300)
        return f"status {finished.returncode}: {' | '.join(finished.tail[-2:])}"


def _plane_depth(engine: Literal["cpu", "xpu"]) -> str:
    """Our reader on two frames of a plane at a known distance, from one husk call; sign and
    background of ray:hitPz as written."""
    from houdini_pdg.render.karma import KarmaRenderer

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "plane.usda").write_text(_PLANE)
        camera = CameraMotion(
            intrinsics=np.tile([[64.0, 0, 32], [0, 64, 32], [0, 0, 1]], (2, 1, 1)),
            world_from_camera=np.tile(np.eye(4), (2, 1, 1)),
        )
        job = RenderJob(
            stage=root / "plane.usda",
            out=root / "out",
            cameras={"cam0": camera},
            frames=2,
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
        frame, second = (renderer.read_frame(root / "out", "cam0", k) for k in range(2))
        depths = [float(each.depth[32, 32]) for each in (frame, second)]
        error = max(abs(depth - _PLANE_METRES) for depth in depths)
        if not error <= 1e-3:
            raise RuntimeError(f"depth at the centre is {depths}, expected {_PLANE_METRES}")
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
