"""Say why samples fail: compiler errors, messages, and which families of problems they belong to.

python -m scripts.tools.analyze_failures results/verdicts/base/curriculum.parquet --suite suites/curriculum.jsonl
python -m scripts.tools.analyze_failures verdicts.parquet --out failures.json

Reads verdicts of the judge (.parquet or .jsonl). A sample with several error codes counts under each of them once; in
messages, names and numbers are left out, so that like faults meet. The family of a problem is its category, or the
start of its combination; without --suite, of its name. Faults of the judge are told apart: they say nothing about the
model.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.contracts import Problem, Verdict
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.common.tables import read_jsonl
from rust_expert.dataset.conversion import checked_rows
from rust_expert.metrics.failures import analyze


def main() -> None:
    """Read the command line and the verdicts, print the account."""
    told = parser(__doc__)
    told.add_argument("verdicts", nargs="+", type=Path, metavar="FILE", help="verdicts, .parquet or .jsonl")
    told.add_argument(
        "--suite", nargs="*", default=[], metavar="JSONL", help="the problems, for their families"
    )
    told.add_argument("--out", metavar="JSON", help="also write the whole account to this file")
    told.add_argument("--most", type=int, default=10, metavar="N", help="lines of each list (default 10)")
    given = told.parse_args()
    set_up_log(given)
    if given.most < 1:
        raise UserError(f"--most: give 1 or more lines, not {given.most}")
    problems = {problem.task_id: problem for path in given.suite for problem in read_jsonl(path, Problem)}
    account = analyze(_verdicts(given.verdicts), problems, max(given.most, 100))
    if not account["samples"] and not account["not_judged"]:
        raise UserError(f"{given.verdicts[0]}: no verdicts; judge some samples first")
    if given.out:
        write_json(given.out, account)
    print("\n".join(lines(account, given.most)))


def _verdicts(paths: Sequence[Path]) -> Iterator[Verdict]:
    for path in paths:
        yield from checked_rows(path, Verdict)


def lines(account: dict[str, Any], most: int) -> list[str]:
    """The account for a terminal."""
    failed, samples = account["failed"], account["samples"]
    told = [f"{failed:,} of {samples:,} samples fail"]
    told += [f"not counted: {count:,} x {what}" for what, count in account["not_judged"].items()]
    for title, counts, whole in (
        ("what became of them", account["statuses"], samples),
        ("error codes", account["error_codes"], failed),
        ("messages", account["messages"], failed),
        ("families", {name: one["failed"] for name, one in account["families"].items()}, failed),
    ):
        told += ["", title]
        told += [
            f"{count:8,} {100 * count / max(whole, 1):5.1f} %  {name}"
            for name, count in list(counts.items())[:most]
        ]
        if len(counts) > most:
            told.append(f"         and {len(counts) - most} more")
    return told


if __name__ == "__main__":
    run(main)
