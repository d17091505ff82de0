"""Every Houdini name in the source exists in the fact tables of 21.0 and of 22.0."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from houdini_pdg.tops import surface
from houdini_pdg.tops.surface import NODES, SUPPORTED, parameters
from tests.houdini_pdg.tops.fake_houdini import FACTS, Host, UnknownToHoudini

TOPS = Path(surface.__file__).parent


def problems(node: type[surface.Node], version: str) -> list[str]:
    """What the fact table of a version says against a node class of the surface."""
    if node.TYPE != "topnet" and node.TYPE not in FACTS["top_types"][version]:
        return [f"no type {node.TYPE}"]
    facts = FACTS["nodes"][node.TYPE]["parms"]
    found = []
    for name, tokens in parameters(node).items():
        fact = facts.get(name) or facts.get(name.rstrip("123456789") + "#")
        if fact is None or (fact.get("since") and version == "21.0"):
            found.append(f"no parameter {name}")
            continue
        found += [f"no token {name}={t}" for t in tokens if t not in fact.get("tokens", ())]
    return found


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("node", NODES, ids=lambda node: node.TYPE)
def test_every_name_and_token_is_in_the_fact_table(node, version):
    assert problems(node, version) == []


def test_variables_of_a_job_are_in_the_fact_table():
    names = {v for k, v in vars(surface.JobEnvironment).items() if k.isupper()}
    assert names
    assert names <= set(FACTS["job_environment"])


def test_the_comparison_finds_wrong_names():
    wrong_parameter = SimpleNamespace(TYPE="waitforall", WHEN="pdg_partitonwhen")
    assert problems(wrong_parameter, "21.0") == ["no parameter pdg_partitonwhen"]
    wrong_token = SimpleNamespace(TYPE="waitforall", WHEN="pdg_partitionwhen", WHEN_COOKED="7")
    assert problems(wrong_token, "22.0") == ["no token pdg_partitionwhen=7"]
    too_new = SimpleNamespace(TYPE="localscheduler", NEW="local_setworkingdir")
    assert problems(too_new, "21.0") == ["no parameter local_setworkingdir"]
    assert problems(too_new, "22.0") == []
    assert problems(SimpleNamespace(TYPE="rop_usdrender"), "22.0") == ["no type rop_usdrender"]


def test_pdg_names_in_the_source_are_live_names():
    known = {f"pdg.{name}.{m}" for name, ms in FACTS["pdg_enums"].items() for m in ms}
    classes = FACTS["pdg_classes"]["22.0"]
    seen = 0
    for path in TOPS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            text = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if not text.startswith("pdg."):
                continue
            seen += 1
            parts = text.split(".")
            assert parts[1] in classes or parts[1] in FACTS["pdg_enums"], (path.name, text)
            assert len(parts) == 2 or text in known, (path.name, text)
    assert seen > 8


@pytest.mark.parametrize("version", SUPPORTED)
def test_members_of_the_pdg_stub_are_live_names(repository, version):
    tree = ast.parse((repository / "typings/pdg/__init__.pyi").read_text())
    classes = FACTS["pdg_classes"][version] | FACTS["pdg_enums"]
    checked = 0
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or node.name == "PyEventHandler":
            continue
        for member in node.body:
            if isinstance(member, ast.FunctionDef):
                name = member.name
            elif isinstance(member, ast.AnnAssign):
                name = member.target.id
            elif isinstance(member, ast.Assign):
                name = member.targets[0].id
            else:
                continue
            checked += 1
            assert name in classes[node.name], f"{node.name}.{name}"
    assert checked > 20


def test_no_houdini_name_is_spelled_outside_the_surface():
    """Literals given to createNode, parm and setParms must come from surface.py."""
    calls = ("createNode", "parm", "setParms", "parmTuple")
    for name in ("build.py", "cook.py", "callbacks.py", "command.py"):
        for node in ast.walk(ast.parse((TOPS / name).read_text())):
            if getattr(getattr(node, "func", None), "attr", "") in calls:
                assert not isinstance(node.args[0], ast.Constant), (name, ast.unparse(node))


def test_hou_and_pdg_are_imported_only_in_tops(repository):
    for path in (repository / "houdini_pdg").rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {
            str(node.module).split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
        }
        if path.parent != TOPS:
            assert not names & {"hou", "pdg"}, path
        if path.name != "cycles_worker.py":
            assert not names & {"bpy", "mathutils"}, path
        assert not names & {"torch", "diffusers", "train", "transformers"}, path


def types_of(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MYPYPATH": f"{repository / 'typings'}{os.pathsep}{repository}"}
    command = [sys.executable, "-m", "mypy", *arguments]
    return subprocess.run(
        command, cwd=repository, env=environment, capture_output=True, text=True, check=False
    )


def test_types_of_houdini_hold_in_tops(repository):
    """mypy with types-houdini and the small pdg stub: catches misspelt methods and keywords."""
    result = types_of(repository, "-p", "houdini_pdg.tops")
    assert result.returncode == 0, result
    assert re.match(r"Success: no issues found in \d+ source files", result.stdout), result


def test_a_misspelt_method_of_houdini_or_pdg_is_found(repository, tmp_path):
    """So that the test above cannot pass because mypy looks at nothing."""
    planted = tmp_path / "planted.py"
    planted.write_text(
        "import hou\nimport pdg\n\n\n"
        "def use(node: hou.TopNode, item: pdg.WorkItem) -> None:\n"
        "    node.cookWorkItem(block=True)\n"
        "    item.setStringAttribute('a', 'b')\n"
    )
    result = types_of(repository, str(planted))
    assert result.returncode == 1, result
    assert '"TopNode" has no attribute "cookWorkItem"' in result.stdout
    assert '"WorkItem" has no attribute "setStringAttribute"' in result.stdout
    assert "Found 2 errors" in result.stdout


def test_the_fake_host_refuses_what_houdini_lacks():
    host = Host("21.0", run=lambda argv: 0)
    topnet = host.tasks.createNode("topnet", "net")
    with pytest.raises(Exception, match="no node type"):
        topnet.createNode("rop_usdrender")
    scheduler = topnet.children()[0]
    assert scheduler.parm("local_maxprocsmenu") is None
    assert scheduler.parm("local_setworkingdir") is None  # 22 only
    with pytest.raises(UnknownToHoudini, match="no token"):
        scheduler.parm("maxprocsmenu").set("2")
    with pytest.raises(UnknownToHoudini, match="is a Menu"):
        scheduler.parm("maxprocsmenu").set(1)
    generator = topnet.createNode("genericgenerator")
    assert generator.parm("expectedoutputfile1") is None
    generator.parm("expectedoutputfiles").set(1)
    assert generator.parm("expectedoutputfile1") is not None
