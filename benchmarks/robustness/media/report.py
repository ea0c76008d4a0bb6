"""The table of the media campaign and its file in benchmarks/results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.robustness.media.case import FAULTS, MediaOutcome
from tests.material.fault_material import PROJECT

RESULTS = PROJECT / "benchmarks" / "results" / "media_faults.json"
MUST_NOT_BE = ("abort", "hang", "lost", "silent")
"""faults that make the campaign fail; false alarms are only counted"""


def has_failed(outcome: MediaOutcome) -> bool:
    return any(finding.fault in MUST_NOT_BE for finding in outcome.findings)


def rows(outcomes: Sequence[MediaOutcome]) -> dict[str, dict[str, float]]:
    """Per kind: cases, right cases, cases with each fault, seconds."""
    found = {}
    for kind in dict.fromkeys(outcome.kind for outcome in outcomes):
        of_kind = [outcome for outcome in outcomes if outcome.kind == kind]
        counts: dict[str, float] = {"cases": len(of_kind), "right": sum(not o.findings for o in of_kind)}
        counts |= {fault: sum(o.count(fault) for o in of_kind) for fault in FAULTS}
        found[kind] = {**counts, "wall_s": round(sum(o.wall_s for o in of_kind), 1)}
    return found


def table(kinds: dict[str, dict[str, float]]) -> list[str]:
    """Lines of a Markdown table, one for each of the `rows` and one for all."""
    lines = ["| kind | cases | right | aborts | hangs | lost | silent | false alarms | time, s |", "|---" * 9 + "|"]
    total = {what: sum(counts[what] for counts in kinds.values()) for what in next(iter(kinds.values()), {})}
    for kind, counts in {**kinds, "all": total}.items():
        lines.append(f"| {kind} | {' | '.join(f'{value:g}' for value in counts.values())} |")
    return lines


def store(label: str, outcomes: Sequence[MediaOutcome], path: Path = RESULTS) -> None:
    """Write the figures and every finding under `label`.

    Other labels, and kinds of this label that are not among the outcomes, are kept.
    """
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found = {
        f"{outcome.kind}: {outcome.name}": [f"{finding.fault}: {finding.text}" for finding in outcome.findings]
        for outcome in outcomes
        if outcome.findings
    }
    new = rows(outcomes)
    old = stored.get(label, {"kinds": {}, "findings": {}})
    kept = {name: texts for name, texts in old["findings"].items() if name.split(": ")[0] not in new}
    stored[label] = {"kinds": {**old["kinds"], **new}, "findings": {**kept, **found}}
    path.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
