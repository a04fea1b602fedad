"""Check files of rows against their contract, and the folder of a data set against its manifest.

python -m scripts.tools.verify_format rows.jsonl more.parquet
python -m scripts.tools.verify_format results/dataset/broad
python -m scripts.tools.verify_format results/suites/curriculum.jsonl --contract problem

Of each row: that it is a row of the contract; of samples also that `_id` is the hash of prompt and gen, that neither is
blank, and that no crate or combination is on both sides of the split, over all files named. Of a folder: that its
shards are those of manifest.json with their sha256, number of rows and columns. Every fault is printed with its file
and row; with a fault the exit code is 2. Rows that stand twice in a file are counted, and no fault: weights repeat
rows.
"""

from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.contracts import CONTRACTS
from rust_expert.common.errors import UserError
from rust_expert.common.files import write_json
from rust_expert.dataset.verification import shown, summary, verify


def main() -> None:
    """Read the command line, check, print the faults."""
    told = parser(__doc__)
    told.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help=".jsonl, .parquet, or a data set's folder"
    )
    told.add_argument("--contract", choices=sorted(CONTRACTS), default="sample", help="(default sample)")
    told.add_argument("--out", metavar="JSON", help="also write what was found to this file")
    told.add_argument("--most", type=int, default=20, metavar="N", help="faults to print (default 20)")
    given = told.parse_args()
    set_up_log(given)
    done = verify(given.paths, CONTRACTS[given.contract])
    if given.out:
        write_json(given.out, summary(done))
    for line in shown(done.faults, given.most):
        print(line)
    files, rows = len(done.rows), sum(done.rows.values())
    if done.faults:
        raise UserError(
            f"{len(done.faults):,} faults in {files} files of {rows:,} rows; mend what is listed above"
        )
    print(f"{files} files, {rows:,} rows, {done.repeated:,} of them a second time: no fault")


if __name__ == "__main__":
    run(main)
