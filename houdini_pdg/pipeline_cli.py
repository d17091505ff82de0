"""The subcommands of ``python -m houdini_pdg``; each returns the exit status."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .engine.command import EXIT_DISK_FULL
from .graph import STAGE_NAMES
from .plan import Plan, make_plan, read_plan, write_plan
from .provenance import first_difference, read_request
from .spec import load_spec
from .stage_cli import run_stage_command

FIRST, LAST = "first scene of the plan, from 0", "scene before which to end"


def add_parsers(parser: argparse.ArgumentParser) -> None:
    """Declare every subcommand with its options."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    commands.add_parser("spec", help="print every key of a spec, with its default and meaning")

    plan = commands.add_parser("plan", help="write plan.json and one item file per scene")
    _add_spec(plan)

    mint = commands.add_parser("mint", help="plan and run in one go, resuming what is there")
    _add_spec(mint)
    _add_run(mint)

    run = commands.add_parser("run", help="run what is not finished of a planned data set")
    run.add_argument("folder", type=Path, help="folder of the data set")
    _add_run(run)

    stage = commands.add_parser("stage", help="run one stage of one scene (what engines call)")
    stage.add_argument("name", choices=STAGE_NAMES, metavar="NAME", help=", ".join(STAGE_NAMES))
    stage.add_argument("--item", type=Path, required=True, help="DIR/items/<scene>.json")

    folder_or_file = "folder of the data set, or one scene file"
    for name, text, target in (
        ("status", "count finished, rejected, failed and waiting scenes", "folder of the data set"),
        ("verify", "read files whole and check them again; exit status 1: bad", folder_or_file),
        ("preview", "write mp4 and contact sheet of finished scenes again", folder_or_file),
        ("inspect", "say what is in a scene", "DIR/scenes/<scene>.h5 or DIR/items/<scene>.json"),
    ):
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("path", type=Path, help=target)
    sub.add_argument("--json", action="store_true", help="everything, for programs")

    doctor = commands.add_parser("doctor", help="check this machine, and under hython Houdini too")
    doctor.add_argument("--out", type=Path, default=Path("houdini_pdg_doctor.json"))

    tops = commands.add_parser("tops", help="the same graph as a Houdini TOP network (hython)")
    tops.add_argument("action", choices=("build", "cook"))
    tops.add_argument("folder", type=Path, help="folder of the planned data set")
    tops.add_argument("--hip", type=Path, help="build: scene file to save")
    tops.add_argument("--scheduler", default="local", help="local, hqueue, deadline or tractor")
    tops.add_argument("--workers", type=int, default=2, help="commands at a time (local)")
    tops.add_argument("--renders", type=int, default=1, help="render commands at a time")
    tops.add_argument("--python", required=True, help="Python with this package, for the stages")
    tops.add_argument(
        "--set", action="append", metavar="PARM=VALUE", help="further scheduler parameter"
    )
    tops.add_argument("--from", dest="first", type=int, default=0, metavar="N", help=FIRST)
    tops.add_argument("--to", dest="last", type=int, default=None, metavar="N", help=LAST)


def _add_spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "spec", type=Path, help="YAML file (see the command spec); or one scene.h5, made again"
    )
    parser.add_argument("--out", type=Path, help="folder of the data set (default: spec's output)")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="render.cycles.samples=8")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", choices=("local", "dask"), default="local")
    parser.add_argument("--address", help="Dask scheduler, for example tcp://host:8786")
    parser.add_argument("--workers", type=int, help="commands at a time (default: all cores)")
    parser.add_argument("--renders", type=int, default=1, help="render commands at a time")
    parser.add_argument("--memory", type=float, help="GB that running commands may need in all")
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="N", help=FIRST)
    parser.add_argument("--to", dest="last", type=int, default=None, metavar="N", help=LAST)
    parser.add_argument("--skip-quarantined", action="store_true", help="leave failed scenes alone")


def run_spec_command(options: argparse.Namespace) -> int:
    from .spec_reference import spec_reference

    print(spec_reference(), end="")
    return 0


def run_plan_command(options: argparse.Namespace) -> int:
    plan = _plan(options)
    write_plan(plan)
    print(f"{len(plan.scenes)} scenes planned in {plan.root}")
    return 0


def run_mint_command(options: argparse.Namespace) -> int:
    from .mint import run_lock

    plan = _plan(options)
    with run_lock(plan.root):  # a running engine reads the plan that this would replace
        write_plan(plan)
    return _run(plan, options)


