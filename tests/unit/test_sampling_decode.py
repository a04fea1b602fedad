"""Decoding: the choice of tokens, greedy as transformers does it, rows that do not depend on their batch."""

from typing import Any

import pytest
import tiny_models
import torch
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

from rust_expert.models import loading
from rust_expert.models.conversation import encode_prompts
from rust_expert.sampling.cache import GrowingLayer, make_cache
from rust_expert.sampling.decode import choose, decode
from rust_expert.sampling.engine import Prompt, Rule

FOLDER = tiny_models.base_manifest().parent / "model"
PROMPTS = [sample.prompt for sample in tiny_models.samples(9, 900)]


def rule(**changes: Any) -> Rule:
    return Rule(
        **{
            "temperature": 1.0,
            "top_p": 1.0,
            "max_new_tokens": 40,
            "end_ids": frozenset([2]),
            "pad_id": 0,
            **changes,
        }
    )


def prompts() -> list[Prompt]:
    tokenizer = loading.load_tokenizer(FOLDER, padding_side="left")
    return [Prompt(ids, seed) for seed, ids in enumerate(encode_prompts(tokenizer, PROMPTS))]


def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(FOLDER, attn_implementation="sdpa").eval()


def test_tokens_are_drawn_by_their_probability() -> None:
    probabilities = torch.tensor([0.5, 0.0, 0.3, 0.2])
    numbers = (torch.arange(1000) + 0.5) / 1000
    chosen = choose(probabilities.log().expand(1000, 4), numbers, 1.0, 1.0)
    assert torch.bincount(chosen, minlength=4).tolist() == [500, 0, 300, 200]


def test_temperature_sharpens_and_zero_is_greedy() -> None:
    logits = torch.tensor([0.2, 0.5, 0.3]).log().expand(1000, 3)
    numbers = (torch.arange(1000) + 0.5) / 1000
    share = torch.bincount(choose(logits, numbers, 0.5, 1.0), minlength=3) / 1000
    assert share.tolist() == pytest.approx([0.04 / 0.38, 0.25 / 0.38, 0.09 / 0.38], abs=2e-3)
    assert choose(logits, None, 0.0, 1.0).unique().tolist() == [1]


@pytest.mark.parametrize(("top_p", "possible"), [(0.1, [1]), (0.5, [1]), (0.51, [1, 2]), (0.81, [0, 1, 2])])
def test_top_p_keeps_the_likeliest_tokens(top_p: float, possible: list[int]) -> None:
    logits = torch.tensor([0.2, 0.5, 0.3]).log().expand(1000, 3)
    chosen = choose(logits, (torch.arange(1000) + 0.5) / 1000, 1.0, top_p)
    assert chosen.unique().tolist() == possible
    if possible == [1, 2]:
        assert int((chosen == 1).sum()) == 625


def test_greedy_is_what_generate_gives() -> None:
    one = model()
    mine = decode(one, prompts(), rule(temperature=0.0))
    for prompt, decoded in zip(prompts(), mine, strict=True):
        ids = torch.tensor([prompt.ids])
        theirs = one.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False, eos_token_id=2,
            pad_token_id=0,
        )[0, len(prompt.ids) :].tolist()  # fmt: skip
        assert decoded.ids == theirs
        assert decoded.finished == (theirs[-1] == 2)


def test_a_row_does_not_depend_on_its_batch() -> None:
    one, rows = model(), prompts()
    together = decode(one, rows, rule())
    assert decode(one, rows[::-1], rule())[::-1] == together
    assert [decode(one, [row], rule())[0] for row in rows] == together
    other = decode(one, [Prompt(row.ids, row.seed + 100) for row in rows], rule())
    assert other != together


def test_finished_rows_leave_the_batch() -> None:
    seen: list[int] = []
    ends = frozenset(range(2, 384, 3))
    decoded = decode(model(), prompts(), rule(end_ids=ends), seen.append)
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 0
    for row in decoded:
        assert row.finished
        assert row.ids[-1] in ends
        assert not ends & set(row.ids[:-1])


def test_the_cache_holds_what_it_was_given() -> None:
    layer = GrowingLayer()
    steps = [torch.randn(3, 2, width, 4) for width in (5, 1, 70, 1)]
    for step in steps:
        keys, values = layer.update(step, -step)
    assert torch.equal(keys, torch.cat(steps, dim=2))
    assert torch.equal(values, -keys)
    layer.batch_select_indices(torch.tensor([2, 0]))
    assert torch.equal(layer.keys, keys[[2, 0]])
    assert layer.get_seq_length() == 77


def test_a_model_with_a_window_gets_transformers_own_cache() -> None:
    config = MistralConfig(
        vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, sliding_window=4, max_position_embeddings=64,
    )  # fmt: skip
    torch.manual_seed(0)
    windowed = MistralForCausalLM(config).eval()
    assert not isinstance(make_cache(config).layers[0], GrowingLayer)
    rows = [Prompt([1, 5, 6, 7, 8, 9, 10], 0), Prompt([1, 9, 4], 1)]
    decoded = decode(windowed, rows, rule(temperature=0.0, max_new_tokens=8, end_ids=frozenset()))
    ids = torch.tensor([rows[0].ids])
    theirs = windowed.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False
    )
    assert decoded[0].ids == theirs[0, 7:].tolist()
