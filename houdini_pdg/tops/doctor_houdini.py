"""Doctor's checks inside Houdini: names, a built and cooked network, one frame of Karma."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import hou
import numpy as np

from houdini_pdg.files import write_json
from houdini_pdg.plan import make_plan, read_item, write_plan
from houdini_pdg.process import run
from houdini_pdg.render.base import CameraMotion, RenderJob
from houdini_pdg.render.config import KarmaConfig, RenderConfig
from houdini_pdg.spec import parse_spec

from .build import build_network, set_parameters
from .cook import cook
from .doctor import Check, attempt
from .schedulers import NetworkOptions
from .surface import NODES, AnyScheduler, Node, Topnet, parameters

_PLANE_METRES = 3.0


def houdini_checks() -> list[Check]:
    """Everything that only a licensed installation can tell."""
    checks = [
        attempt("houdini version", hou.applicationVersionString),
        attempt("licence", lambda: str(hou.licenseCategory())),
        attempt("variables a child inherits", _leaking_variables),
    ]
    checks += [attempt(f"node {node.TYPE}", partial(_check_node, node)) for node in NODES]
    checks.append(attempt("cook two items", _cook_two_items))
    checks.append(attempt("husk refuses a missing settings prim", _husk_exit_status))
    checks.append(attempt("karma depth of a plane 3 m away", _plane_depth))
    return checks


def _leaking_variables() -> str:
    names = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
    return ", ".join(f"{name}={'set' if os.environ.get(name) else 'unset'}" for name in names)


def _check_node(node: type[Node]) -> str:
    """Create the node, look every parameter up and try every token that we set."""
    tasks = hou.node("/tasks")
    if tasks is None:
        raise RuntimeError("there is no /tasks network")
    topnet = tasks.createNode(Topnet.TYPE, "doctor")
    try:
        made = topnet if node is Topnet else topnet.createNode(node.TYPE)
        if not isinstance(made, hou.OpNode):
            raise RuntimeError(f"{node.TYPE} has no parameters")
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


def _cook_two_items() -> str:
    """Two planned scenes whose stages only pass a rejection on: real items, no heavy work."""
    with tempfile.TemporaryDirectory(prefix="scaling4d_doctor_") as folder:
        plan = make_plan(parse_spec({"scenes": 2, "cameras": 1, "frames": 1}), Path(folder))
        write_plan(plan)
        for scene in plan.scenes:
            item = read_item(plan.item_path(scene.scene_id))
            verdict = {"status": "rejected", "report": {"reason": "doctor"}, "outputs": {}}
            write_json(item.marker("layout"), verdict)
        python = os.environ.get("SCALING4D_PYTHON", sys.executable)
        network = build_network(plan, NetworkOptions(python=python))
        try:
            report = cook(network, len(plan.scenes))
        finally:
            network.topnet.destroy()
        if report.problems:
            raise RuntimeError("; ".join(report.problems[:4]))
        return f"cooked {report.cooked} with {python} (set SCALING4D_PYTHON for another)"


def _husk_exit_status() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.usda"
        path.write_text('#usda 1.0\ndef Xform "World" {\n}\n')
        argv = ["husk", "--settings", "/Render/none", "--output", f"{folder}/x.%04d.exr", str(path)]
        finished = run(argv, timeout=300)
        return f"status {finished.returncode}: {' | '.join(finished.tail[-2:])}"


def _plane_depth() -> str:
    """Sign and background of ray:hitPz, and our reader, on a plane at a known distance."""
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
        renderer = KarmaRenderer(KarmaConfig(samples=4))
        renderer.render(job, lambda done, total: None)
        frame = renderer.read_frame(root / "out", "cam0", 0)
        error = abs(float(frame.depth[32, 32]) - _PLANE_METRES)
        if error > 1e-3:
            raise RuntimeError(f"depth at the centre is {frame.depth[32, 32]}, expected 3.0")
        outside = float(frame.depth[1, 1])
        ids = None if frame.instance_id is None else np.unique(frame.instance_id).tolist()
        return f"off by {error:.2e} m, background {outside}, ids {ids}, {renderer.version()}"


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
