"""Differences between two judgings, and the causes that are told for them."""

import io
import tarfile
from pathlib import Path

import pytest

from rust_expert.common.contracts import Verdict
from rust_expert.common.errors import UserError
from rust_expert.release.differences import (
    NO_CAUSE,
    Rows,
    condition_differences,
    count_leaves,
    figure_differences,
    leaf_differences,
    verdict_differences,
)
from rust_expert.release.opening import Change, unpacked
from rust_expert.release.packing import record_of

PASSED = Verdict(task_id="core/1", sample=0, status="passed", compiled=True)
FAILED = PASSED.model_copy(update={"status": "failed"})
NOTHING = Rows("base", "core", (), {"core/1": 1})


def test_the_same_verdicts_do_not_differ() -> None:
    assert list(verdict_differences([PASSED, FAILED], [PASSED, FAILED], NOTHING, ["rustc was 1, is 2"])) == []


def test_another_compiler_is_the_cause() -> None:
    judged = {"rustc": "rustc 1.90.0", "sandbox": {"backend": "bubblewrap", "run": {"memory_mb": 2048}}}
    here = {"rustc": "rustc 1.91.0", "sandbox": {"backend": "firejail", "run": {"memory_mb": 2048}}}
    conditions = condition_differences(judged, here, "a", "a")
    assert conditions == [
        "rustc was rustc 1.90.0, is rustc 1.91.0",
        "sandbox backend was bubblewrap, is firejail",
    ]
    (one,) = verdict_differences([PASSED], [FAILED], NOTHING, conditions)
    assert one.cause == "; ".join(conditions)
    assert (one.released, one.here) == ({"status": "passed"}, {"status": "failed"})


def test_without_any_cause_it_is_drift() -> None:
    assert condition_differences({"rustc": "1"}, {"rustc": "1"}, "a", "a") == []
    (one,) = verdict_differences([PASSED], [FAILED], NOTHING, [])
    assert one.cause == NO_CAUSE


def test_a_changed_row_is_the_cause_of_its_own_verdict_only() -> None:
    changed = [Change("samples/base/core.jsonl", 2, "was changed after the release")]
    rows = Rows("base", "core", changed, {"core/1": 1})
    first, second = verdict_differences([PASSED, PASSED], [FAILED, FAILED], rows, [])
    assert first.cause == NO_CAUSE and second.cause.startswith("the sample was changed")


def test_verdicts_that_are_missing() -> None:
    (one,) = verdict_differences([PASSED], [PASSED, PASSED], NOTHING, [])
    assert (one.released, one.here) == (1, 2)


def test_leaves() -> None:
    one, other = {"a": {"b": 1, "c": [1, 2]}, "d": None}, {"a": {"b": 1.0, "c": [1, 3]}, "e": 0}
    assert list(leaf_differences(one, other)) == [("a.b", 1, 1.0), ("a.c.1", 2, 3), ("e", None, 0)]
    assert count_leaves(one) == 4
    assert [one.of for one in figure_differences("x.json", {"a": 1}, {"a": 2}, [])] == ["x.json: a"]


def test_records_of_rows() -> None:
    before, now = record_of("x.jsonl", b'{"a": 1}\n{"a": 2}\n'), record_of("x.jsonl", b'{"a": 1}\n{"a": 3}\n')
    assert before.rows and now.rows and before.rows[0] == now.rows[0] and before.rows[1] != now.rows[1]
    assert record_of("x.json", b"{}").rows is None


@pytest.mark.parametrize("upwards", [True, False])
def test_an_archive_writes_nothing_outside(tmp_path: Path, upwards: bool) -> None:
    path = tmp_path / "release.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("../outside" if upwards else str(tmp_path / "outside"))
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    if upwards:
        with pytest.raises(UserError, match="not the archive of a release"):
            unpacked(path, tmp_path / "work" / "release")
    else:  # Python takes the slash away
        unpacked(path, tmp_path / "work" / "release")
    assert not (tmp_path / "outside").exists() and not (tmp_path / "work" / "outside").exists()
