"""The config sections of models and sampling refuse what could not take effect."""

import pytest
from pydantic import BaseModel, ValidationError

from rust_expert.common.config.models import BaseOptions, LoraOptions, QuantizationOptions, TrainingOptions
from rust_expert.common.config.sampling import SamplingOptions

SCRATCH = {
    "vocab_size": 512, "hidden_size": 128, "layers": 2, "heads": 4, "key_value_heads": 2, "intermediate_size": 256,
    "max_positions": 256, "max_length": 128, "steps": 4, "batch_tokens": 256, "learning_rate": 1e-3,
    "warmup_steps": 1, "eval_steps": 2, "eval_rows": 4, "save_steps": 2,
}  # fmt: skip
TRAINING = {
    "steps": 10, "learning_rate": 1e-3, "warmup_steps": 1, "max_length": 128, "micro_batch": 1, "accumulation": 1,
    "eval_steps": 5, "eval_rows": 4, "save_steps": 5, "gradient_checkpointing": False, "optimizer": "adamw_torch",
    "attention": "sdpa", "device": "cpu",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hidden_size": 160}, "multiple of 64"),
        ({"intermediate_size": 200}, "multiple of 64"),
        ({"heads": 3}, "heads"),
        ({"key_value_heads": 3}, "key_value_heads"),
        ({"max_length": 512}, "max_positions"),
        ({"hiden_size": 128}, "hiden_size"),
    ],
)
def test_a_scratch_model_that_cannot_work_is_refused(change: dict[str, int], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        BaseOptions.model_validate({"from": "scratch", "scratch": {**SCRATCH, **change}})


def test_the_named_source_must_be_described() -> None:
    with pytest.raises(ValidationError, match="from: hub needs the key hub"):
        BaseOptions.model_validate({"from": "hub", "scratch": SCRATCH})
    assert BaseOptions.model_validate({"from": "path", "path": "somewhere"}).origin == "path"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"epochs": 1.0}, "exactly one of steps and epochs"),
        ({"steps": None}, "exactly one of steps and epochs"),
        ({"save_steps": 7}, "multiple of log_steps"),
        ({"warmup_steps": 10}, "less than steps"),
        ({"lr": 1}, "lr"),
    ],
)
def test_a_training_that_cannot_work_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        TrainingOptions.model_validate({**TRAINING, **change})


def test_a_template_needs_its_place_for_the_prompt() -> None:
    given = {
        "samples": 1,
        "temperature": 0,
        "max_new_tokens": 9,
        "batch_size": 2,
        "weights": "dense",
        "device": "cpu",
    }
    assert SamplingOptions.model_validate(given).template == "{prompt}"
    with pytest.raises(ValidationError, match="must contain"):
        SamplingOptions.model_validate({**given, "template": "answer this"})


@pytest.mark.parametrize(
    "section", [BaseOptions, TrainingOptions, LoraOptions, QuantizationOptions, SamplingOptions]
)
def test_every_field_is_described(section: type[BaseModel]) -> None:
    assert all(field.description for field in section.model_fields.values())
