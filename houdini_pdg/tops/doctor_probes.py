"""Doctor's small experiments in PDG: what a child process gets, time limits, failed items."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hou

from houdini_pdg.files import write_json
from houdini_pdg.plan import make_plan, read_item, write_plan
from houdini_pdg.spec import parse_spec

from .build import build_network, create_node, op_node, set_parameters, top_node
from .cook import cook
from .schedulers import NetworkOptions, Value, scheduler_parameters
from .surface import GenericGenerator, JobEnvironment, LocalScheduler, PythonProcessor, Topnet

_TIME_LIMIT = 5.0
_PROBE_SECONDS = 60.0  # how long a command lasts that the limit should end

# Tells what it was given; sleeps when asked to.
_PROBE = """import json, os, sys, time
out, seconds = sys.argv[1], float(sys.argv[2])
time.sleep(seconds)
with open(out, "w") as stream:
    json.dump({"argv": sys.argv[3:], "environment": sorted(os.environ), "cwd": os.getcwd(),
               "python": sys.version.split()[0]}, stream)
"""


def stage_python() -> str:
    """Python for the stages: the variable SCALING4D_PYTHON, or the one running."""
    return os.environ.get("SCALING4D_PYTHON", sys.executable)


def child_process() -> str:
    """Quoting of ``pdg_command`` without a shell, variables that a child inherits, and whether
    ``local_envunset`` takes names separated by spaces."""
    marks = ("SCALING4D_DOCTOR_A", "SCALING4D_DOCTOR_B")
    os.environ.update(dict.fromkeys(marks, "1"))
    try:
        seen = _probe({LocalScheduler.UNSET: f"PYTHONPATH PYTHONHOME {' '.join(marks)}"}, 0.0)
    finally:
        for name in marks:
            os.environ.pop(name, None)
    if seen is None:
        raise RuntimeError("the command did not run; look at the item's log")
    if seen["argv"] != ["two words", "plain", "a=b"]:
        raise RuntimeError(f"quoted arguments arrived as {seen['argv']}")
    left = [name for name in (*marks, "PYTHONPATH", "PYTHONHOME") if name in seen["environment"]]
    if left:
        raise RuntimeError(f"unset variables arrived: {', '.join(left)}; the separator is no space")
    if JobEnvironment.ITEM_NAME not in seen["environment"]:
        raise RuntimeError(
            f"a command does not see {JobEnvironment.ITEM_NAME}: one that fails in a graph cooked "
            "from the window will not set its scene aside"
        )
    inherited = [n for n in ("LD_LIBRARY_PATH", "VIRTUAL_ENV", "HFS") if n in seen["environment"]]
    return f"quotes and unset variables as expected; inherits {', '.join(inherited) or 'none'}"


def time_limit() -> str:
    """Whether ``local_maxtime`` is in seconds: a command of a minute must be killed after five."""
    limits: dict[str, Value] = {
        LocalScheduler.USE_TIME_LIMIT: 1,
        LocalScheduler.TIME_LIMIT: _TIME_LIMIT,
        LocalScheduler.EXIT_HANDLING: LocalScheduler.EXIT_ERROR,
    }
    started = time.monotonic()
    seen = _probe(limits, _PROBE_SECONDS)
    seconds = time.monotonic() - started
    what = f"a command of {_PROBE_SECONDS:g} s"
    if seen is not None or seconds > 0.75 * _PROBE_SECONDS:
        raise RuntimeError(f"a limit of {_TIME_LIMIT:g} did not end {what}")
    return f"a limit of {_TIME_LIMIT:g} ended {what} after {seconds:.0f} s: its unit is seconds"


def index_below_a_failure() -> str:
    """Whether the barrier lets the index cook when an item above it failed (both are handled), and
    what is read in the log of the failed item."""
    with tempfile.TemporaryDirectory(prefix="scaling4d_doctor_") as folder:
        plan = make_plan(parse_spec({"scenes": 2, "cameras": 1, "frames": 1}), Path(folder))
        write_plan(plan)
        _reject(plan.item_path(plan.scenes[0].scene_id))
        plan.item_path(plan.scenes[1].scene_id).write_text("{}")  # refused by every stage
        network = build_network(plan, NetworkOptions(python=stage_python()))
        try:
            report = cook(network, len(plan.scenes))
        finally:
            network.topnet.destroy()
        if report.succeeded:
            raise RuntimeError("a failed item was not reported")
        if report.cooked["pack"] != 1:
            raise RuntimeError(f"one of two scenes should have ended, got {report.cooked}")
        said = "; ".join(failure.message for failure in report.failures)
        by_itself = "yes" if plan.index_marker.is_file() else "no"
        return f"the index cooks by itself: {by_itself}; the failed item said: {said}"


def cook_two_items() -> str:
    """Two planned scenes whose stages only pass a rejection on: real items, no heavy work."""
    with tempfile.TemporaryDirectory(prefix="scaling4d_doctor_") as folder:
        plan = make_plan(parse_spec({"scenes": 2, "cameras": 1, "frames": 1}), Path(folder))
        write_plan(plan)
        for scene in plan.scenes:
            _reject(plan.item_path(scene.scene_id))
        network = build_network(plan, NetworkOptions(python=stage_python()))
        try:
            report = cook(network, len(plan.scenes))
        finally:
            network.topnet.destroy()
        if report.problems:
            raise RuntimeError("; ".join(report.problems[:4]))
        return f"cooked {report.cooked} with {stage_python()}"


def _reject(item_path: Path) -> None:
    verdict = {"status": "rejected", "report": {"reason": "doctor"}, "outputs": {}}
    write_json(read_item(item_path).marker("layout"), verdict)


def _probe(settings: Mapping[str, Value], seconds: float) -> dict[str, Any] | None:
    """Run the probe as one item of a network of its own; None when it left nothing."""
    tasks = hou.node("/tasks")
    if tasks is None:
        raise RuntimeError("there is no /tasks network")
    with tempfile.TemporaryDirectory(prefix="scaling4d_doctor_") as folder:
        root = Path(folder)
        (root / "probe.py").write_text(_PROBE)
        out = root / "seen.json"
        topnet = op_node(create_node(tasks, Topnet.TYPE, "doctor"))
        try:
            options = NetworkOptions(python=stage_python(), extra=dict(settings))
            scheduler = op_node(create_node(topnet, LocalScheduler.TYPE, "sched"))
            set_parameters(scheduler, scheduler_parameters(options, root, renders=False))
            set_parameters(topnet, {Topnet.SCHEDULER: scheduler.path(), Topnet.SAVE_SCENE: 0})
            item = top_node(create_node(topnet, PythonProcessor.TYPE, "item"))
            generate = "item_holder.addWorkItem(name='probe', index=0)\n"
            set_parameters(item, {PythonProcessor.GENERATE: generate})
            node = top_node(create_node(topnet, GenericGenerator.TYPE, "probe"))
            node.setInput(0, item)
            command = (
                f'"{options.python}" -E -s "{(root / "probe.py").as_posix()}" '
                f'"{out.as_posix()}" {seconds:g} "two words" plain a=b'
            )
            set_parameters(
                node,
                {
                    GenericGenerator.COMMAND_KIND: GenericGenerator.COMMAND_KIND_TEXT,
                    GenericGenerator.SHELL: 0,
                    GenericGenerator.PLATFORM: 0,
                    GenericGenerator.COUNT: 1,
                    GenericGenerator.COMMAND: command,
                    GenericGenerator.OUTPUTS_FROM: GenericGenerator.OUTPUTS_FROM_LIST,
                    GenericGenerator.OUTPUT_COUNT: 1,
                    GenericGenerator.OUTPUT_FIRST: out.as_posix(),
                },
            )
            node.cookWorkItems(block=True)
        finally:
            topnet.destroy()
        if not out.is_file():
            return None
        seen: dict[str, Any] = json.loads(out.read_text())
        return seen
