"""Part rows into training and validation: by crate, with a seeded hash.

python -m scripts.tools.split_train_val rows.jsonl --train train.jsonl --val val.jsonl --fraction 0.05 --seed 17

The rows of one crate (--key, `_source_crate` by default) never end on both sides; rows of a generator stay with their
`_combination`, and a row with neither goes by its own text. A group's side hangs on the hash of seed and name alone, as
in the workflow's own split: one more crate moves no other. Where chance would hold none of several crates back, the one
of the lowest hash is. --fraction is of crates, not of rows. `split` is set in each row; the rows keep their order.
Reads .jsonl and .parquet, writes JSONL. The files are read three times; memory holds the names of the groups.
"""

import json
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.dataset.conversion import check_apart
from rust_expert.dataset.resplit import split_train_val


def main() -> None:
    """Read the command line, part, say how many rows and groups each side has."""
    told = parser(__doc__)
    told.add_argument("rows", nargs="+", type=Path, metavar="FILE", help=".jsonl or .parquet files")
    told.add_argument("--train", required=True, type=Path, metavar="JSONL", help="training rows")
    told.add_argument("--val", required=True, type=Path, metavar="JSONL", help="validation rows")
    told.add_argument(
        "--fraction", type=float, default=0.05, help="share of the crates held back (default 0.05)"
    )
    told.add_argument("--seed", type=int, default=17, help="moves crates between the sides (default 17)")
    told.add_argument(
        "--key", default="_source_crate", metavar="NAME", help="what stays together (default _source_crate)"
    )
    given = told.parse_args()
    set_up_log(given)
    if not 0 < given.fraction < 1:
        raise UserError(f"--fraction: give a share between 0 and 1, not {given.fraction:g}")
    check_apart(given.rows, [given.train, given.val])
    account = split_train_val(given.rows, given.train, given.val, given.fraction, given.seed, given.key)
    print(json.dumps(account))


if __name__ == "__main__":
    run(main)
