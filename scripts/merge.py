"""Merge a stage's adapter into its base: a dense model that needs neither peft nor bitsandbytes.

  python -m scripts.merge --base results/models/base/manifest.json --stage results/models/phase2/manifest.json
      --compute-dtype float32 --out results/merged/phase2/manifest.json

The quantisation is that of the training; the model's folder, `model`, lies beside the manifest.
"""

from pathlib import Path

from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.export import MergeOptions
from rust_expert.common.config.models import QuantizationOptions
from rust_expert.models.process import prepare_process, settle_libraries


def main() -> None:
    """Read the command line and merge."""
    told = parser(__doc__)
    told.add_argument("--base", required=True, metavar="MANIFEST", help="manifest.json of the base")
    told.add_argument("--stage", required=True, metavar="MANIFEST", help="manifest.json of the stage")
    told.add_argument("--out", required=True, metavar="MANIFEST", help="manifest.json to write")
    for section in (MergeOptions, QuantizationOptions):
        add_options(told, section)
    given = told.parse_args()
    set_up_log(given)
    options = options_from(given, MergeOptions)
    quantization = options_from(given, QuantizationOptions)
    prepare_process(options.threads)

    from rust_expert.models.merge import Merge, merge_stage

    settle_libraries(options.threads)
    merge_stage(
        Merge(
            base=Path(given.base),
            stage=Path(given.stage),
            out=Path(given.out),
            options=options,
            quantization=quantization,
        )
    )


if __name__ == "__main__":
    run(main)
