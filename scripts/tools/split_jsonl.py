"""Cut a JSONL file into several, its lines byte for byte as they were.

python -m scripts.tools.split_jsonl rows.jsonl --out parts/ --rows 10000
python -m scripts.tools.split_jsonl rows.jsonl --out parts/ --parts 8 --key _source_crate

--rows cuts after so many lines: `cat parts/rows-*.jsonl` is the file again. --parts deals the lines out by the hash of
their --key (of the whole line without one): one more line changes one part, and lines of one key stay together. The
parts are called rows-00000.jsonl and so on; a folder with parts of an earlier cut is refused. Blank lines are left out,
a line that is no JSON object ends the cut and leaves nothing behind. Memory holds one line.
"""

from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.common.errors import UserError
from rust_expert.dataset.conversion import MOST_PARTS, split_by_hash, split_by_rows


def main() -> None:
    """Read the command line, cut, name the parts."""
    told = parser(__doc__)
    told.add_argument("jsonl", type=Path, metavar="JSONL", help="file to cut")
    told.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where the parts go")
    way = told.add_mutually_exclusive_group(required=True)
    way.add_argument("--rows", type=int, metavar="N", help="lines in each part but the last")
    way.add_argument("--parts", type=int, metavar="N", help=f"how many parts, at most {MOST_PARTS}")
    told.add_argument("--key", metavar="NAME", help="with --parts: the key whose hash decides")
    given = told.parse_args()
    set_up_log(given)
    if given.rows is not None:
        if given.rows < 1 or given.key is not None:
            raise UserError("--rows: give 1 or more, and --key with --parts only")
        parts = split_by_rows(given.jsonl, given.out, given.rows)
    else:
        if not 1 <= given.parts <= MOST_PARTS:
            raise UserError(f"--parts: give a number from 1 to {MOST_PARTS}, not {given.parts}")
        parts = split_by_hash(given.jsonl, given.out, given.parts, given.key)
    for path, rows in parts:
        print(f"{path}: {rows:,} rows")


if __name__ == "__main__":
    run(main)
