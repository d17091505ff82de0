# ruff: noqa: N802, N815, N816 - Houdini's names
"""A strict, recording stand-in for ``hou`` and ``pdg``: only what the fact table lists exists.

Unlike a mock it raises on every node type, parameter, menu token, value kind and work item method
that the dump of the chosen Houdini version does not have. It cooks a network the way PDG does:
static items from the processor, attributes inherited one to one, back-quoted attributes replaced
in commands, an item with its expected outputs in place cached, dependents of a failure left alone.
"""

from __future__ import annotations

import contextlib
import enum
import json
import logging
import os
import re
import shlex
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from houdini_pdg.tops.surface import JobEnvironment

FACTS = json.loads((Path(__file__).parent / "facts.json").read_text())

Command = Callable[[list[str]], int]


class UnknownToHoudini(AssertionError):  # noqa: N818 - a verdict on the code under test
    """The code asked for something that this Houdini does not have."""


def version_at_least(since: str, version: str) -> bool:
    return [int(part) for part in since.split(".")] <= [int(part) for part in version.split(".")]


class OperationFailed(Exception):  # noqa: N818 - Houdini's name
    pass


class ParmTemplate:
    pass


class MenuParmTemplate(ParmTemplate):
    pass


class StringParmTemplate(ParmTemplate):
    pass


class Parm:
    def __init__(self, node: Node, name: str, fact: dict[str, Any]) -> None:
        self._node, self._name, self._fact = node, name, fact

    def parmTemplate(self) -> ParmTemplate:
        kinds = {"Menu": MenuParmTemplate, "String": StringParmTemplate}
        return kinds.get(self._fact["kind"], ParmTemplate)()

    def menuItems(self) -> tuple[str, ...]:
        if self._fact["kind"] != "Menu":
            raise OperationFailed(f"{self._name} is no menu")
        return tuple(self._fact.get("tokens", ()))

    def set(self, value: object) -> None:
        kind = self._fact["kind"]
        kinds = {
            "Toggle": (bool, int),
            "Int": (int,),
            "Counter": (int,),
            "Float": (int, float),
            "String": (str,),
            "Menu": (str,),
        }
        if not isinstance(value, kinds[kind]):
            raise UnknownToHoudini(f"{self._name} is a {kind}, not {value!r}")
        if kind == "Toggle" and value not in (0, 1):
            raise UnknownToHoudini(f"{self._name} is a toggle, not {value!r}")
        if kind == "Menu" and value not in self._fact.get("tokens", ()):
            raise UnknownToHoudini(f"{self._name} has no token {value!r}")
        self._node.values[self._name] = value


class NodeType:
    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        return self._name


class Node:
    """hou.Node, hou.OpNode and hou.TopNode in one; the module gives the three names to it."""

    def __init__(self, host: Host, parent: Node | None, kind: str, name: str) -> None:
        self.host, self.parent_node, self.kind = host, parent, kind
        self.name_text, self.values, self.kids = name, {}, []
        self.input_nodes: dict[int, Node] = {}
        self.pdg_node: PdgNode | None = None
        if parent is not None:
            parent.kids.append(self)

    def type(self) -> NodeType:
        return NodeType(self.kind)

    def path(self) -> str:
        above = self.parent_node.path().rstrip("/") if self.parent_node else ""
        return f"{above}/{self.name_text}" if self.parent_node else "/"

    def children(self) -> tuple[Node, ...]:
        return tuple(self.kids)

    def createNode(self, kind: str, name: str | None = None) -> Node:
        known = {"topnet"} if self.kind == "tasks" else set(FACTS["top_types"][self.host.version])
        if kind not in known:
            raise OperationFailed(f"no node type {kind} in {self.path()}")
        taken = {kid.name_text for kid in self.kids}
        wanted = base = name or f"{kind}1"
        number = 1
        while wanted in taken:
            wanted, number = f"{base}{number}", number + 1
        node = Node(self.host, self, kind, wanted)
        if kind == "topnet":
            Node(self.host, node, "localscheduler", "localscheduler1")
        return node

    def destroy(self) -> None:
        assert self.parent_node is not None
        self.parent_node.kids.remove(self)

    def parm(self, name: str) -> Parm | None:
        facts = FACTS["nodes"][self.kind]
        fact = facts["parms"].get(name)
        if fact is None and (entry := re.fullmatch(r"(\w+?)(\d+)", name)):
            fact = facts["parms"].get(f"{entry[1]}#")
            counters = [c for c, first in facts["counters"].items() if first == f"{entry[1]}#"]
            if fact and counters and int(entry[2]) > int(self.values.get(counters[0], 0)):
                return None  # the entry appears only when its counter is set
        if fact is None or "#" in name:
            return None
        if "since" in fact and not version_at_least(fact["since"], self.host.version):
            return None
        return Parm(self, name, fact)

    def setInput(self, index: int, node: Node) -> None:
        self.input_nodes[index] = node

    def setDisplayFlag(self, on: bool) -> None:
        self.host.displayed = self.path() if on else self.host.displayed

    def layoutChildren(self) -> None:
        pass

    def errors(self) -> tuple[str, ...]:
        return ()

    def cookWorkItems(
        self,
        block: bool = False,
        generate_only: bool = False,
        tops_only: bool = False,
        save_prompt: bool = False,
        nodes: Sequence[Node] = (),
    ) -> None:
        self.host.cook(self, tops_only=tops_only)

    def getPDGNode(self) -> PdgNode | None:
        return self.pdg_node

    def getPDGGraphContext(self) -> GraphContext | None:
        return self.host.context


