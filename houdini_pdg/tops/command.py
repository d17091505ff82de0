"""``hython -m houdini_pdg tops build|cook``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from houdini_pdg.engine.command import DISK_FULL, EXIT_DISK_FULL
from houdini_pdg.mint import chosen_scenes, require_libraries, run_lock, take_back_finished
from houdini_pdg.plan import read_plan
from houdini_pdg.quarantine import set_aside
from houdini_pdg.stages.index import run_index

from .schedulers import NetworkOptions, Value
from .surface import SCHEDULERS


def run_tops(options: argparse.Namespace) -> int:
    """Build the network and save it, or build and cook it.

    Raises:
        ValueError: not inside Houdini, no plan, no scenes in the range, a library that is not
            there, or an unknown scheduler.
    """
    try:
        import hou  # noqa: F401 - only inside Houdini
    except ImportError as error:
        raise ValueError(
            "the tops commands run in Houdini's Python: hython -m houdini_pdg tops ...; "
            "without Houdini use: python -m houdini_pdg run DIR"
        ) from error
    from .build import build_network
    from .cook import cook, save

    if options.scheduler not in SCHEDULERS:
        raise ValueError(
            f"there is no scheduler {options.scheduler!r}: choose one of {', '.join(SCHEDULERS)}"
        )
    plan = read_plan(options.folder)
    chosen = chosen_scenes(plan, options.first, options.last)
    network = build_network(plan, network_options(options))
    sys.stdout.write(f"built {network.topnet.path()} for {len(plan.scenes)} scenes\n")
    if options.action == "build":
        hip = options.hip or Path(plan.root) / "scaling4d.hip"
        save(str(hip))
        sys.stdout.write(f"saved {hip}\n")
        return 0
    require_libraries(plan)
    with run_lock(plan.root):
        report = cook(network, len(chosen))
        full = [f for f in report.failures if f.message.startswith(DISK_FULL)]
        if not full:  # a full disk is no scene's fault
            for failure in report.failures:
                set_aside(plan.root, failure)
            take_back_finished(plan, chosen)
            if not plan.index_marker.is_file():  # it stays uncooked below a failed item
                run_index(plan.root)
    for problem in report.problems:
        sys.stderr.write(f"failed: {problem}\n")
    sys.stdout.write(f"cooked {report.cooked}\n")
    if full:
        sys.stderr.write(f"{DISK_FULL} of {plan.root}: free some and cook again\n")
        return EXIT_DISK_FULL
    return 0 if report.succeeded else 1


def network_options(options: argparse.Namespace) -> NetworkOptions:
    """Read the command line's network options; `build` fits ``--set`` values to the parameters."""
    extra: dict[str, Value] = {}
    for text in options.set or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set takes PARAMETER=VALUE, got {text!r}")
        extra[name] = value
    return NetworkOptions(
        scheduler=options.scheduler,
        python=options.python,
        workers=options.workers,
        renders=options.renders,
        first=options.first,
        last=options.last,
        extra=extra,
    )
