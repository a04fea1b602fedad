"""A release judged again in another checkout: identical, and whatever is changed in it is found and named."""

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rust_expert.common.files import sha256_file
from tests.workflow.workplace import Workplace

ARCHIVE = "results/release.tar.gz"
STAGES = 4
SAMPLES = 48


@pytest.fixture(scope="module")
def archive(built: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of the built workplace."""
    place = Workplace(tmp_path_factory.mktemp("release") / "repo", built.folder)
    assert place.build(ARCHIVE) == {"release": 1}
    first = sha256_file(place.folder / ARCHIVE)
    (place.folder / ARCHIVE).unlink()
    assert place.build(ARCHIVE) == {"release": 1}
    assert sha256_file(place.folder / ARCHIVE) == first
    assert place.plan(ARCHIVE) == {}
    found = place.folder.parent / "release.tar.gz"
    shutil.copy(place.folder / ARCHIVE, found)
    shutil.rmtree(place.folder)
    return found


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A checkout in which nothing was ever run."""
    return Workplace(tmp_path_factory.mktemp("elsewhere") / "checkout")


def without_network() -> list[str]:
    """The words before a command that take the network from it, where this user may."""
    words = ["unshare", "--net"]
    able = shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True).returncode == 0
    return words if able else []


def verify(
    place: Workplace, release: Path, work: Path, *words: str
) -> tuple[int, str, dict[str, list[object]]]:
    """The exit code, what was printed, and the differences."""
    command = [
        *without_network(),
        sys.executable,
        "-m",
        "scripts.verify",
        str(release),
        "--work",
        str(work),
        *words,
    ]
    done = subprocess.run(command, cwd=place.folder, env=place.environment(), capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr[-3000:]
    return done.returncode, done.stdout, json.loads((work / "differences.json").read_text(encoding="utf-8"))


@pytest.fixture
def folder(archive: Path, tmp_path: Path) -> Path:
    """The release unpacked, to be changed by hand."""
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path / "rust-expert-release"


def edit(path: Path, line: int, change: Callable[[dict[str, object]], None]) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[line - 1])
    change(row)
    lines[line - 1] = json.dumps(row, ensure_ascii=False)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_any_number_of_workers_gives_the_same_three_times(
    archive: Path, elsewhere: Workplace, tmp_path: Path
) -> None:
    code, told, found = verify(elsewhere, archive, tmp_path / "work", "--workers", "1,2,5")
    assert code == 0, told
    assert told.splitlines()[-1].startswith(f"identical: {3 * STAGES * SAMPLES} verdicts and ")
    assert found["changed"] == found["conditions"] == found["differences"] == []
    for turn in (1, 2, 3):
        made = (tmp_path / f"work/run-{turn}/metrics.json").read_bytes()
        assert made == (tmp_path / "work/release/rust-expert-release/metrics.json").read_bytes()


def test_a_verdict_a_sample_and_a_problem_changed_by_hand(
    folder: Path, elsewhere: Workplace, tmp_path: Path
) -> None:
    verdict, sample = folder / "verdicts/phase1/curriculum.jsonl", folder / "samples/rsft1/curriculum.jsonl"
    suite = folder / "suites/curriculum.jsonl"
    assert json.loads(verdict.read_text().splitlines()[4])["status"] != "passed"
    edit(verdict, 5, lambda row: row.update(status="passed", compiled=True))
    edit(sample, 9, lambda row: row.update(completion="this is no Rust"))
    edit(
        suite,
        20,
        lambda row: row.update(test=str(row["test"]).replace("assert", "assert!(false); assert", 1)),
    )
    task = json.loads(suite.read_text().splitlines()[19])["task_id"]
    code, told, found = verify(elsewhere, folder, tmp_path / "work")
    assert code == 1
    assert found["changed"] == [
        "samples/rsft1/curriculum.jsonl, line 9: was changed after the release",
        "suites/curriculum.jsonl, line 20: was changed after the release",
        "verdicts/phase1/curriculum.jsonl, line 5: was changed after the release",
    ]
    for line in found["changed"]:
        assert str(line) in told
    causes = {str(one["of"]): str(one["cause"]) for one in found["differences"]}  # type: ignore[index]
    row = json.loads(verdict.read_text().splitlines()[4])
    of = f"phase1 on curriculum: {row['task_id']}, sample {row['sample']}"
    assert causes[of].startswith("the released verdict was changed after the release")
    row = json.loads(sample.read_text().splitlines()[8])
    of = f"rsft1 on curriculum: {row['task_id']}, sample {row['sample']}"
    assert causes[of].startswith("the sample was changed after the release")
    of = f"base on curriculum: {task}, sample 0"
    assert causes[of].startswith("the problem was changed after the release")
    assert not [of for of, cause in causes.items() if "no cause is known" in cause]


def test_a_figure_changed_by_hand(folder: Path, elsewhere: Workplace, tmp_path: Path) -> None:
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    metrics["stages"]["rsft1"]["suites"]["curriculum"]["pass_at_1"]["value"] = 0.99
    path.write_text(json.dumps(metrics), encoding="utf-8")
    code, told, found = verify(elsewhere, folder, tmp_path / "work")
    assert code == 1 and "metrics.json: was changed after the release" in told
    (one,) = found["differences"]
    assert one["of"] == "metrics.json: stages.rsft1.suites.curriculum.pass_at_1.value"  # type: ignore[index]
    assert one["released"] == 0.99  # type: ignore[index]


def test_another_code_of_the_judge_is_told(archive: Path, tmp_path: Path) -> None:
    place = Workplace(tmp_path / "checkout")
    place.append("rust_expert/judge/lints.py", "\nLESS = {}\n")
    code, told, found = verify(place, archive, tmp_path / "work")
    assert code == 0 and "the judge's code was" in told
    assert len(found["conditions"]) == 1


def test_what_is_no_release(folder: Path, elsewhere: Workplace, tmp_path: Path) -> None:
    def refused(release: Path) -> str:
        command = [sys.executable, "-m", "scripts.verify", str(release), "--work", str(tmp_path / "work")]
        done = subprocess.run(command, cwd=elsewhere.folder, capture_output=True, text=True)
        assert done.returncode == 2 and "Traceback" not in done.stderr
        return done.stderr

    assert "no such release" in refused(tmp_path / "nothing.tar.gz")
    (tmp_path / "text.tar.gz").write_text("a text")
    assert "not the archive of a release" in refused(tmp_path / "text.tar.gz")
    (folder / "samples/base/curriculum.jsonl").unlink()
    assert "is missing from the release" in refused(folder)
    (folder / "release.json").write_text('{"schema": 99}')
    assert "of schema 99, this version reads 1" in refused(folder)
