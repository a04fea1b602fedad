"""The configuration: an unknown key is named, stages form a tree, and no profile inherits a tiny value unseen."""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from rust_expert.common.config import profile
from rust_expert.common.config.reading import laid_over as merged
from rust_expert.common.config.reading import read_profile
from rust_expert.common.config.stages import METHODS
from rust_expert.common.errors import UserError
from tools import config_reference

ROOT = Path(__file__).resolve().parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
PROFILES = [
    path
    for path in sorted((ROOT / "config").glob("*.yaml"))
    if path.name
    not in ("config.yaml", "sweep.yaml", "seeds.yaml")  # the default one, and two for whatever profile
]


def sentence(change: Callable[[dict[str, Any]], object]) -> str:
    raw = copy.deepcopy(DEFAULT)
    change(raw)
    with pytest.raises(UserError) as caught:
        profile.check(raw)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_default_profile_holds() -> None:
    checked = profile.check(DEFAULT)
    assert profile.ancestry(checked, "rsft1") == ["base", "phase1", "phase2", "rsft1"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda raw: raw["stages"]["phase2"].update(learning_rat=1),
            ["stages.phase2.learning_rat", "learning_rate?"],
        ),
        (lambda raw: raw.update(evalute={}), ["evalute", "did you mean evaluate?"]),
        (
            lambda raw: raw["stages"]["rsft1"]["keep"].update(max_clipy=1),
            ["rsft1.keep.max_clipy", "max_clippy?"],
        ),
        (lambda raw: raw["base"]["scratch"].update(layer=1), ["base.scratch.layer", "layers?"]),
        (lambda raw: raw["corpus"]["gates"].update(qqq=1), ["corpus.gates.qqq", "known here", "licences"]),
        (lambda raw: raw["judge"].update(memory_mb="lots"), ["judge.memory_mb", "'lots'"]),
        (lambda raw: raw["stages"]["phase1"].update(method="dpo2"), ["stages.phase1.method", "sft, rsft"]),
        (lambda raw: raw["stages"]["phase1"].pop("steps"), ["stages.phase1", "steps and epochs"]),
        (lambda raw: raw["stages"]["phase1"].pop("parent"), ["stages.phase1.parent is missing"]),
        (lambda raw: raw.update(stages=[1]), ["stages must be a mapping"]),
        (lambda raw: raw["stages"]["phase2"].update(parent="phse1"), ["phase2.parent", "phse1", "phase1?"]),
        (lambda raw: raw["stages"]["phase1"].update(parent="phase2"), ["stages.phase1.parent", "circle"]),
        (lambda raw: raw["stages"]["phase1"].update(parent="phase1"), ["stages.phase1.parent", "circle"]),
        (lambda raw: raw["stages"]["rsft1"].update(parent="base"), ["rsft1.parent", "not base"]),
        (lambda raw: raw["stages"]["phase1"].update(data="brod"), ["phase1.data", "broad?"]),
        (
            lambda raw: raw["stages"].update({"Phase": raw["stages"]["phase1"]}),
            ["stages.Phase", "lower-case"],
        ),
        (lambda raw: raw["stages"].update(base=raw["stages"]["phase1"]), ["stages.base"]),
        (
            lambda raw: raw["stages"].update(phase2__b=raw["stages"]["phase1"]),
            ["stages.phase2__b", "single _"],
        ),
        (lambda raw: raw["evaluate"].update(stages=["base", "phase3"]), ["evaluate.stages", "phase3"]),
        (lambda raw: raw["evaluate"].update(suites=["curiculum"]), ["evaluate.suites", "curriculum?"]),
        (lambda raw: raw["suites"]["core"].pop("path"), ["suites.core.path"]),
        (lambda raw: raw["score"].update(k=[1, 10]), ["score.k", "pass@10", "10 samples"]),
        (lambda raw: raw["base"].update(data="fundation"), ["base.data", "foundation?"]),
    ],
)
def test_a_fault_is_one_sentence_that_names_the_key(
    change: Callable[[dict[str, Any]], object], words: list[str]
) -> None:
    told = sentence(change)
    for word in words:
        assert word in told


