"""Cook the network from hython without a window, and find out by ourselves whether it worked.

``cookWorkItems`` never raises for failed items, and a graph without items is a success to PDG:
the node's errors, the PDG node's errors, the cook-error events and the state of every item are
all looked at (houdini.md section 1.4).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, cast

import hou
import pdg

from houdini_pdg.graph import SCENE_STAGES

from .build import Network

log = logging.getLogger(__name__)


class _PdgAccess(Protocol):
    """Two methods of ``hou.TopNode`` that exist in Houdini but not in its type stub."""

    def getPDGNode(self) -> pdg.Node | None: ...  # noqa: N802 - Houdini's name

    def getPDGGraphContext(self) -> pdg.GraphContext | None: ...  # noqa: N802 - Houdini's name


@dataclass(frozen=True)
class CookReport:
    """Problems, one sentence each, and how many items of each stage were cooked or cached."""

    problems: tuple[str, ...]
    cooked: dict[str, int]

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
    for stage in SCENE_STAGES:
        node = cast(_PdgAccess, network.stages[stage.name]).getPDGNode()
        problems += _stage_problems(stage.name, node, expected)
        cooked[stage.name] = _count_good(node.workItems if node else ())
    return CookReport(tuple(problems), cooked)


def _node_errors(network: Network) -> list[str]:
    return [f"{node.path()}: {text}" for node in network.stages.values() for text in node.errors()]


def _stage_problems(name: str, node: pdg.Node | None, expected: int) -> list[str]:
    if node is None:
        return [f"stage {name} has no PDG node"]
    problems = [f"stage {name} reports errors"] if node.hasErrors else []
    items = list(node.workItems)
    if len(items) != expected:
        problems.append(f"stage {name} made {len(items)} items, expected {expected}")
    for item in items:
        if not _is_good(item):
            text = "; ".join(str(message) for message in item.logMessages) or "no message"
            problems.append(f"{item.name} is {item.state}: {text} (log: {item.logURI})")
    return problems


def _count_good(items: Iterable[pdg.WorkItem]) -> int:
    return sum(_is_good(item) for item in items)


def _is_good(item: pdg.WorkItem) -> bool:
    return item.state in (pdg.workItemState.CookedSuccess, pdg.workItemState.CookedCache)


def save(path: str) -> None:
    """Save the scene, before cooking: our graph has no node that needs the scene file."""
    hou.hipFile.save(path)
