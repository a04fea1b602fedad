"""Export a stage as others load it: weights, tokenizer with chat template, generation settings, licence note.

  python -m scripts.export --base results/models/base/manifest.json --stage results/models/phase2/manifest.json
      --merged results/merged/phase2/manifest.json --temperature 0.4 --top-p 0.95 --max-new-tokens 192
      --compute-dtype float32 --out results/export/phase2/manifest.json

The folder, `model`, lies beside the manifest. With --adapter-only it holds the adapter alone, for peft.
"""

from pathlib import Path

from rust_expert.common.cli import add_options, options_from, parser, run, set_up_log
from rust_expert.common.config.export import ExportOptions, GenerationDefaults
from rust_expert.common.config.models import QuantizationOptions
from rust_expert.models.process import prepare_process, settle_libraries


def main() -> None:
    """Read the command line and export."""
    told = parser(__doc__)
    told.add_argument("--base", required=True, metavar="MANIFEST", help="manifest.json of the base")
    told.add_argument("--stage", required=True, metavar="MANIFEST", help="manifest.json of the stage")
    what = told.add_mutually_exclusive_group(required=True)
    what.add_argument("--merged", type=Path, metavar="MANIFEST", help="manifest.json of the merged model")
    what.add_argument("--adapter-only", action="store_true", help="the adapter, without the base's weights")
    told.add_argument("--out", required=True, metavar="MANIFEST", help="manifest.json to write")
    for section in (ExportOptions, GenerationDefaults, QuantizationOptions):
        add_options(told, section)
    given = told.parse_args()
    set_up_log(given)
    options = options_from(given, ExportOptions)
    generation = options_from(given, GenerationDefaults)
    quantization = options_from(given, QuantizationOptions)
    prepare_process(1)

    from rust_expert.models.export import Export, export

    settle_libraries(1)
    export(
        Export(
            base=Path(given.base),
            stage=Path(given.stage),
            merged=given.merged,
            out=Path(given.out),
            options=options,
            generation=generation,
            quantization=quantization,
        )
    )


if __name__ == "__main__":
    run(main)