def size_dependent(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths of the keys of a section whose right value depends on the size of the model or machine."""
    for name, field in model.model_fields.items():
        path = (*above, field.alias or name)
        nested = config_reference.models_in(field.annotation)
        marked = isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("size_dependent")
        if marked:
            yield path
        for inner in nested:
            yield from size_dependent(inner, path)


def required_of(checked: profile.Profile) -> Iterator[tuple[str, ...]]:
    for name, field in profile.Profile.model_fields.items():
        if name == "stages":
            for stage, given in checked.stages.items():
                yield from size_dependent(METHODS[given.method], ("stages", stage))
        elif name == "datasets":
            for dataset in checked.datasets:
                yield from size_dependent(
                    config_reference.models_in(field.annotation)[0], ("datasets", dataset)
                )
        elif isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("size_dependent"):
            yield (name,)
        elif name != "suites":
            yield from (
                path
                for model in config_reference.models_in(field.annotation)
                for path in size_dependent(model, (name,))
            )


def states(raw: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(raw, Mapping) or part not in raw:
            return False
        raw = raw[part]
    return True


def applies(checked: profile.Profile, path: tuple[str, ...]) -> bool:
    """Whether a key matters: not the making of a base that comes from elsewhere, nor steps where epochs are given."""
    if path[:2] in (("base", "scratch"), ("base", "hub")):
        return checked.base.origin == path[1]
    if path[0] == "stages" and path[-1] in ("steps", "epochs"):
        return getattr(checked.stages[path[1]], path[-1]) is not None
    return True


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.name)
def test_a_profile_states_every_size_itself(path: Path) -> None:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    checked = profile.check(merged(DEFAULT, raw))
    silent = [".".join(key) for key in required_of(checked) if applies(checked, key) and not states(raw, key)]
    assert silent == [], f"{path.name} inherits sizes of the tiny default profile"


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.name)
def test_the_guard_sees_a_silent_key(path: Path) -> None:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    del raw["stages"]["phase1"]["max_length"]
    checked = profile.check(merged(DEFAULT, raw))
    assert [key for key in required_of(checked) if applies(checked, key) and not states(raw, key)] == [
        ("stages", "phase1", "max_length")
    ]


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.name)
def test_a_misspelt_key_of_a_profile_is_named_with_the_right_one(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for right, wrong, key in (
        ("micro_batch:", "micro_bach:", "stages.phase1.micro_bach"),
        ("compute_dtype:", "compute_type:", "quantization.compute_type"),
        ("curriculum_shards:", "curriculum_shard:", "curriculum_shard"),
        ("dropout:", "dropuot:", "lora.dropuot"),
    ):
        broken = tmp_path / path.name
        assert right in text
        broken.write_text(text.replace(right, wrong, 1), encoding="utf-8")
        with pytest.raises(UserError, match=f"config key {key} is unknown: did you mean {right[:-1]}"):
            read_profile(ROOT / "config" / "config.yaml", [broken])


def test_there_is_a_profile_for_each_kind_of_base() -> None:
    assert {path.stem for path in PROFILES} >= {
        "h100", "small-gpu", "starcoder2-3b", "codellama-7b", "mistral-7b"
    }  # fmt: skip


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.name)
def test_what_every_profile_of_a_gpu_trains_with(path: Path) -> None:
    checked = read_profile(ROOT / "config" / "config.yaml", [path])
    assert checked.base.hub is not None and re.fullmatch(r"[0-9a-f]{40}", checked.base.hub.revision)
    assert checked.base.chat_template is None or (ROOT / checked.base.chat_template).is_file()
    assert checked.quantization.model_dump() == {
        "quant_type": "nf4", "double_quant": True, "compute_dtype": "bfloat16",
    }  # fmt: skip
    assert checked.lora.model_dump() == {"r": 16, "alpha": 16, "dropout": 0.05, "target_modules": "auto"}
    for name, stage in checked.stages.items():
        assert (stage.optimizer, stage.schedule, stage.gradient_checkpointing, stage.device) == (
            "paged_adamw_8bit", "cosine", True, "cuda",
        ), name  # fmt: skip
        assert stage.warmup_steps > 0
        assert "seed" in stage.model_fields_set
    assert len({stage.seed for stage in checked.stages.values()}) == len(checked.stages)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.name)
def test_a_step_has_64_rows_and_the_steps_are_no_more_passes_than_allowed(path: Path) -> None:
    """By the lengths of real rows: a pack holds several, so 64 rows are a few sequences."""
    checked = read_profile(ROOT / "config" / "config.yaml", [path])
    lengths = json.loads((ROOT / "benchmarks" / "row_lengths.json").read_text(encoding="utf-8"))["datasets"]
    for name in ("phase1", "phase2"):
        stage, data = checked.stages[name], checked.datasets[checked.stages[name].data]
        pairs = lengths[stage.data]["pairs"]
        tokens = sum(map(sum, pairs)) / len(pairs) + 25  # with the chat template
        rows = stage.micro_batch * stage.accumulation * stage.max_length / tokens
        assert rows == pytest.approx(64, rel=0.2)
        assert (stage.steps or 0) * rows / (data.crate_rows + data.curriculum_rows) < stage.max_passes


def test_the_large_profile_is_what_was_asked_for() -> None:
    checked = read_profile(ROOT / "config" / "config.yaml", [ROOT / "config" / "h100.yaml"])
    phase1, phase2, rsft = (checked.stages[name] for name in ("phase1", "phase2", "rsft1"))
    assert (phase1.max_length, phase1.steps, phase1.learning_rate) == (4096, 12_000, 1e-4)
    assert (phase2.max_length, phase2.steps, phase2.learning_rate) == (2048, 4_000, 5e-5)
    assert checked.datasets[phase2.data].strict
    assert 1_000 <= (rsft.steps or 0) <= 2_000
    assert checked.base.hub is not None and checked.base.hub.name == "meta-llama/Llama-3.1-8B-Instruct"


def test_the_key_reference_is_up_to_date() -> None:
    assert config_reference.TARGET.read_text(encoding="utf-8") == config_reference.reference(), (
        "run: python -m tools.config_reference"
    )
