"""Write rows in another mix of task types, by leaving rows out or laying them out again.

python -m scripts.tools.rebalance_task_mix a.jsonl --out mixed.jsonl --mix '{"explanations": 0.7, "error_fixing": 0.3}'
python -m scripts.tools.rebalance_task_mix a.jsonl --out mixed.jsonl --mix '{...}' --rows 20000 --max-repeats 3

Without --rows as many rows are written as the scarcest type allows, none twice. With --rows exactly so many; a type
with too few is laid out again, each row at most --max-repeats times, in rounds through the files. The counts are exact
(largest remainder). Which rows stay hangs on the hash of seed and text alone; they keep their order. Rows of other
types are left out and counted. Reads .jsonl and .parquet, writes JSONL. Memory holds two numbers a row.
"""

import json
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.dataset.conversion import check_apart
from rust_expert.dataset.rebalance import rebalance


def main() -> None:
    """Read the command line, write the rows, print the account."""
    told = parser(__doc__)
    told.add_argument("rows", nargs="+", type=Path, metavar="FILE", help=".jsonl or .parquet files")
    told.add_argument("--out", required=True, type=Path, metavar="JSONL", help="file to write")
    told.add_argument("--mix", required=True, metavar="JSON", help="share of each task type; adds up to 1")
    told.add_argument(
        "--rows", dest="count", type=int, metavar="N", help="rows to write (default: what is there)"
    )
    told.add_argument("--max-repeats", type=int, default=4, metavar="N", help="with --rows (default 4)")
    told.add_argument("--seed", type=int, default=17, help="which rows stay (default 17)")
    told.add_argument(
        "--key", default="_task_type", metavar="NAME", help="what is mixed (default _task_type)"
    )
    given = told.parse_args()
    set_up_log(given)
    if (given.count is not None and given.count < 1) or given.max_repeats < 1:
        raise UserError("--rows and --max-repeats: give 1 or more")
    check_apart(given.rows, [given.out])
    mix = mix_of(given.mix)
    account = rebalance(given.rows, given.out, mix, given.count, given.max_repeats, given.seed, given.key)
    print(json.dumps(account))


def mix_of(text: str) -> dict[str, float]:
    """The shares that --mix spells.

    Raises UserError where they are none.
    """
    try:
        mix = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"--mix: not JSON ({error}); give an object of shares") from None
    plain = isinstance(mix, dict) and all(
        isinstance(share, int | float) and not isinstance(share, bool) and share >= 0
        for share in mix.values()
    )
    if not plain or abs(sum(mix.values()) - 1) > 1e-6:
        raise UserError(f"--mix: shares are 0 or more and add up to 1; {text} are none")
    return {str(kind): float(share) for kind, share in mix.items()}


if __name__ == "__main__":
    run(main)
