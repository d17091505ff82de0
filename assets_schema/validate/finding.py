"""Findings, and how a report of them is written: text, JSON, SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from .codes import CODES

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one asset.

    Attributes:
        code: a key of `CODES`.
        asset: id of the entry, or the file's name.
        file: asset file.
        message: what was found, with the values.
        prim: scene path, or "".
        selection: variants under which it was seen first; empty when it does not depend on them.
        count: in how many checked combinations it was seen.
    """

    code: str
    asset: str
    file: str
    message: str
    prim: str = ""
    selection: dict[str, str] = field(default_factory=dict)
    count: int = 1

    @property
    def severity(self) -> str:
        """Return "error" or "warning"."""
        return CODES[self.code].severity


@dataclass
class Report:
    """The outcome for one asset; ``combinations_checked`` of ``combinations`` were composed.

    ``pair_coverage`` is the share of variants, and of pairs of variants of different sets, that
    were composed; 1.0 when everything was.
    """

    asset: str
    file: str
    findings: list[Finding] = field(default_factory=list)
    combinations: int = 0
    combinations_checked: int = 0
    pair_coverage: float = 1.0
    fixed: list[str] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Count the findings of severity "error"."""
        return sum(finding.severity == "error" for finding in self.findings)


def as_text(reports: Iterable[Report]) -> str:
    """Return one line per finding and a line of totals."""
    lines = []
    assets = errors = warnings = checked = total = 0
    for report in reports:
        assets += 1
        checked += report.combinations_checked
        total += report.combinations
        lines += [f"{report.file}: fixed: {fix}" for fix in report.fixed]
        for finding in report.findings:
            errors += finding.severity == "error"
            warnings += finding.severity == "warning"
            where = f" {finding.prim}" if finding.prim else ""
            chosen = ",".join(f"{name}={value}" for name, value in finding.selection.items())
            under = f" [{chosen}]" if chosen else ""
            lines.append(
                f"{finding.file}:{where} {finding.severity} {finding.code} "
                f"{CODES[finding.code].title}: {finding.message}{under}"
            )
    lines.append(
        f"{assets} assets, {checked} of {total} combinations composed: "
        f"{errors} errors, {warnings} warnings"
    )
    return "\n".join(lines) + "\n"


def as_json(reports: Iterable[Report]) -> str:
    """Return every report as JSON."""
    items = []
    for report in reports:
        item = asdict(report)
        for record, finding in zip(item["findings"], report.findings, strict=True):
            record["severity"] = finding.severity
            record["title"] = CODES[finding.code].title
        items.append(item)
    return json.dumps({"format": "scaling4d-findings", "version": 1, "assets": items}, indent=1)


def as_sarif(reports: Iterable[Report]) -> str:
    """Return SARIF 2.1.0, which code hosts and editors show beside the files."""
    results = [_sarif_result(finding) for report in reports for finding in report.findings]
    rules = [
        {
            "id": rule.code,
            "name": rule.title.title().replace(" ", ""),
            "shortDescription": {"text": rule.title},
            "help": {"text": rule.help},
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in CODES.values()
    ]
    driver = {"name": "assets_schema", "rules": rules}
    run = {"tool": {"driver": driver}, "results": results}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _sarif_result(finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": finding.file}},
    }
    if finding.prim:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.prim}]
    return {
        "ruleId": finding.code,
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [location],
        "properties": {"asset": finding.asset, "selection": finding.selection},
    }
