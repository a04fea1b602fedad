"""Files of problems: three shapes become one, and a broken row is named by file and line."""

import json
from pathlib import Path

import pytest

from rust_expert.common.errors import UserError
from rust_expert.common.problems import read_problems
from rust_expert.common.tables import write_jsonl

HUMANEVAL = {
    "task_id": "a",
    "prompt": "fn one() -> u8 {\n",
    "canonical_solution": "    1\n}\n",
    "test": "#[test]\nfn t() { assert_eq!(one(), 1); }",
    "entry_point": "one",
}
HUMANEVAL_X = {
    "task_id": "Rust/0",
    "prompt": "\n/*\n One.\n*/\n",
    "declaration": "\nuse rand::Rng;\nfn one() -> u8 {\n",
    "canonical_solution": "    1\n}\n",
    "test": HUMANEVAL["test"],
    "example_test": "None",
}
MULTIPL_E = {
    "name": "HumanEval_0_one",
    "language": "rs",
    "prompt": "/// One.\nfn one() -> u8 {\n",
    "doctests": "transform",
    "tests": "}\n\nfn main() {\n    let candidate = one;\n    assert_eq!(candidate(), 1);\n}\n",
    "stop_tokens": ["\n}"],
}


def written(folder: Path, *rows: object) -> Path:
    path = folder / "suite.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_three_shapes_become_one(tmp_path: Path) -> None:
    plain, declared, multiple = read_problems(written(tmp_path, HUMANEVAL, "", HUMANEVAL_X, MULTIPL_E))
    assert (plain.task_id, plain.entry_point, plain.declaration) == ("a", "one", None)
    assert (declared.declaration, declared.entry_point) == (HUMANEVAL_X["declaration"], "")
    assert (multiple.task_id, multiple.canonical_solution) == ("HumanEval_0_one", "")
    assert multiple.test.lstrip().startswith(
        "fn main() {"
    )  # without the brace that closes the prompt's function
    again = tmp_path / "again.jsonl"
    write_jsonl(again, [plain, declared, multiple])
    assert read_problems(again) == [plain, declared, multiple]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**HUMANEVAL, "test": None}, "test: Input should be a valid string"),
        (
            {key: HUMANEVAL[key] for key in ("task_id", "prompt", "canonical_solution")},
            "neither `test` .* nor `tests`",
        ),
        ({key: HUMANEVAL[key] for key in ("task_id", "prompt", "test")}, "canonical_solution is missing"),
        ({**HUMANEVAL, "prompt": ""}, "prompt: "),
        ({**HUMANEVAL, "entry_point": "one two"}, "entry_point: "),
        ({**HUMANEVAL_X, "declaration": 3}, "declaration: "),
        ({**MULTIPL_E, "name": ""}, "task_id: "),
        ({key: MULTIPL_E[key] for key in ("prompt", "tests")}, "task_id: Field required"),
        ({**MULTIPL_E, "tests": ["fn main() {}"]}, "tests: "),
        ({**MULTIPL_E, "language": "py"}, "'py' is not rs"),
        ('{"task_id": "a", ', "Invalid JSON"),
        ("[1]", "should be an object"),
        ({**HUMANEVAL_X, "task_id": "a"}, "a stands on line 1 already"),
    ],
)
def test_a_broken_row_is_one_sentence(tmp_path: Path, row: object, said: str) -> None:
    with pytest.raises(UserError, match=rf"suite\.jsonl, line 3: .*{said}") as caught:
        read_problems(written(tmp_path, HUMANEVAL, "", row))
    assert "\n" not in str(caught.value)


def test_no_problem_and_no_text_are_faults(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no problem in it"):
        read_problems(written(tmp_path, ""))
    (tmp_path / "suite.jsonl").write_bytes(b'{"task_id": "\xff"}\n')
    with pytest.raises(UserError, match="line 1: not a problem"):
        read_problems(tmp_path / "suite.jsonl")
