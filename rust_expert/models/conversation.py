"""From prompt and answer to token ids: the chat template, and which tokens are learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from rust_expert.common.errors import UserError

TEMPLATE_VARIABLES = {"date_string": "26 Jul 2024"}
"""Llama 3's template prints a date; without this some versions print today's, and every run would differ."""


@dataclass(frozen=True)
class Encoded:
    """One row as token ids; the first `prompt_length` of them are the prompt, the rest is learned."""

    ids: list[int]
    prompt_length: int


def prompt_texts(tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str]) -> list[str]:
    """Each prompt as the model sees it before it answers: the user's turn and the start of its own."""
    return _render(tokenizer, [[_user(prompt)] for prompt in prompts], add_generation_prompt=True)


def encode_prompts(tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str]) -> list[list[int]]:
    """Token ids of `prompt_texts`."""
    return _ids(tokenizer, prompt_texts(tokenizer, prompts))


def encode_rows(tokenizer: PreTrainedTokenizerBase, rows: Sequence[tuple[str, str]]) -> list[Encoded]:
    """Token ids of (prompt, answer) rows under the chat template, as TRL's own preparation would make them.

    Raises UserError where the template renders a prompt otherwise once an answer follows: the model would be
    trained on another context than it meets later.
    """
    if not rows:
        return []
    prompts = encode_prompts(tokenizer, [prompt for prompt, _ in rows])
    wholes = _ids(
        tokenizer,
        _render(tokenizer, [[_user(prompt), {"role": "assistant", "content": gen}] for prompt, gen in rows]),
    )
    for prompt, whole in zip(prompts, wholes, strict=True):
        if whole[: len(prompt)] != prompt:
            raise UserError(
                "the chat template renders a prompt differently once an answer follows, so training and sampling"
                " would not match; name another template in base.chat_template"
            )
    return [
        Encoded(ids=whole, prompt_length=len(prompt)) for prompt, whole in zip(prompts, wholes, strict=True)
    ]


PROBE = ("Write `fn f`.", "fn f() {}")


def check_template(tokenizer: PreTrainedTokenizerBase, where: str) -> None:
    """Try the chat template on one row: the answer must come back, and end with the mark that sampling stops at.

    Raises UserError naming base.chat_template where it does not.
    """
    prompt, answer = PROBE
    try:
        row = encode_rows(tokenizer, [PROBE])[0]
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    except Exception as error:  # a template is a program: it may fail in any way
        raise UserError(
            f"{where}: the chat template fails on a prompt and its answer ({error}); name another in base.chat_template"
        ) from None
    learned = row.ids[row.prompt_length :]
    if tokenizer.eos_token_id not in learned:
        raise UserError(
            f"{where}: the chat template ends no answer with the tokenizer's end mark {tokenizer.eos_token}, so the"
            " model would never learn to stop; name another template in base.chat_template"
        )
    end = learned.index(tokenizer.eos_token_id)
    for what, text, ids in (
        ("prompt", prompt, row.ids[: row.prompt_length]),
        ("answer", answer, learned[:end]),
    ):
        if text not in tokenizer.decode(ids, clean_up_tokenization_spaces=False):
            raise UserError(
                f"{where}: the chat template does not render the {what} as it is; name another in base.chat_template"
            )


def split_by_length(rows: Sequence[Encoded], max_length: int) -> tuple[list[Encoded], int]:
    """The rows of at most `max_length` tokens, and how many were longer.

    Longer rows are left out, not cut: a cut row teaches the model to stop in the middle of a function.
    """
    kept = [row for row in rows if len(row.ids) <= max_length]
    return kept, len(rows) - len(kept)


def _user(prompt: str) -> dict[str, str]:
    return {"role": "user", "content": prompt}


def _render(
    tokenizer: PreTrainedTokenizerBase, conversations: list[list[dict[str, str]]], **options: Any
) -> list[str]:
    texts: list[str] = tokenizer.apply_chat_template(
        conversations, tokenize=False, **TEMPLATE_VARIABLES, **options
    )
    return texts


def _ids(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False, return_attention_mask=False)[
        "input_ids"
    ]
    return ids
