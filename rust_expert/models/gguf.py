"""GGUF files, for llama.cpp and what is built on it, through llama.cpp's own converter."""

import logging
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

from rust_expert.common.errors import UserError
from rust_expert.common.files import atomic_path
from rust_expert.models.folders import require_space

log = logging.getLogger(__name__)

CONVERTER = "convert_hf_to_gguf.py"
MAGIC = b"GGUF"
HEADER = struct.Struct("<4sIQQ")
"""Magic, version, number of tensors, number of key-value pairs: ggml's docs/gguf.md."""

TYPES = ("auto", "f32", "f16", "bf16", "q8_0")
"""Number formats that the converter itself writes; smaller ones are made from its file by `llama-quantize`."""


def find_converter(llama_cpp: Path | None) -> Path:
    """llama.cpp's converter: in the folder `llama_cpp`, in that of LLAMA_CPP, or on the PATH.

    Raises UserError that says how to get it.
    """
    told = os.environ.get("LLAMA_CPP")
    folder = llama_cpp or (Path(told) if told else None)
    if folder is not None:
        if (folder / CONVERTER).is_file():
            return folder / CONVERTER
        raise UserError(f"{folder}: no {CONVERTER} is in it; name the folder of a clone of llama.cpp")
    for place in os.get_exec_path():
        if (Path(place) / CONVERTER).is_file():
            return Path(place) / CONVERTER
    raise UserError(
        f"llama.cpp's {CONVERTER} is not here; get it with `git clone https://github.com/ggml-org/llama.cpp`, install"
        " its requirements.txt, and name the folder with --llama-cpp"
    )


def convert(folder: Path, out: Path, converter: Path, kind: str, python: Path | None = None) -> int:
    """Convert the model in `folder` to the file `out`, whole or not at all; returns its number of tensors.

    `python` is the interpreter that has the converter's requirements; ours where it is None.

    Raises UserError for a folder without whole weights, too little disk, and with the converter's own last words
    where it fails or leaves no GGUF file.
    """
    if (folder / "adapter_config.json").is_file():
        raise UserError(f"{folder}: an adapter alone; export the merged model (scripts.export --merged)")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights or not (folder / "config.json").is_file():
        raise UserError(f"{folder}: no model with config.json and *.safetensors is in it; export one first")
    if python is not None and shutil.which(python) is None:
        raise UserError(
            f"--python: {python} is no program; name the interpreter that llama.cpp's converter needs"
        )
    require_space(out.parent, sum(path.stat().st_size for path in weights), "the GGUF file")
    with atomic_path(out) as temporary:
        words = [str(python or sys.executable), str(converter), str(folder), "--outfile", str(temporary)]
        log.info("running %s --outtype %s", converter, kind)
        done = subprocess.run([*words, "--outtype", kind], capture_output=True, text=True, errors="replace")
        for line in done.stderr.splitlines():
            log.debug("%s", line)
        if done.returncode:
            raise UserError(
                f"{converter}: {_last_words(done)} (exit code {done.returncode}); nothing was written"
            )
        return tensors_of(temporary, out)


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1] if lines else "it failed without a word"


def tensors_of(path: Path, name: Path | None = None) -> int:
    """The number of tensors that a GGUF file's header states.

    Raises UserError, naming `name` or else the file, where it is no GGUF file or holds no tensor.
    """
    with open(path, "rb") as stream:
        head = stream.read(HEADER.size)
    if len(head) < HEADER.size or not head.startswith(MAGIC):
        raise UserError(f"{name or path}: what the converter left is no GGUF file; nothing was written")
    _, version, tensors, _ = HEADER.unpack(head)
    if version not in (2, 3) or not tensors:
        raise UserError(
            f"{name or path}: a GGUF file of version {version} with {tensors} tensors, where 2 or 3 and some are due"
        )
    return int(tensors)