def _enum(name: str) -> Any:
    return enum.Enum(name, {member: member for member in FACTS["pdg_enums"][name]})


workItemState = _enum("workItemState")
EventType = _enum("EventType")


@dataclass(eq=False)
class WorkItem:
    name: str
    index: int
    attributes: dict[str, Any] = field(default_factory=dict)
    state: Any = workItemState.Uncooked
    logMessages: list[str] = field(default_factory=list)
    logURI: str = ""

    def stringAttribValue(self, name: str) -> str:
        value = self.attributes[name]
        assert isinstance(value, str), (name, value)
        return value

    def setStringAttrib(self, name: str, value: str) -> None:
        assert isinstance(value, str)
        self.attributes[name] = value

    def setIntAttrib(self, name: str, value: int | list[int]) -> None:
        values = value if isinstance(value, list) else [value]
        assert all(isinstance(v, int) and abs(v) < 1 << 63 for v in values), (name, value)
        self.attributes[name] = value


class WorkItemHolder:
    def __init__(self) -> None:
        self.items: list[WorkItem] = []

    def addWorkItem(self, options: object = None, **keywords: Any) -> WorkItem:
        known = set(FACTS["pdg_classes"]["21.0"]["WorkItemOptions"])
        if unknown := set(keywords) - known:
            raise UnknownToHoudini(f"addWorkItem knows no {unknown}")
        self.items.append(WorkItem(keywords["name"], keywords["index"]))
        return self.items[-1]


@dataclass
class PdgNode:
    workItems: list[WorkItem]
    hasErrors: bool = False


class GraphContext:
    def __init__(self) -> None:
        self.handlers: list[object] = []

    def addEventHandler(self, handler: Callable[[Any], None], kind: Any) -> object:
        assert kind in EventType
        self.handlers.append(handler)
        return handler

    def removeEventHandler(self, handler: object) -> None:
        self.handlers.remove(handler)

    def waitAllEvents(self) -> None:
        pass


