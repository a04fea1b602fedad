"""`python -m tests.mix [--problems N] [--runs N]`: one mix judged in batches of many sizes, by one and two workers.

Prints a hash of all verdicts for each run, and ends with an error where two differ. 650 problems make over 2,000
samples; all of it takes about an hour on two cores. The tests do the same with a smaller mix.
"""

import argparse
import hashlib
import time
from collections import Counter

from rust_expert.judge.probe import require_sandbox
from rust_expert.judge.verdicts import judge
from tests.mix.samples import OPTIONS, rows

BATCHES = (64, 164, 16, 1)
WORKERS = (2, 1)


def main() -> None:
    """Judge, compare, print."""
    told = argparse.ArgumentParser(prog="python -m tests.mix", description=__doc__)
    told.add_argument(
        "--problems", type=int, default=650, help="problems with three samples each (default 650)"
    )
    told.add_argument("--runs", type=int, default=3, help="runs of each combination (default 3)")
    told.add_argument("--batches", type=int, nargs="+", default=BATCHES, help="batch sizes")
    arguments = told.parse_args()
    require_sandbox()
    samples, known = rows(arguments.problems)
    first: list[str] | None = None
    for run in range(arguments.runs):
        for batch in arguments.batches:
            for workers in WORKERS:
                begun = time.monotonic()
                found = judge(samples, known, OPTIONS.model_copy(update={"batch": batch}), workers=workers)
                lines = [verdict.model_dump_json() for verdict in found]
                digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
                print(
                    f"run {run + 1}, batch {batch:3}, {workers} workers: {digest[:16]}, "
                    f"{time.monotonic() - begun:.0f} s",
                    flush=True,
                )
                if first is None:
                    first = lines
                    counts = Counter(verdict.status for verdict in found)
                    print(
                        f"{len(samples)} samples: "
                        + ", ".join(f"{n} {name}" for name, n in counts.most_common())
                    )
                for number, (one, other) in enumerate(zip(first, lines, strict=True)):
                    if one != other:
                        raise SystemExit(
                            f"sample {number} differs:\n{samples[number].completion}\n{one}\n{other}"
                        )
    print("all verdicts are the same")


if __name__ == "__main__":
    main()
