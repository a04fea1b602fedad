"""Convert an exported model to GGUF with llama.cpp's own converter, which this project does not bring along.

  python -m scripts.gguf results/export/phase2/model --out results/gguf/phase2.gguf --llama-cpp ../llama.cpp

The converter is looked for in --llama-cpp, in the folder that LLAMA_CPP names, and on the PATH.
"""

import logging
from pathlib import Path

from rust_expert.common.cli import parser, run, set_up_log
from rust_expert.models.gguf import TYPES, convert, find_converter

log = logging.getLogger(__name__)


def main() -> None:
    """Read the command line, find the converter, run it, check the file."""
    told = parser(__doc__)
    told.add_argument("folder", type=Path, metavar="FOLDER", help="a folder with a whole model")
    told.add_argument("--out", type=Path, required=True, metavar="GGUF", help="the file to write")
    told.add_argument("--llama-cpp", type=Path, metavar="FOLDER", help="a clone of llama.cpp")
    told.add_argument(
        "--outtype", choices=TYPES, default="auto", help="number format (default: the model's own)"
    )
    told.add_argument(
        "--python", type=Path, metavar="PROGRAM", help="Python with the converter's requirements"
    )
    given = told.parse_args()
    set_up_log(given)
    converter = find_converter(given.llama_cpp)
    tensors = convert(given.folder, given.out, converter, given.outtype, given.python)
    log.info("%s: %d tensors, %d MB", given.out, tensors, given.out.stat().st_size // 1_000_000)


if __name__ == "__main__":
    run(main)
