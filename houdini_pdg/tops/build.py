"""Build the TOP network of a plan: one node per stage of the graph, wired as the graph says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import hou

from houdini_pdg.graph import GRAPH, SCENE_STAGES, StageDef
from houdini_pdg.plan import Plan

from .schedulers import NetworkOptions, Value, scheduler_parameters
from .surface import (
    SCHEDULERS,
    GenericGenerator,
    LocalScheduler,
    PythonProcessor,
    Topnet,
    WaitForAll,
)


class SurfaceError(ValueError):
    """This Houdini lacks a node type, parameter or token that the network needs."""


@dataclass(frozen=True)
class Network:
    """The built network: the ``topnet``, its nodes by stage name, the one that ends it, and the
    data set that it mints."""

    topnet: hou.OpNode
    stages: dict[str, hou.TopNode]
    last: hou.TopNode
    root: Path


def build_network(plan: Plan, options: NetworkOptions, parent: str = "/tasks") -> Network:
    """Create the network under ``parent``.

    Raises:
        SurfaceError: a node type, parameter or menu token does not exist in this Houdini.
    """
    container = hou.node(parent)
    if container is None:
        raise SurfaceError(f"there is no network {parent} to build in")
    topnet = op_node(create_node(container, Topnet.TYPE, "scaling4d"))
    cpu, render = _schedulers(topnet, plan.root, options)
    set_parameters(topnet, {Topnet.SCHEDULER: cpu.path(), Topnet.SAVE_SCENE: 0})
    scenes = top_node(create_node(topnet, PythonProcessor.TYPE, "scenes"))
    set_parameters(scenes, {PythonProcessor.GENERATE: generate_text(plan, options)})
    upstream, stages = scenes, {"scenes": scenes}
    for stage in SCENE_STAGES:
        node = top_node(create_node(topnet, GenericGenerator.TYPE, stage.name))
        node.setInput(0, upstream)
        set_parameters(node, scene_parameters(stage, options))
        if stage.renders:
            set_parameters(node, {GenericGenerator.SCHEDULER: render.path()})
        upstream = stages[stage.name] = node
    barrier = top_node(create_node(topnet, WaitForAll.TYPE, "barrier"))
    barrier.setInput(0, upstream)
    set_parameters(
        barrier,
        {
            WaitForAll.WHEN: WaitForAll.WHEN_COOKED,
            WaitForAll.IGNORE_FAILURES: 1,
            WaitForAll.MERGE_OUTPUTS: WaitForAll.MERGE_NOTHING,
        },
    )
    last = next(stage for stage in GRAPH if stage.fan == "all")
    index = top_node(create_node(topnet, GenericGenerator.TYPE, last.name))
    index.setInput(0, barrier)
    set_parameters(index, index_parameters(plan, last, options))
    index.setDisplayFlag(True)
    topnet.layoutChildren()
    return Network(topnet, {**stages, "barrier": barrier, last.name: index}, index, plan.root)


def generate_text(plan: Plan, options: NetworkOptions) -> str:
    """Body of the node that makes the items: one import, one call."""
    path = (plan.root / "plan.json").as_posix()
    return (
        "from houdini_pdg.tops import callbacks\n"
        f"callbacks.add_scenes(item_holder, {path!r}, {options.first!r}, {options.last!r})\n"
    )


def command(options: NetworkOptions, stage: StageDef, item: str) -> str:
    """The stage's command line, free of shell syntax; -E -s keep Houdini's Python out of it."""
    return f'"{options.python}" -E -s -m houdini_pdg stage {stage.name} --item "{item}"'


def scene_parameters(stage: StageDef, options: NetworkOptions) -> dict[str, Value]:
    return {
        **_common(command(options, stage, "`@item_json`")),
        GenericGenerator.OUTPUTS_FROM: GenericGenerator.OUTPUTS_FROM_ATTRIBUTE,
        GenericGenerator.OUTPUT_ATTRIBUTE: f"done_{stage.name}",
        GenericGenerator.USE_TAG: 1,
        GenericGenerator.TAG: "file/json",
    }


def index_parameters(plan: Plan, stage: StageDef, options: NetworkOptions) -> dict[str, Value]:
    """Literals only: nothing depends on how a partition merges attributes."""
    return {
        **_common(command(options, stage, (plan.root / "plan.json").as_posix())),
        GenericGenerator.OUTPUTS_FROM: GenericGenerator.OUTPUTS_FROM_LIST,
        GenericGenerator.OUTPUT_COUNT: 1,
        GenericGenerator.OUTPUT_FIRST: plan.index_marker.as_posix(),
    }


def _common(text: str) -> dict[str, Value]:
    return {
        GenericGenerator.COMMAND_KIND: GenericGenerator.COMMAND_KIND_TEXT,
        GenericGenerator.SHELL: 0,
        GenericGenerator.PLATFORM: 0,
        GenericGenerator.COUNT: 1,
        GenericGenerator.COMMAND: text,
    }


def _schedulers(
    topnet: hou.OpNode, root: Path, options: NetworkOptions
) -> tuple[hou.OpNode, hou.OpNode]:
    """The scheduler for ordinary stages and the one for renders.

    A new network brings a local scheduler along; it is used or removed, never left unconfigured.
    """
    kind = SCHEDULERS[options.scheduler].TYPE
    for child in topnet.children():
        if child.type().name() == LocalScheduler.TYPE:
            child.destroy()
    nodes = []
    for name, renders in (("sched_cpu", False), ("sched_render", True)):
        node = op_node(create_node(topnet, kind, name))
        set_parameters(node, scheduler_parameters(options, root, renders=renders))
        nodes.append(node)
    return nodes[0], nodes[1]


def set_parameters(node: hou.OpNode, values: Mapping[str, Value]) -> None:
    """Set parameters in order, refusing names and menu tokens that this Houdini does not have.

    Houdini itself would ignore an unknown token in silence. A counter of multiparm entries must
    stand before its entries.

    Raises:
        SurfaceError: naming the node, the parameter and what it does know.
    """
    for name, value in values.items():
        parm = node.parm(name)
        if parm is None:
            raise SurfaceError(f"{node.path()} ({node.type().name()}) has no parameter {name!r}")
        parm.set(_fitting(parm, value, f"{node.path()}/{name}"))


def _fitting(parm: hou.Parm, value: Value, where: str) -> Value:
    """The value as the parameter's kind takes it; one from the command line is text."""
    template = parm.parmTemplate()
    if isinstance(template, hou.MenuParmTemplate):
        tokens = parm.menuItems()
        if value not in tokens:
            raise SurfaceError(f"{where} has no token {value!r}, it has {', '.join(tokens)}")
    elif isinstance(value, str) and not isinstance(template, hou.StringParmTemplate):
        try:
            return int(value) if value.lstrip("-").isdigit() else float(value)
        except ValueError as error:
            raise SurfaceError(
                f"{where} takes a number (a toggle 0 or 1), got {value!r}"
            ) from error
    return value


def create_node(parent: hou.Node, kind: str, name: str) -> hou.Node:
    """Create a node, or raise `SurfaceError` where this Houdini has no such type."""
    try:
        return parent.createNode(kind, name)
    except hou.OperationFailed as error:
        raise SurfaceError(f"this Houdini cannot create a {kind} in {parent.path()}") from error


def op_node(node: hou.Node) -> hou.OpNode:
    """The same node as one that has parameters."""
    if not isinstance(node, hou.OpNode):
        raise SurfaceError(f"{node.path()} has no parameters")
    return node


def top_node(node: hou.Node) -> hou.TopNode:
    """The same node as one of a TOP network."""
    if not isinstance(node, hou.TopNode):
        raise SurfaceError(f"{node.path()} is not a TOP node")
    return node
