"""Keep a model's best judged answers to training prompts and mix them with its parent's rows."""

import logging
from pathlib import Path

from rust_expert.common import telemetry
from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.rsft import RsftKeep
from rust_expert.common.contracts import Completion, Problem, Verdict
from rust_expert.common.files import write_json
from rust_expert.common.tables import read_jsonl, read_parquet
from rust_expert.dataset.clean import read_samples
from rust_expert.dataset.rsft_selection import select
from rust_expert.dataset.shards import write_manifest, write_shards

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, select, write the report, and `{train,val}-{i}.parquet`, `.jsonl` beside it."""
    told = parser(__doc__)
    told.add_argument("--stage", required=True, help="the stage's name; it takes part in every draw")
    told.add_argument("--problems", required=True, metavar="JSONL", help="the training prompts")
    told.add_argument("--completions", required=True, metavar="JSONL", help="the model's answers")
    told.add_argument("--verdicts", required=True, metavar="PARQUET", help="what the judge found")
    told.add_argument(
        "--parent-train", nargs="+", required=True, metavar="FILE", help="the parent's training shards"
    )
    told.add_argument(
        "--parent-val", nargs="*", default=[], metavar="FILE", help="its validation shards, copied"
    )
    told.add_argument(
        "--report", required=True, metavar="JSON", help="the account of every sample; shards beside it"
    )
    told.add_argument("--shards", type=int, default=1, metavar="N", help="files per split (default 1)")
    add_options(told, RsftKeep)
    arguments = told.parse_args()
    set_up_log(arguments)
    keep = options_from(arguments, RsftKeep)
    selected = select(
        read_jsonl(arguments.problems, Problem),
        read_jsonl(arguments.completions, Completion),
        read_parquet(arguments.verdicts, Verdict),
        read_samples(arguments.parent_train),
        arguments.stage,
        keep,
    )
    val = read_samples(arguments.parent_val)
    folder = Path(arguments.report).parent
    files = [
        *write_shards(folder, "train", selected.train, arguments.shards),
        *write_shards(folder, "val", val, arguments.shards),
    ]
    write_manifest(folder, arguments.stage, files)
    write_json(arguments.report, {**selected.report, "val_rows": len(val), "files": files})
    outcomes = dict(selected.report["outcomes"])
    telemetry.count("rows_in", selected.report["samples"])
    telemetry.count("rows_kept", outcomes.pop("kept", 0))
    telemetry.count_by("rows_lost", "reason", outcomes)
    telemetry.count_by("rows_out", "split", {"train": len(selected.train), "val": len(val)})
    log.info(
        "%s: %d of %d samples kept, %d rows with the parent's",
        arguments.stage,
        selected.report["kept"],
        selected.report["samples"],
        len(selected.train),
    )


if __name__ == "__main__":
    run(main)