def _plan(options: argparse.Namespace) -> Plan:
    """Plan a spec; of a scene file, the data set it belongs to, and choose that scene alone."""
    overrides = tuple(options.overrides)
    if options.spec.suffix == ".h5":
        request = read_request(options.spec, overrides)
        if getattr(options, "first", 0) or getattr(options, "last", None) is not None:
            raise ValueError("--from and --to choose scenes of a spec: a scene file is one scene")
        if options.out is None:
            raise ValueError("say where the scene goes: --out DIR, not the folder it came from")
        plan = make_plan(request.spec, options.out)
        options.first, options.last = request.index, request.index + 1
        if stage := first_difference(request, plan):
            print(
                f"note: {stage} and what follows it will differ from {options.spec}: its settings, "
                "library or program have changed",
                file=sys.stderr,
            )
        return plan
    spec = load_spec(options.spec, overrides)
    folder = options.out or spec.output
    if folder is None:
        raise ValueError("say where the data set goes: --out DIR, or output: DIR in the spec")
    return make_plan(spec, folder)


def run_run_command(options: argparse.Namespace) -> int:
    return _run(read_plan(options.folder), options)


def _run(plan: Plan, options: argparse.Namespace) -> int:
    from .engine.local import Limits
    from .mint import RunOptions, chosen_scenes, run_plan

    if options.address is not None and options.engine != "dask":
        raise ValueError("--address names a Dask scheduler: add --engine dask")
    if options.memory is not None and options.engine == "dask":
        raise ValueError("--memory is of the local engine: Dask takes one command per worker")
    limits = Limits()
    for name in ("workers", "renders"):
        if (count := getattr(options, name)) is not None:
            if count < 1:
                raise ValueError(f"--{name} must be at least 1, got {count}")
            setattr(limits, name, count)
    if options.memory is not None:
        if not options.memory > 0:
            raise ValueError(f"--memory must be positive (GB), got {options.memory:g}")
        limits.memory_gb = options.memory
    started = time.monotonic()
    report = run_plan(
        plan,
        RunOptions(
            engine=options.engine,
            address=options.address,
            limits=limits,
            first=options.first,
            last=options.last,
            skip_quarantined=options.skip_quarantined,
        ),
    )
    asked = len(chosen_scenes(plan, options.first, options.last))
    print(
        f"{report.finished} of {asked} scenes in {plan.root / 'scenes'}, {report.rejected} "
        f"rejected, {len(report.quarantined)} failed, {time.monotonic() - started:.0f} s"
    )
    if report.disk_full:
        print(
            f"error: no space left for {plan.root}: free some and run the same command again",
            file=sys.stderr,
        )
        return EXIT_DISK_FULL
    for scene_id in report.quarantined:
        print(
            f"failed: {scene_id}, see {plan.root / 'quarantine' / scene_id}.json", file=sys.stderr
        )
    return 0 if report.finished + report.rejected == asked else 1


def run_status_command(options: argparse.Namespace) -> int:
    from .status import status_text

    print(status_text(read_plan(options.path)))
    return 0


def run_verify_command(options: argparse.Namespace) -> int:
    from .verify import verify

    findings = verify(options.path)
    for finding in findings.problems:
        print(f"bad: {finding}", file=sys.stderr)
    print(f"{findings.good} scene files are good, {len(findings.problems)} problems")
    return 1 if findings.problems else 0


def run_preview_command(options: argparse.Namespace) -> int:
    from .verify import write_previews_again

    for path in write_previews_again(options.path):
        print(path)
    return 0


def run_inspect_command(options: argparse.Namespace) -> int:
    from .describe import describe

    print(describe(options.path, everything=options.json))
    return 0


def run_doctor_command(options: argparse.Namespace) -> int:
    from .tops.doctor import run_doctor

    return run_doctor(options.out)


def run_tops_command(options: argparse.Namespace) -> int:
    from .tops.command import run_tops

    return run_tops(options)


COMMANDS: dict[str, Callable[[Any], int]] = {
    "spec": run_spec_command,
    "plan": run_plan_command,
    "mint": run_mint_command,
    "run": run_run_command,
    "stage": run_stage_command,
    "status": run_status_command,
    "verify": run_verify_command,
    "preview": run_preview_command,
    "inspect": run_inspect_command,
    "doctor": run_doctor_command,
    "tops": run_tops_command,
}
