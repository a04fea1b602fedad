"""Turn Parquet files of rows into one JSONL file.

python -m scripts.tools.parquet_to_jsonl results/dataset/broad/train-*.parquet --out train.jsonl

One line a row, in the order of the files and rows; every column becomes a key, null where there is no value. A column
that JSON has no form for (times, bytes) is refused by name of its row. Memory holds 1,000 rows.
"""

from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.dataset.conversion import check_apart, parquet_to_jsonl


def main() -> None:
    """Read the command line, convert, say how many rows."""
    told = parser(__doc__)
    told.add_argument("parquet", nargs="+", type=Path, metavar="PARQUET", help="files to read, in this order")
    told.add_argument("--out", required=True, type=Path, metavar="JSONL", help="file to write")
    given = told.parse_args()
    set_up_log(given)
    check_apart(given.parquet, [given.out])
    print(f"{given.out}: {parquet_to_jsonl(given.parquet, given.out):,} rows")


if __name__ == "__main__":
    run(main)
