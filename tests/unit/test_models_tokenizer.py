"""Tokenizer and conversation: what goes in comes out, and the answer starts where the prompt ends."""

from pathlib import Path

import pytest
import tiny_models

from rust_expert.common.errors import UserError
from rust_expert.models import loading
from rust_expert.models.conversation import encode_prompts, encode_rows, split_by_length
from rust_expert.models.tokenizer import check_tokenizer, train_tokenizer

ROWS = [(sample.prompt, sample.gen) for sample in tiny_models.samples(30)]
TEXTS = [text for row in ROWS for text in row]


def test_the_same_rows_give_the_same_tokenizer() -> None:
    first, second = (train_tokenizer(TEXTS, 384, 128).backend_tokenizer.to_str() for _ in range(2))
    assert first == second


def test_any_text_comes_back_byte_for_byte() -> None:
    tokenizer = train_tokenizer(TEXTS, 384, 128)
    text = 'fn ü() -> &\'static str { "日本 🦀" }\r\n\t// a  b   c\n\n'
    assert tokenizer.decode(tokenizer(text)["input_ids"], clean_up_tokenization_spaces=False) == text


def test_number_types_are_one_token_and_digits_stand_alone() -> None:
    tokenizer = train_tokenizer(TEXTS, 512, 128)
    assert tokenizer.tokenize("x: u64)")[2] == "Ġu64"
    assert tokenizer.tokenize("1024") == ["1", "0", "2", "4"]


def test_an_answer_starts_after_its_prompt_and_ends_with_the_end_mark() -> None:
    tokenizer = train_tokenizer(TEXTS, 384, 128)
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    prompts = encode_prompts(tokenizer, [prompt for prompt, _ in ROWS])
    for (prompt, gen), ids, row in zip(ROWS, prompts, encode_rows(tokenizer, ROWS), strict=True):
        assert row.ids[: row.prompt_length] == ids
        assert row.ids[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(row.ids[row.prompt_length : -1], clean_up_tokenization_spaces=False) == gen
        assert tokenizer.decode(ids) == f"<|bos|><|user|>{prompt}<|assistant|>"


def test_long_rows_are_left_out_whole_and_counted() -> None:
    encoded = encode_rows(train_tokenizer(TEXTS, 384, 128), ROWS)
    limit = sorted(len(row.ids) for row in encoded)[10]
    kept, left_out = split_by_length(encoded, limit)
    assert left_out == len(encoded) - len(kept) > 0
    assert max(len(row.ids) for row in kept) == limit


def test_a_template_that_renders_prompts_in_two_ways_is_refused() -> None:
    tokenizer = train_tokenizer(TEXTS, 384, 128)
    tokenizer.chat_template = (
        "{% for m in messages %}{{ loop.last }}{{ m['content'] }}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    with pytest.raises(UserError, match="renders a prompt differently"):
        encode_rows(tokenizer, ROWS)


def test_a_tokenizer_without_a_template_or_with_its_end_mark_as_padding() -> None:
    tokenizer = train_tokenizer(TEXTS, 384, 128)
    tokenizer.chat_template = None
    with pytest.raises(UserError, match=r"base\.chat_template"):
        check_tokenizer(tokenizer, Path("somewhere"), None)
    tokenizer.pad_token = tokenizer.eos_token
    check_tokenizer(tokenizer, Path("somewhere"), "{{ messages[0]['content'] }}")
    assert tokenizer.pad_token == "<|pad|>"


def test_the_saved_tokenizer_is_an_ordinary_one() -> None:
    tokenizer = loading.load_tokenizer(tiny_models.base_manifest().parent / "model")
    assert tokenizer.chat_template
    assert tokenizer.convert_ids_to_tokens([tokenizer.pad_token_id, tokenizer.eos_token_id]) == [
        "<|pad|>",
        "<|eos|>",
    ]