class Host:
    """One Houdini session of a version; ``run`` executes commands of work items."""

    def __init__(self, version: str, run: Command) -> None:
        self.version, self._run = version, run
        self.root = Node(self, None, "root", "")
        self.tasks = Node(self, self.root, "tasks", "tasks")
        self.context: GraphContext | None = None
        self.displayed = ""
        self.saved: list[str] = []
        self.commands: list[list[str]] = []
        self.scheduler: dict[str, Any] = {}

    def modules(self) -> dict[str, types.ModuleType]:
        """Modules to put under ``hou`` and ``pdg`` into ``sys.modules``."""
        hou, pdg = types.ModuleType("hou"), types.ModuleType("pdg")
        for name, value in {
            "Node": Node,
            "OpNode": Node,
            "TopNode": Node,
            "OperationFailed": OperationFailed,
            "MenuParmTemplate": MenuParmTemplate,
            "StringParmTemplate": StringParmTemplate,
            "node": self._find,
            "hipFile": types.SimpleNamespace(save=self.saved.append),
            "applicationVersionString": lambda: f"{self.version}.0 (fake)",
            "licenseCategory": lambda: "licenseCategoryType.Commercial",
            "__spec__": ModuleSpec("hou", None),
        }.items():
            setattr(hou, name, value)
        for name, value in {"workItemState": workItemState, "EventType": EventType}.items():
            setattr(pdg, name, value)
        return {"hou": hou, "pdg": pdg}

    @contextlib.contextmanager
    def _job(self, item: WorkItem) -> Iterator[None]:
        """The variables of a job, and its log: what this process prints, in the scheduler's
        working directory, as ``tempdirmenu`` 0 without process id puts it."""
        variable = JobEnvironment.ITEM_NAME
        assert variable in FACTS["job_environment"]
        log = Path(self.scheduler["pdg_workingdir"]) / "pdgtemp/logs" / f"{item.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        item.logURI = log.as_uri()
        os.environ[variable] = item.name
        try:
            with log.open("w") as stream, contextlib.redirect_stderr(stream):
                yield
        finally:
            del os.environ[variable]
            logging.basicConfig(force=True)  # the command's went into the log

    def _find(self, path: str) -> Node | None:
        node: Node | None = self.root
        for part in path.strip("/").split("/"):
            node = next((kid for kid in node.children() if kid.name_text == part), None)
            if node is None:
                return None
        return node

    def cook(self, last: Node, *, tops_only: bool) -> None:
        chain = [last]
        while chain[0].input_nodes:
            chain.insert(0, chain[0].input_nodes[0])
        self.context = self.context or GraphContext()
        for node in chain:
            node.pdg_node = node.pdg_node or PdgNode([])
        if not tops_only:
            items: list[WorkItem] = []
            for node in chain:
                items = self._cook_node(node, items)
                assert node.pdg_node is not None
                node.pdg_node.workItems = items

    def _cook_node(self, node: Node, upstream: list[WorkItem]) -> list[WorkItem]:
        if node.kind == "pythonprocessor":
            holder = WorkItemHolder()
            exec(node.values["generate"], {"item_holder": holder})
            for item in holder.items:
                item.state = workItemState.CookedSuccess
            return holder.items
        if node.kind == "waitforall":
            assert node.values["pdg_partitionignorefailures"] == 1
            return [WorkItem("barrier", 0, state=workItemState.CookedSuccess)]
        return [self._cook_item(node, item) for item in upstream]

    def _cook_item(self, node: Node, above: WorkItem) -> WorkItem:
        item = WorkItem(f"{node.name_text}_{above.index}", above.index, dict(above.attributes))
        if above.state not in (workItemState.CookedSuccess, workItemState.CookedCache):
            return item
        values = node.values
        assert (values["usedelay"], values["shellcommand"], values["itemcount"]) == ("off", 0, 1)
        command = re.sub(r"`@(\w+)`", lambda m: item.attributes[m[1]], values["pdg_command"])
        assert "`" not in command
        assert "$" not in command
        if values["expectedoutputsfrom"] == "1":
            expected = item.attributes[values["expectedoutputattr"]]
        else:
            assert values["expectedoutputsfrom"] == "2"
            expected = values["expectedoutputfile1"]
        if Path(expected).exists():
            item.state = workItemState.CookedCache
            return item
        argv = shlex.split(command)
        self.commands.append(argv)
        topnet = node.parent_node
        assert topnet is not None
        scheduler = self._find(values.get("topscheduler") or topnet.values["topscheduler"])
        assert scheduler is not None
        self.scheduler = scheduler.values
        retries = scheduler.values.get("local_maximumretries", 0)
        good, tries = False, 1 + (retries if scheduler.values.get("local_echandleby") == "2" else 0)
        while not good and tries:
            with self._job(item):
                good, tries = self._run(argv) == 0 and Path(expected).exists(), tries - 1
        item.state = workItemState.CookedSuccess if good else workItemState.CookedFail
        return item
