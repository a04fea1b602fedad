"""Makes the lock of a table of pinned crates: config/crates.lock beside config/crates.tsv, what they need to be built.

python -m tools.crate_lock [TABLE ...]      default: every table in config/

cargo resolves all crates of a table together, in the versions that the table pins; what the lock holds already stays as
it is (`--upgrade`: the newest that fit). Beside it goes crates.newest.tsv: of each package the newest version that the
registry had on that day, for the gate of outdated dependencies. Nothing is built or run.
"""

from pathlib import Path

from rust_expert.common import cli
from rust_expert.common.files import write_text
from rust_expert.crates.lockfile import lock_beside
from rust_expert.crates.resolve import locked
from rust_expert.crates.table import read_table

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# The newest version of each package on the day of the lock; made by `python -m tools.crate_lock`.\n"


def write_lock(table: Path, upgrade: bool) -> str:
    """Write the lock of a table and its newest versions; returns a line about it.

    Raises NetworkError where the registry cannot be reached, UserError where cargo finds no solution.
    """
    lock = lock_beside(table)
    before = lock.read_text(encoding="utf-8") if lock.is_file() and not upgrade else None
    pins = read_table(table)
    text, newest = locked(pins, before, table.name)
    write_text(lock, text)
    rows = "".join(f"{name}\t{version}\n" for name, version in newest.items())
    write_text(table.with_suffix(".newest.tsv"), f"{HEAD}name\tnewest\n{rows}")
    return f"{lock.name}: {len(newest)} packages for {len(pins)} crates"


def main() -> None:
    """Write the locks of the tables named, or of all."""
    parser = cli.parser(__doc__)
    parser.add_argument("tables", nargs="*", type=Path, metavar="TABLE", help="tables of pinned crates")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    arguments = parser.parse_args()
    cli.set_up_log(arguments)
    tables = arguments.tables or [
        table for table in sorted((ROOT / "config").glob("*.tsv")) if not table.name.endswith(".newest.tsv")
    ]
    for table in tables:
        print(write_lock(table, arguments.upgrade))


if __name__ == "__main__":
    cli.run(main)
