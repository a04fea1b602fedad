"""The tokenizer of a base made here: byte-level BPE, markers for the turns, a chat template."""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from rust_expert.common.errors import UserError

BOS, EOS, PAD = "<|bos|>", "<|eos|>", "<|pad|>"
USER, ASSISTANT = "<|user|>", "<|assistant|>"
MARKERS = [PAD, BOS, EOS, USER, ASSISTANT]

PIECES = (
    r" ?(?<![A-Za-z0-9])(?:[iuf](?:16|32|64|128)|[iu]8)(?![A-Za-z0-9])"
    r"|[0-9]| ?\p{L}+| ?[^\s\p{L}0-9]+|\s+(?!\S)|\s+"
)
"""The pieces within which BPE merges: GPT-2's, but Rust's number types stay whole and each digit stands alone. So
`i32` can be one token, and a constant never seen in training can still be copied digit by digit."""

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}" + USER + "{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}" + ASSISTANT + "{{ message['content'] }}{{ eos_token }}"
    "{% else %}{{ raise_exception('this template knows the roles user and assistant') }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}" + ASSISTANT + "{% endif %}"
)


PADDING = (
    "<|finetune_right_pad_id|>", "<pad>", "<|pad|>", "[PAD]", "<fim_pad>", "<|endoftext|>", "[control_8]", "<unk>",
)  # fmt: skip
"""Tokens that can pad where a tokenizer names none, the first of them that it has."""


def train_tokenizer(texts: Iterable[str], vocab_size: int, max_length: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE of at most `vocab_size` tokens, markers and all 256 bytes among them."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=MARKERS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        additional_special_tokens=[USER, ASSISTANT],
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def check_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path, chat_template: str | None) -> None:
    """Give the tokenizer `chat_template` where one is set, and a padding token where it has none.

    The padding token is never the end mark: a model trained with its end mark masked as padding never learns to
    stop. Raises UserError where there is no chat template, no end mark, or no token that can pad.
    """
    if chat_template is not None:
        tokenizer.chat_template = chat_template
    if not tokenizer.chat_template:
        raise UserError(
            f"{folder}: the tokenizer has no chat template; choose an instruct model or name a Jinja file in"
            " base.chat_template"
        )
    if tokenizer.eos_token_id is None:
        raise UserError(f"{folder}: the tokenizer has no end-of-sequence token; choose another model")
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id != tokenizer.eos_token_id:
        return
    vocabulary = tokenizer.get_vocab()
    for name in PADDING:
        if name in vocabulary and name != tokenizer.eos_token:
            tokenizer.pad_token = name
            return
    raise UserError(
        f"{folder}: the tokenizer has no token that can pad besides its end mark; choose another model"
    )
