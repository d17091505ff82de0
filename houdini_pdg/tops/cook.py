"""Cook the network from hython without a window, and find out by ourselves whether it worked.

``cookWorkItems`` never raises for failed items, and a graph without items is a success to PDG:
the node's errors, the PDG node's errors, the cook-error events and the state of every item are
all looked at (houdini.md section 1.4).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

import hou
import pdg

from houdini_pdg.graph import SCENE_STAGES
from houdini_pdg.quarantine import Failure, last_line, quarantine_path, read_failure

from .build import Network

log = logging.getLogger(__name__)


class _PdgAccess(Protocol):
    """Two methods of ``hou.TopNode`` that exist in Houdini but not in its type stub."""

    def getPDGNode(self) -> pdg.Node | None: ...  # noqa: N802 - Houdini's name

    def getPDGGraphContext(self) -> pdg.GraphContext | None: ...  # noqa: N802 - Houdini's name


@dataclass(frozen=True)
class CookReport:
    """Problems, one sentence each, how many items of each stage were cooked or cached, and the
    scenes that failed, to be set aside."""

    problems: tuple[str, ...]
    cooked: dict[str, int]
    failures: tuple[Failure, ...] = ()

    @property
    def succeeded(self) -> bool:
        return not self.problems


def cook(network: Network, expected: int) -> CookReport:
    """Cook everything and report.

    Args:
        network: built by `build_network`.
        expected: number of scenes, more than zero.

    Raises:
        ValueError: there is nothing to cook.
    """
    if expected < 1:
        raise ValueError("the plan has no scenes in the chosen range: nothing to cook")
    last = network.last
    last.cookWorkItems(block=True, tops_only=True)
    context = cast(_PdgAccess, last).getPDGGraphContext()
    if context is None:
        return CookReport(("the network made no PDG graph", *_node_errors(network)), {})
    messages: list[str] = []

    def on_event(event: pdg.Event) -> None:
        messages.append(event.message)  # runs on a worker thread: no hou here

    handler = context.addEventHandler(on_event, pdg.EventType.CookError)
    try:
        last.cookWorkItems(block=True, save_prompt=False)
        context.waitAllEvents()
    finally:
        context.removeEventHandler(handler)
    problems = [*_node_errors(network), *(f"cook error: {text}" for text in messages)]
    cooked: dict[str, int] = {}
    failures: list[Failure] = []
    for stage in SCENE_STAGES:
        node = cast(_PdgAccess, network.stages[stage.name]).getPDGNode()
        items = list(node.workItems) if node else []
        problems += _stage_problems(stage.name, node, expected)
        cooked[stage.name] = _count_good(items)
        failures += [
            _failure(stage.name, item, network.root)
            for item in items
            if item.state is pdg.workItemState.CookedFail
        ]
    return CookReport(tuple(problems), cooked, tuple(failures))


def _node_errors(network: Network) -> list[str]:
    return [f"{node.path()}: {text}" for node in network.stages.values() for text in node.errors()]


def _stage_problems(name: str, node: pdg.Node | None, expected: int) -> list[str]:
    if node is None:
        return [f"stage {name} has no PDG node"]
    problems = [f"stage {name} reports errors"] if node.hasErrors else []
    items = list(node.workItems)
    if len(items) != expected:
        problems.append(f"stage {name} made {len(items)} items, expected {expected}")
    return problems + [
        f"{item.name} is {item.state}: {_messages(item)} (log: {item.logURI})"
        for item in items
        if not _is_good(item)
    ]


def _failure(stage: str, item: pdg.WorkItem, root: Path) -> Failure:
    """Why an item failed: the last line of its log, where this machine can read it; else what the
    command has recorded itself; else what PDG says. PDG does not tell how often it tried."""
    scene_id = item.stringAttribValue("scene_id")
    log = _local_path(item.logURI)
    said = last_line(log) if log else ""
    if not said and quarantine_path(root, scene_id).is_file():
        record = read_failure(root, scene_id)
        if record.stage == stage:
            return record
    place = item.logURI if log is None else _within(log, root)
    return Failure(scene_id=scene_id, stage=stage, message=said or _messages(item), log=place)


def _messages(item: pdg.WorkItem) -> str:
    return "; ".join(str(message) for message in item.logMessages) or "no message"


def _local_path(uri: str) -> Path | None:
    """The file behind an item's log address, which may be a path, or be on another machine."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return Path(uri) if uri and not parts.scheme else None


def _within(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _count_good(items: Iterable[pdg.WorkItem]) -> int:
    return sum(_is_good(item) for item in items)


def _is_good(item: pdg.WorkItem) -> bool:
    return item.state in (pdg.workItemState.CookedSuccess, pdg.workItemState.CookedCache)


def save(path: str) -> None:
    """Save the scene, before cooking: our graph has no node that needs the scene file."""
    hou.hipFile.save(path)
