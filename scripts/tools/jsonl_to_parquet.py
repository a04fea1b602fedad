"""Turn JSONL files of rows into one Parquet file (zstd).

python -m scripts.tools.jsonl_to_parquet rows.jsonl more.jsonl --out rows.parquet
python -m scripts.tools.jsonl_to_parquet train.jsonl --out train.parquet --contract sample

With --contract the columns are those of the workflow's files and a row that breaks the contract is refused. Without it
the columns are what the rows have; a key that a row lacks becomes null, whole numbers beside numbers become numbers,
and a key with texts here and numbers there is refused. The rows keep their order. Memory holds 10,000 rows.
"""

from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.contracts import CONTRACTS
from rust_expert.dataset.conversion import check_apart, jsonl_to_parquet


def main() -> None:
    """Read the command line, convert, say how many rows."""
    told = parser(__doc__)
    told.add_argument("jsonl", nargs="+", type=Path, metavar="JSONL", help="files to read, in this order")
    told.add_argument("--out", required=True, type=Path, metavar="PARQUET", help="file to write")
    told.add_argument(
        "--contract", choices=sorted(CONTRACTS), help="what the rows must be (default: anything)"
    )
    given = told.parse_args()
    set_up_log(given)
    check_apart(given.jsonl, [given.out])
    rows = jsonl_to_parquet(given.jsonl, given.out, CONTRACTS.get(given.contract))
    print(f"{given.out}: {rows:,} rows")


if __name__ == "__main__":
    run(main)
