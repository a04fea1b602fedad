"""Our side of llama.cpp's converter: how it is found and started, and what is made of what it leaves."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.errors import UserError
from rust_expert.models.gguf import CONVERTER, convert, find_converter, tensors_of

ROOT = Path(__file__).resolve().parents[2]

WRITES = """
import argparse, json, struct, sys
from pathlib import Path
told = argparse.ArgumentParser()
told.add_argument("model")
told.add_argument("--outfile")
told.add_argument("--outtype")
given = told.parse_args()
names = json.loads(Path(given.model, "config.json").read_text())["tensors"]
print("INFO: loading", file=sys.stderr)
Path(given.outfile).write_bytes(b"GGUF" + struct.pack("<IQQ", 3, len(names), 1) + given.outtype.encode())
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"tensors": ["a", "b", "c"]}')
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def converter(tmp_path: Path, program: str) -> Path:
    folder = tmp_path / "llama.cpp"
    folder.mkdir(exist_ok=True)
    (folder / CONVERTER).write_text(program)
    return folder


def script(*words: str, path: str = "/usr/bin:/bin", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.gguf", *words],
        cwd=ROOT, env={"PATH": path, **environment}, capture_output=True, text=True,
    )  # fmt: skip


def test_where_it_is_absent_one_sentence_says_how_to_get_it(model: Path, tmp_path: Path) -> None:
    done = script(str(model), "--out", str(tmp_path / "m.gguf"))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "git clone https://github.com/ggml-org/llama.cpp" in done.stderr and "--llama-cpp" in done.stderr
    done = script(str(model), "--out", str(tmp_path / "m.gguf"), "--llama-cpp", str(model))
    assert done.returncode == 2 and f"{model}: no {CONVERTER} is in it" in done.stderr


@pytest.mark.parametrize("how", ["option", "variable", "path"])
def test_it_is_found_and_run_and_its_file_is_read(model: Path, tmp_path: Path, how: str) -> None:
    folder, out = str(converter(tmp_path, WRITES)), tmp_path / "out" / "m.gguf"
    words = [str(model), "--out", str(out), "--outtype", "bf16"]
    if how == "option":
        done = script(*words, "--llama-cpp", folder)
    elif how == "variable":
        done = script(*words, LLAMA_CPP=folder)
    else:
        done = script(*words, path=f"/usr/bin:{folder}")
    assert done.returncode == 0, done.stderr
    assert "3 tensors" in done.stderr
    assert out.read_bytes().endswith(b"bf16") and tensors_of(out) == 3
    assert [path.name for path in out.parent.iterdir()] == ["m.gguf"]


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (
            "import sys\nprint('reading', file=sys.stderr)\nsys.exit('BPE pre-tokenizer was not recognized')\n",
            r"BPE pre-tokenizer was not recognized \(exit code 1\)",
        ),
        ("import sys\nsys.exit(3)\n", r"it failed without a word \(exit code 3\)"),
        ("pass\n", "is no GGUF file"),
        (WRITES.replace(b"GGUF".decode(), "GGML"), "is no GGUF file"),
        (WRITES.replace("len(names)", "0"), "with 0 tensors"),
        (WRITES.replace('"<IQQ", 3', '"<IQQ", 1'), "of version 1"),
    ],
)
def test_a_failed_conversion_leaves_what_stood_there(
    model: Path, tmp_path: Path, program: str, told: str
) -> None:
    out = tmp_path / "out" / "m.gguf"
    out.parent.mkdir()
    out.write_bytes(b"before")
    with pytest.raises(UserError, match=told) as caught:
        convert(model, out, find_converter(converter(tmp_path, program)), "f16")
    assert "\n" not in str(caught.value)
    assert [path.read_bytes() for path in out.parent.iterdir()] == [b"before"]


def test_what_cannot_be_converted_is_told_before(model: Path, tmp_path: Path) -> None:
    found = find_converter(converter(tmp_path, WRITES))
    with pytest.raises(UserError, match="is no program"):
        convert(model, tmp_path / "m.gguf", found, "f16", Path("/no/python"))
    (model / "adapter_config.json").write_text("{}")
    with pytest.raises(UserError, match="an adapter alone"):
        convert(model, tmp_path / "m.gguf", found, "f16")
    (model / "adapter_config.json").unlink()
    (model / "model.safetensors").unlink()
    with pytest.raises(UserError, match="no model with"):
        convert(model, tmp_path / "m.gguf", found, "f16")


def test_the_header_is_that_of_the_format(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 291, 29))
    assert tensors_of(path) == 291
    path.write_bytes(b"GGUF\x03")
    with pytest.raises(UserError, match="no GGUF file"):
        tensors_of(path)
