"""Say in plain words why a target would be made again, and what would follow.

  python -m scripts.why results/metrics.json --configfile config/h100.yaml

Nothing is run: the reasons are those of Snakemake's plan, with options by their names and code by its files.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rust_expert.common.errors import UserError
from scripts import records
from scripts.reasons import causes
from scripts.workflow_log import Job, counted, read


def main() -> int:
    """Plan, explain; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "target", nargs="?", default="results/metrics.json", help="a file (results/metrics.json)"
    )
    parser.add_argument("--configfile", metavar="FILE", nargs="+", default=[], help="profiles")
    arguments = parser.parse_args()
    words = ["--configfile", *arguments.configfile] if arguments.configfile else []
    try:
        text, code = plan(arguments.target, words)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(explained(arguments.target, text, code))
    return 0


def plan(target: str, words: Sequence[str]) -> tuple[str, dict[str, dict[str, str]]]:
    """What Snakemake says of its plan, and the files behind each fingerprint of code, of now and of what was recorded.

    Raises UserError where it cannot plan.
    """
    command = [sys.executable, "-m", "snakemake", "-n", target, *words]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "code.json")
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "RUST_EXPERT_CODE": str(place)}
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise UserError(f"there is no plan for {target}: {said[-1000:]}")
        now = json.loads(place.read_text(encoding="utf-8"))
    return done.stdout + done.stderr, {**records.read_code(), **now}


def explained(target: str, text: str, code: Mapping[str, Mapping[str, str]]) -> str:
    """A plan in plain words."""
    jobs = read(text).begun
    if not jobs:
        return f"{target}: up to date, nothing would run"
    own: dict[tuple[str, tuple[str, ...]], list[Job]] = {}
    following: list[Job] = []
    for job in jobs:
        if told := causes(job.reason, code):
            own.setdefault((job.rule, tuple(told)), []).append(job)
        else:
            following.append(job)
    lines = [f"{target}: {len(jobs)} jobs would run", "for a cause of their own:"]
    for (rule, found), alike in own.items():
        named = f" ({alike[0].wildcards})" if alike[0].wildcards else ""
        lines += [f"  {rule}{named}" if len(alike) == 1 else f"  {rule}, {len(alike)} jobs"]
        lines += [f"    {cause}" for cause in found]
    if following:
        lines.append(f"because they read what those make: {counted(following)}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
