"""Speed measurements: `python -m benchmarks [NAME ..]`, all without a name."""

import argparse
import importlib

NAMES = ("judge", "data", "dataset", "plan", "sampling", "training")


def main() -> None:
    """Run the named measurements, one after the other."""
    told = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    told.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all without one")
    names = told.parse_args().names or list(NAMES)
    for name in names:
        if name not in NAMES:
            told.error(f"there is no measurement called {name}: choose of {', '.join(NAMES)}")
    for name in names:
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
