"""Doctor: outside Houdini it says what it did not check; inside, every finding can be bad."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from houdini_pdg.__main__ import main
from houdini_pdg.tops.doctor import IN_HOUDINI, NOT_HERE
from tests.houdini_pdg.tops.fake_houdini import Host

MODULES = ("build", "cook", "doctor_probes", "doctor_houdini")
HUSK = {
    "husk refuses a missing settings prim",
    "karma depth of a plane, cpu",
    "karma depth of a plane, xpu",
}


def honest_scheduler(host: Host):
    """Runs commands as PDG's local scheduler should: variables unset, killed after their time."""

    def run(argv: list[str]) -> int:
        if argv[3:5] == ["-m", "houdini_pdg"]:
            return main(argv[5:])
        settings = host.scheduler
        unset = settings["local_envunset"].split(" ")
        environment = {k: v for k, v in os.environ.items() if k not in unset}
        timeout = settings["local_maxtime"] if settings["local_enabletimeout"] else None
        try:
            command = [sys.executable, *argv[1:]]
            return subprocess.run(command, env=environment, timeout=timeout, check=False).returncode
        except subprocess.TimeoutExpired:
            return 1

    return run


@pytest.fixture
def examine(monkeypatch, tmp_path):
    """Run doctor in a fake Houdini; returns its findings by name and its exit status."""

    def _examine(scheduler=honest_scheduler, schema=None):
        host = Host("21.0", run=lambda argv: 1)
        host._run = scheduler(host)
        for name, module in host.modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        for name in MODULES:
            monkeypatch.delitem(sys.modules, f"houdini_pdg.tops.{name}", raising=False)
        import houdini_pdg.tops.doctor_houdini as inside
        import houdini_pdg.tops.doctor_probes as probes

        monkeypatch.setattr(inside, "_SCHEMA_FOLDER", schema or inside._SCHEMA_FOLDER)
        monkeypatch.setattr(probes, "_TIME_LIMIT", 0.5)
        monkeypatch.setattr(probes, "_PROBE_SECONDS", 3.0)
        status = main(["doctor", "--out", str(tmp_path / "report.json")])
        checks = json.loads((tmp_path / "report.json").read_text())["checks"]
        return {check["name"]: check for check in checks}, status

    yield _examine
    for name in MODULES:
        sys.modules.pop(f"houdini_pdg.tops.{name}", None)


def test_outside_houdini_every_unchecked_claim_is_listed(tmp_path, capsys):
    assert main(["doctor", "--out", str(tmp_path / "report.json")]) == 0
    checks = json.loads((tmp_path / "report.json").read_text())["checks"]
    unchecked = {check["name"] for check in checks if check["status"] == "unchecked"}
    assert unchecked == set(IN_HOUDINI) | set(NOT_HERE)
    assert "Houdini was not checked: run hython -m houdini_pdg doctor" in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    assert main(["doctor", "--out", str(tmp_path / "no/report.json")]) == 2
    assert "name a file in a folder that exists" in capsys.readouterr().err


def test_in_houdini_all_but_the_missing_husk_is_found_good(examine):
    checks, status = examine()
    bad = {name for name, check in checks.items() if check["status"] == "failed"}
    assert bad == HUSK, {name: checks[name] for name in bad}
    assert status == 1
    assert sum(name.startswith("node ") for name in checks) == 8
    assert checks["unit of the time limit"]["detail"].endswith("seconds")
    assert checks["schema of the assets"]["detail"].startswith("S4DAssetAPI is found")
    assert "light_rig, 5 variants" in checks["asset of a library"]["detail"]
    below = checks["index below a failed item"]["detail"]
    assert below.startswith("the index cooks by itself: yes; the failed item said: error: ")
    assert set(NOT_HERE) <= set(checks)


def test_a_scheduler_that_keeps_variables_and_an_absent_schema_are_found_out(examine, tmp_path):
    def careless(host):
        def run(argv):
            if argv[3:5] == ["-m", "houdini_pdg"]:
                return main(argv[5:])
            return subprocess.run([sys.executable, *argv[1:]], check=False).returncode

        return run

    checks, _ = examine(careless, schema=tmp_path)
    assert checks["schema of the assets"]["status"] == "failed"
    child = checks["quoting and variables of a child"]
    assert child["status"] == "failed"
    assert "SCALING4D_DOCTOR_A" in child["detail"]
    assert checks["unit of the time limit"]["status"] == "failed"
