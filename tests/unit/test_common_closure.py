"""The code fingerprint: it moves with the code that a script runs and with nothing else."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rust_expert.common.closure import (
    OBSERVERS,
    code_fingerprint,
    code_parts,
    import_closure,
)

ROOT = Path(__file__).resolve().parents[2]

FILES = {
    "scripts/__init__.py": "",
    "scripts/judge.py": "from rust_expert.judge import verdicts\n",
    "scripts/train.py": "import rust_expert.models.sft\nfrom rust_expert.common import cli, telemetry\n",
    "rust_expert/__init__.py": "",
    "rust_expert/judge/__init__.py": "",
    "rust_expert/judge/verdicts.py": "def f():\n    from . import deep\n    return deep.x\n",
    "rust_expert/judge/deep.py": "from ..common import files\nx = 1\n",
    "rust_expert/judge/harness.rs": "fn main() {}\n",
    "rust_expert/models/__init__.py": "",
    "rust_expert/models/sft.py": "import torch\nfrom rust_expert.common.files import y\n",
    "rust_expert/common/__init__.py": "",
    "rust_expert/common/cli.py": "from rust_expert.common import telemetry\n",
    "rust_expert/common/telemetry.py": "from rust_expert.common import exposition\nz = 3\n",
    "rust_expert/common/exposition.py": "import prometheus_client\n",
    "rust_expert/common/files.py": 'y = 2\n\ndef g():\n    """Told."""\n    return y  # why\n',
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def moved(root: Path) -> Callable[[str, str, str], bool]:
    def edit(script: str, name: str, text: str) -> bool:
        before = code_fingerprint(script, root)
        (root / name).write_text(text, encoding="utf-8")
        return code_fingerprint(script, root) != before

    return edit


def test_closure_follows_lazy_and_relative_imports(root: Path) -> None:
    names = [str(path.relative_to(root)) for path in import_closure("scripts.judge", root)]
    assert "rust_expert/judge/deep.py" in names and "rust_expert/common/files.py" in names
    assert "rust_expert/models/sft.py" not in names


@pytest.mark.parametrize(
    ("script", "name", "text", "moves"),
    [
        ("scripts.judge", "rust_expert/judge/deep.py", "from ..common import files\nx = 2\n", True),
        ("scripts.train", "rust_expert/judge/deep.py", "from ..common import files\nx = 2\n", False),
        ("scripts.judge", "rust_expert/judge/harness.rs", "fn main() { panic!() }\n", True),
        ("scripts.train", "rust_expert/judge/harness.rs", "fn main() { panic!() }\n", False),
        (
            "scripts.train",
            "rust_expert/common/files.py",
            'y = 2\n# new\ndef g():\n    """Else."""\n    return (y)\n',
            False,
        ),
        ("scripts.train", "rust_expert/common/files.py", "y = 2\n\ndef g():\n    return -y\n", True),
    ],
)
def test_what_moves_the_fingerprint(
    moved: Callable[[str, str, str], bool], script: str, name: str, text: str, moves: bool
) -> None:
    assert moved(script, name, text) is moves


@pytest.mark.parametrize("name", ["telemetry", "exposition"])
def test_who_watches_a_run_is_in_its_closure_and_not_in_its_fingerprint(
    root: Path, moved: Callable[[str, str, str], bool], name: str
) -> None:
    path = f"rust_expert/common/{name}.py"
    assert root / path in import_closure("scripts.train", root)
    assert not moved("scripts.train", path, "z = 4\n")
    assert moved(
        "scripts.train", "rust_expert/common/cli.py", "from rust_expert.common import telemetry\nz = 4\n"
    )


def test_the_modules_that_watch_are_there() -> None:
    assert all(ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file() for name in OBSERVERS)


def test_the_lock_of_the_environment_counts(root: Path) -> None:
    lock = root / "train.lock"
    lock.write_text("torch==1\n", encoding="utf-8")
    before = code_fingerprint("scripts.train", root, (lock,))
    lock.write_text("torch==2\n", encoding="utf-8")
    assert code_fingerprint("scripts.train", root, (lock,)) != before


def test_an_unknown_module_is_refused(root: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"scripts\.none"):
        import_closure("scripts.none", root)


def test_modules_can_be_left_out(root: Path) -> None:
    without = OBSERVERS | {"rust_expert.common.files"}
    before = code_fingerprint("scripts.train", root, without=without)
    (root / "rust_expert/common/files.py").write_text("y = 9\n", encoding="utf-8")
    assert code_fingerprint("scripts.train", root, without=without) == before
    (root / "rust_expert/models/sft.py").write_text(
        "from rust_expert.common.files import y as z\n", encoding="utf-8"
    )
    assert code_fingerprint("scripts.train", root, without=without) != before


def test_the_parts_tell_what_was_changed(root: Path) -> None:
    before = code_parts("scripts.judge", root)
    (root / "rust_expert/judge/harness.rs").write_text("fn main() { panic!() }\n", encoding="utf-8")
    (root / "rust_expert/judge/deep.py").write_text("x = 1\n", encoding="utf-8")
    after = code_parts("scripts.judge", root)
    assert {name for name in before if before[name] != after.get(name)} == {
        "rust_expert/judge/harness.rs",
        "rust_expert/judge/deep.py",
        "rust_expert/common/__init__.py",  # nothing else imports it
        "rust_expert/common/files.py",
    }


READER = """
import ast, sys
from pathlib import Path
from rust_expert.common.closure import code_fingerprint, recall, remember
root, place = map(Path, sys.argv[1:])
recall(place)
parse, parsed = ast.parse, []
ast.parse = lambda *given, **named: parsed.append(named["filename"]) or parse(*given, **named)
print(code_fingerprint("scripts.judge", root), *(Path(name).name for name in parsed))
remember(place)
"""


def test_what_was_read_is_not_parsed_again(root: Path, tmp_path: Path) -> None:
    place = tmp_path / "kept" / "read.json"

    def told() -> tuple[str, list[str]]:
        words = [sys.executable, "-c", READER, str(root), str(place)]
        fingerprint, *parsed = subprocess.check_output(words, cwd=ROOT, text=True).split()
        return fingerprint, sorted(parsed)

    first, parsed = told()
    assert {"deep.py", "verdicts.py"} < set(parsed)
    assert told() == (first, [])
    (root / "rust_expert/judge/deep.py").write_text("from ..common import files\nx = 2\n", encoding="utf-8")
    second, parsed = told()
    assert second != first and parsed == ["deep.py"]
    for broken in (
        "",
        "[]",
        "{}",
        '{"reader": 1}',
        place.read_text(encoding="utf-8").replace('"reader": "', '"reader": "x'),
    ):
        place.write_text(broken, encoding="utf-8")
        again, parsed = told()
        assert again == second and "verdicts.py" in parsed
