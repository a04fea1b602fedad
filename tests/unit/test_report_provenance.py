"""Provenance: what a run was made with and what it cost, and nothing that names the person or the host."""

import getpass
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rust_expert.common.errors import UserError
from rust_expert.common.exposition import Figure, write_figures
from rust_expert.report.costs import by_rule, read_jobs
from rust_expert.report.provenance import collect, seeds_in

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def benchmarks(folder: Path) -> Path:
    for name, line in {
        "judge/base/core.tsv": "12.5\t0:00:12\t300.25\t1\t1\t1\t0\t0\t99\t11.5\n",
        "judge/phase1/core.tsv": "2.5\t0:00:02\t500.5\t1\t1\t1\t0\t0\t99\t2.25\n",
        "judge/phase2__seed_1/core.tsv": "9.5\t0:00:09\t900.5\t1\t1\t1\t0\t0\t99\t9.25\n",
        "clean.tsv": "0.4\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + line)
    return folder


def test_jobs_add_up_by_rule(tmp_path: Path) -> None:
    jobs = read_jobs(benchmarks(tmp_path))
    assert [(job.rule, job.name) for job in jobs] == [
        ("clean", ""),
        ("judge", "base/core"),
        ("judge", "phase1/core"),
    ]
    short = {"jobs": 1, "wall_s": 0.4, "longest_s": 0.4, "cpu_s": None, "peak_memory_mb": None}
    judged = {"jobs": 2, "wall_s": 15.0, "longest_s": 12.5, "cpu_s": 13.75, "peak_memory_mb": 500.5}
    assert by_rule(jobs) == {"clean": short | {"energy_j": None}, "judge": judged | {"energy_j": None}}


def test_stages_of_further_seeds_are_of_the_run(tmp_path: Path) -> None:
    jobs = read_jobs(benchmarks(tmp_path), runs=["phase1__seed_1", "phase2__seed_1"])
    assert [job.name for job in jobs if job.rule == "judge"] == [
        "base/core", "phase1/core", "phase2__seed_1/core",
    ]  # fmt: skip
    assert by_rule(jobs)["judge"]["cpu_s"] == 23.0


def test_what_linux_counted_goes_before_what_was_seen_now_and_then(tmp_path: Path) -> None:
    folder = benchmarks(tmp_path / "benchmarks")
    for place in ("sample/all/all.tsv", "sample/all/all/1.tsv"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "judge/base/core.tsv", folder / place)
    for place, own, children in (
        ("clean", 0.3, 0.0),
        ("judge/base/core", 5.5, 33.25),
        ("sample_vllm/all/all", 60.0, 1.0),
    ):
        used = [
            Figure("cpu_seconds", {"of": "own"}, own),
            Figure("cpu_seconds", {"of": "children"}, children),
        ]
        peaks = [Figure("peak_memory_bytes", {"of": of}, 350 * 1024**2) for of in ("own", "children")]
        write_figures(tmp_path / f"telemetry/jobs/{place}.prom", [*used, *peaks])
    found = {
        f"{job.rule}/{job.name}": (job.cpu_s, job.peak_mb)
        for job in read_jobs(folder, tmp_path / "telemetry")
    }
    assert found == {
        "clean/": (0.3, 350.0),
        "judge/base/core": (38.75, 350.0),
        "judge/phase1/core": (2.25, 500.5),
        "sample/all/all": (61.0, 350.0),
        "sample/all/all/1": (11.5, 300.2),
    }


def test_energy_is_that_of_the_jobs_own_telemetry(tmp_path: Path) -> None:
    folder = benchmarks(tmp_path / "benchmarks")
    (folder / "train").mkdir()
    shutil.copy(folder / "judge/base/core.tsv", folder / "train/phase1.tsv")
    for rule, job, parts in (
        ("judge", "base/core", {"cpu": 40.5, "gpu": 100.0}),
        ("train_sft", "phase1", {"gpu": 7.0}),
    ):
        used = [
            Figure("energy_joules", {"of": kind, "rule": rule, "job": job}, j) for kind, j in parts.items()
        ]
        write_figures(
            tmp_path / f"telemetry/jobs/{rule}/{job}.prom", [*used, Figure("wall_seconds", {}, 3.0)]
        )
    rules = by_rule(read_jobs(folder, tmp_path / "telemetry"))
    assert {rule: told["energy_j"] for rule, told in rules.items()} == {
        "clean": None, "judge": 140.5, "train": 7.0,
    }  # fmt: skip


def test_a_file_that_is_no_benchmark_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(UserError, match=r"x\.tsv: not a benchmark"):
        read_jobs(tmp_path)


def test_seeds_are_found_by_their_place() -> None:
    config = {"clean": {"seed": 3}, "stages": {"a": {"data_seed": 4, "seed": None}}, "seeds": 9, "x": [1]}
    assert seeds_in(config) == {"clean.seed": 3, "stages.a.data_seed": 4}


def test_what_is_collected(tmp_path: Path) -> None:
    found = collect({"judge": {"seed": 1}}, benchmarks(tmp_path / "benchmarks"), tmp_path)
    assert found["git"] == {"commit": None, "dirty": None}
    assert found["packages"]["pydantic"] and found["python"]
    assert found["machine"]["cores"] >= 1 and found["machine"]["memory_mb"] > 100
    assert found["total"] == {"jobs": 3, "wall_s": 15.4, "cpu_s": 13.75, "peak_memory_mb": 500.5}
    assert set(found["energy"]["read"]) | set(found["energy"]["not_read"]) == {"cpu", "gpu"}
    assert set(found["tools"]) == {"rustc", "cargo", "clippy", "bubblewrap", "git"}
    text = json.dumps({key: value for key, value in found.items() if key not in ("packages", "tools")})
    assert socket.gethostname() not in text and str(tmp_path) not in text
    user = getpass.getuser()
    assert f'"{user}"' not in text and f"/home/{user}" not in text


def test_the_state_of_a_repository_is_told(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    git("init")
    (tmp_path / "a").write_text("a")
    git("add", "a")
    git("commit", "-m", "a")
    state = collect({}, tmp_path / "none", tmp_path)["git"]
    assert len(state["commit"]) == 40 and state["dirty"] is False
    (tmp_path / "a").write_text("b")
    assert collect({}, tmp_path / "none", tmp_path)["git"]["dirty"] is True


@pytest.mark.parametrize("as_file", [True, False])
def test_the_script_takes_a_file_or_json(tmp_path: Path, as_file: bool) -> None:
    config = '{"judge": {"seed": 7}}'
    if as_file:
        (tmp_path / "config.json").write_text(config)
    out = tmp_path / "provenance.json"
    command = [sys.executable, "-m", "scripts.provenance", "--benchmarks", str(benchmarks(tmp_path / "b"))]
    given = str(tmp_path / "config.json") if as_file else config
    subprocess.run([*command, "--config-json", given, "--out", str(out)], check=True, capture_output=True)
    assert json.loads(out.read_text())["seeds"] == {"judge.seed": 7}


def test_bad_json_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.provenance", "--config-json", "{x", "--benchmarks", str(tmp_path), "--out",
         str(tmp_path / "out.json")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and "--config-json: not valid JSON" in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "out.json").exists()
