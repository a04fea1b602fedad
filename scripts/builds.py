"""Build and lint the crates of one shard in the sandbox, and ask the compiler about their items.

Reads the manifest of scripts.fetch and the items of scripts.items; a crate without items was kept out before and is
not tried. Writes what each crate came to (JSON) and one row per confirmed form of an item (Parquet). What a crate
came to is kept in the cache under its sources, those that it needs, the compiler, the options and this code.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from rust_expert.common import cache, cli, telemetry
from rust_expert.common.closure import code_fingerprint
from rust_expert.common.config.corpus import BuildOptions
from rust_expert.common.config.pairs import PairOptions
from rust_expert.common.files import write_json
from rust_expert.common.tables import write_parquet
from rust_expert.common.toolchain import rustc_version
from rust_expert.crates.manifest import CrateSource, read_manifest
from rust_expert.judge.probe import require_sandbox
from rust_expert.judge.rustc import explained
from rust_expert.syntax.corpus import ItemRow
from rust_expert.syntax.item_table import read_items
from rust_expert.tasks.building import CrateResult, Request, ShardResult, Source, results_of
from rust_expert.tasks.pairs import PairRow

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Parse the command line, build, write."""
    words = cli.parser(__doc__)
    words.add_argument("--manifest", required=True, metavar="FILE", help="what scripts.fetch wrote")
    words.add_argument("--items", required=True, metavar="FILE", help="what scripts.items wrote")
    words.add_argument("--out", required=True, metavar="FILE", help="where the crates' results go (JSON)")
    words.add_argument(
        "--pairs", required=True, metavar="FILE", help="where the confirmed forms go (Parquet)"
    )
    words.add_argument("--workers", type=int, default=1, metavar="N", help="crates built at once (default 1)")
    cli.add_options(words, BuildOptions)
    cli.add_options(words, PairOptions)
    arguments = words.parse_args()
    cli.set_up_log(arguments)
    request = request_of(cli.options_from(arguments, BuildOptions), cli.options_from(arguments, PairOptions))
    require_sandbox()
    items: dict[tuple[str, str], list[ItemRow]] = defaultdict(list)
    for row in read_items(arguments.items):
        items[row.crate, row.version].append(row)
    crates = read_manifest(arguments.manifest)
    tried = [
        (source_of(crate), items[crate.name, crate.version])
        for crate in crates
        if (crate.name, crate.version) in items
    ]
    results = results_of(tried, request, arguments.workers)
    pairs = [pair for result in results for pair in result.pairs]
    write_json(arguments.out, told_of(results, request).model_dump())
    write_parquet(arguments.pairs, pairs, PairRow)
    passed = sum(result.outcome == "passes" for result in results)
    telemetry.count("crates_in", len(results))
    telemetry.count("crates_out", passed)
    failed = Counter(result.outcome for result in results if result.outcome != "passes")
    telemetry.count_by("crates_lost", "reason", failed)
    telemetry.count_by("rows_out", "kind", Counter(pair.kind for pair in pairs))
    log.info("%d of %d crates pass; %d confirmed forms", passed, len(results), len(pairs))


def request_of(builds: BuildOptions, pairs: PairOptions) -> Request:
    """What is asked of every crate, by this code and this compiler."""
    code = code_fingerprint("scripts.builds", ROOT, (ROOT / "envs" / "data.lock",))
    return Request(builds=builds, pairs=pairs, code=code, rustc=rustc_version())


def told_of(results: Sequence[CrateResult], request: Request) -> ShardResult:
    """What the crates came to, with what rustc explains of the error codes among their forms."""
    codes = {code for result in results for pair in result.pairs for code in pair.codes}
    return ShardResult(
        rustc=" ".join(request.rustc.split()[:2]),
        crates=[result.counted() for result in results],
        explained=explained(codes) if codes else {},
    )


def source_of(crate: CrateSource) -> Source:
    """A fetched crate as it is built."""
    needs = {
        f"{name}-{version}-{sha256[:8]}": cache.cache_folder() / cache.entry(name, version, sha256)
        for name, version, sha256 in crate.needs
    }
    return Source(crate.name, crate.version, crate.root, crate.sha256, needs, crate.needs_fault)


if __name__ == "__main__":
    cli.run(main)
