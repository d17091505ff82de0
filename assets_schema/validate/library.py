"""Validate whole libraries: every entry of a catalogue, or single files, with repair on request."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from pathlib import Path

import yaml

from assets_schema.catalog import Catalog, CatalogError, schema_problems
from assets_schema.catalog_build import refresh
from assets_schema.entry import Entry

from .finding import Finding, Report
from .isolate import DEFAULT_TIME_LIMIT, Task, fix_only, validate_isolated
from .runner import Options

_USD = (".usd", ".usda", ".usdc", ".usdz")


def validate_targets(
    targets: Sequence[Path],
    options: Options,
    *,
    only: str | None = None,
    fix: bool = False,
    time_limit: float = DEFAULT_TIME_LIMIT,
    jobs: int = 2,
) -> list[Report]:
    """Check asset files and libraries; return one report per asset and per broken catalogue.

    Args:
        targets: asset files, catalogue files, or folders that hold ``catalog.yaml``.
        only: restrict to the entry of this id; nothing else is repaired either.
        fix: repair first (see `fix_asset`); the entries of repaired files are brought up to date.
        time_limit, jobs: see `validate_isolated`.

    Raises:
        ValueError: for a target that does not exist, or an id that no target has.
    """
    tasks: list[Task] = []
    reports: list[Report] = []
    repaired: dict[str, list[str]] = {}
    for target in targets:
        if target.suffix.lower() in _USD and not target.is_dir():
            tasks.append((target, None))
            continue
        problems = _catalog_problems(target)
        if problems.findings:
            reports.append(problems)
            continue
        catalog = Catalog.load(target)
        chosen = [(entry.file, entry) for entry in catalog if only in (None, entry.id)]
        if fix:
            done = _fix(chosen, options, time_limit, jobs)
            repaired.update(done)
            chosen = [(file, _refresh(catalog, entry, done)) for file, entry in chosen]
            if done:
                catalog.save(target / "catalog.yaml" if target.is_dir() else target)
        tasks += chosen
    if only is not None and not any(entry is not None for _, entry in tasks):
        raise ValueError(f"no catalogue among the targets has an entry {only!r}")
    if fix:
        files = [task for task in tasks if task[1] is None]
        repaired.update(_fix(files, options, time_limit, jobs))
    checked = list(validate_isolated(tasks, options, time_limit=time_limit, jobs=jobs))
    for report in checked:
        report.fixed = repaired.get(report.file, [])
    return reports + checked


def _fix(
    tasks: Sequence[Task], options: Options, time_limit: float, jobs: int
) -> dict[str, list[str]]:
    """Repair the files; return what was done to those that needed it."""
    reports = validate_isolated(tasks, options, time_limit=time_limit, jobs=jobs, check=fix_only)
    return {report.file: report.fixed for report in reports if report.fixed}


def _refresh(catalog: Catalog, entry: Entry, repaired: Container[str]) -> Entry:
    """Bring the entry of a repaired file up to date in its catalogue."""
    if str(entry.file) in repaired:
        entry = refresh(entry)
        catalog.add(entry)
    return entry


def _catalog_problems(target: Path) -> Report:
    """Return the findings of the catalogue file itself: unreadable, or against its JSON Schema."""
    path = target / "catalog.yaml" if target.is_dir() else target
    report = Report(path.name, str(path))
    try:
        catalog = Catalog.load(path)
        records = [entry.to_record() for entry in catalog]
        document = {"format": "scaling4d-catalog", "version": 1, "entries": records}
        problems = list(schema_problems(json.loads(json.dumps(document))))
    except CatalogError as error:
        if not path.exists():
            raise
        problems = [str(error)]
    except yaml.YAMLError as error:
        problems = [str(error)]
    report.findings = [
        Finding("S4D208", path.name, str(path), " ".join(problem.split())) for problem in problems
    ]
    return report
