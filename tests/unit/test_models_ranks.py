"""Several processes that train together come to what one comes to."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from test_models_resume import run

from rust_expert.common.config.models import LoraOptions
from rust_expert.models.stage import Order
from rust_expert.models.tokens import learning_order

TOGETHER: dict[str, Any] = {
    "steps": 8, "micro_batch": 1, "accumulation": 4, "save_steps": 2, "eval_steps": 4, "max_passes": 50,
}  # fmt: skip


def order_of(folder: Path, ranks: int) -> Order:
    plain = tiny_models.order(folder / "stage" / "manifest.json", **TOGETHER, ranks=ranks)
    still = LoraOptions(**{**tiny_models.LORA, "dropout": 0.0})  # each rank draws masks of its own
    return Order(**{**vars(plain), "lora": still})


def curve(order: Order) -> list[dict[str, float]]:
    found: list[dict[str, float]] = json.loads((order.out.parent / "history.json").read_text())
    return found


def test_two_ranks_learn_what_one_learns(tmp_path: Path) -> None:
    alone, together = order_of(tmp_path / "one", 1), order_of(tmp_path / "two", 2)
    for order in (alone, together):
        done = run(order)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    for one, two in zip(curve(alone), curve(together), strict=True):
        told = {key: value for key, value in one.items() if value is not None}
        assert {key: value for key, value in two.items() if value is not None} == pytest.approx(
            told, rel=1e-4
        )
    effective = [json.loads((each.out.parent / "effective.json").read_text()) for each in (alone, together)]
    assert [each["ranks"] for each in effective] == [1, 2]
    assert effective[0]["sequences_per_step"] == effective[1]["sequences_per_step"] == 4
    assert len(list((together.out.parent.parent / "tokens").iterdir())) == 2, "one rank made them for both"


def test_a_fault_ends_all_ranks_with_one_sentence(tmp_path: Path) -> None:
    order = order_of(tmp_path, 2)
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    done = run(Order(**{**vars(order), "train": [str(empty)]}))
    assert done.returncode == 2
    assert done.stderr.count("hold no rows to train on") == 1
    assert "Traceback" not in done.stderr


def test_another_number_of_processes_than_asked_is_refused(tmp_path: Path) -> None:
    order = order_of(tmp_path, 2)
    environment = {
        **os.environ,
        "RANK": "0",
        "WORLD_SIZE": "3",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "1",
    }
    from test_models_resume import ROOT, words

    done = subprocess.run(words(order), cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "ranks is 2, but 3 processes were started" in done.stderr


def test_every_step_has_as_many_sequences_and_every_pass_all_of_them() -> None:
    order = learning_order(5, 12, seed=1)
    assert len(order) == 12
    assert sorted(order[:5]) == sorted(order[5:10]) == list(range(5))
    assert order[:5] != order[5:10]
    assert learning_order(5, 7, seed=1) == order[:7]
    assert learning_order(5, 12, seed=2) != order
