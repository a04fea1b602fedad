"""What `make sweep` reads from Snakemake's log, and the commands that queue points with DVC."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides

from rust_expert.common.config import points, profile
from rust_expert.common.errors import UserError
from scripts import run_sweep
from scripts.run_sweep import what_ran
from scripts.sweep_queue import queue_commands
from scripts.workflow_log import Job, counted, read

ROOT = Path(__file__).resolve().parents[2]

LOG = """Job stats:
job          count
[Sat Nov 28 23:25:10 2026]
rule train_sft:
    input: results/models/base/manifest.json, results/models/phase1/manifest.json
    output: results/models/phase2__seed_1/manifest.json
    log: results/logs/train/phase2__seed_1.log
    jobid: 3
    benchmark: results/benchmarks/train/phase2__seed_1.tsv
    reason: Missing output files: results/models/phase2__seed_1/manifest.json
    wildcards: stage=phase2__seed_1
    priority: 10
[Sat Nov 28 23:25:11 2026]
rule judge:
    input: results/samples/phase2__seed_2/core.jsonl, suites/core.jsonl
    output: results/verdicts/phase2__seed_2/core.parquet
    log: results/logs/judge/phase2__seed_2/core.log
    jobid: 7
    wildcards: stage=phase2__seed_2, suite=core
[Sat Nov 28 23:25:20 2026]
Finished jobid: 7 (Rule: judge)
1 of 4 steps (25%) done
[Sat Nov 28 23:25:30 2026]
Error in rule train_sft:
    jobid: 3
    input: results/models/base/manifest.json, results/models/phase1/manifest.json
    output: results/models/phase2__seed_1/manifest.json
    log: results/logs/train/phase2__seed_1.log (check log file(s) for error details)
    shell:
        python -m scripts.train
        (command exited with non-zero exit code)
Logfile results/logs/train/phase2__seed_1.log:
rule trust_me:
    jobid: none
"""


def test_a_log_tells_what_ran_and_what_failed() -> None:
    told = read(LOG)
    assert [(job.rule, job.stage) for job in told.begun] == [
        ("train_sft", "phase2__seed_1"),
        ("judge", "phase2__seed_2"),
    ]
    assert [job.number for job in told.finished] == [7] and [job.number for job in told.failed] == [3]
    assert told.failed[0].log == Path("results/logs/train/phase2__seed_1.log")
    assert told.begun[1].outputs == ("results/verdicts/phase2__seed_2/core.parquet",)
    assert counted(told.begun) == "1 train_sft, 1 judge" and not told.interrupted
    assert what_ran(told) == [
        "For 2 points alone: 1 judge.",
        "Shared by all points: data, base and parent stages, as they were; no job of theirs ran.",
    ]
    shared = LOG.replace("phase2__seed_2", "base")
    assert what_ran(read(shared))[1] == "Shared by all points, each made once in this run: 1 judge."
    assert what_ran(read("Nothing to be done (all requested files are present and up to date).")) == [
        "All points are there: no job ran."
    ]


def test_the_reason_is_that_of_a_points_own_job_or_of_what_it_shares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_sweep, "ROOT", tmp_path)
    for name, last in {
        "a__1": '{"event": "ended", "fault": "loss is NaN"}',
        "phase1": '{"event": "step',
    }.items():
        (tmp_path / f"{name}.jsonl").write_text('{"event": "begun"}\n' + last + "\n", encoding="utf-8")
    own, shared = (
        Job(number, "train_sft", stage, (), (), Path(f"{stage}.log"))
        for number, stage in ((1, "a__1"), (2, "phase1"))
    )
    both = ["a__1", "a__2"]
    assert run_sweep.reason("a__1", both, [own, shared]) == "train_sft: loss is NaN (see a__1.log)"
    killed = "train_sft: it was killed, or ended without a word (see phase1.log)"
    assert run_sweep.reason("a__2", both, [own, shared]) == killed
    assert run_sweep.reason("a__2", both, [own]) == "it was not finished, though no job of its own failed"


def overlay(folder: Path, **sections: Any) -> str:
    path = folder / "overlay.yaml"
    path.write_text(yaml.safe_dump(sections), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "sweep",
    [
        yaml.safe_load((ROOT / "config/sweep.yaml").read_text(encoding="utf-8"))["sweep"],
        {"stage": "phase2", "grid": {"epochs": [1, 2.5], "max_passes": [3]}, "suite": "core"},
        {"stage": "phase1", "points": [{"lora.r": 8, "lora.target_modules": ["q_proj", "v_proj"]}]},
        {"stage": "rsft1", "grid": {"keep.max_clippy": [None, 1.5]}, "budget": {"prompts.count": 20}},
    ],
)  # fmt: skip
def test_a_queued_experiment_is_the_point(sweep: dict[str, Any], tmp_path: Path) -> None:
    """Read by DVC's own parser and laid over config.yaml by DVC, a command's values make the point's stage."""
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    made = points.expand(profile.check({**default, "sweep": sweep}))
    commands = queue_commands(ROOT, [overlay(tmp_path, sweep=sweep)])
    assert len(commands) == len(made.points)
    for command, point in zip(commands, made.points.values(), strict=True):
        words = shlex.split(command)
        assert words[:6] == ["dvc", "exp", "run", "--queue", "--name", point.name]
        assert words[6::2] == ["-S"] * (len(words[6:]) // 2)
        told = to_path_overrides(words[7::2])
        assert list(told) == ["config/config.yaml"]
        copy = tmp_path / "config.yaml"
        copy.write_bytes((ROOT / "config/config.yaml").read_bytes())
        apply_overrides(copy, told["config/config.yaml"])
        queued = profile.check(yaml.safe_load(copy.read_text(encoding="utf-8")))
        assert queued.stages[sweep["stage"]] == point.stage and queued.lora == point.lora
        assert queued.evaluate.sampling == made.sampling and queued.score == made.score
        assert queued.evaluate.stages == profile.ancestry(queued, sweep["stage"])


def test_what_dvc_cannot_run_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no section sweep"):
        queue_commands(ROOT, [])
    with pytest.raises(UserError, match=r"states lora, but dvc.yaml runs config/config.yaml alone"):
        queue_commands(ROOT, [overlay(tmp_path, sweep={}, lora={"r": 8})])
    with pytest.raises(UserError, match="cannot be read as YAML"):
        queue_commands(ROOT, [str(tmp_path / "none.yaml")])
