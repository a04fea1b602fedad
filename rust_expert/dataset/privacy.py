"""Rows without secrets and personal data, and the account of those that held some. What was found is never told."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rust_expert.common.config.dataset import CleanOptions
from rust_expert.common.contracts import Sample
from rust_expert.dataset.personal import personal_in
from rust_expert.dataset.secrets import secrets_in

SECRET, PERSONAL = "secret", "personal data"
"""Why a row is removed."""

Findings = list[tuple[str, str]]
"""For one row: the reason, and the rule or kind that says more."""


def findings_in(samples: Sequence[Sample], options: CleanOptions) -> dict[int, Findings]:
    """What stands in the texts of rows, question and answer, by the rows' places; rows without any are left out."""
    texts = [f"{sample.prompt}\n{sample.gen}" for sample in samples]
    found: dict[int, Findings] = {}
    looks = ((SECRET, options.secrets, secrets_in), (PERSONAL, options.personal, personal_in))
    for reason, wanted, look in looks:
        for place, kinds in (look(texts) if wanted else {}).items():
            found.setdefault(place, []).extend((reason, kind) for kind in kinds)
    return dict(sorted(found.items()))


def without_private(samples: Sequence[Sample], options: CleanOptions) -> tuple[list[Sample], dict[str, Any]]:
    """The rows in which nothing was found, and the account of the others: how many, of which kind, and which."""
    found = findings_in(samples, options)
    kept = [sample for place, sample in enumerate(samples) if place not in found]
    removed = [
        {
            "row": samples[place].id,
            "task_type": samples[place].task_type,
            "source": samples[place].source_crate or samples[place].family,
            "found": [{"reason": reason, "kind": kind} for reason, kind in findings],
        }
        for place, findings in found.items()
    ]
    report = {
        "schema": 1,
        "looked_for": {SECRET: options.secrets, PERSONAL: options.personal},
        "rows_checked": len(samples),
        "removed": len(removed),
        "removed_by_kind": {reason: _counted(found.values(), reason) for reason in (SECRET, PERSONAL)},
        "rows": sorted(removed, key=lambda row: str(row["row"])),
    }
    return kept, report


def _counted(all_findings: Iterable[Findings], reason: str) -> dict[str, int]:
    counts = Counter(kind for findings in all_findings for why, kind in findings if why == reason)
    return dict(sorted(counts.items()))
